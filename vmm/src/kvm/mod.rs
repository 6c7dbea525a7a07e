//! The KVM engine: a virtual machine with one virtual CPU, run by the main thread.

mod cpuid;
mod exits;
mod hardware;
mod ioapic;
mod statistics;
mod uart;
mod vcpu;

use crate::boot;
use crate::channel::Listener;
use crate::ending::Ending;
use crate::farewell::Farewell;
use crate::host_memory;
use crate::input;
use crate::interruption;
use crate::machine::{Attachment, ExitFigures, Machine, Measure, Outcome};
use crate::memory::{self, Memory};
use crate::output::Output;
use crate::phases::Phases;
use crate::records::{Counters, LogReader};
use anyhow::{Context, Result, ensure};
use contract::counters::Counter;
use exits::{Devices, Step};
use ioapic::IoApic;
use kvm_bindings::{
    KVM_CAP_SPLIT_IRQCHIP, KVM_INTERNAL_ERROR_EMULATION, Msrs, kvm_enable_cap, kvm_msr_entry,
    kvm_userspace_memory_region,
};
use kvm_ioctls::{Cap, Kvm, VcpuExit, VcpuFd, VmFd};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use uart::{Line, Uart};
use vm_memory::{GuestMemoryBackend, GuestMemoryRegion};

/// Three pages that Intel processors without unrestricted guests need, in the hole below 4 GiB.
const TSS_ADDRESS: usize = 0xfffb_d000;
/// The KVM API this is written for; it has not changed since Linux 2.6.22.
const API_VERSION: i32 = 12;

/// The time-stamp counter's MSR (Intel SDM volume 4, IA32_TIME_STAMP_COUNTER).
const IA32_TIME_STAMP_COUNTER: u32 = 0x10;
/// Why a figure is not there.
const NOT_ASKED: &str = "not asked for";

/// KVM, and a virtual machine that it has made: not every KVM that opens can make one.
pub struct Ready {
    /// KVM.
    pub kvm: Kvm,
    vm: VmFd,
}

/// Opens KVM and makes a virtual machine.
///
/// # Errors
/// Why it cannot be used, and what to do.
pub fn open() -> Result<Ready> {
    let kvm = Kvm::new().map_err(|error| {
        anyhow::anyhow!(match error.errno() {
            libc::ENOENT => "there is no /dev/kvm: no virtualisation in hardware, or its module (kvm_intel, kvm_amd) is not loaded".to_owned(),
            libc::EACCES | libc::EPERM => "no permission for /dev/kvm: join its group (`sudo usermod -aG kvm $USER`, then log in again)".to_owned(),
            _ => format!("/dev/kvm cannot be opened: {error}"),
        })
    })?;
    let version = kvm.get_api_version();
    ensure!(
        version == API_VERSION,
        "KVM has API version {version}, not {API_VERSION}"
    );
    for (capability, name) in [
        (Cap::UserMemory, "KVM_CAP_USER_MEMORY"),
        (Cap::SplitIrqchip, "KVM_CAP_SPLIT_IRQCHIP"),
        (Cap::SignalMsi, "KVM_CAP_SIGNAL_MSI"),
        (Cap::ExtCpuid, "KVM_CAP_EXT_CPUID"),
        (Cap::ImmediateExit, "KVM_CAP_IMMEDIATE_EXIT"),
    ] {
        ensure!(
            kvm.check_extension(capability),
            "KVM lacks {name}: a host kernel of 4.13 or newer is needed"
        );
    }
    let vm = kvm.create_vm().map_err(|error| match error.errno() {
        libc::EBUSY => {
            anyhow::anyhow!("KVM is there, but another hypervisor holds the processor ({error})")
        }
        _ => anyhow::anyhow!("KVM is there, but cannot create a virtual machine: {error}"),
    })?;
    Ok(Ready { kvm, vm })
}

