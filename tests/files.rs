//! Files, descriptors, pipes, sockets, terminals: C programs that print and end here as they do on Linux.

use crate::linux_programs::c_alike;
use crate::machine::compiled::Library;

macro_rules! programs {
    ($libraries:expr; $($name:ident)*) => {
        $(#[test] fn $name() { c_alike(stringify!($name), $libraries, &[]); })*
    };
}

// musl's headers lack statx.
programs! { &[Library::Glibc]; files_attributes files_data files_waiting files_sockets files_copying files_unnamed memfds
files_unreachable argument_order }
programs! { &[Library::Musl]; files_locks }
