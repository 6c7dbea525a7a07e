//! A small runtime for programs without a C library: what C has around processes, on Linux's system calls.
//!
//! | module | after |
//! |---|---|
//! | [`start`] | `_start`, argv, environ |
//! | [`stdio`] | printf, fflush: buffered standard output |
//! | [`process`] | fork, vfork, wait, exit, kill |
//! | [`exec`] | the six exec functions |
//! | [`status`] | `WIFEXITED` and its kin; signals |
//! | [`files`], [`directory`] | open, read, write, pipe, dup2, readdir |
//! | [`memory`], [`time`] | mmap; clocks and sleep |
//! | [`counters`], [`proc_stat`] | `/proc/cowbell`, `/proc/PID/stat` |
//! | [`expression`] | what `calc` calculates |
//!
//! A program is a file in `src/programs`:
//! ```ignore
//! //! What it shows.
//! #![no_std]
//! #![no_main]
//! use guest_user::{Result, println, program};
//!
//! program!(main);
//!
//! fn main() -> Result<u8> {
//!     println!("hello");
//!     Ok(0)
//! }
//! ```
#![cfg_attr(not(test), no_std)]

mod call;
pub mod counters;
pub mod directory;
pub mod exec;
pub mod expression;
pub mod files;
pub mod memory;
#[cfg(not(test))]
mod memory_functions;
pub mod proc_stat;
pub mod process;
pub mod simd;
mod single;
pub mod start;
pub mod status;
pub mod stdio;
pub mod time;

pub use call::{Error, Result};
pub use contract::Errno;
pub use process::{
    _exit, Fork, Pid, abort, exit, fork, getpid, getppid, spawn, vfork, wait, waitpid,
};
pub use start::{arguments, environment, variable};
pub use status::Status;
pub use stdio::flush;