/// Runs a machine to its end.
///
/// # Errors
/// It cannot be set up.
pub fn run(
    ready: Ready,
    machine: &Machine<'_>,
    listener: &mut Listener,
    mut phases: Phases,
) -> Result<Outcome> {
    let Ready { kvm, vm } = ready;
    let memory = set_up(&vm, machine)?;
    let mut vcpu = vm
        .create_vcpu(0)
        .context("KVM cannot create a virtual CPU")?;
    let tsc_khz = vcpu.get_tsc_khz().ok().filter(|khz| *khz != 0);
    vcpu.set_cpuid2(&cpuid::for_guest(&kvm, tsc_khz)?)
        .context("KVM_SET_CPUID2 failed")?;

    // The memory is this process's own and fresh.
    let mut command_line = b"ram=zero ".to_vec();
    if let Some(khz) = tsc_khz {
        command_line.extend_from_slice(format!("tsc_khz={khz} ").as_bytes());
    }
    command_line.extend_from_slice(&machine.command_line);
    let entry = boot::load(
        &memory,
        machine.memory_size,
        machine.kernel,
        machine.initramfs,
        &command_line,
    )?;
    vcpu::enter_pvh(&vcpu, entry)?;

    let vm = Arc::new(vm);
    let ioapic = Arc::new(IoApic::new(Arc::clone(&vm)));
    let output = match machine.attachment {
        Attachment::Standard => Output::standard(),
        Attachment::Nowhere => Output::nowhere(),
    };
    let devices = Devices {
        uart: Uart::new(Line(Arc::clone(&ioapic)), output),
        ioapic,
        memory: memory.clone(),
    };
    if machine.attachment == Attachment::Standard {
        input::start(Arc::clone(&devices.uart)).context("cannot start the input thread")?;
    }

    let measured = machine.measure == Measure::Everything;
    let counters = if measured {
        hardware::Counters::start()
    } else {
        Err(NOT_ASKED.to_owned())
    };
    phases.engine_ready = Some(phases.now());
    let clock = tsc_khz
        .filter(|_| measured)
        .and_then(|khz| GuestClock::read(&vcpu, khz, &phases));
    let mut exits = BTreeMap::new();
    let ending = enter_until_end(
        &mut vcpu,
        &devices,
        machine,
        listener,
        &mut exits,
        &mut phases,
    );
    listener.hear(&memory);
    phases.last_exit = Some(phases.now());
    let hardware = counters.and_then(hardware::Counters::read);
    if let Some(counters) = Counters::read(&memory, machine.kernel) {
        phases.first_user =
            clock.and_then(|clock| clock.when(counters.get(Counter::TscAtFirstUser)));
    }
    let resident = if measured {
        host_memory::resident(&memory, machine.files())
    } else {
        Err(NOT_ASKED.to_owned())
    };
    devices.uart.end();
    let unwritten = devices.uart.with_output(Output::flush).err();
    let ending = match (unwritten.and_then(Ending::of_output), ending) {
        (Some(failed), Ending::Guest(_)) => failed,
        (_, ending) => ending,
    };
    Ok(Outcome {
        ending,
        registers: vcpu::registers(&vcpu),
        engine_figures: if measured {
            statistics::read(&*vm, &vcpu)
        } else {
            Err(NOT_ASKED.to_owned())
        },
        memory_touched: resident.clone().map(|resident| resident.guest),
        monitor_memory: resident.map(|resident| resident.monitor),
        memory,
        phases,
        exits,
        hardware,
    })
}

/// Whether hardware counters can be read here; what they count is thrown away.
///
/// # Errors
/// Why not.
pub fn hardware_counters() -> Result<(), String> {
    hardware::Counters::start().map(drop)
}

/// How many figures KVM gives.
///
/// # Errors
/// Why it gives none.
pub fn has_statistics(kvm: &Kvm) -> Result<usize, String> {
    let vm = kvm.create_vm().map_err(|error| error.to_string())?;
    let vcpu = vm.create_vcpu(0).map_err(|error| error.to_string())?;
    statistics::read(&vm, &vcpu).map(|figures| figures.len())
}

/// Gives the machine its interrupt controller and its memory.
fn set_up(vm: &VmFd, machine: &Machine<'_>) -> Result<Memory> {
    vm.set_tss_address(TSS_ADDRESS)
        .context("KVM_SET_TSS_ADDR failed")?;
    let split = kvm_enable_cap {
        cap: KVM_CAP_SPLIT_IRQCHIP,
        args: [ioapic::PINS as u64, 0, 0, 0],
        ..Default::default()
    };
    vm.enable_cap(&split)
        .context("KVM cannot provide a local APIC")?;
    let memory = memory::private(machine.memory_size)?;
    // SAFETY: the caller keeps the memory until the virtual CPU has stopped for good.
    unsafe { set_memory(vm, &memory) }?;
    Ok(memory)
}

/// Gives a virtual machine its memory, a slot for each region.
///
/// # Safety
/// `memory` stays mapped until the machine's virtual CPU has stopped for good.
///
/// # Errors
/// KVM does not take it.
pub unsafe fn set_memory(vm: &VmFd, memory: &Memory) -> Result<()> {
    for (slot, region) in memory.iter().enumerate() {
        let region = kvm_userspace_memory_region {
            slot: u32::try_from(slot)?,
            guest_phys_addr: region.start_addr().0,
            memory_size: region.len(),
            userspace_addr: region.as_ptr() as u64,
            flags: 0,
        };
        // SAFETY: the mapping lives in `memory`, which the caller keeps.
        unsafe { vm.set_user_memory_region(region) }
            .context("KVM does not take the guest's memory")?;
    }
    Ok(())
}

