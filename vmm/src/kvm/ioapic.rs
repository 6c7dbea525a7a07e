//! The I/O APIC (Intel 82093AA data sheet), as much of it as a UART needs.
//!
//! It is here and not in KVM because `KVM_CREATE_IRQCHIP` makes the host wait out an RCU grace period when memory is
//! added (5–10 ms of a start that otherwise takes one); with `KVM_CAP_SPLIT_IRQCHIP` the local APIC alone is in KVM,
//! and an interrupt is a message to it (`KVM_SIGNAL_MSI`).

use kvm_bindings::kvm_msi;
use kvm_ioctls::VmFd;
use std::sync::{Arc, Mutex, PoisonError};

/// First byte of its registers in physical memory.
pub const BASE: u64 = 0xFEC0_0000;
/// Bytes that it answers to.
pub const SIZE: u64 = 0x1000;
/// Pins, one redirection entry each.
pub const PINS: usize = 24;

const IOREGSEL: u64 = 0x00;
const IOWIN: u64 = 0x10;
const ID: u8 = 0x00;
const VERSION: u8 = 0x01;
const ARBITRATION: u8 = 0x02;
const REDIRECTION: u8 = 0x10;
/// Version 0x11, highest entry 23.
const VERSION_VALUE: u32 = 0x11 | (PINS as u32 - 1) << 16;
/// Mask bit of a redirection entry.
const MASKED: u64 = 1 << 16;
/// Bits of a redirection entry that only the device sets: delivery status, remote IRR.
const READ_ONLY: u64 = 1 << 12 | 1 << 14;

/// Takes interrupt messages to the local APIC.
pub trait Deliver {
    /// Address and data as in Intel SDM volume 3, 11.11 "Message Signalled Interrupts".
    fn message(&self, address: u32, data: u32);
}

impl Deliver for Arc<VmFd> {
    fn message(&self, address: u32, data: u32) {
        let message = kvm_msi {
            address_lo: address,
            data,
            ..Default::default()
        };
        // A destination that is not there, or an APIC the guest has disabled, takes no interrupt: as on hardware.
        let _ = self.signal_msi(message);
    }
}

/// The device, used by the virtual CPU and by the thread that brings console input.
pub struct IoApic<D> {
    state: Mutex<State>,
    deliver: D,
}

struct State {
    selected: u8,
    id: u32,
    entries: [u64; PINS],
    /// Pins that pulsed while masked.
    latched: u32,
}

impl<D: Deliver> IoApic<D> {
    /// As after reset: all pins masked.
    pub fn new(deliver: D) -> Self {
        let state = State {
            selected: 0,
            id: 0,
            entries: [MASKED; PINS],
            latched: 0,
        };
        Self {
            state: Mutex::new(state),
            deliver,
        }
    }

    /// A pulse on a pin. The UART makes pulses only, so edge and level triggering come to the same.
    pub fn pulse(&self, pin: u8) {
        let mut state = self.lock();
        let Some(&entry) = state.entries.get(usize::from(pin)) else {
            return;
        };
        if entry & MASKED == 0 {
            self.send(entry);
        } else {
            // The UART does not pulse again before it has been served, so this one must not be lost.
            state.latched |= 1 << pin;
        }
    }

    /// A read by the guest, at an offset from [`BASE`].
    pub fn read(&self, offset: u64) -> u32 {
        let state = self.lock();
        match offset {
            IOREGSEL => u32::from(state.selected),
            IOWIN => match state.selected {
                ID | ARBITRATION => state.id,
                VERSION => VERSION_VALUE,
                index => match entry_of(index) {
                    Some((pin, true)) => (state.entries[pin] >> 32) as u32,
                    Some((pin, false)) => state.entries[pin] as u32,
                    None => 0,
                },
            },
            _ => 0,
        }
    }

    /// A write by the guest, at an offset from [`BASE`].
    pub fn write(&self, offset: u64, value: u32) {
        let mut state = self.lock();
        match (offset, state.selected) {
            (IOREGSEL, _) => state.selected = value as u8,
            (IOWIN, ID) => state.id = value & 0x0f00_0000,
            (IOWIN, index) => {
                let Some((pin, high)) = entry_of(index) else {
                    return;
                };
                let old = state.entries[pin];
                let new = if high {
                    old & 0xffff_ffff | u64::from(value) << 32
                } else {
                    old & !0xffff_ffff | u64::from(value) & !READ_ONLY
                };
                state.entries[pin] = new;
                if new & MASKED == 0 && state.latched & 1 << pin != 0 {
                    state.latched &= !(1 << pin);
                    self.send(new);
                }
            }
            _ => {}
        }
    }

    fn send(&self, entry: u64) {
        let destination = (entry >> 56) as u32;
        let logical = (entry >> 11 & 1) as u32;
        let delivery_mode = (entry >> 8 & 7) as u32;
        let vector = (entry & 0xff) as u32;
        self.deliver.message(
            0xFEE0_0000 | destination << 12 | logical << 2,
            delivery_mode << 8 | vector,
        );
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pin of a register index, and whether it is the upper half of the entry.
fn entry_of(index: u8) -> Option<(usize, bool)> {
    let offset = usize::from(index.checked_sub(REDIRECTION)?);
    (offset / 2 < PINS).then_some((offset / 2, offset % 2 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[derive(Default)]
    struct Messages(RefCell<Vec<(u32, u32)>>);

    impl Deliver for Messages {
        fn message(&self, address: u32, data: u32) {
            self.0.borrow_mut().push((address, data));
        }
    }

    fn set(ioapic: &IoApic<Messages>, index: u8, value: u32) {
        ioapic.write(IOREGSEL, index.into());
        ioapic.write(IOWIN, value);
    }

    #[test]
    fn a_pulse_becomes_the_message_of_its_entry() {
        let ioapic = IoApic::new(Messages::default());
        set(&ioapic, REDIRECTION + 9, 3 << 24);
        set(&ioapic, REDIRECTION + 8, 0x42);
        ioapic.pulse(4);
        ioapic.pulse(5);
        ioapic.pulse(200);
        assert_eq!(*ioapic.deliver.0.borrow(), [(0xFEE0_3000, 0x42)]);
    }

    #[test]
    fn a_pulse_while_masked_is_kept() {
        let ioapic = IoApic::new(Messages::default());
        ioapic.pulse(4);
        assert!(ioapic.deliver.0.borrow().is_empty());
        set(&ioapic, REDIRECTION + 8, 0x30);
        set(&ioapic, REDIRECTION + 8, 0x30);
        assert_eq!(*ioapic.deliver.0.borrow(), [(0xFEE0_0000, 0x30)]);
    }

    #[test]
    fn registers_read_back() {
        let ioapic = IoApic::new(Messages::default());
        ioapic.write(IOREGSEL, VERSION.into());
        assert_eq!(ioapic.read(IOWIN), 0x0017_0011);
        set(&ioapic, REDIRECTION + 47, 0x0100_0000);
        assert_eq!(ioapic.read(IOWIN), 0x0100_0000);
        set(&ioapic, 0xff, 1);
        assert_eq!(ioapic.read(IOWIN), 0);
    }
}
