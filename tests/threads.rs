//! Threads: programs that run on Linux and here alike.

use crate::linux_programs::{alike, c_alike, programs};
use crate::machine::compiled::{self, Library};

programs! { clone_flags futexes futexes_locks threads_files threads_groups threads_leader }

#[test]
fn threads_basic() {
    c_alike("threads_basic", &Library::ALL, &[]);
}

#[test]
fn rust_std_threads() {
    alike(&compiled::rust("rust/threads"), "threads", &[]);
}
