//! Flushing the TLB.
use core::arch::asm;

/// Forgets every translation that is not global: all of the current process's.
#[inline]
pub fn flush_all() {
    // SAFETY: reloading CR3 with itself changes no mapping.
    unsafe {
        asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags));
    }
}

/// Forgets the translation of one address, global or not.
#[inline]
pub fn flush_page(address: u64) {
    // SAFETY: invlpg changes no mapping.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
}
