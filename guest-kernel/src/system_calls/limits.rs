//! Limits: the arguments of the calls. What limits are is in [`crate::process::limits`].
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::limits::{self, Limit, Resource};
use crate::process::{Pid, ProcessSlot};
use contract::Errno;

impl Kernel {
    /// prlimit64: prlimit(2).
    pub fn prlimit(&mut self, pid: u64, resource: u64, new: u64, old: u64) -> Result<u64, Errno> {
        let wanted = self.wanted_limit(new)?;
        let slot = match pid as u32 {
            0 => self.current.process,
            pid => self.processes.find(Pid(pid)).ok_or(Errno::ESRCH)?,
        };
        let own = &self.processes[self.current].credentials;
        if slot != self.current.process && !own.may_limit(&self.processes[slot].credentials) {
            return Err(Errno::EPERM);
        }
        let resource = Resource::from_number(resource)?;
        let before = self.processes[slot].limits.get(resource);
        if let Some(limit) = wanted {
            self.set_limit(slot, resource, limit)?;
        }
        if old != 0 {
            let space = self.processes[self.current.process].space();
            user::write_words(space, old, &[before.soft, before.hard])?;
        }
        Ok(0)
    }

    /// getrlimit(2).
    pub fn getrlimit(&mut self, resource: u64, old: u64) -> Result<u64, Errno> {
        let process = &self.processes[self.current.process];
        let limit = process.limits.get(Resource::from_number(resource)?);
        user::write_words(process.space(), old, &[limit.soft, limit.hard])?;
        Ok(0)
    }

    /// setrlimit(2).
    pub fn setrlimit(&mut self, resource: u64, new: u64) -> Result<u64, Errno> {
        let [soft, hard] = user::read_words(self.processes[self.current.process].space(), new)?;
        let resource = Resource::from_number(resource)?;
        self.set_limit(self.current.process, resource, Limit { soft, hard })?;
        Ok(0)
    }

    fn wanted_limit(&self, new: u64) -> Result<Option<Limit>, Errno> {
        if new == 0 {
            return Ok(None);
        }
        let [soft, hard] = user::read_words(self.processes[self.current.process].space(), new)?;
        Ok(Some(Limit { soft, hard }))
    }

    fn set_limit(
        &mut self,
        slot: ProcessSlot,
        resource: Resource,
        limit: Limit,
    ) -> Result<(), Errno> {
        limits::check(resource, limit)?;
        let before = self.processes[slot].limits.get(resource);
        if limit.hard > before.hard && !self.processes[self.current].credentials.may_exceed() {
            return Err(Errno::EPERM);
        }
        let process = &mut self.processes[slot];
        if resource == Resource::Stack
            && let Some(space) = &process.memory
        {
            space.limit_stack(limit.soft)?;
        }
        if resource != Resource::Descriptors {
            process.limits.set(resource, limit)?;
            if resource == Resource::Cpu && slot == self.current.process {
                self.arm_for_cpu_timers(slot);
            }
            return Ok(());
        }
        match process.descriptors.own(&mut self.files) {
            Ok(table) => {
                process.limits.set(resource, limit)?;
                table.set_limit(u32::try_from(limit.soft).unwrap_or(u32::MAX));
                Ok(())
            }
            // A zombie has no descriptors any more.
            Err(Errno::EBADF) => process.limits.set(resource, limit),
            Err(errno) => Err(errno),
        }
    }
}
