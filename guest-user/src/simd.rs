//! SIMD registers held through a long loop, to see whether somebody else's use of them shows.
use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};
use core::fmt;

/// The registers that programs may use here: as CPUID says *in user mode*, and as the operating system has
/// enabled them in XCR0 (Intel SDM vol. 1, 13.2 and 14.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registers {
    /// xmm0–15, 16 bytes each.
    Xmm,
    /// ymm0–15, 32 bytes each.
    Ymm,
    /// zmm0–31, 64 bytes each, and the masks k0–k7, of which 16 bits.
    Zmm,
}

impl fmt::Display for Registers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Xmm => "xmm0-15",
            Self::Ymm => "ymm0-15",
            Self::Zmm => "zmm0-31 and k0-7",
        })
    }
}

impl Registers {
    /// The widest kind there is.
    #[must_use]
    pub fn detect() -> Self {
        const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
        const AVX512F: u32 = 1 << 16;
        /// XCR0: SSE and AVX; with the masks and both parts of the zmm registers.
        const YMM: u64 = 0x06;
        const ZMM: u64 = 0xe6;

        if __cpuid(1).ecx & OSXSAVE_AND_AVX != OSXSAVE_AND_AVX {
            return Self::Xmm;
        }
        let (low, high): (u32, u32);
        // SAFETY: OSXSAVE is set: XGETBV is there and XCR0 may be read.
        unsafe {
            asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high,
                options(nomem, nostack, preserves_flags));
        }
        let enabled = u64::from(high) << 32 | u64::from(low);
        let avx512 = __cpuid(0).eax >= 7 && __cpuid_count(7, 0).ebx & AVX512F != 0;
        if avx512 && enabled & ZMM == ZMM {
            Self::Zmm
        } else if enabled & YMM == YMM {
            Self::Ymm
        } else {
            Self::Xmm
        }
    }
}

/// What the registers hold.
#[derive(Clone)]
#[repr(C, align(64))]
pub struct Contents {
    vectors: [[u8; 64]; 32],
    masks: [u16; 8],
}

impl Contents {
    /// Bytes that differ from register to register, and from one `seed` to another.
    #[must_use]
    pub fn pattern(seed: u8) -> Self {
        let mut contents = Self {
            vectors: [[0; 64]; 32],
            masks: [0; 8],
        };
        let mut state = u32::from(seed) + 1;
        let mut next = || {
            // A linear congruential generator; its high bits are good enough to tell registers apart.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for byte in contents.vectors.as_flattened_mut() {
            *byte = next() as u8;
        }
        for mask in &mut contents.masks {
            *mask = next() as u16;
        }
        contents
    }

    /// In how many registers two differ.
    #[must_use]
    pub fn differences(&self, other: &Self) -> u64 {
        let vectors = self.vectors.iter().zip(&other.vectors);
        let masks = self.masks.iter().zip(&other.masks);
        (vectors.filter(|(a, b)| a != b).count() + masks.filter(|(a, b)| a != b).count()) as u64
    }
}

/// What happened during [`hold`].
#[derive(Clone, Copy, Debug)]
pub struct Spun {
    /// Turns of the loop.
    pub turns: u64,
    /// Turns that took longer than the given gap: times when something else ran.
    pub stops: u64,
}

/// An instruction for each register of a list: `$before N $middle 64*N $after`.
macro_rules! for_each {
    ($before:literal $middle:literal $after:literal: $($n:literal)*) => {
        concat!($($before, $n, $middle, $n, $after, "\n"),*)
    };
}

