//! What to do after an exit from the guest: a function over the exit, so that it can be tested without a machine.

use super::ioapic::{self, Deliver, IoApic};
use super::uart::Uart;
use crate::ending::Ending;
use crate::memory::Memory;
use crate::output::Stopped;
use contract::ports::{CHANNEL_DOORBELL, DOORBELL, DOORBELL_SIGNATURE, EXIT, SERIAL};
use kvm_ioctls::VcpuExit;
use std::sync::Arc;
use vm_memory::{Bytes, GuestAddress};

/// What the loop does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Enter the guest again.
    Continue,
    /// The guest has asked for the end; its value at the exit port.
    Exit(u32),
    /// The end, for another reason.
    End(Ending),
}

/// The devices that exits reach.
pub struct Devices<D: Deliver> {
    /// The interrupt controller.
    pub ioapic: Arc<IoApic<D>>,
    /// The console.
    pub uart: Arc<Uart<D>>,
    /// Guest memory, for the doorbell.
    pub memory: Memory,
}

const SERIAL_END: u16 = SERIAL + 7;
const IOAPIC_END: u64 = ioapic::BASE + ioapic::SIZE - 1;

impl<D: Deliver + Send + 'static> Devices<D>
where
    IoApic<D>: Send + Sync,
{
    /// Serves one exit; the name it is counted under.
    pub fn serve(&self, exit: VcpuExit<'_>) -> (&'static str, Step) {
        match exit {
            VcpuExit::IoOut(DOORBELL, data) => ("io_out_doorbell", self.ring(data)),
            VcpuExit::IoOut(EXIT, data) => ("io_out_exit", Step::Exit(little_endian(data) as u32)),
            VcpuExit::IoOut(port @ SERIAL..=SERIAL_END, data) => (
                "io_out_serial",
                self.serial_out((port - SERIAL) as u8, data),
            ),
            VcpuExit::IoIn(port @ SERIAL..=SERIAL_END, data) => {
                let register = (port - SERIAL) as u8;
                data.iter_mut()
                    .for_each(|byte| *byte = self.uart.read(register));
                ("io_in_serial", Step::Continue)
            }
            VcpuExit::IoIn(DOORBELL, data) => {
                let signature = DOORBELL_SIGNATURE.to_le_bytes();
                data.fill(0xff);
                data.iter_mut()
                    .zip(signature)
                    .for_each(|(byte, value)| *byte = value);
                ("io_in_doorbell", Step::Continue)
            }
            // The channel is read after each exit.
            VcpuExit::IoOut(CHANNEL_DOORBELL, _) => ("io_out_channel", Step::Continue),
            // Nobody there: reads float high, writes go nowhere.
            VcpuExit::IoOut(..) => ("io_out_other", Step::Continue),
            VcpuExit::IoIn(_, data) => {
                data.fill(0xff);
                ("io_in_other", Step::Continue)
            }
            VcpuExit::MmioRead(address @ ioapic::BASE..=IOAPIC_END, data) => {
                let value = self.ioapic.read(address - ioapic::BASE).to_le_bytes();
                data.fill(0);
                data.iter_mut()
                    .zip(value)
                    .for_each(|(byte, value)| *byte = value);
                ("mmio_ioapic", Step::Continue)
            }
            VcpuExit::MmioWrite(address @ ioapic::BASE..=IOAPIC_END, data) => {
                self.ioapic
                    .write(address - ioapic::BASE, little_endian(data) as u32);
                ("mmio_ioapic", Step::Continue)
            }
            VcpuExit::MmioRead(_, data) => {
                data.fill(0xff);
                ("mmio_other", Step::Continue)
            }
            VcpuExit::MmioWrite(..) => ("mmio_other", Step::Continue),
            VcpuExit::Shutdown => ("shutdown", Step::End(Ending::TripleFault)),
            // With the local APIC in KVM a halt does not come here; the INIT state of a reset would.
            VcpuExit::Hlt => ("halt", Step::Continue),
            VcpuExit::Intr => ("interrupted", Step::Continue),
            VcpuExit::IrqWindowOpen => ("interrupt_window", Step::Continue),
            VcpuExit::IoapicEoi(_) => ("ioapic_eoi", Step::Continue),
            VcpuExit::FailEntry(reason, _) => (
                "fail_entry",
                failed(format!(
                    "KVM cannot enter the guest: hardware entry failure {reason:#x}"
                )),
            ),
            // The caller adds the details, which kvm-ioctls leaves in `kvm_run`.
            VcpuExit::InternalError => (
                "internal_error",
                failed("KVM gave up on the guest".to_owned()),
            ),
            VcpuExit::MemoryFault { gpa, .. } => (
                "memory_fault",
                failed(format!(
                    "the host cannot give the guest its memory at {gpa:#x}"
                )),
            ),
            other => (
                "other",
                failed(format!(
                    "KVM stopped the guest for an unexpected reason: {other:?}"
                )),
            ),
        }
    }

    fn serial_out(&self, register: u8, data: &[u8]) -> Step {
        for &byte in data {
            if let Err(stopped) = self.uart.write(register, byte) {
                return after_output(stopped);
            }
        }
        Step::Continue
    }

    /// The guest has a buffer of output. Its address and length are checked here and nowhere else.
    fn ring(&self, data: &[u8]) -> Step {
        let at = little_endian(data);
        let word = |offset: u64| self.memory.read_obj::<u64>(GuestAddress(at + offset));
        let (Ok(address), Ok(length)) = (word(0), word(8)) else {
            return after_output(Stopped::NotMemory(at, 16));
        };
        let written = self
            .uart
            .with_output(|output| output.guest_bytes(&self.memory, address, length));
        written.map_or_else(after_output, |()| Step::Continue)
    }
}

