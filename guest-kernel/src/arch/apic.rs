//! The local APIC: x2APIC registers where CPUID has them, else its page of memory (Intel SDM volume 3, 10).
use super::control::{X2APIC, has};
use super::layout::{set_window, window_page};
use super::registers::{self, IA32_APIC_BASE};
use super::trap::vector;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use x86_64::structures::paging::PageTableFlags as Flags;

/// Flags of a page of device registers.
pub const DEVICE_PAGE: u64 = Flags::PRESENT
    .union(Flags::WRITABLE)
    .union(Flags::ACCESSED)
    .union(Flags::DIRTY)
    .union(Flags::NO_CACHE)
    .union(Flags::WRITE_THROUGH)
    .union(Flags::GLOBAL)
    .union(Flags::NO_EXECUTE)
    .bits();

/// The window's page of the local APIC.
const WINDOW_PAGE: usize = 8;

const ENABLE: u64 = 1 << 11;
const ENABLE_X2APIC: u64 = 1 << 10;
const BASE_MASK: u64 = 0x000f_ffff_ffff_f000;

/// Registers, by their number in x2APIC; the offset in memory is 16 times that.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Register {
    Id = 0x02,
    EndOfInterrupt = 0x0b,
    Spurious = 0x0f,
    Timer = 0x32,
    LocalInterrupt0 = 0x35,
    InitialCount = 0x38,
    CurrentCount = 0x39,
    DivideConfiguration = 0x3e,
}

/// First of the x2APIC registers' numbers as model-specific registers.
const X2APIC_MSRS: u32 = 0x800;
/// Local vector table: no interrupt from there.
pub const MASKED: u32 = 1 << 16;
/// Bit 8 of the spurious interrupt register: the APIC is on.
const SOFTWARE_ENABLE: u32 = 1 << 8;

static BY_MSR: AtomicBool = AtomicBool::new(false);

/// Turns the local APIC on.
pub fn start() {
    let base = registers::read_msr(IA32_APIC_BASE);
    let mut wanted = base | ENABLE;
    if has(X2APIC) {
        wanted |= ENABLE_X2APIC;
        BY_MSR.store(true, Relaxed);
    } else {
        set_window(WINDOW_PAGE, base & BASE_MASK | DEVICE_PAGE);
    }
    if wanted != base {
        // SAFETY: the base stays, and the APIC's registers are used by this module alone.
        unsafe { registers::write_msr(IA32_APIC_BASE, wanted) };
    }
    // Firmware leaves the 8259 interrupt controller wired through here, with its timer running.
    write(Register::LocalInterrupt0, MASKED);
    write(
        Register::Spurious,
        SOFTWARE_ENABLE | u32::from(vector::SPURIOUS),
    );
}

/// Reads a register.
#[inline]
pub fn read(register: Register) -> u32 {
    if BY_MSR.load(Relaxed) {
        return registers::read_msr(X2APIC_MSRS + register as u32) as u32;
    }
    // SAFETY: `start` mapped the registers.
    unsafe { address(register).read_volatile() }
}

/// Writes a register.
#[inline]
pub fn write(register: Register, value: u32) {
    // SAFETY: these registers concern interrupts alone, whose vectors have gates; `start` mapped them.
    unsafe {
        if BY_MSR.load(Relaxed) {
            registers::write_msr(X2APIC_MSRS + register as u32, u64::from(value));
        } else {
            address(register).write_volatile(value);
        }
    }
}

/// The processor's APIC id, as a destination of interrupts.
pub fn id() -> u32 {
    if BY_MSR.load(Relaxed) {
        read(Register::Id)
    } else {
        read(Register::Id) >> 24
    }
}

/// Tells the APIC that the interrupt in service is done with.
#[inline]
pub fn end_of_interrupt() {
    write(Register::EndOfInterrupt, 0);
}

fn address(register: Register) -> *mut u32 {
    (window_page(WINDOW_PAGE) + u64::from(register as u32) * 16) as *mut u32
}