macro_rules! hold {
    ($load:expr, $store:expr, $pattern:expr, $found:expr, $deadline:expr, $gap:expr) => {{
        let (turns, stops): (u64, u64);
        asm!(
            $load,
            "xor {turns:e}, {turns:e}",
            "xor {stops:e}, {stops:e}",
            "rdtsc",
            "shl rdx, 32",
            "or rax, rdx",
            "mov r8, rax",
            "2:",
            "rdtsc",
            "shl rdx, 32",
            "or rax, rdx",
            "mov r9, rax",
            "sub r9, r8",
            "mov r8, rax",
            // Carry: the gap is less than what this turn took.
            "cmp {gap}, r9",
            "adc {stops}, 0",
            "inc {turns}",
            "cmp rax, {deadline}",
            "jb 2b",
            $store,
            turns = out(reg) turns,
            stops = out(reg) stops,
            gap = in(reg) $gap,
            deadline = in(reg) $deadline,
            in("rsi") $pattern,
            in("rdi") $found,
            out("rax") _, out("rdx") _, out("r8") _, out("r9") _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack)
        );
        Spun { turns, stops }
    }};
}

/// Loads the registers with `pattern`, spins without a system call until the time-stamp counter reaches
/// `deadline`, and stores the registers in `found`. A turn longer than `gap` ticks counts as a stop.
pub fn hold(
    registers: Registers,
    pattern: &Contents,
    found: &mut Contents,
    deadline: u64,
    gap: u64,
) -> Spun {
    let (pattern, found) = (core::ptr::from_ref(pattern), core::ptr::from_mut(found));
    match registers {
        // SAFETY: every x86-64 processor has these. Reads within `pattern`, writes within `found`.
        Registers::Xmm => unsafe {
            hold!(
                for_each!("movups xmm" ", [rsi + 64*" "]": 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
                for_each!("movups [rdi + 64*" "], xmm" "": 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
                pattern,
                found,
                deadline,
                gap
            )
        },
        // SAFETY: `detect` found AVX and its state enabled. Reads within `pattern`, writes within `found`; the
        // upper halves, of which the compiler knows nothing here, are zero again at the end.
        Registers::Ymm => unsafe {
            hold!(
                for_each!("vmovups ymm" ", [rsi + 64*" "]": 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
                concat!(
                    for_each!("vmovups [rdi + 64*" "], ymm" "":
                        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
                    "vzeroupper"
                ),
                pattern,
                found,
                deadline,
                gap
            )
        },
        // SAFETY: `detect` found AVX-512F and its state enabled. Reads within `pattern`, writes within `found`.
        // Code compiled without AVX-512, as all of this is, uses neither zmm16–31 nor the masks.
        Registers::Zmm => unsafe {
            hold!(
                concat!(
                    for_each!("vmovups zmm" ", [rsi + 64*" "]":
                        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
                        16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
                    for_each!("kmovw k" ", [rsi + 2048 + 2*" "]": 0 1 2 3 4 5 6 7)
                ),
                concat!(
                    for_each!("vmovups [rdi + 64*" "], zmm" "":
                        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
                        16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
                    for_each!("kmovw [rdi + 2048 + 2*" "], k" "": 0 1 2 3 4 5 6 7),
                    "vzeroupper"
                ),
                pattern,
                found,
                deadline,
                gap
            )
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_come_back_as_they_were() {
        let pattern = Contents::pattern(3);
        // Everything is stored by the widest kind that is there, and less by the narrower ones.
        let mut found = Contents::pattern(4);
        assert_eq!(pattern.differences(&found), 40);
        let deadline = crate::time::ticks() + 1_000_000;
        let registers = Registers::detect();
        let spun = hold(registers, &pattern, &mut found, deadline, u64::MAX);
        assert!(spun.turns > 0);
        assert_eq!(spun.stops, 0);
        let (count, bytes, masks) = match registers {
            Registers::Xmm => (16, 16, 0),
            Registers::Ymm => (16, 32, 0),
            Registers::Zmm => (32, 64, 8),
        };
        for n in 0..count {
            assert_eq!(
                pattern.vectors[n][..bytes],
                found.vectors[n][..bytes],
                "{n}"
            );
        }
        assert_eq!(pattern.masks[..masks], found.masks[..masks]);
    }
}
