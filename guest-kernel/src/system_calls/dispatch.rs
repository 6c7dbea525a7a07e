//! From a call's number to what answers it, by way of whoever looks at calls.
use super::Outcome;
use super::table::{ANSWERS, table};
use crate::kernel::Kernel;
use crate::one_cpu::OneCpu;
use crate::records::COUNTERS;
use crate::trace;
use contract::Errno;
use contract::counters::SYSTEM_CALLS;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

/// A call, with its first five arguments as C passes them; mmap alone has a sixth, and takes it from the
/// saved registers.
pub type Call = extern "C" fn(&mut Kernel, u64, u64, u64, u64, u64) -> Outcome;

/// What is called for each number: what answers it, but while calls are traced or watched.
static CALLS: OneCpu<[Call; SYSTEM_CALLS]> = OneCpu::new(table());
static WATCHED: AtomicBool = AtomicBool::new(false);

/// What to do about the call of that number.
#[inline]
pub fn call(number: u64) -> Call {
    CALLS.with(
        |calls| match usize::try_from(number).map(|number| calls.get(number)) {
            Ok(Some(call)) => *call,
            _ => missing,
        },
    )
}

/// From now on every call is traced.
pub fn trace_all() {
    CALLS.with(|calls| *calls = [traced; SYSTEM_CALLS]);
}

/// From now on, after every call, whoever is to be told of what it did to files is told.
pub fn watch() {
    WATCHED.store(true, Relaxed);
    CALLS.with(|calls| *calls = [watched; SYSTEM_CALLS]);
}

/// The reverse of [`watch`].
#[cold]
pub fn unwatch() {
    WATCHED.store(false, Relaxed);
    if trace::is_on() {
        trace_all();
    } else {
        CALLS.with(|calls| *calls = ANSWERS);
    }
}

/// Whether calls are traced or watched: then each is to go all the way.
pub fn is_looked_at() -> bool {
    trace::is_on() || WATCHED.load(Relaxed)
}

/// What stands in place of each call while calls are watched.
extern "C" fn watched(kernel: &mut Kernel, a: u64, b: u64, c: u64, d: u64, e: u64) -> Outcome {
    let number = kernel.processes[kernel.current.thread]
        .context
        .registers
        .system_call_number();
    let answer = if trace::is_on() {
        traced
    } else {
        ANSWERS.get(number as usize).copied().unwrap_or(missing)
    };
    let outcome = answer(kernel, a, b, c, d, e);
    kernel.tell_after_call(outcome)
}

/// What stands in place of each call while calls are traced.
extern "C" fn traced(kernel: &mut Kernel, a: u64, b: u64, c: u64, d: u64, e: u64) -> Outcome {
    let thread = kernel.current.thread;
    let number = kernel.processes[thread]
        .context
        .registers
        .system_call_number();
    trace::enter(kernel);
    let answer = ANSWERS.get(number as usize).copied().unwrap_or(missing);
    let outcome = answer(kernel, a, b, c, d, e);
    trace::leave(kernel, thread, outcome);
    outcome
}

/// There is no such call.
#[cold]
pub extern "C" fn missing(kernel: &mut Kernel, _: u64, _: u64, _: u64, _: u64, _: u64) -> Outcome {
    let registers = &kernel.processes[kernel.current.thread].context.registers;
    COUNTERS.mark_missing(registers.system_call_number());
    Errno::ENOSYS.into()
}
