//! Signals: the arguments of the calls that set them up and wait for them. What they do is in
//! [`crate::process::signal`].
use super::Outcome;
use super::time::read_timespec;
use crate::arch::clock;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::Wait;
use crate::process::scheduler::Next;
use crate::process::signal::{self, Action, AlternateStack, signal_number};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Size of the kernel's signal set: the calls take no other.
const SET_SIZE: u64 = 8;

/// Flags of sigaction(2).
const KNOWN_FLAGS: u64 = (linux::SA_NOCLDSTOP
    | linux::SA_NOCLDWAIT
    | linux::SA_SIGINFO
    | linux::SA_ONSTACK
    | linux::SA_RESTART
    | linux::SA_NODEFER
    | linux::SA_RESETHAND
    | linux::SA_EXPOSE_TAGBITS
    | linux::SA_RESTORER) as u64;

impl Kernel {
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
            // What is not known, or cannot be blocked, is not kept: so a program finds out what there is.
            Some(Action {
                handler,
                flags: flags & KNOWN_FLAGS,
                restorer,
                mask: mask & !signal::UNSTOPPABLE,
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
        if process.threads.count > 1 && after & !before & process.signals.pending.set() != 0 {
            self.pass_signals_on(self.current.process);
        }
        if self.processes.deliverable(self.current) == 0 {
            return Ok(Outcome::Return(0));
        }
        self.processes[self.current.thread].set_result(0);
        Ok(Outcome::Same)
    }

    /// rt_sigpending: sigpending(2).
    pub fn rt_sigpending(&mut self, set: u64, size: u64) -> Result<u64, Errno> {
        if size > SET_SIZE {
            return Err(Errno::EINVAL);
        }
        let (thread, process) = self.processes.both(self.current);
        let own = &thread.signals;
        let pending = (own.pending.set() | process.signals.pending.set()) & own.blocked;
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
        if !self.has_temporary_mask() {
            let mask = user::read_u64(self.processes[self.current.process].space(), set)?;
            self.set_temporary_mask(mask);
        }
        Ok(self.pause())
    }

    /// pause(2).
    pub fn pause(&mut self) -> Outcome {
        if self.processes.deliverable(self.current) != 0 {
            self.interrupt_current_call(signal::Interrupted::NotAfterHandler);
            return Outcome::Other;
        }
        self.wait_in_call(Wait::Signal)
    }

    /// rt_sigtimedwait: sigtimedwait(2). What the call has of progress is its deadline, once there is one.
    pub fn rt_sigtimedwait(
        &mut self,
        set: u64,
        info: u64,
        timeout: u64,
        size: u64,
    ) -> Result<Outcome, Errno> {
        if size != SET_SIZE {
            return Err(Errno::EINVAL);
        }
        let space = self.processes[self.current.process].space();
        let set = user::read_u64(space, set)? & !signal::UNSTOPPABLE;
        let length = match timeout {
            0 => None,
            timeout => Some(read_timespec(space, timeout)?),
        };
        if let Some((signal, known)) = self.take_signal(set) {
            if info != 0 {
                let space = self.processes[self.current.process].space();
                user::write(space, info, &known.to_siginfo(signal))?;
            }
            return Ok(Outcome::Return(u64::from(signal)));
        }
        let deadline = match (length, self.progress) {
            (None, _) => None,
            (Some(length), 0) => Some(clock::now().saturating_add(length)),
            (Some(_), deadline) => Some(deadline as u64),
        };
        if length == Some(0) || deadline.is_some_and(|deadline| deadline <= clock::now()) {
            return Err(Errno::EAGAIN);
        }
        crate::memory::heap::require_reserve()?;
        Ok(self.wait_in_call(Wait::SignalSet { set, deadline }))
    }

    /// sigaltstack(2).
    pub fn sigaltstack(&mut self, new: u64, old: u64) -> Result<u64, Errno> {
        let (thread, process) = self.processes.both(self.current);
        let before = thread.signals.alternate_stack;
        let on_it = before.is_used_at(thread.context.registers.rsp);
        let wanted = if new == 0 {
            None
        } else {
            let [base, flags, size] = user::read_words(process.space(), new)?;
            if on_it {
                return Err(Errno::EPERM);
            }
            Some(AlternateStack::new(base, flags as u32, size)?)
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
