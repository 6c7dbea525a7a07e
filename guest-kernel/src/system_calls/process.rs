//! Process creation, exec, exit and wait: the arguments of the calls. What they do is in
//! [`crate::process`].
use super::Outcome;
use super::paths::PathBuffer;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::exec::UserStrings;
use crate::process::fork::{Kind, Wishes};
use crate::process::scheduler::Next;
use crate::process::signal::child_siginfo;
use crate::process::wait::{self, Found, Selector};
use crate::process::{Pid, Status, Wait};
use alloc::rc::Rc;
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
/// Bytes of `struct rusage`.
const RUSAGE_SIZE: usize = 144;
/// Bytes of `siginfo_t`.
const SIGINFO_SIZE: usize = 128;

impl Kernel {
    /// fork(2).
    pub fn fork_call(&mut self) -> Result<Outcome, Errno> {
        self.create(Kind::Fork, Wishes::default())
    }

    /// vfork(2).
    pub fn vfork_call(&mut self) -> Result<Outcome, Errno> {
        self.create(Kind::Vfork, Wishes::default())
    }

    /// execve(2).
    pub fn execve(&mut self, path: u64, arguments: u64, environment: u64) -> Result<Next, Errno> {
        let who = self.current;
        let Some(memory) = &self.processes[who].memory else {
            return Err(Errno::ESRCH);
        };
        let space = Rc::clone(memory);
        let mut buffer = PathBuffer::take();
        let result = buffer.read(&space, path).and_then(|path| {
            self.exec(
                who,
                path,
                &mut UserStrings::new(&space, arguments),
                &mut UserStrings::new(&space, environment),
            )
        });
        crate::memory::space::AddressSpace::release(space);
        result.map(|()| Next::Same)
    }

    /// exit(2) and exit_group(2): a process has one thread.
    pub fn exit_call(&mut self, status: u64) -> Outcome {
        self.end_process(self.current.process, Status::Exited(status as u8));
        Outcome::Other
    }

    /// wait4(2).
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
        let selector = Selector::from_wait4(pid as i32, self.processes[self.current.process].group);
        match wait::find(self.processes, self.current.process, selector) {
            Found::NoChild => Err(Errno::ECHILD),
            Found::NotYet if options & linux::WNOHANG != 0 => Ok(Outcome::Return(0)),
            Found::NotYet => Ok(self.wait_in_call(Wait::Child(selector))),
            Found::Zombie(zombie, ended) => {
                let space = self.processes[self.current.process].space();
                if status != 0 {
                    user::write(space, status, &ended.word().to_ne_bytes())?;
                }
                if usage != 0 {
                    user::write(space, usage, &[0; RUSAGE_SIZE])?;
                }
                let pid = self.processes[zombie].pid;
                self.reap(zombie);
                Ok(Outcome::Return(u64::from(pid.0)))
            }
        }
    }

    /// waitid(2).
    pub fn waitid(
        &mut self,
        kind: u64,
        id: u64,
        info: u64,
        options: u64,
        usage: u64,
    ) -> Result<Outcome, Errno> {
        let options = options as u32;
        let waits_for = linux::WEXITED | linux::WSTOPPED | linux::WCONTINUED;
        if options & !WAITID_OPTIONS != 0 || options & waits_for == 0 {
            return Err(Errno::EINVAL);
        }
        let own_group = self.processes[self.current.process].group;
        let selector = match (kind as u32, id as i32) {
            (linux::P_ALL, _) => Selector::Any,
            (linux::P_PID, id) if id > 0 => Selector::Process(Pid(id as u32)),
            (linux::P_PGID, 0) => Selector::Group(own_group),
            (linux::P_PGID, id) if id > 0 => Selector::Group(Pid(id as u32)),
            (linux::P_PIDFD, _) => return Err(Errno::EBADF),
            _ => return Err(Errno::EINVAL),
        };
        let found = match wait::find(self.processes, self.current.process, selector) {
            // Nothing ever stops or continues here, so only an end can be reported.
            Found::Zombie(..) if options & linux::WEXITED == 0 => Found::NotYet,
            found => found,
        };
        let space = self.processes[self.current.process].space();
        match found {
            Found::NoChild => Err(Errno::ECHILD),
            Found::NotYet if options & linux::WNOHANG != 0 => {
                if info != 0 {
                    user::write(space, info, &[0; SIGINFO_SIZE])?;
                }
                Ok(Outcome::Return(0))
            }
            Found::NotYet => Ok(self.wait_in_call(Wait::Child(selector))),
            Found::Zombie(zombie, ended) => {
                if info != 0 {
                    let pid = self.processes[zombie].pid;
                    user::write(space, info, &child_siginfo(pid, ended))?;
                }
                if usage != 0 {
                    user::write(space, usage, &[0; RUSAGE_SIZE])?;
                }
                if options & linux::WNOWAIT == 0 {
                    self.reap(zombie);
                }
                Ok(Outcome::Return(0))
            }
        }
    }
}
