//! Every thread waits, and nothing that could wake one can come: the machine says who waits for what,
//! and stops.
use crate::arch::machine;
use crate::files_out;
use crate::kernel::Kernel;
use crate::log;
use crate::process::wait::Selector;
use crate::process::{Pid, State, Wait};
use contract::status::Exit;
use core::fmt;
use files::WaitFor;

/// Reports the deadlock and ends the machine.
pub fn report(kernel: &Kernel) -> ! {
    log!("deadlock: every process waits for something that cannot come");
    let processes = &kernel.processes;
    for slot in processes.slots() {
        let pid = processes[slot].pid;
        let name = core::str::from_utf8(processes.name_of(slot)).unwrap_or("?");
        if processes[slot].ended.is_some() {
            log!(
                "  process {} ({name}) has ended, and nobody has waited for it",
                pid.0
            );
        }
        for thread in processes.threads_of(slot) {
            let thread = &processes[thread];
            let what = What(&thread.state);
            if thread.tid == pid {
                log!("  process {} ({name}) {what}", pid.0);
            } else {
                let own = core::str::from_utf8(thread.name()).unwrap_or("?");
                log!(
                    "  thread {} ({own}) of process {} ({name}) {what}",
                    thread.tid.0,
                    pid.0
                );
            }
        }
    }
    files_out::send_all(kernel);
    machine::exit(Exit::Deadlock)
}

/// A state in words.
struct What<'a>(&'a State);

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            State::Runnable(_) | State::Running => f.write_str("can run"),
            State::Stopped(_) => f.write_str("is stopped"),
            State::Waiting(wait) => match wait {
                Wait::Child(wanted) => match wanted.who {
                    Selector::Any => f.write_str("waits for a child to end"),
                    Selector::Process(Pid(pid)) => write!(f, "waits for child {pid} to end"),
                    Selector::Group(Pid(group)) => {
                        write!(f, "waits for a child in group {group} to end")
                    }
                },
                Wait::Vfork(Pid(child)) => {
                    write!(f, "waits for its vfork child {child} to exec or exit")
                }
                Wait::TimedInput { .. } => f.write_str("waits for console input for a time"),
                Wait::File {
                    until: WaitFor::ConsoleOutput,
                    ..
                } => f.write_str("waits for console output to be let go on"),
                Wait::Open { .. } => f.write_str("waits for the other end of a FIFO"),
                Wait::File {
                    until: WaitFor::PipeReadable(_),
                    ..
                } => f.write_str("waits for bytes in a pipe"),
                Wait::File {
                    until: WaitFor::PipeWritable(_),
                    ..
                } => f.write_str("waits for room in a pipe"),
                Wait::File {
                    until: WaitFor::ConsoleInput,
                    ..
                } => f.write_str("waits for console input, which has ended"),
                Wait::File {
                    until: WaitFor::Lock,
                    ..
                } => f.write_str("waits for a lock on a file"),
                Wait::File {
                    until: WaitFor::Readiness,
                    ..
                }
                | Wait::Readiness { .. } => f.write_str("waits for a descriptor to become ready"),
                Wait::Time(_) => f.write_str("sleeps"),
                Wait::Futex(_) => f.write_str("waits for a futex"),
                Wait::Signal | Wait::SignalSet { .. } => f.write_str("waits for a signal"),
            },
        }
    }
}
