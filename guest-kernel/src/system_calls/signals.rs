//! Signals: the arguments of the calls. What they do is in [`crate::process::signal`].
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::scheduler::Next;
use crate::process::signal::{self, Action, AlternateStack, Info};
use crate::process::{Pid, ProcessSlot, ThreadSlot, Wait};
use alloc::vec::Vec;
use contract::Errno;
use linux_raw_sys::general as linux;

/// Size of the kernel's signal set: the calls take no other.
const SET_SIZE: u64 = 8;
/// Smallest alternate stack (MINSIGSTKSZ).
const SMALLEST_STACK: u64 = 2048;

fn signal_number(signal: u64) -> Result<Option<u8>, Errno> {
    match u8::try_from(signal as u32) {
        Ok(0) => Ok(None),
        Ok(signal) if signal <= signal::LAST => Ok(Some(signal)),
        _ => Err(Errno::EINVAL),
    }
}

impl Kernel {
    /// kill(2).
    pub fn kill(&mut self, pid: u64, signal: u64) -> Result<Outcome, Errno> {
        let signal = signal_number(signal)?;
        let caller = self.current.process;
        let own_group = self.processes[caller].group;
        let targets: Vec<ProcessSlot> = match pid as i32 {
            -1 => {
                self.all(|kernel, slot| slot != caller && kernel.processes[slot].pid != Pid(1))?
            }
            0 => self.all(|kernel, slot| kernel.processes[slot].group == own_group)?,
            pid if pid < 0 => {
                let group = Pid(pid.unsigned_abs());
                self.all(|kernel, slot| kernel.processes[slot].group == group)?
            }
            pid => {
                let target = self.processes.find(Pid(pid as u32)).ok_or(Errno::ESRCH)?;
                let info = Info::Kill(self.processes[caller].pid);
                self.processes[self.current.thread].set_result(0);
                if let Some(signal) = signal {
                    signal::send(self, target, signal, info);
                }
                return Ok(self.whether_running().into());
            }
        };
        if targets.is_empty() {
            return Err(Errno::ESRCH);
        }
        if let Some(signal) = signal {
            let info = Info::Kill(self.processes[caller].pid);
            self.processes[self.current.thread].set_result(0);
            // The caller last: it may end by it.
            for target in targets.iter().copied().filter(|&slot| slot != caller) {
                if self.processes.get(target).is_some() {
                    signal::send(self, target, signal, info);
                }
            }
            if targets.contains(&caller) {
                signal::send(self, caller, signal, info);
            }
            return Ok(self.whether_running().into());
        }
        Ok(Outcome::Return(0))
    }

    fn all(&self, fits: impl Fn(&Self, ProcessSlot) -> bool) -> Result<Vec<ProcessSlot>, Errno> {
        crate::memory::heap::require_reserve()?;
        Ok(self
            .processes
            .slots()
            .filter(|&slot| fits(self, slot))
            .collect())
    }

    /// tkill(2).
    pub fn tkill(&mut self, tid: u64, signal: u64) -> Result<Outcome, Errno> {
        if tid as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        self.thread_kill(None, tid, signal)
    }

    /// tgkill(2).
    pub fn tgkill(&mut self, group: u64, tid: u64, signal: u64) -> Result<Outcome, Errno> {
        if group as i32 <= 0 || tid as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        self.thread_kill(Some(Pid(group as u32)), tid, signal)
    }

    /// Sends a signal to one thread, where it is of that process.
    fn thread_kill(
        &mut self,
        process: Option<Pid>,
        tid: u64,
        signal: u64,
    ) -> Result<Outcome, Errno> {
        let tid = Pid(tid as u32);
        // A first thread that has ended takes signals, and does nothing about them, until its process is gone.
        let (owner, target): (ProcessSlot, Option<ThreadSlot>) =
            match self.processes.find_thread(tid) {
                Some(slot) => (self.processes[slot].process, Some(slot)),
                None => (self.processes.find(tid).ok_or(Errno::ESRCH)?, None),
            };
        if process.is_some_and(|process| self.processes[owner].pid != process) {
            return Err(Errno::ESRCH);
        }
        let signal = signal_number(signal)?;
        self.processes[self.current.thread].set_result(0);
        if let (Some(signal), Some(target)) = (signal, target) {
            let info = Info::ThreadKill(self.processes[self.current.process].pid);
            signal::send_to_thread(self, target, signal, info);
        }
        Ok(self.whether_running().into())
    }

