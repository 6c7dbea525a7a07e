//! The guest kernel.
//!
//! Boot reads like a list in `boot`, ends in [`first_process`], and from then on everything is a trap:
//! [`kernel`] decides, `process` and `system_calls` do, over `memory` and the crates `page-tree` and
//! `files`. `arch` is the hardware.
#![no_std]
#![no_main]

extern crate alloc;

mod arch;
mod boot;
mod channel;
mod console;
mod deadlock;
mod files_out;
mod first_process;
mod host_keys;
mod host_names;
mod kernel;
mod log;
mod memory;
mod memory_functions;
mod one_cpu;
mod process;
mod processes_view;
mod random;
mod records;
mod system_calls;
mod trace;

use first_process::run as main;
use kernel::{finish_system_call, on_page_fault, on_system_call, on_trap};
