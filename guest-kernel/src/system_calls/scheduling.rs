//! Scheduling: what a thread asks for is kept and told; see [`crate::process::scheduling`].
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::credentials::Which;
use crate::process::limits::Resource;
use crate::process::scheduler::TIME_SLICE;
use crate::process::scheduling::{Children, Scheduling, priorities};
use crate::process::{Pid, ThreadSlot};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Bytes of a processor set that the kernel has.
const SET_SIZE: u64 = 8;
/// A turn of SCHED_RR, in nanoseconds.
const ROUND_ROBIN_SLICE: u64 = 100_000_000;

impl Kernel {
    /// sched_yield(2).
    pub fn sched_yield(&mut self) -> Outcome {
        if self.ready.is_empty() {
            return Outcome::Return(0);
        }
        self.processes[self.current.thread].set_result(0);
        self.processes[self.current.process].usage.involuntary += 1;
        self.yield_now().into()
    }

    fn scheduled(&self, tid: u64) -> Result<ThreadSlot, Errno> {
        if (tid as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        self.thread_looked_at(tid)
    }

    /// The thread of an id. A process's first may have ended: another stands for it.
    fn thread_looked_at(&self, tid: u64) -> Result<ThreadSlot, Errno> {
        self.thread_named(tid).or_else(|errno| {
            let process = self.processes.find(Pid(tid as u32)).ok_or(errno)?;
            self.processes[process].threads.first.ok_or(errno)
        })
    }

    /// sched_getaffinity(2): there is one processor.
    pub fn sched_getaffinity(&self, tid: u64, length: u64, set: u64) -> Result<u64, Errno> {
        let length = length as u32;
        if length == 0 || !length.is_multiple_of(8) {
            return Err(Errno::EINVAL);
        }
        self.thread_looked_at(tid)?;
        user::write_words(self.processes[self.current].space(), set, &[1])?;
        Ok(SET_SIZE)
    }

    /// sched_setaffinity(2): the one processor must be among them.
    pub fn sched_setaffinity(&self, tid: u64, length: u64, set: u64) -> Result<u64, Errno> {
        let mut bytes = [0; SET_SIZE as usize];
        let length = u64::from(length as u32).min(SET_SIZE) as usize;
        let space = self.processes[self.current].space();
        user::read(space, set, &mut bytes[..length])?;
        self.thread_named(tid)?;
        if bytes[0] & 1 == 0 {
            return Err(Errno::EINVAL);
        }
        Ok(0)
    }

    /// sched_setscheduler(2).
    pub fn sched_setscheduler(
        &mut self,
        tid: u64,
        policy: u64,
        parameter: u64,
    ) -> Result<u64, Errno> {
        if (policy as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        self.set_scheduling(tid, Some(policy as u32), parameter)
    }

    /// sched_setparam(2).
    pub fn sched_setparam(&mut self, tid: u64, parameter: u64) -> Result<u64, Errno> {
        self.set_scheduling(tid, None, parameter)
    }

    fn set_scheduling(
        &mut self,
        tid: u64,
        policy: Option<u32>,
        parameter: u64,
    ) -> Result<u64, Errno> {
        if parameter == 0 || (tid as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        let wanted = user::read_u32(self.processes[self.current].space(), parameter)?;
        let slot = self.thread_named(tid)?;
        let mut new = self.processes[slot].scheduling;
        if let Some(policy) = policy {
            new.children = if policy & linux::SCHED_RESET_ON_FORK != 0 {
                Children::Default
            } else {
                Children::Inherit
            };
            new.policy =
                u8::try_from(policy & !linux::SCHED_RESET_ON_FORK).map_err(|_| Errno::EINVAL)?;
        }
        let (least, most) = priorities(u32::from(new.policy)).ok_or(Errno::EINVAL)?;
        new.priority = u8::try_from(wanted)
            .ok()
            .filter(|wanted| (least..=most).contains(wanted))
            .ok_or(Errno::EINVAL)?;
        self.check_scheduling(slot, new)?;
        self.processes[slot].scheduling = new;
        Ok(0)
    }

    /// Whether the current process may let a thread be scheduled so. EPERM where it may not.
    fn check_scheduling(&self, slot: ThreadSlot, new: Scheduling) -> Result<(), Errno> {
        let own = &self.processes[self.current].credentials;
        if own.may_favour() {
            return Ok(());
        }
        let old = self.processes[slot].scheduling;
        let process = &self.processes[self.processes[slot].process];
        let most = process.limits.soft(Resource::RealTimePriority);
        let is_first = new.priority != 0 && new.policy != old.policy && most == 0;
        let rises = new.priority > old.priority && u64::from(new.priority) > most;
        let forgets = matches!(
            (old.children, new.children),
            (Children::Default, Children::Inherit)
        );
        if is_first || rises || forgets || !own.may_schedule(&process.credentials) {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// sched_getscheduler, of sched_setscheduler(2).
    pub fn sched_getscheduler(&self, tid: u64) -> Result<u64, Errno> {
        let scheduling = &self.processes[self.scheduled(tid)?].scheduling;
        let reset = match scheduling.children {
            Children::Inherit => 0,
            Children::Default => linux::SCHED_RESET_ON_FORK,
        };
        Ok(u64::from(u32::from(scheduling.policy) | reset))
    }

    /// sched_getparam, of sched_setparam(2).
    pub fn sched_getparam(&self, tid: u64, parameter: u64) -> Result<u64, Errno> {
        if parameter == 0 {
            return Err(Errno::EINVAL);
        }
        let priority = u32::from(self.processes[self.scheduled(tid)?].scheduling.priority);
        let space = self.processes[self.current].space();
        user::write(space, parameter, &priority.to_ne_bytes())?;
        Ok(0)
    }

    /// sched_get_priority_max(2).
    pub fn sched_get_priority_max(policy: u64) -> Result<u64, Errno> {
        Ok(u64::from(limits_of(policy)?.1))
    }

    /// sched_get_priority_min, of sched_get_priority_max(2).
    pub fn sched_get_priority_min(policy: u64) -> Result<u64, Errno> {
        Ok(u64::from(limits_of(policy)?.0))
    }

    /// sched_rr_get_interval(2).
    pub fn sched_rr_get_interval(&self, tid: u64, interval: u64) -> Result<u64, Errno> {
        let policy = self.processes[self.scheduled(tid)?].scheduling.policy;
        let slice = match u32::from(policy) {
            linux::SCHED_FIFO => 0,
            linux::SCHED_RR => ROUND_ROBIN_SLICE,
            _ => TIME_SLICE,
        };
        let space = self.processes[self.current].space();
        user::write_words(space, interval, &[0, slice])?;
        Ok(0)
    }

    /// getpriority(2): 20 less the niceness.
    pub fn getpriority(&self, which: u64, who: u64) -> Result<u64, Errno> {
        let mut best = None;
        let mut look = |slot: ThreadSlot| {
            let nice = self.processes[slot].scheduling.nice;
            best = Some(best.map_or(nice, |best: i8| best.min(nice)));
        };
        if which as u32 == linux::PRIO_PROCESS {
            look(self.thread_looked_at(who)?);
        } else {
            self.each_of(which, who, look)?;
        }
        let best = best.ok_or(Errno::ESRCH)?;
        Ok((20 - i64::from(best)) as u64)
    }

    /// setpriority, of getpriority(2).
    pub fn setpriority(&mut self, which: u64, who: u64, nice: u64) -> Result<u64, Errno> {
        let nice = (nice as i32).clamp(-20, 19) as i8;
        let (mut last, mut result) = (None, Ok(0));
        loop {
            // One at a time: what is found is changed.
            let mut found = None;
            self.each_of(which, who, |slot| {
                if found.is_none() && last.is_none_or(|last| slot > last) {
                    found = Some(slot);
                }
            })?;
            match found {
                Some(slot) => match self.check_niceness(slot, nice) {
                    Ok(()) => self.processes[slot].scheduling.nice = nice,
                    Err(errno) => result = Err(errno),
                },
                None if last.is_some() => return result,
                None => return Err(Errno::ESRCH),
            }
            last = found;
        }
    }

    /// Whether the current process may make a thread as nice as that.
    fn check_niceness(&self, slot: ThreadSlot, nice: i8) -> Result<(), Errno> {
        let own = &self.processes[self.current].credentials;
        let process = &self.processes[self.processes[slot].process];
        if !own.may_schedule(&process.credentials) {
            return Err(Errno::EPERM);
        }
        let least = 20 - process.limits.soft(Resource::Nice).min(40) as i8;
        if nice < self.processes[slot].scheduling.nice && nice < least && !own.may_favour() {
            return Err(Errno::EACCES);
        }
        Ok(())
    }

    /// Shows `each` the threads that a priority is about.
    fn each_of(&self, which: u64, who: u64, mut each: impl FnMut(ThreadSlot)) -> Result<(), Errno> {
        let own = self.processes[self.current].group;
        match which as u32 {
            linux::PRIO_PROCESS => {
                if let Ok(slot) = self.thread_named(who) {
                    each(slot);
                }
            }
            linux::PRIO_PGRP => {
                let group = match who as u32 {
                    0 => own,
                    group => Pid(group),
                };
                self.processes
                    .threads()
                    .filter(|&slot| self.processes[self.processes[slot].process].group == group)
                    .for_each(each);
            }
            linux::PRIO_USER => {
                let user = match who as u32 {
                    0 => {
                        self.processes[self.current]
                            .credentials
                            .ids(Which::User)
                            .real
                    }
                    user => user,
                };
                self.processes
                    .threads()
                    .filter(|&slot| {
                        let process = &self.processes[self.processes[slot].process];
                        process.credentials.ids(Which::User).real == user
                    })
                    .for_each(each);
            }
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// getcpu(2): there is one, of one node.
    pub fn getcpu(&self, processor: u64, node: u64) -> Result<u64, Errno> {
        let space = self.processes[self.current].space();
        for address in [processor, node] {
            if address != 0 {
                user::write(space, address, &0_u32.to_ne_bytes())?;
            }
        }
        Ok(0)
    }
}

fn limits_of(policy: u64) -> Result<(u8, u8), Errno> {
    match policy as u32 {
        // Its threads have no static priority.
        linux::SCHED_DEADLINE => Ok((0, 0)),
        policy => priorities(policy).ok_or(Errno::EINVAL),
    }
}
