//! The virtual CPU: its state at a PVH entry, and its registers after a crash.

use crate::boot::Entry;
use crate::registers::Registers;
use anyhow::{Context, Result};
use kvm_bindings::{kvm_regs, kvm_segment};
use kvm_ioctls::VcpuFd;

/// CR0: protected mode; the extension type bit is always set.
const PROTECTED_MODE: u64 = 1 << 0 | 1 << 4;
/// RFLAGS: the bit that is always set.
const FLAGS: u64 = 1 << 1;

/// Puts the CPU where the PVH protocol wants it: 32-bit protected mode without paging, flat segments, EBX at the start
/// info (Xen's `docs/misc/pvh.pandoc`).
///
/// # Errors
/// KVM refuses the state.
pub fn enter_pvh(vcpu: &VcpuFd, entry: Entry) -> Result<()> {
    let mut special = vcpu.get_sregs().context("KVM_GET_SREGS failed")?;
    let flat = |selector, kind| kvm_segment {
        base: 0,
        limit: 0xffff_ffff,
        selector,
        type_: kind,
        present: 1,
        db: 1,
        s: 1,
        g: 1,
        ..Default::default()
    };
    // Code: execute, read, accessed. Data: read, write, accessed.
    special.cs = flat(0x08, 0xb);
    let data = flat(0x10, 0x3);
    (special.ds, special.es, special.fs, special.gs, special.ss) = (data, data, data, data, data);
    // A busy 32-bit TSS with no room for an I/O bitmap.
    special.tr = kvm_segment {
        limit: 0x67,
        selector: 0,
        type_: 0xb,
        present: 1,
        ..Default::default()
    };
    special.cr0 = PROTECTED_MODE;
    special.cr4 = 0;
    special.efer = 0;
    vcpu.set_sregs(&special).context("KVM_SET_SREGS failed")?;
    let general = kvm_regs {
        rip: entry.address,
        rbx: entry.start_info,
        rflags: FLAGS,
        ..Default::default()
    };
    vcpu.set_regs(&general).context("KVM_SET_REGS failed")
}

/// The registers now, if KVM gives them.
#[must_use]
pub fn registers(vcpu: &VcpuFd) -> Option<Registers> {
    let r = vcpu.get_regs().ok()?;
    let special = vcpu.get_sregs().ok()?;
    Some(Registers {
        general: [
            r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9, r.r10, r.r11,
            r.r12, r.r13, r.r14, r.r15,
        ],
        rip: r.rip,
        rflags: r.rflags,
        cs: special.cs.selector.into(),
        cr0: special.cr0,
        cr2: special.cr2,
        cr3: special.cr3,
        cr4: special.cr4,
        efer: special.efer,
    })
}
