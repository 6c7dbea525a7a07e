//! Signals: the arguments of the calls. What they do is in [`crate::process::signal`].
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::scheduler::Next;
use crate::process::signal::{self, Action, AlternateStack, Info};
use crate::process::{Pid, Slot, Wait};
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
        let caller = self.current;
        let own_group = self.processes[caller].group;
        let targets: Vec<Slot> = match pid as i32 {
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
                return self.send_and_return(
                    target,
                    signal,
                    Info::Kill(self.processes[caller].pid),
                );
            }
        };
        if targets.is_empty() {
            return Err(Errno::ESRCH);
        }
        if let Some(signal) = signal {
            let info = Info::Kill(self.processes[caller].pid);
            self.processes[caller].set_result(0);
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

    fn all(&self, fits: impl Fn(&Self, Slot) -> bool) -> Result<Vec<Slot>, Errno> {
        crate::memory::heap::require_reserve()?;
        Ok(self
            .processes
            .slots()
            .filter(|&slot| fits(self, slot))
            .collect())
    }

    fn send_and_return(
        &mut self,
        target: Slot,
        signal: Option<u8>,
        info: Info,
    ) -> Result<Outcome, Errno> {
        self.processes[self.current].set_result(0);
        if let Some(signal) = signal {
            signal::send(self, target, signal, info);
        }
        Ok(self.whether_running().into())
    }

    /// tkill(2).
    pub fn tkill(&mut self, tid: u64, signal: u64) -> Result<Outcome, Errno> {
        let signal = signal_number(signal)?;
        if tid as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        let target = self.processes.find(Pid(tid as u32)).ok_or(Errno::ESRCH)?;
        self.send_and_return(
            target,
            signal,
            Info::ThreadKill(self.processes[self.current].pid),
        )
    }

    /// tgkill(2).
    pub fn tgkill(&mut self, group: u64, tid: u64, signal: u64) -> Result<Outcome, Errno> {
        if group as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        if group as i32 != tid as i32 {
            signal_number(signal)?;
            return Err(if tid as i32 <= 0 {
                Errno::EINVAL
            } else {
                Errno::ESRCH
            });
        }
        self.tkill(tid, signal)
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
        let process = &mut self.processes[self.current];
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
            process.signals.set_action(signal, action);
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
        let process = &mut self.processes[self.current];
        let before = process.signals.blocked;
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
        process.signals.blocked = after & !signal::UNSTOPPABLE;
        if process.signals.deliverable() == 0 {
            return Ok(Outcome::Return(0));
        }
        process.set_result(0);
        Ok(Outcome::Same)
    }

    /// rt_sigpending: sigpending(2).
    pub fn rt_sigpending(&self, set: u64, size: u64) -> Result<u64, Errno> {
        if size > SET_SIZE {
            return Err(Errno::EINVAL);
        }
        let process = &self.processes[self.current];
        let pending = process.signals.pending & process.signals.blocked;
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
        let process = &mut self.processes[self.current];
        let mask = user::read_u64(process.space(), set)?;
        let before = process.signals.blocked;
        process.signals.suspended_mask = Some(before);
        process.signals.blocked = mask & !signal::UNSTOPPABLE;
        Ok(self.pause())
    }

    /// pause(2).
    pub fn pause(&mut self) -> Outcome {
        let process = &mut self.processes[self.current];
        if process.signals.deliverable() != 0 {
            process.set_result(Errno::EINTR.to_return_value());
            return Outcome::Same;
        }
        self.wait_in_call(Wait::Signal)
    }

    /// sigaltstack(2).
    pub fn sigaltstack(&mut self, new: u64, old: u64) -> Result<u64, Errno> {
        let process = &mut self.processes[self.current];
        let before = process.signals.alternate_stack;
        let on_it = before.size > 0 && before.contains(process.context.registers.rsp);
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
            process.signals.alternate_stack = stack;
        }
        Ok(0)
    }

    /// rt_sigreturn: sigreturn(2).
    pub fn rt_sigreturn(&mut self) -> Next {
        self.return_from_handler()
    }
}
