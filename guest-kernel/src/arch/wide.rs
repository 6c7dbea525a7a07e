//! Copying and zeroing whole frames with the widest moves that ring 0 may use.
//!
//! The SIMD registers hold a program's content, whoever owns it, so the one that is used here is put back. Its
//! upper half is not always a register in use: where the program has nothing in the upper halves (XGETBV says
//! so), they are left in their initial state again, which makes saving cheap and does not slow down its SSE
//! instructions. A program with something in the upper halves of ZMM registers, which every instruction with a
//! YMM register clears, gets `rep movsq` instead.
use super::control;
use super::probe::SystemCallEntry;
use super::registers;
use super::simd::Mode;
use crate::memory_functions::{copy_words, zero_words};
use crate::one_cpu::OneCpu;
use contract::PAGE_SIZE;
use core::arch::asm;
use core::mem::MaybeUninit;

/// Words of a frame.
const WORDS: usize = PAGE_SIZE / 8;

/// What moves are used.
struct Moves {
    copy_page: unsafe fn(from: *const u64, to: *mut u64),
    zero_page: unsafe fn(to: *mut u64),
    copy_lines: unsafe fn(from: *const u64, to: *mut u64, lines: usize),
}

/// Eight bytes: `rep movsq`, which real processors turn into wider ones.
const WORDWISE: Moves = Moves {
    copy_page: copy_page_words,
    zero_page: zero_page_words,
    copy_lines: copy_lines_words,
};
/// Sixteen: where ring 0 is emulated, and an iteration costs as much as an instruction.
const SSE: Moves = Moves {
    copy_page: copy_page_sse,
    zero_page: zero_page_sse,
    copy_lines: copy_lines_words,
};
/// Thirty-two.
const AVX: Moves = Moves {
    copy_page: copy_page_avx,
    zero_page: zero_page_avx,
    copy_lines: copy_lines_avx,
};

static MOVES: OneCpu<Moves> = OneCpu::new(WORDWISE);

/// State components of XGETBV (Intel SDM volume 1, 13.1).
const YMM: u32 = 1 << 2;
const ZMM_HIGH: u32 = 1 << 6;

/// Chooses the moves, once it is known what ring 0 can do; `mask` is XCR0 where the mode is [`Mode::Xsave`].
pub fn choose(entry: SystemCallEntry, mode: Mode, mask: u32) {
    /// CPUID.(0xd, 1) EAX: XGETBV with ECX = 1.
    const XGETBV_IN_USE: u32 = 1 << 2;
    let moves = if entry == SystemCallEntry::PageFault {
        SSE
    } else if mode == Mode::Xsave
        && mask & YMM != 0
        && control::has(control::AVX)
        && registers::cpuid(0xd, 1).eax & XGETBV_IN_USE != 0
    {
        AVX
    } else {
        WORDWISE
    };
    MOVES.with(|known| *known = moves);
}

/// Copies a frame.
///
/// # Safety
/// Both are whole frames, in the direct map, and not the same.
#[inline]
pub unsafe fn copy_page(from: *const u64, to: *mut u64) {
    // SAFETY: the caller's, and `choose` knows what ring 0 can do.
    unsafe { MOVES.with(|moves| moves.copy_page)(from, to) };
}

/// Zeroes a frame.
///
/// # Safety
/// It is a whole frame, in the direct map.
#[inline]
pub unsafe fn zero_page(to: *mut u64) {
    // SAFETY: the caller's, and `choose` knows what ring 0 can do.
    unsafe { MOVES.with(|moves| moves.zero_page)(to) };
}

/// Copies `lines` of 64 bytes, one at least.
///
/// # Safety
/// `from` can be read and `to` written for them; both are aligned to 64 bytes, and do not overlap.
#[inline]
pub unsafe fn copy_lines(from: *const u64, to: *mut u64, lines: usize) {
    /// Fewer are sooner copied than a register is put back.
    const MANY: usize = 8;
    // SAFETY: the caller's, and `choose` knows what ring 0 can do.
    unsafe {
        if lines < MANY {
            copy_lines_words(from, to, lines);
        } else {
            MOVES.with(|moves| moves.copy_lines)(from, to, lines);
        }
    }
}

#[inline]
unsafe fn copy_lines_words(from: *const u64, to: *mut u64, lines: usize) {
    // SAFETY: the caller's: a line is eight words.
    unsafe { copy_words(from, to, lines * 8) };
}

unsafe fn copy_page_words(from: *const u64, to: *mut u64) {
    // SAFETY: the caller's: both are whole frames.
    unsafe { copy_words(from, to, WORDS) };
}

unsafe fn zero_page_words(to: *mut u64) {
    // SAFETY: the caller's: a whole frame.
    unsafe { zero_words(to, WORDS) };
}

/// Components that are not in their initial state.
macro_rules! in_use {
    () => {{
        let components: u32;
        asm!("xgetbv", in("ecx") 1, out("eax") components, out("edx") _,
            options(nomem, nostack, preserves_flags));
        components
    }};
}

/// Puts YMM0 back as it was, the upper halves in their initial state where they were.
macro_rules! restore_ymm0 {
    ($in_use:expr, $saved:expr) => {
        if $in_use & YMM != 0 {
            asm!("vmovdqu ymm0, [{}]", in(reg) $saved.as_ptr(), options(nostack, preserves_flags));
        } else {
            asm!("vzeroupper", "movups xmm0, [{}]", in(reg) $saved.as_ptr(),
                options(nostack, preserves_flags));
        }
    };
}

