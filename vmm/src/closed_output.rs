//! Whether standard output was closed when cowbell was started.
//!
//! Rust's runtime opens `/dev/null` in place of a closed standard descriptor before `main`, and output would vanish
//! unnoticed. So this looks earlier, as a constructor of the executable (System V ABI, `DT_INIT_ARRAY`).

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether there was no standard output.
#[must_use]
pub fn was_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

extern "C" fn look() {
    // SAFETY: takes no pointer, and needs nothing of a runtime that has not started.
    let closed = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) } < 0;
    CLOSED.store(closed, Ordering::Relaxed);
}

// SAFETY: the section holds pointers to functions of this type, called once each before `main`.
#[unsafe(link_section = ".init_array")]
#[used]
static LOOK: extern "C" fn() = look;
