//! The functions that the compiler calls for copies, fills and comparisons of memory.
//!
//! On this target `compiler_builtins` leaves them to the C library, and there is none. Copies and fills
//! are single string instructions: any processor of the last ten years runs those fast, and they cannot be
//! turned back into a call of themselves.
use core::arch::asm;

/// memcpy(3).
///
/// # Safety
/// `source` is readable and `destination` writable for `count` bytes, and they do not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(destination: *mut u8, source: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise covers the bytes; the direction flag is clear between functions (psABI 3.2.1).
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") count => _,
            inout("rdi") destination => _,
            inout("rsi") source => _,
            options(nostack, preserves_flags)
        );
    }
    destination
}

/// memmove(3).
///
/// # Safety
/// `source` is readable and `destination` writable for `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(destination: *mut u8, source: *const u8, count: usize) -> *mut u8 {
    if (destination as usize).wrapping_sub(source as usize) >= count {
        // SAFETY: the destination does not start inside the source, so that copying upwards reads each byte
        // before it is overwritten.
        return unsafe { memcpy(destination, source, count) };
    }
    // SAFETY: the caller's promise covers the bytes; copying downwards reads each byte before it is
    // overwritten; the direction flag is clear again afterwards.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") count => _,
            inout("rdi") destination.wrapping_add(count).wrapping_sub(1) => _,
            inout("rsi") source.wrapping_add(count).wrapping_sub(1) => _,
            options(nostack)
        );
    }
    destination
}

/// memset(3).
///
/// # Safety
/// `destination` is writable for `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(destination: *mut u8, value: i32, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise covers the bytes; the direction flag is clear between functions.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") count => _,
            inout("rdi") destination => _,
            in("al") value as u8,
            options(nostack, preserves_flags)
        );
    }
    destination
}

/// memcmp(3).
///
/// # Safety
/// Both are readable for `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    let mut at = 0;
    while at < count {
        // SAFETY: `at` is below `count`.
        let (x, y) = unsafe { (*a.add(at), *b.add(at)) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
        at += 1;
    }
    0
}

/// bcmp(3): zero where the bytes are the same.
///
/// # Safety
/// Both are readable for `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    // SAFETY: the same promise.
    unsafe { memcmp(a, b, count) }
}

/// strlen(3): what `CStr::from_ptr` calls.
///
/// # Safety
/// `text` points to bytes that end with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let end: *const u8;
    // SAFETY: the scan stops behind the NUL, the last byte that the caller vouches for; the direction flag is
    // clear between functions. Not a loop, which the compiler may turn into a call of strlen.
    unsafe {
        asm!(
            "repne scasb",
            inout("rcx") usize::MAX => _,
            inout("rdi") text => end,
            in("al") 0_u8,
            options(nostack, readonly)
        );
    }
    end as usize - text as usize - 1
}
