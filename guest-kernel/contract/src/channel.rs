//! What the kernel sends the monitor while it runs, beside the console: system calls as they are made, and files at
//! the end. A ring of messages in the kernel's memory; [`crate::records::Records`] says where.
//!
//! The kernel writes, the monitor reads and says how far. Where the ring is full the kernel waits: nothing is lost.
//! The kernel sends only what the command line asks for, so a monitor that reads nothing is sent nothing. Where it asks
//! for files, it looks from time to time whether the monitor [wants](Channel::wanted) them now.
//!
//! ```text
//! message   length u32, kind u8, three bytes of zero, then `length` bytes
//!
//! Enter     thread u32, number u64, six arguments u64, pieces
//! Leave     thread u32, result u64, pieces
//! Signal    thread u32, siginfo_t (128 bytes)
//! End       thread u32, wait status u32 (wait(2))
//! File      export u32, bytes of a cpio archive (newc)
//! FileEnd   export u32, errno u32: 0 where all of it was sent
//!
//! piece     argument u8, `Piece` u8, length u16, then `length` bytes: memory behind an argument
//! ```
//!
//! All numbers are little-endian. What the guest writes here the monitor believes no more than anything else.
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Bytes that the ring holds.
pub const CAPACITY: usize = 64 * 1024;
/// Longest message, its header included.
pub const MESSAGE_LIMIT: usize = 16 * 1024;
/// Bytes before a message's payload.
pub const HEADER: usize = 8;

/// Bytes of a buffer that are shown, as strace(1) does by default.
pub const SHOWN_BYTES: usize = 32;
/// Strings of an array, or pieces of a list, that are shown.
pub const SHOWN_ELEMENTS: usize = 32;

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A thread makes a system call.
    Enter = 1,
    /// A system call has its result.
    Leave = 2,
    /// A signal is delivered.
    Signal = 3,
    /// A thread has ended.
    End = 4,
    /// A part of an exported tree.
    File = 5,
    /// The end of an exported tree.
    FileEnd = 6,
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Enter),
            2 => Some(Self::Leave),
            3 => Some(Self::Signal),
            4 => Some(Self::End),
            5 => Some(Self::File),
            6 => Some(Self::FileEnd),
            _ => None,
        }
    }
}

/// What a piece is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Piece {
    /// All there is.
    Whole = 0,
    /// The beginning; more follows that is not sent.
    Beginning = 1,
    /// The address cannot be read.
    Fault = 2,
    /// A count of elements, as u32.
    Count = 3,
}

impl Piece {
    /// The piece with this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Whole),
            1 => Some(Self::Beginning),
            2 => Some(Self::Fault),
            3 => Some(Self::Count),
            _ => None,
        }
    }
}

/// The ring.
#[repr(C)]
pub struct Channel {
    /// Bytes ever written: whole messages.
    pub written: AtomicU64,
    /// Bytes ever read; the monitor's to write.
    pub read: AtomicU64,
    /// Byte `n` is at `bytes[n % CAPACITY]`.
    pub bytes: [AtomicU8; CAPACITY],
    /// Not 0: the machine is to end, files first; the monitor's to write.
    pub wanted: AtomicU64,
}

impl Channel {
    /// Nothing written.
    #[must_use]
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "an initialiser, copied into each element"
    )]
    pub const fn new() -> Self {
        const ZERO: AtomicU8 = AtomicU8::new(0);
        Self {
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            bytes: [ZERO; CAPACITY],
            wanted: AtomicU64::new(0),
        }
    }

    /// Bytes that can be written now.
    #[must_use]
    pub fn room(&self) -> usize {
        let unread = self
            .written
            .load(Ordering::Relaxed)
            .wrapping_sub(self.read.load(Ordering::Acquire));
        // A monitor that says nonsense gets nothing more than a damaged ring.
        CAPACITY.saturating_sub(usize::try_from(unread).unwrap_or(0))
    }

    /// Puts bytes where the ring is at `position`, which no reader looks at yet.
    pub fn put(&self, position: u64, bytes: &[u8]) {
        for (at, &byte) in (position..).zip(bytes) {
            self.bytes[at as usize % CAPACITY].store(byte, Ordering::Relaxed);
        }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::new()
    }
}
