//! What two sides agree on, each fact once.
//!
//! | between | module |
//! |---|---|
//! | guest kernel and monitor | [`ports`], [`status`], [`counters`], [`records`], [`channel`], [`command_line`], [`archive_index`], [`system_files`] |
//! | guest kernel, monitor and documentation | [`calls`] |
//! | guest kernel and programs | [`errno`], [`Sysno`] (numbers and names of Linux's x86-64 system calls) |
#![no_std]
#![forbid(unsafe_code)]

pub mod archive_index;
pub mod calls;
pub mod channel;
pub mod command_line;
pub mod counters;
pub mod errno;
pub mod ports;
pub mod records;
pub mod status;
pub mod system_files;

pub use errno::Errno;
pub use syscalls::x86_64::Sysno;

/// Size of a page and of a frame in bytes.
pub const PAGE_SIZE: usize = 4096;
/// The same, as addresses are counted.
pub const PAGE: u64 = PAGE_SIZE as u64;

/// Processes that can exist at once, zombies included. `fork` answers EAGAIN beyond it.
pub const PROCESS_LIMIT: usize = 1024;
