//! System calls, as they are made, to the monitor: `cowbell run --strace`.
//!
//! Off, it costs nothing: [`crate::system_calls`] finds each call in a table, and to trace is to put [`enter`] and
//! [`leave`] around all of them there. A call that waits ends elsewhere, by a timer or a signal, and a thread by
//! another's doing; [`notice`], which the rare traps call too, finds that out.
mod capture;

use crate::channel;
use crate::kernel::Kernel;
use crate::one_cpu::OneCpu;
use crate::process::signal::{Disposition, Info, SIGCHLD};
use crate::process::table::THREAD_LIMIT;
use crate::process::wait::Event;
use crate::process::{Pid, ProcessSlot, Resume, State, Status, ThreadSlot};
use crate::system_calls::Outcome;
use contract::Sysno;
use contract::calls;
use contract::channel::Kind;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

static ON: AtomicBool = AtomicBool::new(false);
static KNOWN: OneCpu<KnownThreads> = OneCpu::new(KnownThreads {
    threads: [Known {
        thread: Pid(0),
        process: Pid(0),
        call: Progress::None,
    }; THREAD_LIMIT],
    count: 0,
});

/// Whether a thread is in a call whose result has not been sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    None,
    Begun,
}

/// A thread that has made a call.
#[derive(Clone, Copy)]
struct Known {
    thread: Pid,
    process: Pid,
    call: Progress,
}

/// The threads that have made a call and not ended, in no order.
struct KnownThreads {
    threads: [Known; THREAD_LIMIT],
    count: usize,
}

impl KnownThreads {
    fn get(&self, index: usize) -> Option<Known> {
        self.threads[..self.count].get(index).copied()
    }

    fn find(&mut self, thread: Pid) -> Option<&mut Known> {
        self.threads[..self.count]
            .iter_mut()
            .find(|known| known.thread == thread)
    }

    fn add(&mut self, known: Known) {
        if let Some(place) = self.threads.get_mut(self.count) {
            *place = known;
            self.count += 1;
        }
    }

    fn remove(&mut self, thread: Pid) {
        let living = &mut self.threads[..self.count];
        if let Some(at) = living.iter().position(|known| known.thread == thread) {
            self.count -= 1;
            self.threads[at] = self.threads[self.count];
        }
    }
}

/// Traces from now on.
pub fn start() {
    ON.store(true, Relaxed);
    crate::system_calls::dispatch::trace_all();
}

pub fn is_on() -> bool {
    ON.load(Relaxed)
}

/// The current thread makes a call, or asks again for the one it is in.
pub fn enter(kernel: &Kernel) {
    let thread = &kernel.processes[kernel.current.thread];
    let process = &kernel.processes[thread.process];
    let begun = KNOWN.with(|known| match known.find(thread.tid) {
        Some(known) => core::mem::replace(&mut known.call, Progress::Begun),
        None => {
            known.add(Known {
                thread: thread.tid,
                process: process.pid,
                call: Progress::Begun,
            });
            Progress::None
        }
    });
    if begun == Progress::Begun {
        return;
    }
    let registers = &thread.context.registers;
    let number = registers.system_call_number();
    let arguments = registers.arguments();
    channel::send(Kind::Enter, |message| {
        message.half(thread.tid.0);
        message.word(number);
        for argument in arguments {
            message.word(argument);
        }
        if let Some(call) = calls::find(number) {
            capture::before(message, process.space(), call, &arguments);
        }
    });
    let is_last = match Sysno::new(number as usize) {
        Some(Sysno::exit) => process.threads.count == 1,
        Some(Sysno::exit_group) => true,
        _ => return,
    };
    let status = Status::Exited(arguments[0] as u8);
    end(thread.tid, status);
    if is_last {
        tell_parent(kernel, thread.process, status);
    }
    channel::ring();
}

/// The call of `slot`, the thread that was current, has come to something.
pub fn leave(kernel: &Kernel, slot: ThreadSlot, outcome: Outcome) {
    match outcome {
        Outcome::Return(result) => finish(kernel, slot, result),
        Outcome::Same => finish(kernel, slot, result_of(kernel, slot)),
        Outcome::OutOfMemory | Outcome::Other => {}
    }
    notice(kernel);
}

