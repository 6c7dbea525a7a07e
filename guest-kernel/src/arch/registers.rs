//! Model-specific and control registers, CPUID, and I/O ports.
use core::arch::asm;
pub use core::arch::x86_64::CpuidResult;

pub const IA32_APIC_BASE: u32 = 0x1b;
pub const IA32_STAR: u32 = 0xc000_0081;
pub const IA32_LSTAR: u32 = 0xc000_0082;
pub const IA32_FMASK: u32 = 0xc000_0084;
pub const IA32_FS_BASE: u32 = 0xc000_0100;
pub const IA32_GS_BASE: u32 = 0xc000_0101;

/// Reads a model-specific register.
#[inline]
pub fn read_msr(register: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading the registers this kernel uses has no side effect.
    unsafe {
        asm!("rdmsr", in("ecx") register, out("eax") low, out("edx") high,
            options(nomem, nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
///
/// # Safety
/// The value must leave the kernel's own memory and control flow as they are.
#[inline]
pub unsafe fn write_msr(register: u32, value: u64) {
    // SAFETY: the caller's.
    unsafe {
        asm!("wrmsr", in("ecx") register, in("eax") value as u32, in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags));
    }
}

/// CPUID; zeros for a leaf beyond the highest of its range.
pub fn cpuid(leaf: u32, subleaf: u32) -> CpuidResult {
    // These are there wherever there is a long mode.
    if !matches!(leaf, 1 | 0x8000_0001) {
        let highest = core::arch::x86_64::__cpuid(leaf & 0xf000_0000).eax;
        if leaf > highest || highest & 0xf000_0000 != leaf & 0xf000_0000 {
            return CpuidResult {
                eax: 0,
                ebx: 0,
                ecx: 0,
                edx: 0,
            };
        }
    }
    core::arch::x86_64::__cpuid_count(leaf, subleaf)
}

/// Reads the time-stamp counter.
#[inline]
pub fn read_tsc() -> u64 {
    // SAFETY: every x86-64 processor has rdtsc, and CR4.TSD does not bind ring 0.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Writes a byte to an I/O port.
///
/// # Safety
/// The device behind the port must not write to memory for it, or only to memory given to it.
#[inline]
pub unsafe fn write_port(port: u16, value: u8) {
    // SAFETY: the caller's.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nostack, preserves_flags)) };
}

/// Writes 32 bits to an I/O port.
///
/// # Safety
/// As [`write_port`].
#[inline]
pub unsafe fn write_port_long(port: u16, value: u32) {
    // SAFETY: the caller's.
    unsafe {
        asm!("out dx, eax", in("dx") port, in("eax") value, options(nostack, preserves_flags))
    };
}

/// Reads a byte from an I/O port.
#[inline]
pub fn read_port(port: u16) -> u8 {
    let value;
    // SAFETY: a read of a port of this machine touches no memory.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nostack, preserves_flags)) };
    value
}

/// Reads 32 bits from an I/O port.
#[inline]
pub fn read_port_long(port: u16) -> u32 {
    let value;
    // SAFETY: a read of a port of this machine touches no memory.
    unsafe {
        asm!("in eax, dx", in("dx") port, out("eax") value, options(nostack, preserves_flags))
    };
    value
}
