//! Tiny guests that measure the host: a loop in ring 0, the same in ring 3, and exits to the monitor.
//!
//! ```text
//! 0x1000  PML4   0x2000  page directory pointer table   0x3000  page directory: one user page of 2 MiB, identical
//! 0x8000  code
//! ```

use crate::kvm;
use crate::memory::{self, Memory};
use anyhow::{Context, Result, bail};
use kvm_bindings::{kvm_regs, kvm_segment};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};
use std::time::{Duration, Instant};
use vm_memory::{Bytes, GuestAddress};

const SIZE: u64 = 2 << 20;
const PML4: u64 = 0x1000;
const PDPT: u64 = 0x2000;
const DIRECTORY: u64 = 0x3000;
const CODE: u64 = 0x8000;
/// Present, writable, user.
const ENTRY: u64 = 0b111;
/// The entry maps a 2 MiB page.
const LARGE: u64 = 1 << 7;
/// CR0: protection, extension type, write protect, paging.
const CR0: u64 = 1 << 0 | 1 << 4 | 1 << 16 | 1 << 31;
/// CR4: physical address extension.
const CR4: u64 = 1 << 5;
/// EFER: long mode enabled and active.
const EFER: u64 = 1 << 8 | 1 << 10;
/// RFLAGS: the bit that is always set, and I/O privilege for ring 3.
const RFLAGS: u64 = 1 << 1 | 3 << 12;

/// `1: dec rcx; jnz 1b; out 0x10, al; jmp 1b`. Each round is two instructions; the port ends the measurement.
const LOOP: [u8; 9] = [0x48, 0xff, 0xc9, 0x75, 0xfb, 0xe6, 0x10, 0xeb, 0xf7];
/// `1: out 0x10, al; jmp 1b`.
const EXITS: [u8; 4] = [0xe6, 0x10, 0xeb, 0xfc];
/// Rounds of a first, short measurement; and of the one that a fast ring deserves.
const SHORT: u64 = 10_000;
const LONG: u64 = 20_000_000;
/// A measurement that took longer is good enough.
const ENOUGH: Duration = Duration::from_millis(2);

/// A privilege level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// The kernel's.
    Zero,
    /// A program's.
    Three,
}

/// A guest of one page of code.
struct Guest {
    vcpu: VcpuFd,
    // Kept as long as the virtual CPU may run.
    _vm: VmFd,
    _memory: Memory,
}

/// Instructions a second in a ring.
///
/// # Errors
/// The guest does not run.
pub fn speed(kvm: &Kvm, ring: Ring) -> Result<f64> {
    let mut rate = 0.0;
    for rounds in [SHORT, LONG] {
        let mut guest = Guest::new(kvm, ring, &LOOP, rounds)?;
        let start = Instant::now();
        guest.run_to_port()?;
        let time = start.elapsed();
        rate = 2.0 * rounds as f64 / time.as_secs_f64();
        if time > ENOUGH {
            break;
        }
    }
    Ok(rate)
}

/// Time of an exit to the monitor and back.
///
/// # Errors
/// The guest does not run.
pub fn exit_time(kvm: &Kvm) -> Result<Duration> {
    const EXITS_MEASURED: u32 = 1000;
    let mut guest = Guest::new(kvm, Ring::Zero, &EXITS, 0)?;
    guest.run_to_port()?;
    let start = Instant::now();
    for _ in 0..EXITS_MEASURED {
        guest.run_to_port()?;
    }
    Ok(start.elapsed() / EXITS_MEASURED)
}

impl Guest {
    fn new(kvm: &Kvm, ring: Ring, code: &[u8], count: u64) -> Result<Self> {
        let vm = kvm
            .create_vm()
            .context("KVM cannot create a virtual machine")?;
        let memory = memory::private(SIZE)?;
        // SAFETY: the guest keeps `memory` beside its virtual CPU.
        unsafe { kvm::set_memory(&vm, &memory) }?;
        for (at, value) in [
            (PML4, PDPT | ENTRY),
            (PDPT, DIRECTORY | ENTRY),
            (DIRECTORY, LARGE | ENTRY),
        ] {
            memory
                .write_obj(value, GuestAddress(at))
                .context("no memory for page tables")?;
        }
        memory
            .write_slice(code, GuestAddress(CODE))
            .context("no memory for code")?;
        let vcpu = vm
            .create_vcpu(0)
            .context("KVM cannot create a virtual CPU")?;
        let cpuid = kvm
            .get_supported_cpuid(kvm_bindings::KVM_MAX_CPUID_ENTRIES)
            .context("KVM_GET_SUPPORTED_CPUID failed")?;
        vcpu.set_cpuid2(&cpuid).context("KVM_SET_CPUID2 failed")?;
        set_state(&vcpu, ring, count)?;
        Ok(Self {
            vcpu,
            _vm: vm,
            _memory: memory,
        })
    }

    fn run_to_port(&mut self) -> Result<()> {
        loop {
            match self.vcpu.run() {
                Ok(VcpuExit::IoOut(..)) => return Ok(()),
                Ok(VcpuExit::Intr) => {}
                Ok(other) => bail!("the probe ended unexpectedly: {other:?}"),
                Err(error) if error.errno() == libc::EINTR || error.errno() == libc::EAGAIN => {}
                Err(error) => bail!("KVM cannot run the probe: {error}"),
            }
        }
    }
}

fn set_state(vcpu: &VcpuFd, ring: Ring, count: u64) -> Result<()> {
    let level = match ring {
        Ring::Zero => 0,
        Ring::Three => 3,
    };
    let segment = |selector: u16, kind| kvm_segment {
        base: 0,
        limit: 0xffff_ffff,
        selector: selector | u16::from(level),
        type_: kind,
        present: 1,
        dpl: level,
        s: 1,
        g: 1,
        ..Default::default()
    };
    let mut special = vcpu.get_sregs().context("KVM_GET_SREGS failed")?;
    special.cs = kvm_segment {
        l: 1,
        ..segment(0x30, 0xb)
    };
    let data = kvm_segment {
        db: 1,
        ..segment(0x28, 0x3)
    };
    (special.ds, special.es, special.fs, special.gs, special.ss) = (data, data, data, data, data);
    special.cr0 = CR0;
    special.cr3 = PML4;
    special.cr4 = CR4;
    special.efer = EFER;
    vcpu.set_sregs(&special).context("KVM_SET_SREGS failed")?;
    let general = kvm_regs {
        rip: CODE,
        rcx: count,
        rflags: RFLAGS,
        ..Default::default()
    };
    vcpu.set_regs(&general).context("KVM_SET_REGS failed")
}
