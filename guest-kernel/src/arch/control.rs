//! Control registers, segment bases, and the processor features this kernel uses where they are.
use super::registers::{self, IA32_FS_BASE, IA32_GS_BASE};
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use x86_64::registers::control::Cr4Flags;

/// CPUID.1 ECX: XSAVE.
pub const XSAVE: Feature = Feature(26);
/// CPUID.1 ECX: AVX.
pub const AVX: Feature = Feature(28);
/// CPUID.1 ECX: x2APIC.
pub const X2APIC: Feature = Feature(21);
/// CPUID.80000001H EDX: pages of 1 GiB.
pub const GIB_PAGES: Feature = Feature(32 + 26);

/// A feature: bits 0–31 CPUID.1 ECX, 32–63 CPUID.80000001H EDX.
#[derive(Clone, Copy)]
pub struct Feature(u32);

static FEATURES: AtomicU64 = AtomicU64::new(0);
/// CR4.
static CR4: AtomicU64 = AtomicU64::new(0);

/// Whether the processor has a feature, as ring 0 sees it.
#[inline]
pub fn has(feature: Feature) -> bool {
    FEATURES.load(Relaxed) >> feature.0 & 1 != 0
}

/// Sets CR4 to what this processor has of what the kernel wants.
pub fn enable() {
    let basic = registers::cpuid(1, 0);
    let extended = registers::cpuid(7, 0);
    let amd = registers::cpuid(0x8000_0001, 0);
    FEATURES.store(u64::from(basic.ecx) | u64::from(amd.edx) << 32, Relaxed);
    let wanted = [
        (basic.edx >> 13, Cr4Flags::PAGE_GLOBAL),
        (extended.ebx, Cr4Flags::FSGSBASE),
        (
            extended.ebx >> 7,
            Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION,
        ),
        (
            extended.ebx >> 20,
            Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION,
        ),
        (
            extended.ecx >> 2,
            Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION,
        ),
    ];
    let mut flags =
        Cr4Flags::PHYSICAL_ADDRESS_EXTENSION | Cr4Flags::OSFXSR | Cr4Flags::OSXMMEXCPT_ENABLE;
    for (bit, flag) in wanted {
        flags.set(flag, bit & 1 != 0);
    }
    set_cr4(flags.bits());
}

/// Lets XSAVE and its kin be used, which CPUID must have.
pub fn enable_xsave() {
    set_cr4(CR4.load(Relaxed) | Cr4Flags::OSXSAVE.bits());
}

fn set_cr4(flags: u64) {
    CR4.store(flags, Relaxed);
    // SAFETY: each flag is one that CPUID offers; none changes how this kernel's code or memory works.
    unsafe { asm!("mov cr4, {}", in(reg) flags, options(nostack, preserves_flags)) };
}

/// Reads CR2.
#[inline]
pub fn read_cr2() -> u64 {
    let value;
    // SAFETY: no side effect.
    unsafe { asm!("mov {}, cr2", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Reads CR3.
#[inline]
pub fn read_cr3() -> u64 {
    let value;
    // SAFETY: no side effect.
    unsafe { asm!("mov {}, cr3", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Writes CR3.
///
/// # Safety
/// `root` is the physical address of a root whose kernel half is the kernel's.
#[inline]
pub unsafe fn write_cr3(root: u64) {
    // SAFETY: the caller's.
    unsafe { asm!("mov cr3, {}", in(reg) root, options(nostack, preserves_flags)) };
}

#[inline]
fn has_fsgsbase() -> bool {
    CR4.load(Relaxed) & Cr4Flags::FSGSBASE.bits() != 0
}

/// The bases of FS and GS: by instruction where CPUID has it, else by MSR.
#[inline]
pub fn read_segment_bases() -> (u64, u64) {
    if !has_fsgsbase() {
        return (
            registers::read_msr(IA32_FS_BASE),
            registers::read_msr(IA32_GS_BASE),
        );
    }
    let (fs, gs);
    // SAFETY: CR4.FSGSBASE is set.
    unsafe {
        asm!("rdfsbase {}", "rdgsbase {}", out(reg) fs, out(reg) gs,
            options(nomem, nostack, preserves_flags));
    }
    (fs, gs)
}

/// Sets both bases, and answers what they were.
#[inline]
pub fn exchange_segment_bases((fs, gs): (u64, u64)) -> (u64, u64) {
    if !has_fsgsbase() {
        let before = read_segment_bases();
        write_fs_base(fs);
        write_gs_base(gs);
        return before;
    }
    let (fs_before, gs_before);
    // SAFETY: CR4.FSGSBASE is set, and the kernel has nothing in FS and GS.
    unsafe {
        asm!("rdfsbase {fs_before}", "rdgsbase {gs_before}", "wrfsbase {fs}", "wrgsbase {gs}",
            fs_before = out(reg) fs_before, gs_before = out(reg) gs_before, fs = in(reg) fs, gs = in(reg) gs,
            options(nomem, nostack, preserves_flags));
    }
    (fs_before, gs_before)
}

/// Sets the base of FS, which the kernel itself does not use. Addresses are canonical.
#[inline]
pub fn write_fs_base(base: u64) {
    // SAFETY: the kernel has nothing in FS; CR4.FSGSBASE is set where the instruction is used.
    unsafe {
        if has_fsgsbase() {
            asm!("wrfsbase {}", in(reg) base, options(nomem, nostack, preserves_flags));
        } else {
            registers::write_msr(IA32_FS_BASE, base);
        }
    }
}

/// Sets the base of GS, as [`write_fs_base`].
#[inline]
pub fn write_gs_base(base: u64) {
    // SAFETY: the kernel has nothing in GS; CR4.FSGSBASE is set where the instruction is used.
    unsafe {
        if has_fsgsbase() {
            asm!("wrgsbase {}", in(reg) base, options(nomem, nostack, preserves_flags));
        } else {
            registers::write_msr(IA32_GS_BASE, base);
        }
    }
}
