//! Messages to the monitor; `contract::channel` has the format.
use crate::arch::bell;
use crate::records::CHANNEL;
use contract::channel::{CAPACITY, HEADER, Kind, MESSAGE_LIMIT, Piece};
use core::sync::atomic::{AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const BY_BELL: u8 = 1;
const BY_LOOKING: u8 = 2;

/// How the monitor comes to read; found out with the first message.
static READER: AtomicU8 = AtomicU8::new(UNKNOWN);

/// A message under way.
pub struct Message {
    /// Where in the ring it begins.
    start: u64,
    /// Bytes so far, the header included.
    length: usize,
}

impl Message {
    /// Bytes that still fit.
    pub const fn room(&self) -> usize {
        MESSAGE_LIMIT - self.length
    }

    /// Appends bytes; what is over the limit is left out.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.room())];
        CHANNEL.put(self.start + self.length as u64, bytes);
        self.length += bytes.len();
    }

    /// Appends a number.
    pub fn word(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends a number.
    pub fn half(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends memory behind an argument, or says why there is none. What does not fit is left out whole.
    pub fn piece(&mut self, argument: usize, what: Piece, bytes: &[u8]) {
        if self.room() >= 4 + bytes.len() {
            self.bytes(&[argument as u8, what as u8]);
            self.bytes(&(bytes.len() as u16).to_le_bytes());
            self.bytes(bytes);
        }
    }
}

/// Sends what `write` puts into a message. Waits where the monitor has not read enough of those before.
pub fn send(kind: Kind, write: impl FnOnce(&mut Message)) {
    while CHANNEL.room() < MESSAGE_LIMIT {
        ring();
        core::hint::spin_loop();
    }
    let start = CHANNEL.written.load(Ordering::Relaxed);
    let mut message = Message {
        start,
        length: HEADER,
    };
    write(&mut message);
    let payload = (message.length - HEADER) as u32;
    CHANNEL.put(start, &payload.to_le_bytes());
    CHANNEL.put(start + 4, &[kind as u8, 0, 0, 0]);
    let end = start + message.length as u64;
    CHANNEL.written.store(end, Ordering::Release);
}

/// Lets the monitor read now, where it waits to be told.
pub fn ring() {
    if READER.load(Ordering::Relaxed) == UNKNOWN {
        let reader = if bell::answers() { BY_BELL } else { BY_LOOKING };
        READER.store(reader, Ordering::Relaxed);
    }
    if READER.load(Ordering::Relaxed) == BY_BELL {
        bell::ring();
    }
}

const _: () = assert!(MESSAGE_LIMIT <= CAPACITY);
