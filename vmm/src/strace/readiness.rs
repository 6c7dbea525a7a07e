//! Descriptors that are waited for: what poll(2) and select(2) and their like ask, and what they found.

use super::arguments::Memory;
use super::structures::{self, half};
use super::{names, text};
use contract::Sysno;
use contract::calls::Structure;

/// `struct pollfd`s, as they were before the call.
#[must_use]
pub fn polls(memory: &Memory, index: usize, value: u64, count: u64) -> String {
    let pieces = memory.before.of(index);
    if value == 0 || pieces.is_empty() && count > 0 {
        return text::address(value);
    }
    let shown: Vec<String> = pieces
        .iter()
        .map(|(_, bytes)| poll_descriptor(bytes, "events", half(bytes, 4) & 0xffff))
        .collect();
    format!("[{}]", shown.join(", "))
}

/// What a call found, as it stands after the result: `None` where that says it all.
#[must_use]
pub fn found(call: Sysno, memory: &Memory, result: u64) -> Option<String> {
    let left = |index, structure| {
        let piece = memory.after.one(index)?;
        Some(format!("left {}", structures::show(structure, piece.1)))
    };
    let parts: Vec<String> = match call {
        Sysno::poll | Sysno::ppoll | Sysno::select | Sysno::pselect6 if result == 0 => {
            vec!["Timeout".to_owned()]
        }
        Sysno::poll => vec![polled(memory)],
        Sysno::ppoll => [Some(polled(memory)), left(2, Structure::Timespec)]
            .into_iter()
            .flatten()
            .collect(),
        Sysno::select | Sysno::pselect6 => {
            let time = if call == Sysno::select {
                Structure::Timeval
            } else {
                Structure::Timespec
            };
            let set = |index, name| {
                let bytes = memory.after.one(index)?.1;
                let some = bytes.iter().any(|byte| *byte != 0);
                some.then(|| format!("{name} {}", descriptors(bytes)))
            };
            [set(1, "in"), set(2, "out"), set(3, "exc"), left(4, time)]
                .into_iter()
                .flatten()
                .collect()
        }
        _ => return None,
    };
    (!parts.is_empty()).then(|| format!(" ({})", parts.join(", ")))
}

/// A set of descriptors.
#[must_use]
pub fn descriptors(bytes: &[u8]) -> String {
    let members = (0..bytes.len() * 8).filter(|bit| bytes[bit / 8] & 1 << (bit % 8) != 0);
    let members: Vec<String> = members.map(|bit| bit.to_string()).collect();
    format!("[{}]", members.join(" "))
}

/// The `struct pollfd`s that something happened to.
fn polled(memory: &Memory) -> String {
    let pieces = memory.after.of(0).iter();
    let found: Vec<String> = pieces
        .map(|(_, bytes)| (bytes, half(bytes, 4) >> 16))
        .filter(|(_, events)| *events != 0)
        .map(|(bytes, events)| poll_descriptor(bytes, "revents", events))
        .collect();
    format!("[{}]", found.join(", "))
}

fn poll_descriptor(bytes: &[u8], name: &str, events: u32) -> String {
    format!(
        "{{fd={}, {name}={}}}",
        half(bytes, 0) as i32,
        names::poll_events(events as u16)
    )
}
