//! Memory: C programs that print and end here as they do on Linux.

use crate::linux_programs::c_alike;
use crate::machine::compiled::Library;

macro_rules! programs {
    ($($name:ident)*) => {
        $(#[test] fn $name() { c_alike(stringify!($name), &[Library::Glibc, Library::Musl], &[]); })*
    };
}

programs! {
    memory_shared memory_moves memory_advice memory_stack memory_places
}
