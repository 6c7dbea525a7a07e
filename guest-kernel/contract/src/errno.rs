//! Error numbers of Linux's x86-64 ABI (errno(3)).
use linux_raw_sys::errno as raw;

/// An error number, 1–4095. A system call returns it negated in RAX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub u16);

macro_rules! errnos {
    ($($name:ident)*) => {
        #[allow(missing_docs, reason = "the names are errno(3)'s")]
        impl Errno {
            $(pub const $name: Self = Self(raw::$name as u16);)*

            /// The symbolic name, as errno(3) has it; `"E?"` for a number not listed there.
            #[must_use]
            pub const fn name(self) -> &'static str {
                $(if self.0 == raw::$name as u16 { return stringify!($name); })*
                "E?"
            }
        }
    };
}

errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK
    EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP EOVERFLOW EAFNOSUPPORT EOPNOTSUPP
    ETIMEDOUT ENOTSOCK EMSGSIZE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EISCONN ECONNRESET ECONNREFUSED
}

impl Errno {
    /// The value of RAX that reports this error.
    #[must_use]
    pub const fn to_return_value(self) -> u64 {
        (self.0 as u64).wrapping_neg()
    }
}
