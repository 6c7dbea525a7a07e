//! Waiting for children (wait(2)): the arguments of the calls. What children report is in
//! [`crate::process::wait`].
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::signal::{Info, SIGCHLD, SIGINFO_SIZE};
use crate::process::wait::{self, Event, Found, Selector, Wanted};
use crate::process::{Pid, ProcessSlot, Wait};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Options of wait4 (wait(2)).
const WAIT4_OPTIONS: u32 = linux::WNOHANG
    | linux::WUNTRACED
    | linux::WCONTINUED
    | linux::__WNOTHREAD
    | linux::__WCLONE
    | linux::__WALL;
/// Options of waitid.
const WAITID_OPTIONS: u32 = linux::WNOHANG
    | linux::WNOWAIT
    | linux::WEXITED
    | linux::WSTOPPED
    | linux::WCONTINUED
    | linux::__WNOTHREAD
    | linux::__WCLONE
    | linux::__WALL;

impl Kernel {
    /// wait4(2). A child that is reported is gone, also where its status cannot be written, as on Linux.
    pub fn wait4(
        &mut self,
        pid: u64,
        status: u64,
        options: u64,
        usage: u64,
    ) -> Result<Outcome, Errno> {
        let options = options as u32;
        if options & !WAIT4_OPTIONS != 0 {
            return Err(Errno::EINVAL);
        }
        if pid as i32 == i32::MIN {
            return Err(Errno::ESRCH);
        }
        let wanted = Wanted {
            who: Selector::from_wait4(pid as i32, self.processes[self.current.process].group),
            options: options & (Wanted::EVENTS | Wanted::KIN) | linux::WEXITED,
            thread: match options & linux::__WNOTHREAD {
                0 => Pid(0),
                _ => self.processes[self.current.thread].tid,
            },
        };
        match wait::find(self.processes, self.current.process, wanted) {
            Found::NoChild => Err(Errno::ECHILD),
            Found::NotYet if options & linux::WNOHANG != 0 => Ok(Outcome::Return(0)),
            Found::NotYet => {
                self.park(self.current.thread, Wait::Child(wanted));
                Ok(Outcome::Other)
            }
            Found::Report(child, event) => {
                let pid = self.processes[child].pid;
                if usage != 0 {
                    self.report_with_usage(child, event, status, usage)?;
                } else {
                    self.take_report(child);
                    if status != 0 {
                        self.write_status(status, event)?;
                    }
                }
                Ok(Outcome::Return(u64::from(pid.0)))
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn report_with_usage(
        &mut self,
        child: ProcessSlot,
        event: Event,
        status: u64,
        usage: u64,
    ) -> Result<(), Errno> {
        let used = self.usage_with_children(child);
        self.take_report(child);
        if status != 0 {
            self.write_status(status, event)?;
        }
        let space = self.processes[self.current.process].space();
        user::write(space, usage, &used.to_rusage())?;
        Ok(())
    }

    #[inline(never)]
    fn write_status(&self, status: u64, event: Event) -> Result<(), Errno> {
        let space = self.processes[self.current.process].space();
        user::write(space, status, &event.word().to_ne_bytes())?;
        Ok(())
    }

    /// waitid(2). Whatever it returns, `info` is written where there is one, as on Linux: with zeros where
    /// nothing is reported.
    pub fn waitid(
        &mut self,
        kind: u64,
        id: u64,
        info: u64,
        options: u64,
        usage: u64,
    ) -> Result<Outcome, Errno> {
        let options = options as u32;
        let mut bytes = [0; SIGINFO_SIZE];
        let result =
            self.waited(kind as u32, id as i32, options)
                .and_then(|(wanted, nonblocking)| {
                    match wait::find(self.processes, self.current.process, wanted) {
                        Found::NoChild => Err(Errno::ECHILD),
                        Found::NotYet if options & linux::WNOHANG != 0 => Ok(Outcome::Return(0)),
                        Found::NotYet if nonblocking => Err(Errno::EAGAIN),
                        Found::NotYet => Ok(self.wait_in_call(Wait::Child(wanted))),
                        Found::Report(child, event) => {
                            bytes = Info::Child(self.sender(child), event).to_siginfo(SIGCHLD);
                            let used = (usage != 0).then(|| self.usage_with_children(child));
                            if options & linux::WNOWAIT == 0 {
                                self.take_report(child);
                            }
                            if let Some(used) = used {
                                let space = self.processes[self.current.process].space();
                                user::write(space, usage, &used.to_rusage())?;
                            }
                            Ok(Outcome::Return(0))
                        }
                    }
                });
        if info != 0 && !matches!(result, Ok(Outcome::Other)) {
            let space = self.processes[self.current.process].space();
            for field in [0..12, 16..28] {
                let place = info.wrapping_add(field.start as u64);
                user::write(space, place, &bytes[field])?;
            }
        }
        result
    }

    /// What a waitid is for, and whether its descriptor says not to wait.
    fn waited(&self, kind: u32, id: i32, options: u32) -> Result<(Wanted, bool), Errno> {
        if options & !WAITID_OPTIONS != 0 || options & Wanted::EVENTS == 0 {
            return Err(Errno::EINVAL);
        }
        let mut nonblocking = false;
        let who = match (kind, id) {
            (linux::P_ALL, _) => Selector::Any,
            (linux::P_PID, id) if id > 0 => Selector::Process(Pid(id as u32)),
            (linux::P_PGID, 0) => Selector::Group(self.processes[self.current.process].group),
            (linux::P_PGID, id) if id > 0 => Selector::Group(Pid(id as u32)),
            (linux::P_PIDFD, id) if id >= 0 => {
                let pid;
                (pid, nonblocking) = self.waited_handle(id as u64)?;
                Selector::Process(pid.ok_or(Errno::ECHILD)?)
            }
            _ => return Err(Errno::EINVAL),
        };
        let wanted = Wanted {
            who,
            options: options & (Wanted::EVENTS | Wanted::KIN),
            thread: self.processes[self.current.thread].tid,
        };
        Ok((wanted, nonblocking))
    }
}
