//! What only a trip to ring 3 tells: how SYSCALL enters the kernel, and which SIMD registers programs see.
use super::control::{self, XSAVE, has};
use super::registers::{self, IA32_FMASK, IA32_LSTAR, IA32_STAR};
use super::ring3::{self, Ending, Stub};
use super::segments::{KERNEL_CODE, SYSRET_BASE};
use super::simd::{self, Mode};
use super::stubs;
use super::trap::{self, SYSTEM_CALL_FLAGS_CLEARED};
use super::wide;
use crate::records::COUNTERS;
use contract::counters::Counter;
use core::arch::asm;

/// What SYSCALL in ring 3 does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SystemCallEntry {
    /// Raises the privilege and goes on at LSTAR, as the manuals say.
    Instruction,
    /// Goes on at LSTAR without raising the privilege, where the fetch is a page fault.
    PageFault,
}

/// Finds out, and sets up both entries and the saving of SIMD registers accordingly.
pub fn run() {
    let entry = system_call_entry();
    let mode = choose_simd(entry);
    COUNTERS.set(
        Counter::SystemCallByFault,
        u64::from(entry == SystemCallEntry::PageFault),
    );
    COUNTERS.set(Counter::SimdState, mode as u64);
}

fn system_call_entry() -> SystemCallEntry {
    let selectors = u64::from(SYSRET_BASE) << 48 | u64::from(KERNEL_CODE) << 32;
    // SAFETY: the entry points are this kernel's, the selectors those of its descriptor table.
    unsafe {
        registers::write_msr(IA32_STAR, selectors);
        registers::write_msr(IA32_FMASK, SYSTEM_CALL_FLAGS_CLEARED);
        registers::write_msr(
            IA32_LSTAR,
            ring3::ring3_system_call_entry as *const () as u64,
        );
    }
    let entry = match ring3::run(Stub::SystemCall, None, None, 0) {
        Ending::PageFault => SystemCallEntry::PageFault,
        _ => SystemCallEntry::Instruction,
    };
    // SAFETY: the system call entry, of which there is one; nothing reads the byte at the same time.
    unsafe {
        registers::write_msr(IA32_LSTAR, stubs::system_call_entry as *const () as u64);
        trap::SYSTEM_CALL_BY_FAULT = u8::from(entry == SystemCallEntry::PageFault);
    }
    entry
}

/// XSAVE in ring 0 where CPUID has it. A host that emulates ring 0 can say so and yet not know the
/// instruction, and to try is to die: that host is known by its SYSCALL.
fn choose_simd(entry: SystemCallEntry) -> Mode {
    let (mode, mask, size) = if has(XSAVE) && entry == SystemCallEntry::Instruction {
        control::enable_xsave();
        let mask = supported(registers::cpuid(0xd, 0).eax);
        // SAFETY: CR4.OSXSAVE is set, and the mask is one that CPUID offers.
        unsafe {
            asm!("xsetbv", in("ecx") 0, in("eax") mask, in("edx") 0,
                options(nomem, nostack, preserves_flags));
        }
        // The size in EBX is that of the components enabled, so it is asked for now.
        (Mode::Xsave, mask, registers::cpuid(0xd, 0).ebx)
    } else {
        match ring3::run(Stub::LookForXsave, None, None, 0) {
            Ending::Finished(found) if found != 0 => (
                Mode::XsaveInRing3,
                supported(found as u32),
                (found >> 32) as u32,
            ),
            _ => (Mode::Fxsave, simd::LEGACY, simd::FXSAVE_SIZE),
        }
    };
    simd::configure(mode, mask, size.min(contract::PAGE_SIZE as u32));
    wide::choose(entry, mode, mask);
    mode
}

/// The components that are saved, of those there are: AVX-512 in whole or not at all.
const fn supported(components: u32) -> u32 {
    let mask = components & simd::COMPONENTS;
    if mask & simd::AVX512 == simd::AVX512 {
        mask
    } else {
        mask & !simd::AVX512
    }
}
