//! What ends a run from outside: signals, the timeout, Ctrl-A x. All of them arrive as a signal to the main thread,
//! whose handler notes the reason and makes the engine look: `KVM_RUN` returns at once, `poll` wakes.
//!
//! Beside them, what becomes of the terminal: its size, and that this process is stopped and goes on.

use crate::terminal;
use anyhow::{Context, Result};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, sigaction,
};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::time::Duration;
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

/// Signals that end cowbell.
const FATAL: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];
/// Sent to itself for Ctrl-A x.
const BY_USER: Signal = Signal::SIGUSR1;

/// The signal that came first; 0 while none has.
static FIRST: AtomicI32 = AtomicI32::new(0);
/// `immediate_exit` of the running virtual CPU's `kvm_run`, or null.
static IMMEDIATE_EXIT: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// Readable once a signal has come. The descriptor for the handler, which can lock nothing.
static WAKE: OnceLock<EventFd> = OnceLock::new();
static WAKE_FD: AtomicI32 = AtomicI32::new(-1);

/// Readable once the terminal's size may have changed.
static RESIZED: OnceLock<EventFd> = OnceLock::new();
static RESIZED_FD: AtomicI32 = AtomicI32::new(-1);

/// Why the run is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// `--timeout` passed.
    Timeout,
    /// Ctrl-A x.
    ByUser,
    /// This signal.
    Signal(i32),
}

/// The first reason to end, if one has come.
#[must_use]
pub fn pending() -> Option<Interruption> {
    match FIRST.load(Ordering::Acquire) {
        0 => None,
        libc::SIGALRM => Some(Interruption::Timeout),
        libc::SIGUSR1 => Some(Interruption::ByUser),
        signal => Some(Interruption::Signal(signal)),
    }
}

/// Installs the handlers. From then on only the thread that called may be hit: see [`shield_thread`].
///
/// # Errors
/// The host gives no descriptor or refuses a handler.
pub fn install() -> Result<()> {
    if WAKE.get().is_none() {
        let wake =
            EventFd::new(EFD_CLOEXEC | EFD_NONBLOCK).context("cannot make an event descriptor")?;
        WAKE_FD.store(wake.as_raw_fd(), Ordering::Release);
        let _ = WAKE.set(wake);
    }
    // Without SA_RESTART: a write that blocks for want of a reader ends too.
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    for signal in FATAL.into_iter().chain([BY_USER, Signal::SIGALRM]) {
        // SAFETY: the handler touches atomics and calls async-signal-safe functions alone.
        unsafe { sigaction(signal, &action) }.with_context(|| format!("cannot handle {signal}"))?;
    }
    Ok(())
}

/// Installs the handlers for what becomes of the terminal.
///
/// # Errors
/// As [`install`].
pub fn watch_terminal() -> Result<()> {
    if RESIZED.get().is_none() {
        let resized =
            EventFd::new(EFD_CLOEXEC | EFD_NONBLOCK).context("cannot make an event descriptor")?;
        RESIZED_FD.store(resized.as_raw_fd(), Ordering::Release);
        let _ = RESIZED.set(resized);
    }
    for (signal, handler) in [
        (Signal::SIGWINCH, resized as extern "C" fn(libc::c_int)),
        (Signal::SIGCONT, continued),
        (Signal::SIGTSTP, stopped),
    ] {
        let action = SigAction::new(
            SigHandler::Handler(handler),
            SaFlags::SA_RESTART,
            SigSet::empty(),
        );
        // SAFETY: the handlers touch atomics and call async-signal-safe functions alone.
        unsafe { sigaction(signal, &action) }.with_context(|| format!("cannot handle {signal}"))?;
    }
    Ok(())
}

/// A descriptor that becomes readable when the terminal's size may have changed.
#[must_use]
pub fn resized_descriptor() -> Option<&'static EventFd> {
    RESIZED.get()
}

extern "C" fn resized(_: libc::c_int) {
    let one = 1_u64;
    // SAFETY: as in `note`.
    unsafe {
        libc::write(
            RESIZED_FD.load(Ordering::Acquire),
            (&raw const one).cast(),
            8,
        )
    };
}

extern "C" fn continued(signal: libc::c_int) {
    terminal::resume();
    resized(signal);
}

extern "C" fn stopped(_: libc::c_int) {
    terminal::suspend();
    // SAFETY: async-signal-safe; SIGSTOP stops this process here.
    unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
}

/// Keeps the signals from a helper thread, so that they reach the main one.
pub fn shield_thread() {
    let _ = pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), None);
}

/// Ends the run after a time.
///
/// # Errors
/// The host refuses the timer.
pub fn set_timeout(time: Duration) -> Result<()> {
    let interval = |time: Duration| libc::timeval {
        tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: libc::suseconds_t::from(time.subsec_micros()),
    };
    let timer = libc::itimerval {
        // Again and again: the first may come just before a call that blocks.
        it_interval: interval(Duration::from_millis(50)),
        it_value: interval(time.max(Duration::from_micros(1))),
    };
    // SAFETY: the structure is initialised and outlives the call; no old value is asked for.
    let result = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) };
    if result < 0 {
        return Err(std::io::Error::last_os_error()).context("cannot set the timer for --timeout");
    }
    Ok(())
}

/// Stops the timer of [`set_timeout`].
pub fn clear_timeout() {
    let timer = libc::itimerval {
        it_interval: libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        },
        it_value: libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        },
    };
    // SAFETY: the structure is initialised and outlives the call; no old value is asked for.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) };
}

/// What the terminal's reader calls for Ctrl-A x.
pub fn end_by_user() {
    // SAFETY: signals to this process alone; a handler is installed.
    unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) };
}

/// Where the handler finds `immediate_exit` of the virtual CPU that runs now.
///
/// # Safety
/// The byte must stay valid until this is called again with a null pointer.
pub unsafe fn set_immediate_exit(byte: *mut u8) {
    IMMEDIATE_EXIT.store(byte, Ordering::Release);
}

/// A descriptor that becomes readable with the first interruption.
#[must_use]
pub fn wake_descriptor() -> Option<BorrowedFd<'static>> {
    // SAFETY: the descriptor is in a static that nobody takes it from.
    WAKE.get()
        .map(|wake| unsafe { BorrowedFd::borrow_raw(wake.as_raw_fd()) })
}

extern "C" fn note(signal: libc::c_int) {
    let first = FIRST.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Acquire);
    if first.is_err() {
        let is_fatal = matches!(
            signal,
            libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT
        );
        if is_fatal {
            // Asked twice, or after the timeout: something hangs on the way out.
            terminal::restore();
            // SAFETY: async-signal-safe, and does not return.
            unsafe { libc::_exit(128 + signal) };
        }
    }
    let immediate_exit = IMMEDIATE_EXIT.load(Ordering::Acquire);
    if !immediate_exit.is_null() {
        // SAFETY: who set it keeps it valid; the kernel reads this byte at the next KVM_RUN, so the store is volatile.
        unsafe { immediate_exit.write_volatile(1) };
    }
    let one = 1_u64;
    // SAFETY: write(2) is async-signal-safe; the buffer is eight bytes. It fails harmlessly where there is no descriptor.
    unsafe { libc::write(WAKE_FD.load(Ordering::Acquire), (&raw const one).cast(), 8) };
}