/// What an output that stopped means for the loop.
fn after_output(stopped: Stopped) -> Step {
    // Where an interruption has come the loop finds it before it enters the guest again.
    Ending::of_output(stopped).map_or(Step::Continue, Step::End)
}

fn failed(why: String) -> Step {
    Step::End(Ending::Engine(why))
}

/// Up to eight bytes as a number.
fn little_endian(data: &[u8]) -> u64 {
    data.iter()
        .take(8)
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::super::uart::Line;
    use super::*;
    use crate::memory;
    use crate::output::Output;

    struct Nowhere;

    impl Deliver for Nowhere {
        fn message(&self, _: u32, _: u32) {}
    }

    fn devices() -> Devices<Nowhere> {
        let ioapic = Arc::new(IoApic::new(Nowhere));
        Devices {
            uart: Uart::new(Line(Arc::clone(&ioapic)), Output::standard()),
            ioapic,
            memory: memory::private(1 << 20).expect("memory"),
        }
    }

    #[test]
    fn nobody_answers_at_other_ports() {
        let mut data = [0; 4];
        assert_eq!(
            devices().serve(VcpuExit::IoIn(0x60, &mut data)).1,
            Step::Continue
        );
        assert_eq!(data, [0xff; 4]);
        assert_eq!(
            devices().serve(VcpuExit::IoOut(0x80, &[1])).1,
            Step::Continue
        );
    }

    #[test]
    fn the_exit_port_ends_the_machine() {
        assert_eq!(
            devices().serve(VcpuExit::IoOut(EXIT, &[5, 1, 0, 0])).1,
            Step::Exit(0x105)
        );
        assert_eq!(
            devices().serve(VcpuExit::IoOut(EXIT, &[5])).1,
            Step::Exit(5)
        );
    }

    #[test]
    fn the_doorbell_answers_and_believes_nothing() {
        let devices = devices();
        let mut data = [0; 4];
        devices.serve(VcpuExit::IoIn(DOORBELL, &mut data));
        assert_eq!(u32::from_le_bytes(data), DOORBELL_SIGNATURE);
        for at in [0x1000_u64, 0xf_fff8, 0x10_0000, 0xffff_fff8] {
            let _ = devices
                .memory
                .write_obj([u64::MAX - 3, 16], GuestAddress(0x1000));
            let (_, step) = devices.serve(VcpuExit::IoOut(DOORBELL, &(at as u32).to_le_bytes()));
            assert!(matches!(step, Step::End(Ending::Engine(_))), "{at:#x}");
        }
    }

    #[test]
    fn a_shutdown_is_a_triple_fault() {
        assert_eq!(
            devices().serve(VcpuExit::Shutdown).1,
            Step::End(Ending::TripleFault)
        );
    }
}
