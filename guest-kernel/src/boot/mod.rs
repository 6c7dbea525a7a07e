//! From the monitor's jump to the first process.
pub mod command_line;
pub mod direct_map;
mod entry;
mod page_tables;
pub mod start_info;

use crate::arch::{apic, clock, control, layout, machine, probe, segments, timer};
use crate::log;
use crate::records::COUNTERS;
use contract::counters::Counter;
use contract::status::Exit;
use start_info::StartInfo;
use x86_64::PhysAddr;

/// What the monitor gave the kernel to run.
pub struct BootInfo {
    /// Memory map, initramfs, command line.
    pub start_info: StartInfo,
    /// Page tables of the direct map that boot took from RAM: physical bytes.
    pub tables: core::ops::Range<u64>,
    /// The options of the command line.
    pub options: command_line::Options,
}

/// The first Rust code: on the kernel stack, in the upper half, all of low memory still mapped too.
extern "C" fn start(start_info: u64, tsc: u64) -> ! {
    layout::forget_identity_map();
    segments::load();
    control::enable();
    COUNTERS.set(Counter::TscAtEntry, tsc);
    let boot = match prepare(PhysAddr::new_truncate(start_info), tsc) {
        Ok(boot) => boot,
        Err(error) => {
            log!("cannot boot: {error}");
            machine::exit(Exit::BadBoot)
        }
    };
    crate::main(&boot)
}

fn prepare(start_info: PhysAddr, tsc: u64) -> Result<BootInfo, start_info::Error> {
    let start_info = StartInfo::read(start_info)?;
    let options = command_line::Options::parse(start_info.command_line);
    log::set_destination(options.log);
    clock::start(tsc, options.tsc_khz, options.epoch);
    let tables = direct_map::cover(&start_info)?;
    probe::run();
    apic::start();
    timer::start();
    Ok(BootInfo {
        start_info,
        tables,
        options,
    })
}
