//! What the kernel leaves in memory for the host: where it is, the kernel log, and the crash record.
//!
//! The host finds them by an ELF note in the kernel image, named [`NOTE_NAME`], type [`NOTE_TYPE`], whose
//! descriptor is a [`Records`]: it can read all three at any time, of a hung or dead guest too.
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Owner of the note, as in the ELF: with its NUL.
pub const NOTE_NAME: &[u8] = b"cowbell\0";
/// Type of the note.
pub const NOTE_TYPE: u32 = 1;

/// Descriptor of the note: guest-physical addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Records {
    /// Of the [`crate::counters::CounterPage`], page-aligned.
    pub counters: u64,
    /// Of the [`KernelLog`].
    pub log: u64,
    /// Of the [`CrashRecord`].
    pub crash: u64,
    /// Of the [`Channel`](crate::channel::Channel).
    pub channel: u64,
}

/// Bytes of text that the kernel log keeps: the newest.
pub const LOG_CAPACITY: usize = 16 * 1024;

/// The kernel's own messages, complete lines, a ring of text. Not part of the guest's output.
#[repr(C)]
pub struct KernelLog {
    /// Bytes ever written. Byte `n` is at `text[n % LOG_CAPACITY]`.
    pub written: AtomicU64,
    /// The ring.
    pub text: [AtomicU8; LOG_CAPACITY],
}

impl KernelLog {
    /// An empty log.
    #[must_use]
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "an initialiser, copied into each element"
    )]
    pub const fn new() -> Self {
        const NUL: AtomicU8 = AtomicU8::new(0);
        Self {
            written: AtomicU64::new(0),
            text: [NUL; LOG_CAPACITY],
        }
    }

    /// Appends text.
    pub fn append(&self, bytes: &[u8]) {
        let mut at = self.written.load(Ordering::Relaxed);
        for &byte in bytes {
            self.text[at as usize % LOG_CAPACITY].store(byte, Ordering::Relaxed);
            at += 1;
        }
        self.written.store(at, Ordering::Release);
    }
}

impl Default for KernelLog {
    fn default() -> Self {
        Self::new()
    }
}

/// The state of the virtual CPU when the kernel panicked; zeros before that.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct CrashRecord {
    /// 1 once the rest is filled in.
    pub valid: u64,
    /// Exception vector, or `u64::MAX` for a panic in Rust code.
    pub vector: u64,
    /// Error code of the exception.
    pub error: u64,
    /// RIP.
    pub rip: u64,
    /// RSP.
    pub rsp: u64,
    /// RFLAGS.
    pub rflags: u64,
    /// RBP: the chain of frame pointers starts here.
    pub rbp: u64,
    /// CR2.
    pub cr2: u64,
    /// CR3: the page tables through which RBP's chain is to be read.
    pub cr3: u64,
    /// RAX RBX RCX RDX RSI RDI R8 R9 R10 R11 R12 R13 R14 R15; zeros for a panic in Rust code.
    pub general: [u64; 14],
}
