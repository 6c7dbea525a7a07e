//! From the monitor's jump to the first process.
pub mod command_line;
pub mod direct_map;
mod entry;
mod page_tables;
pub mod start_info;
pub mod tokens;

use crate::arch::{apic, clock, control, layout, machine, probe, segments, timer};
use crate::log;
use crate::one_cpu::OneCpu;
use crate::records::COUNTERS;
use contract::counters::Counter;
use contract::status::Exit;
use start_info::StartInfo;
use x86_64::PhysAddr;

/// What the monitor gave the kernel to run.
pub struct BootInfo {
    /// Memory map, initramfs, options of the command line.
    pub start_info: StartInfo,
    /// Page tables of the direct map that boot took from RAM: physical bytes.
    pub tables: core::ops::Range<u64>,
}

static BOOT: OneCpu<BootInfo> = OneCpu::new(BootInfo {
    start_info: StartInfo::NONE,
    tables: 0..0,
});

/// The first Rust code: on the kernel stack, in the upper half, all of low memory still mapped too.
extern "C" fn start(start_info: u64, tsc: u64) -> ! {
    layout::forget_identity_map();
    segments::load();
    control::enable();
    COUNTERS.set(Counter::TscAtEntry, tsc);
    // SAFETY: boot comes here once.
    let boot = unsafe { BOOT.take() };
    if let Err(error) = prepare(boot, PhysAddr::new_truncate(start_info), tsc) {
        log!("cannot boot: {error}");
        machine::exit(Exit::BadBoot)
    }
    crate::main(boot)
}

fn prepare(boot: &mut BootInfo, start_info: PhysAddr, tsc: u64) -> Result<(), start_info::Error> {
    boot.start_info.read(start_info)?;
    let options = &boot.start_info.options;
    log::set_destination(options.log);
    clock::start(tsc, options.tsc_khz, options.epoch);
    boot.tables = direct_map::cover(&boot.start_info)?;
    probe::run();
    apic::start();
    timer::start();
    Ok(())
}
