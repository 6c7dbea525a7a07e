//! Threads: programs that run on Linux and here alike.

use crate::linux_programs::c_alike;
use crate::machine::compiled::Library;

macro_rules! programs {
    ($($name:ident)*) => {
        $(#[test] fn $name() { c_alike(stringify!($name), &[Library::Glibc, Library::Musl], &[]); })*
    };
}

programs! { futexes threads_groups }

#[test]
fn threads_basic() {
    c_alike("threads_basic", &Library::ALL, &[]);
}