#[inline(never)]
unsafe fn copy_page_avx(from: *const u64, to: *mut u64) {
    let mut saved = MaybeUninit::<[u64; 4]>::uninit();
    // SAFETY: both are whole frames, aligned; AVX and XGETBV are there, and YMM0 is put back. ZMM0 has nothing
    // that is lost.
    unsafe {
        let in_use = in_use!();
        if in_use & ZMM_HIGH != 0 {
            copy_words(from, to, WORDS);
            return;
        }
        asm!(
            "vmovdqu [{saved}], ymm0",
            "2:",
            ".set distance, 0",
            ".rept 64",
            "  vmovdqa ymm0, [{from} + {at} + distance]",
            "  vmovdqa [{to} + {at} + distance], ymm0",
            "  .set distance, distance + 32",
            ".endr",
            "add {at}, 2048",
            "jne 2b",
            saved = in(reg) saved.as_mut_ptr(),
            from = in(reg) from.byte_add(PAGE_SIZE),
            to = in(reg) to.byte_add(PAGE_SIZE),
            at = inout(reg) -(PAGE_SIZE as isize) => _,
            options(nostack),
        );
        restore_ymm0!(in_use, saved);
    }
}

/// Eight lines at least.
#[inline(never)]
unsafe fn copy_lines_avx(from: *const u64, to: *mut u64, lines: usize) {
    let mut saved = MaybeUninit::<[u64; 4]>::uninit();
    // SAFETY: the caller's, and as in `copy_page_avx`.
    unsafe {
        let in_use = in_use!();
        if in_use & ZMM_HIGH != 0 {
            copy_lines_words(from, to, lines);
            return;
        }
        asm!(
            "vmovdqu [{saved}], ymm0",
            // Eight at a time, then one.
            "sub {lines}, 8",
            "2:",
            ".set distance, 0",
            ".rept 16",
            "  vmovdqa ymm0, [{from} + distance]",
            "  vmovdqa [{from} + {to} + distance], ymm0",
            "  .set distance, distance + 32",
            ".endr",
            "add {from}, 512",
            "sub {lines}, 8",
            "jns 2b",
            "add {lines}, 8",
            "je 4f",
            "3:",
            "vmovdqa ymm0, [{from}]",
            "vmovdqa [{from} + {to}], ymm0",
            "vmovdqa ymm0, [{from} + 32]",
            "vmovdqa [{from} + {to} + 32], ymm0",
            "add {from}, 64",
            "dec {lines}",
            "jne 3b",
            "4:",
            saved = in(reg) saved.as_mut_ptr(),
            from = inout(reg) from => _,
            // The distance from where it is read to where it is written.
            to = in(reg) (to as usize).wrapping_sub(from as usize),
            lines = inout(reg) lines => _,
            options(nostack),
        );
        restore_ymm0!(in_use, saved);
    }
}

#[inline(never)]
unsafe fn zero_page_avx(to: *mut u64) {
    let mut saved = MaybeUninit::<[u64; 4]>::uninit();
    // SAFETY: as in `copy_page_avx`.
    unsafe {
        let in_use = in_use!();
        if in_use & ZMM_HIGH != 0 {
            zero_words(to, WORDS);
            return;
        }
        asm!(
            "vmovdqu [{saved}], ymm0",
            "vpxor xmm0, xmm0, xmm0",
            "2:",
            ".set distance, 0",
            ".rept 64",
            "  vmovdqa [{to} + {at} + distance], ymm0",
            "  .set distance, distance + 32",
            ".endr",
            "add {at}, 2048",
            "jne 2b",
            saved = in(reg) saved.as_mut_ptr(),
            to = in(reg) to.byte_add(PAGE_SIZE),
            at = inout(reg) -(PAGE_SIZE as isize) => _,
            options(nostack),
        );
        restore_ymm0!(in_use, saved);
    }
}

#[inline(never)]
unsafe fn copy_page_sse(from: *const u64, to: *mut u64) {
    let mut saved = MaybeUninit::<[u64; 2]>::uninit();
    // SAFETY: both are whole frames, aligned; every x86-64 has SSE, CR4.OSFXSR is set, and XMM0 is put back.
    unsafe {
        asm!(
            "movups [{saved}], xmm0",
            "2:",
            ".set distance, 0",
            ".rept 64",
            "  movaps xmm0, [{from} + {at} + distance]",
            "  movaps [{to} + {at} + distance], xmm0",
            "  .set distance, distance + 16",
            ".endr",
            "add {at}, 1024",
            "jne 2b",
            "movups xmm0, [{saved}]",
            saved = in(reg) saved.as_mut_ptr(),
            from = in(reg) from.byte_add(PAGE_SIZE),
            to = in(reg) to.byte_add(PAGE_SIZE),
            at = inout(reg) -(PAGE_SIZE as isize) => _,
            options(nostack),
        );
    }
}

#[inline(never)]
unsafe fn zero_page_sse(to: *mut u64) {
    static ZERO: [u64; 2] = [0; 2];
    let mut saved = MaybeUninit::<[u64; 2]>::uninit();
    // SAFETY: as in `copy_page_sse`.
    unsafe {
        asm!(
            "movups [{saved}], xmm0",
            // An arithmetic instruction is not one of those that every host's ring 0 has.
            "movups xmm0, [{zero}]",
            "2:",
            ".set distance, 0",
            ".rept 64",
            "  movaps [{to} + {at} + distance], xmm0",
            "  .set distance, distance + 16",
            ".endr",
            "add {at}, 1024",
            "jne 2b",
            "movups xmm0, [{saved}]",
            saved = in(reg) saved.as_mut_ptr(),
            zero = in(reg) &raw const ZERO,
            to = in(reg) to.byte_add(PAGE_SIZE),
            at = inout(reg) -(PAGE_SIZE as isize) => _,
            options(nostack),
        );
    }
}