/// The guest's time-stamp counter, tied to the host's clock.
#[derive(Clone, Copy)]
struct GuestClock {
    ticks: u64,
    nanoseconds: u64,
    khz: u32,
}

impl GuestClock {
    fn read(vcpu: &VcpuFd, khz: u32, phases: &Phases) -> Option<Self> {
        let tsc = kvm_msr_entry {
            index: IA32_TIME_STAMP_COUNTER,
            ..Default::default()
        };
        let mut registers = Msrs::from_entries(&[tsc]).ok()?;
        let read = vcpu.get_msrs(&mut registers).ok()?;
        let ticks = registers.as_slice().get(..read)?.first()?.data;
        Some(Self {
            ticks,
            nanoseconds: phases.now(),
            khz,
        })
    }

    /// When the counter had this value; `None` for a counter the kernel never filled in.
    fn when(self, ticks: u64) -> Option<u64> {
        let since = u128::from(ticks.checked_sub(self.ticks)?) * 1_000_000 / u128::from(self.khz);
        self.nanoseconds.checked_add(u64::try_from(since).ok()?)
    }
}

/// Takes back the pointer that the signal handler uses, however the loop ends.
struct ImmediateExit;

impl Drop for ImmediateExit {
    fn drop(&mut self) {
        // SAFETY: a null pointer is never written through.
        unsafe { interruption::set_immediate_exit(std::ptr::null_mut()) };
    }
}

fn enter_until_end(
    vcpu: &mut VcpuFd,
    devices: &Devices<Arc<VmFd>>,
    machine: &Machine<'_>,
    listener: &mut Listener,
    exits: &mut BTreeMap<&'static str, ExitFigures>,
    phases: &mut Phases,
) -> Ending {
    let immediate_exit = &raw mut vcpu.get_kvm_run().immediate_exit;
    // SAFETY: `kvm_run` stays mapped as long as `vcpu` lives, and the guard ends the use before that.
    unsafe { interruption::set_immediate_exit(immediate_exit) };
    let _guard = ImmediateExit;
    let mut log = LogReader::new(machine.kernel);
    phases.first_entry = Some(phases.now());
    let mut farewell = Farewell::default();
    let ending = loop {
        if let Some(ending) = farewell.look(listener, &devices.memory) {
            break ending;
        }
        if farewell.has_begun() {
            vcpu.set_kvm_immediate_exit(0);
        }
        let entered = vcpu.run();
        let start = Instant::now();
        let (reason, step) = match entered {
            Ok(exit) => {
                let gave_up = matches!(exit, VcpuExit::InternalError);
                let (reason, step) = devices.serve(exit);
                (
                    reason,
                    if gave_up {
                        Step::End(explain_internal_error(vcpu))
                    } else {
                        step
                    },
                )
            }
            Err(error) => match error.errno() {
                libc::EINTR | libc::EAGAIN => ("interrupted", Step::Continue),
                _ => (
                    "failed",
                    Step::End(Ending::Engine(format!("KVM cannot run the guest: {error}"))),
                ),
            },
        };
        log.print_new(&devices.memory);
        listener.hear(&devices.memory);
        ExitFigures::add(exits, reason, start.elapsed());
        match step {
            Step::Continue => {}
            Step::Exit(value) => {
                let reported = Counters::read(&devices.memory, machine.kernel)
                    .and_then(|counters| counters.exit());
                break reported.map_or_else(|| Ending::from_port(value), Ending::Guest);
            }
            Step::End(ending) => break ending,
        }
    };
    log.finish(&devices.memory);
    farewell.ending(ending)
}

/// What KVM says about an internal error (KVM API, 5 "The kvm_run structure", KVM_EXIT_INTERNAL_ERROR).
fn explain_internal_error(vcpu: &mut VcpuFd) -> Ending {
    // SAFETY: the last exit's reason was KVM_EXIT_INTERNAL_ERROR, so that member of the union is filled in.
    let error = unsafe { vcpu.get_kvm_run().__bindgen_anon_1.emulation_failure };
    let why = if error.suberror == KVM_INTERNAL_ERROR_EMULATION {
        // SAFETY: both members of this union are plain bytes.
        let details = unsafe { error.__bindgen_anon_1.__bindgen_anon_1 };
        let size = usize::from(details.insn_size).min(details.insn_bytes.len());
        let bytes: Vec<String> = details.insn_bytes[..size]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let shown = if error.ndata >= 1 && !bytes.is_empty() {
            format!(" (bytes at rip: {})", bytes.join(" "))
        } else {
            String::new()
        };
        format!("KVM gave up on the guest: it cannot emulate this instruction{shown}")
    } else {
        format!(
            "KVM gave up on the guest: internal error {}",
            error.suberror
        )
    };
    Ending::Engine(why)
}
