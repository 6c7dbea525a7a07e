//! From the first instruction to the program's `main`, and the arguments and environment on the way.
//!
//! The stack as execve leaves it (System V psABI for AMD64, 3.4.1): argc, argv and a null, envp and a null,
//! the auxiliary vector.
use crate::single::Single;
use core::ffi::{CStr, c_char};
use core::ptr;

struct Process {
    arguments: *const *const c_char,
    environment: *const *const c_char,
}

// All zeros, so that a program's variables need no page of its file.
static PROCESS: Single<Process> = Single::new(Process {
    arguments: ptr::null(),
    environment: ptr::null(),
});

#[cfg(not(test))]
mod entry {
    use super::{PROCESS, Process};
    use core::arch::naked_asm;
    use core::ffi::c_char;

    unsafe extern "Rust" {
        /// Made by `program!`.
        safe fn program_main() -> u8;
    }

    /// Where the kernel enters the program.
    ///
    /// # Safety
    /// Called by the kernel alone.
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    unsafe extern "C" fn _start() -> ! {
        naked_asm!(
            "xor ebp, ebp",
            "mov rdi, rsp",
            "and rsp, -16",
            "call {start}",
            "ud2",
            start = sym start,
        )
    }

    /// # Safety
    /// `stack` is the stack pointer as execve left it.
    unsafe extern "C" fn start(stack: *const usize) -> ! {
        // SAFETY: argc is there; argv's argc + 1 pointers and then envp follow it (psABI 3.4.1).
        let process = unsafe {
            let arguments = stack.add(1).cast::<*const c_char>();
            Process {
                arguments,
                environment: arguments.add(*stack + 1),
            }
        };
        PROCESS.with(|at| *at = process);
        crate::exit(program_main())
    }

    #[panic_handler]
    fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
        crate::eprintln!("{info}");
        crate::abort()
    }
}

/// Names the program's main function, `fn main() -> guest_user::Result<u8>`: the exit status, or the
/// system call that failed, which is reported on standard error and makes the status 1.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn program_main() -> u8 {
            $crate::start::report($main())
        }
    };
}

/// The exit status for the outcome of `main`.
#[doc(hidden)]
pub fn report(outcome: crate::Result<u8>) -> u8 {
    match outcome {
        Ok(status) => status,
        Err(error) => {
            crate::eprintln!("{}: {error}", Name);
            1
        }
    }
}

struct Name;

impl core::fmt::Display for Name {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = arguments().next().unwrap_or(c"?").to_bytes();
        name.utf8_chunks()
            .try_for_each(|chunk| out.write_str(chunk.valid()))
    }
}

/// argv, the program's name first.
pub fn arguments() -> Strings {
    Strings(PROCESS.with(|process| process.arguments))
}

/// environ(7).
pub fn environment() -> Strings {
    Strings(PROCESS.with(|process| process.environment))
}

/// Assigns to `environ`, as a C program may: what [`environment`] and the exec functions without `e` in
/// their name use from now on.
///
/// # Safety
/// `environment` points to pointers to NUL-terminated strings, a null pointer last, that stay as they are
/// from now on.
pub unsafe fn set_environment(environment: *const *const c_char) {
    PROCESS.with(|process| process.environment = environment);
}

/// getenv(3).
pub fn variable(name: &str) -> Option<&'static [u8]> {
    environment().find_map(|entry| {
        entry
            .to_bytes()
            .strip_prefix(name.as_bytes())?
            .strip_prefix(b"=")
    })
}

/// The strings of a vector of pointers that ends with a null pointer; none where there is no vector.
#[derive(Clone, Copy)]
pub struct Strings(*const *const c_char);

impl Strings {
    /// The vector itself, for execve.
    pub fn as_ptr(self) -> *const *const c_char {
        self.0
    }
}

impl Iterator for Strings {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<&'static CStr> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: the vector is the kernel's, or one vouched for in `set_environment`; `self.0` is not beyond its
        // null pointer.
        let string = unsafe { *self.0 };
        if string.is_null() {
            return None;
        }
        // SAFETY: this was not the null pointer, so that another entry follows.
        self.0 = unsafe { self.0.add(1) };
        // SAFETY: entries point to NUL-terminated strings that stay for the life of the process.
        Some(unsafe { CStr::from_ptr(string) })
    }
}
