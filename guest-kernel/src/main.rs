//! The guest kernel.
#![no_std]
#![no_main]

mod arch;
mod boot;
mod demo;
mod log;
mod memory_functions;
mod records;

/// What the kernel does after boot.
fn main(boot: &boot::BootInfo) -> ! {
    demo::run(boot)
}

/// What the kernel does after a trap; the process that is then current goes on.
fn on_trap(trap: arch::trap::Trap) {
    demo::on_trap(trap);
}
