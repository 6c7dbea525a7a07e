//! Waiting for interrupts: the only place where ring 0 takes any.
use super::apic::{self, DEVICE_PAGE};
use super::context::UserRegisters;
use super::layout::{set_window, window_page};
use super::trap::vector;
use contract::ports::SERIAL_INTERRUPT;
use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Where the I/O APIC has its registers, and the window's page for them.
const IO_APIC: u64 = 0xfec0_0000;
const WINDOW_PAGE: usize = 9;

/// I/O APIC registers (82093AA data sheet, 3.2).
const VERSION: u32 = 1;
const REDIRECTIONS: u32 = 0x10;

/// The interrupts that came while the processor was halted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    /// The timer's.
    pub timer: bool,
    /// The UART's.
    pub serial: bool,
}

const TIMER: u8 = 1;
const SERIAL: u8 = 2;

static NOTED: AtomicU8 = AtomicU8::new(0);

/// Whether the UART can interrupt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SerialInterrupt {
    /// Its line leads to [`vector::SERIAL`].
    Routed,
    /// There is no I/O APIC: its input has to be looked for.
    Unavailable,
}

/// Leads the UART's interrupt line to this processor.
pub fn route_serial() -> SerialInterrupt {
    set_window(WINDOW_PAGE, IO_APIC | DEVICE_PAGE);
    let version = read(VERSION);
    let last = version >> 16 & 0xff;
    if version == u32::MAX || version == 0 || last < u32::from(SERIAL_INTERRUPT) {
        return SerialInterrupt::Unavailable;
    }
    // Edge-triggered, active high, fixed, physical destination.
    let entry = REDIRECTIONS + 2 * u32::from(SERIAL_INTERRUPT);
    write(entry + 1, apic::id() << 24);
    write(entry, u32::from(vector::SERIAL));
    SerialInterrupt::Routed
}

fn read(register: u32) -> u32 {
    let base = window_page(WINDOW_PAGE) as *mut u32;
    // SAFETY: the page is mapped; where nothing answers, a read gives all ones.
    unsafe {
        base.write_volatile(register);
        base.add(4).read_volatile()
    }
}

fn write(register: u32, value: u32) {
    let base = window_page(WINDOW_PAGE) as *mut u32;
    // SAFETY: the page is mapped, and the vector it is told has a gate.
    unsafe {
        base.write_volatile(register);
        base.add(4).write_volatile(value);
    }
}

/// Halts until an interrupt comes, and returns which came.
pub fn idle() -> Pending {
    NOTED.store(0, Relaxed);
    // SAFETY: an interrupt saves all it uses, and its stub returns here. STI holds interrupts back for
    // one instruction, so that none is taken before HLT.
    unsafe { asm!("sti", "hlt", "cli") };
    let noted = NOTED.load(Relaxed);
    Pending {
        timer: noted & TIMER != 0,
        serial: noted & SERIAL != 0,
    }
}

/// An interrupt out of [`idle`].
pub extern "C" fn note_interrupt(registers: &UserRegisters) {
    let which = if registers.vector as u8 == vector::TIMER {
        TIMER
    } else {
        SERIAL
    };
    NOTED.store(NOTED.load(Relaxed) | which, Relaxed);
    apic::end_of_interrupt();
}
