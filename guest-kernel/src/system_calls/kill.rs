//! Sending signals: the arguments of kill(2) and its kin.
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::signal::{Info, SI_TKILL, SI_USER, SIGCONT, Said, To, send, signal_number};
use crate::process::{Pid, ProcessSlot, ThreadSlot};
use alloc::vec::Vec;
use contract::Errno;

impl Kernel {
    /// kill(2).
    pub fn kill(&mut self, pid: u64, signal: u64) -> Result<Outcome, Errno> {
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
                let target = self.find_process(pid)?;
                let signal = signal_number(signal)?;
                let info = Info::Kill(self.sender(caller));
                return self.send_and_return(To::Process(target), signal, info);
            }
        };
        if targets.is_empty() {
            return Err(Errno::ESRCH);
        }
        let signal = signal_number(signal)?;
        let mut targets = targets;
        targets.retain(|&target| self.check_permission(target, signal).is_ok());
        // To everybody is to those who may be signalled, be there any or not.
        if targets.is_empty() && pid as i32 != -1 {
            return Err(Errno::EPERM);
        }
        let Some(signal) = signal else {
            return Ok(Outcome::Return(0));
        };
        let info = Info::Kill(self.sender(caller));
        self.processes[self.current.thread].set_result(0);
        // The caller last: it may end by it.
        for target in targets.iter().copied().filter(|&slot| slot != caller) {
            if self.processes.get(target).is_some() {
                send(self, target, signal, info);
            }
        }
        if targets.contains(&caller) && self.processes.get(caller).is_some() {
            send(self, caller, signal, info);
        }
        Ok(self.whether_running().into())
    }

    fn all(&self, fits: impl Fn(&Self, ProcessSlot) -> bool) -> Result<Vec<ProcessSlot>, Errno> {
        heap::require_reserve()?;
        Ok(self
            .processes
            .slots()
            .filter(|&slot| fits(self, slot))
            .collect())
    }

    /// The process that has a thread of that id.
    pub(super) fn find_process(&self, id: i32) -> Result<ProcessSlot, Errno> {
        let id = Pid(u32::try_from(id).map_err(|_| Errno::ESRCH)?);
        let of_thread = |slot: ThreadSlot| self.processes[slot].process;
        self.processes
            .find(id)
            .or_else(|| self.processes.find_thread(id).map(of_thread))
            .ok_or(Errno::ESRCH)
    }

    /// Whether the current process may send a signal to another (kill(2)). EPERM where it may not.
    fn check_permission(&self, target: ProcessSlot, signal: Option<u8>) -> Result<(), Errno> {
        let (own, other) = (&self.processes[self.current], &self.processes[target]);
        let continues = signal == Some(SIGCONT) && own.session == other.session;
        if continues || own.credentials.may_signal(&other.credentials) {
            Ok(())
        } else {
            Err(Errno::EPERM)
        }
    }

    /// Sends a signal, if that is allowed.
    pub fn send_and_return(
        &mut self,
        to: To,
        signal: Option<u8>,
        info: Info,
    ) -> Result<Outcome, Errno> {
        let target = match to {
            To::Process(slot) => slot,
            To::Thread(slot) => self.processes[slot].process,
        };
        self.check_permission(target, signal)?;
        self.processes[self.current.thread].set_result(0);
        if let Some(signal) = signal {
            self.send_to(to, signal, info)?;
        }
        Ok(self.whether_running().into())
    }

    /// tkill(2).
    pub fn tkill(&mut self, tid: u64, signal: u64) -> Result<Outcome, Errno> {
        if tid as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        self.kill_thread(None, tid, signal, None)
    }

    /// tgkill(2).
    pub fn tgkill(&mut self, group: u64, tid: u64, signal: u64) -> Result<Outcome, Errno> {
        if group as i32 <= 0 || tid as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        self.kill_thread(Some(Pid(group as u32)), tid, signal, None)
    }

    fn kill_thread(
        &mut self,
        group: Option<Pid>,
        tid: u64,
        signal: u64,
        said: Option<Said>,
    ) -> Result<Outcome, Errno> {
        let tid = Pid(tid as u32);
        let sender = self.sender(self.current.process);
        let info = said.map_or(Info::ThreadKill(sender), Info::Queued);
        let of_group =
            |process: ProcessSlot| group.is_none_or(|group| self.processes[process].pid == group);
        if let Some(thread) = self.processes.find_thread(tid) {
            if !of_group(self.processes[thread].process) {
                return Err(Errno::ESRCH);
            }
            let signal = signal_number(signal)?;
            return self.send_and_return(To::Thread(thread), signal, info);
        }
        // The thread of a zombie has gone, and takes no notice.
        match self.processes.find(tid) {
            Some(process) if of_group(process) => {
                let signal = signal_number(signal)?;
                self.check_permission(process, signal)?;
                Ok(Outcome::Return(0))
            }
            _ => Err(Errno::ESRCH),
        }
    }

    /// rt_sigqueueinfo(2).
    pub fn rt_sigqueueinfo(&mut self, pid: u64, signal: u64, info: u64) -> Result<Outcome, Errno> {
        let said = self.said(info, pid)?;
        let target = self.find_process(pid as i32)?;
        let signal = signal_number(signal)?;
        self.send_and_return(To::Process(target), signal, Info::Queued(said))
    }

    /// rt_tgsigqueueinfo(2).
    pub fn rt_tgsigqueueinfo(
        &mut self,
        group: u64,
        tid: u64,
        signal: u64,
        info: u64,
    ) -> Result<Outcome, Errno> {
        if tid as i32 <= 0 || group as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        let said = self.said(info, tid)?;
        self.kill_thread(Some(Pid(group as u32)), tid, signal, Some(said))
    }

    /// What a program says with a signal to `target`. Only to itself may it say that it is from the kernel, or
    /// from kill(2).
    pub fn said(&self, info: u64, target: u64) -> Result<Said, Errno> {
        let space = self.processes[self.current.process].space();
        let mut bytes = [0; size_of::<Said>()];
        user::check(info, 128)?;
        user::read(space, info.wrapping_add(4), &mut bytes)?;
        let mut said: Said = [0; _];
        for (word, bytes) in said.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = bytes
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u32::from(byte));
        }
        let code = said[1] as i32;
        let own = self.processes[self.current.process].pid.0 == target as u32
            || self.processes[self.current.thread].tid.0 == target as u32;
        if (code >= SI_USER || code == SI_TKILL) && !own {
            return Err(Errno::EPERM);
        }
        Ok(said)
    }
}