    /// rt_sigaction(2).
    pub fn rt_sigaction(
        &mut self,
        signal: u64,
        new: u64,
        old: u64,
        size: u64,
    ) -> Result<u64, Errno> {
        let signal = signal_number(signal)?.ok_or(Errno::EINVAL)?;
        let unchangeable = signal::bit(signal) & signal::UNSTOPPABLE != 0;
        if size != SET_SIZE || (new != 0 && unchangeable) {
            return Err(Errno::EINVAL);
        }
        let process = &self.processes[self.current.process];
        let before = process.signals.action(signal);
        let wanted = if new == 0 {
            None
        } else {
            let [handler, flags, restorer, mask] = user::read_words(process.space(), new)?;
            Some(Action {
                handler,
                flags,
                restorer,
                mask,
            })
        };
        if old != 0 {
            let words = [before.handler, before.flags, before.restorer, before.mask];
            user::write_words(process.space(), old, &words)?;
        }
        if let Some(action) = wanted {
            crate::memory::heap::require_reserve()?;
            self.set_action(signal, action);
        }
        Ok(0)
    }

    /// rt_sigprocmask(2).
    pub fn rt_sigprocmask(
        &mut self,
        how: u64,
        new: u64,
        old: u64,
        size: u64,
    ) -> Result<Outcome, Errno> {
        if size != SET_SIZE {
            return Err(Errno::EINVAL);
        }
        let (thread, process) = self.processes.both(self.current);
        let before = thread.signals.blocked;
        let after = if new == 0 {
            before
        } else {
            let set = user::read_u64(process.space(), new)?;
            match how as u32 {
                linux::SIG_BLOCK => before | set,
                linux::SIG_UNBLOCK => before & !set,
                linux::SIG_SETMASK => set,
                _ => return Err(Errno::EINVAL),
            }
        };
        if old != 0 {
            user::write_words(process.space(), old, &[before])?;
        }
        thread.signals.blocked = after & !signal::UNSTOPPABLE;
        if self.processes.deliverable(self.current) == 0 {
            return Ok(Outcome::Return(0));
        }
        self.processes[self.current.thread].set_result(0);
        Ok(Outcome::Same)
    }

    /// rt_sigpending: sigpending(2).
    pub fn rt_sigpending(&self, set: u64, size: u64) -> Result<u64, Errno> {
        if size > SET_SIZE {
            return Err(Errno::EINVAL);
        }
        let process = &self.processes[self.current.process];
        let own = &self.processes[self.current.thread].signals;
        let pending = (own.pending.set | process.signals.pending.set) & own.blocked;
        user::write(
            process.space(),
            set,
            &pending.to_ne_bytes()[..size as usize],
        )?;
        Ok(0)
    }

    /// rt_sigsuspend: sigsuspend(2).
    pub fn rt_sigsuspend(&mut self, set: u64, size: u64) -> Result<Outcome, Errno> {
        if size != SET_SIZE {
            return Err(Errno::EINVAL);
        }
        let (thread, process) = self.processes.both(self.current);
        let mask = user::read_u64(process.space(), set)?;
        let before = thread.signals.blocked;
        thread.signals.suspended_mask = Some(before);
        thread.signals.blocked = mask & !signal::UNSTOPPABLE;
        Ok(self.pause())
    }

    /// pause(2).
    pub fn pause(&mut self) -> Outcome {
        if self.processes.deliverable(self.current) != 0 {
            self.processes[self.current.thread].set_result(Errno::EINTR.to_return_value());
            return Outcome::Same;
        }
        self.wait_in_call(Wait::Signal)
    }

    /// sigaltstack(2).
    pub fn sigaltstack(&mut self, new: u64, old: u64) -> Result<u64, Errno> {
        let (thread, process) = self.processes.both(self.current);
        let before = thread.signals.alternate_stack;
        let on_it = before.size > 0 && before.contains(thread.context.registers.rsp);
        let wanted = if new == 0 {
            None
        } else {
            let [base, flags, size] = user::read_words(process.space(), new)?;
            if on_it {
                return Err(Errno::EPERM);
            }
            Some(match flags as u32 {
                linux::SS_DISABLE => AlternateStack::default(),
                0 | linux::SS_ONSTACK if size < SMALLEST_STACK => return Err(Errno::ENOMEM),
                0 | linux::SS_ONSTACK => AlternateStack { base, size },
                _ => return Err(Errno::EINVAL),
            })
        };
        if old != 0 {
            let flags = if on_it {
                linux::SS_ONSTACK
            } else {
                before.flags()
            };
            user::write_words(
                process.space(),
                old,
                &[before.base, u64::from(flags), before.size],
            )?;
        }
        if let Some(stack) = wanted {
            thread.signals.alternate_stack = stack;
        }
        Ok(0)
    }

    /// rt_sigreturn: sigreturn(2).
    pub fn rt_sigreturn(&mut self) -> Next {
        self.return_from_handler()
    }
}
