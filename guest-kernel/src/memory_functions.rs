//! `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`: the compiler calls them, and for this target nobody
//! else brings them.
//!
//! No loop here is one that the compiler would turn into a call of the very function it is in. Up to 32
//! bytes go by a few overlapping moves; more by `rep movsq`, and the odd bytes at the end by one move that
//! overlaps.
use core::arch::asm;
use core::ffi::c_void;

/// Copies `n` words between places that do not overlap, one at least.
///
/// # Safety
/// `from` can be read and `to` written for `n` words; both are aligned.
#[inline]
pub unsafe fn copy_words(from: *const u64, to: *mut u64, n: usize) {
    // SAFETY: the caller's; the direction flag is clear in the kernel.
    unsafe {
        asm!("rep movsq", inout("rsi") from => _, inout("rdi") to => _, inout("rcx") n => _,
            options(nostack, preserves_flags));
    }
}

/// Copies a few bytes between places that do not overlap, where a call would cost more than they do.
#[inline]
pub fn copy_few(from: &[u8], to: &mut [u8]) {
    let n = from.len().min(to.len());
    // SAFETY: both have `n` bytes, and they do not overlap; the direction flag is clear in the kernel.
    unsafe {
        asm!("rep movsb", inout("rsi") from.as_ptr() => _, inout("rdi") to.as_mut_ptr() => _,
            inout("rcx") n => _, options(nostack, preserves_flags));
    }
}

/// Zeroes `n` words.
///
/// # Safety
/// `to` can be written for `n` words, and is aligned.
#[inline]
pub unsafe fn zero_words(to: *mut u64, n: usize) {
    // SAFETY: the caller's; the direction flag is clear in the kernel.
    unsafe {
        asm!("rep stosq", inout("rdi") to => _, inout("rcx") n => _, in("rax") 0_u64,
            options(nostack, preserves_flags));
    }
}

/// Copies `n` bytes between places that do not overlap.
///
/// # Safety
/// As memcpy(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { copy_forward(to.cast(), from.cast(), n) };
    to
}

/// Copies `n` bytes between places that may overlap.
///
/// # Safety
/// As memmove(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller's; forward copying is right unless `to` lies inside the source.
    unsafe {
        if n > 32 && (to as usize).wrapping_sub(from as usize) < n {
            copy_backward(to.cast(), from.cast(), n);
        } else {
            copy_forward(to.cast(), from.cast(), n);
        }
    }
    to
}

/// Sets `n` bytes to `value`.
///
/// # Safety
/// As memset(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut c_void, value: i32, n: usize) -> *mut c_void {
    let start: *mut u8 = to.cast();
    let word = u64::from(value as u8) * 0x0101_0101_0101_0101;
    // SAFETY: every store lies within the caller's `n` bytes.
    unsafe {
        let end = start.add(n);
        match n {
            0 => {}
            1 => start.write(word as u8),
            2..4 => {
                put(start, word as u16);
                put(end.sub(2), word as u16);
            }
            4..8 => {
                put(start, word as u32);
                put(end.sub(4), word as u32);
            }
            8..=16 => {
                put(start, word);
                put(end.sub(8), word);
            }
            _ => {
                put(end.sub(8), word);
                asm!("rep stosq", inout("rdi") start => _, inout("rcx") n / 8 => _, in("rax") word,
                    options(nostack, preserves_flags));
            }
        }
    }
    to
}

/// Compares `n` bytes: negative, zero or positive.
///
/// # Safety
/// As memcmp(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> i32 {
    let (a, b): (*const u8, *const u8) = (a.cast(), b.cast());
    let mut at = 0;
    // SAFETY: every load lies within the caller's `n` bytes.
    unsafe {
        while n - at >= 8 {
            let (x, y): (u64, u64) = (get(a.add(at)), get(b.add(at)));
            if x != y {
                return if x.swap_bytes() < y.swap_bytes() {
                    -1
                } else {
                    1
                };
            }
            at += 8;
        }
        while at < n {
            let (x, y) = (*a.add(at), *b.add(at));
            if x != y {
                return i32::from(x) - i32::from(y);
            }
            at += 1;
        }
    }
    0
}

/// Compares `n` bytes: zero where they are equal.
///
/// # Safety
/// As bcmp(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { memcmp(a, b, n) }
}

#[inline(always)]
unsafe fn get<T: Copy>(from: *const u8) -> T {
    // SAFETY: the caller's.
    unsafe { from.cast::<T>().read_unaligned() }
}

#[inline(always)]
unsafe fn put<T: Copy>(to: *mut u8, value: T) {
    // SAFETY: the caller's.
    unsafe { to.cast::<T>().write_unaligned(value) }
}

/// Copies the first and the last `size_of::<T>()` of `n` bytes, all loads before all stores.
#[inline(always)]
unsafe fn copy_ends<T: Copy>(to: *mut u8, from: *const u8, n: usize) {
    let size = size_of::<T>();
    // SAFETY: the caller's; `n` is at least `size`.
    unsafe {
        let (first, last): (T, T) = (get(from), get(from.add(n - size)));
        put(to, first);
        put(to.add(n - size), last);
    }
}

#[inline(always)]
unsafe fn copy_forward(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: the caller's: `n` bytes at both places, and `to` not inside the source beyond 32 bytes.
    unsafe {
        // The large ones are first: most are of structures.
        if n > 32 {
            let last: u64 = get(from.add(n - 8));
            asm!("rep movsq", inout("rdi") to => _, inout("rsi") from => _,
                inout("rcx") n / 8 => _, options(nostack, preserves_flags));
            put(to.add(n - 8), last);
            return;
        }
        match n {
            0 => {}
            1 => to.write(from.read()),
            2..4 => copy_ends::<u16>(to, from, n),
            4..8 => copy_ends::<u32>(to, from, n),
            8..=16 => copy_ends::<u64>(to, from, n),
            _ => copy_ends::<[u64; 2]>(to, from, n),
        }
    }
}

/// For `to` inside the source, and more than 32 bytes.
unsafe fn copy_backward(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: the caller's; the direction flag is put back, and ring 0 takes no interrupt meanwhile.
    unsafe {
        let first: u64 = get(from);
        asm!("std", "rep movsq", "cld", inout("rdi") to.add(n - 8) => _,
            inout("rsi") from.add(n - 8) => _, inout("rcx") n / 8 => _, options(nostack));
        put(to, first);
    }
}
