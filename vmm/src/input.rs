//! The console's input: standard input, read by a thread of its own, given to whoever emulates the UART.

use crate::terminal::Size;
use crate::{interruption, terminal};
use contract::ports;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{IsTerminal, Stdin};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Ctrl-A, the key that speaks to the monitor.
const CONTROL_A: u8 = 1;

/// Where input goes.
pub trait Receiver {
    /// Takes some bytes; returns when it has them all. `Err` when there is no machine any more.
    ///
    /// # Errors
    /// The machine has ended.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Ended>;
    /// No more will come.
    ///
    /// # Errors
    /// The machine has ended.
    fn end(&mut self) -> Result<(), Ended>;
}

/// The machine has ended.
#[derive(Debug)]
pub struct Ended;

/// Reads standard input to its end in a thread. The thread is left behind when the machine ends.
pub fn start(mut receiver: impl Receiver + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("console input".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            interruption::shield_thread();
            let _ = pass_on(&mut receiver);
        })
        .map(|_| ())
}

fn pass_on(receiver: &mut impl Receiver) -> Result<(), Ended> {
    let stdin = std::io::stdin();
    let mut keys = stdin.is_terminal().then(Keys::default);
    let mut told = terminal::told_size();
    if keys.is_some() && !terminal::is_foreground() {
        // What is typed is somebody else's.
        return receiver.end();
    }
    let mut buffer = [0; 4096];
    let mut passed = Vec::new();
    loop {
        if let Some(told) = &mut told {
            wait_for_input(&stdin);
            if let Some(size) = terminal::size().filter(|size| size != told) {
                *told = size;
                receiver.bytes(&size_message(size))?;
            }
            if !has_input(&stdin) {
                continue;
            }
        }
        match nix::unistd::read(&stdin, &mut buffer) {
            Ok(0) => return receiver.end(),
            Ok(count) => match &mut keys {
                None => receiver.bytes(&buffer[..count])?,
                Some(keys) => {
                    passed.clear();
                    let request = keys.filter(&buffer[..count], &mut passed);
                    if told.is_some() {
                        escape_messages(&mut passed);
                    }
                    receiver.bytes(&passed)?;
                    if request == Request::End {
                        interruption::end_by_user();
                    }
                }
            },
            Err(nix::errno::Errno::EINTR) => {}
            // Closed, or a terminal that is not ours to read: the same as no input.
            Err(_) => return receiver.end(),
        }
    }
}

/// Waits for input, or for a change of the terminal's size.
fn wait_for_input(stdin: &Stdin) {
    let mut descriptors = vec![PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let resized = interruption::resized_descriptor();
    if let Some(resized) = resized {
        // SAFETY: the descriptor is in a static that nobody takes it from.
        let borrowed = unsafe { BorrowedFd::borrow_raw(resized.as_raw_fd()) };
        descriptors.push(PollFd::new(borrowed, PollFlags::POLLIN));
    }
    // Interrupted or not: whoever asked looks for himself.
    let _ = poll(&mut descriptors, PollTimeout::NONE);
    if let Some(resized) = resized {
        // It may have been something else.
        let _ = resized.read();
    }
}

fn has_input(stdin: &Stdin) -> bool {
    let mut descriptors = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    poll(&mut descriptors, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// What tells the guest its terminal's size.
fn size_message(size: Size) -> [u8; 6] {
    let [a, b] = size.rows.to_le_bytes();
    let [c, d] = size.columns.to_le_bytes();
    [ports::MESSAGE, ports::SIZE, a, b, c, d]
}

/// A typed byte that is the first of a message is a message of its own.
fn escape_messages(bytes: &mut Vec<u8>) {
    if bytes.contains(&ports::MESSAGE) {
        *bytes = bytes
            .iter()
            .flat_map(|&byte| match byte {
                ports::MESSAGE => vec![ports::MESSAGE, ports::KEY],
                byte => vec![byte],
            })
            .collect();
    }
}

/// What keys asked of the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Nothing,
    End,
}

/// The keys of a terminal: Ctrl-A x ends the machine, Ctrl-A Ctrl-A is one Ctrl-A, Ctrl-A before another key is
/// passed on with it.
#[derive(Default)]
struct Keys {
    prefix: bool,
}

impl Keys {
    fn filter(&mut self, typed: &[u8], passed: &mut Vec<u8>) -> Request {
        for &key in typed {
            match (std::mem::take(&mut self.prefix), key) {
                (false, CONTROL_A) => self.prefix = true,
                (true, b'x' | b'X') => return Request::End,
                (true, CONTROL_A) | (false, _) => passed.push(key),
                (true, _) => passed.extend([CONTROL_A, key]),
            }
        }
        Request::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_keys(typed: &[&[u8]]) -> (Vec<u8>, Request) {
        let mut keys = Keys::default();
        let mut passed = Vec::new();
        let mut request = Request::Nothing;
        for part in typed {
            request = keys.filter(part, &mut passed);
        }
        (passed, request)
    }

    #[test]
    fn messages_and_keys_are_told_apart() {
        let mut typed = b"a\xffb".to_vec();
        escape_messages(&mut typed);
        assert_eq!(typed, b"a\xff\xffb");
        let size = Size {
            rows: 24,
            columns: 300,
        };
        assert_eq!(size_message(size), [0xff, b'S', 24, 0, 44, 1]);
    }

    #[test]
    fn control_a_speaks_to_the_monitor() {
        assert_eq!(type_keys(&[b"ab\x01xcd"]), (b"ab".to_vec(), Request::End));
        assert_eq!(type_keys(&[b"\x01", b"x"]), (vec![], Request::End));
        assert_eq!(
            type_keys(&[b"\x01\x01x"]),
            (b"\x01x".to_vec(), Request::Nothing)
        );
        assert_eq!(
            type_keys(&[b"\x01c\x01"]),
            (b"\x01c".to_vec(), Request::Nothing)
        );
    }
}