/// Sends what has become of calls that ended by themselves, and of threads.
pub fn notice(kernel: &Kernel) {
    if !is_on() {
        return;
    }
    let mut index = 0;
    while let Some(known) = KNOWN.with(|known| known.get(index)) {
        let slot = kernel.processes.find_thread(known.thread);
        match slot.map(|slot| (slot, kernel.processes[slot].state)) {
            None => {
                let process = kernel.processes.find(known.process);
                match process.map(|process| (process, kernel.processes[process].ended)) {
                    Some((process, Some(status))) => {
                        end(known.thread, status);
                        if known.thread == known.process {
                            tell_parent(kernel, process, status);
                        }
                    }
                    // Another thread's exec has ended it.
                    _ => KNOWN.with(|all| all.remove(known.thread)),
                }
                continue;
            }
            Some((
                _,
                State::Waiting(_)
                | State::Runnable(Resume::SystemCall { .. })
                | State::Stopped(Resume::SystemCall { .. }),
            )) => {}
            Some((slot, State::Running | State::Runnable(_) | State::Stopped(_))) => {
                if known.call == Progress::Begun {
                    finish(kernel, slot, result_of(kernel, slot));
                }
            }
        }
        index += 1;
    }
    channel::ring();
}

/// A signal is delivered to a thread.
#[inline]
pub fn signal(kernel: &Kernel, slot: ThreadSlot, signal: u8, info: Info) {
    if is_on() {
        send_signal(kernel, slot, signal, info);
    }
}

#[cold]
fn send_signal(kernel: &Kernel, slot: ThreadSlot, signal: u8, info: Info) {
    channel::send(Kind::Signal, |message| {
        message.half(kernel.processes[slot].tid.0);
        message.bytes(&info.to_siginfo(signal));
    });
}

/// The last thread of a process has ended: a parent that does not care is told all the same, as a tracer sees it.
/// One that cares gets it by [`signal`].
fn tell_parent(kernel: &Kernel, child: ProcessSlot, status: Status) {
    let processes = &kernel.processes;
    let Some(parent) = processes[child].family.parent else {
        return;
    };
    if processes[parent].signals.disposition(SIGCHLD) == Disposition::Ignore
        && let Some(thread) = processes[parent].threads.first
    {
        let info = Info::Child(kernel.sender(child), Event::Ended(status));
        send_signal(kernel, thread, SIGCHLD, info);
    }
}

/// The machine ends with pid 1, which has not asked for it.
#[cold]
pub fn machine_ends(status: Status) {
    let is_known = KNOWN.with(|known| known.find(Pid(1)).is_some());
    if is_on() && is_known {
        end(Pid(1), status);
        channel::ring();
    }
}

fn end(thread: Pid, status: Status) {
    KNOWN.with(|known| known.remove(thread));
    channel::send(Kind::End, |message| {
        message.half(thread.0);
        message.half(status.word() as u32);
    });
}

fn result_of(kernel: &Kernel, slot: ThreadSlot) -> u64 {
    kernel.processes[slot].context.registers.rax
}

/// A thread has been made: its end is of interest before it has made a call.
fn expect(kernel: &Kernel, thread: Pid) {
    let Some(slot) = kernel.processes.find_thread(thread) else {
        return;
    };
    let process = kernel.processes[kernel.processes[slot].process].pid;
    KNOWN.with(|known| {
        if known.find(thread).is_none() {
            known.add(Known {
                thread,
                process,
                call: Progress::None,
            });
        }
    });
}

/// The call of the thread in `slot` is over.
fn finish(kernel: &Kernel, slot: ThreadSlot, result: u64) {
    let thread = &kernel.processes[slot];
    KNOWN.with(|known| {
        if let Some(known) = known.find(thread.tid) {
            known.call = Progress::None;
        }
    });
    let registers = &thread.context.registers;
    let number = registers.system_call_number();
    if let Some(Sysno::fork | Sysno::vfork | Sysno::clone | Sysno::clone3) =
        Sysno::new(number as usize)
    {
        expect(kernel, Pid(result as u32));
    }
    let process = &kernel.processes[thread.process];
    channel::send(Kind::Leave, |message| {
        message.half(thread.tid.0);
        message.word(result);
        if let Some(call) = calls::find(number) {
            let arguments = registers.arguments();
            capture::after(message, process.space(), call, &arguments, result);
        }
    });
}
