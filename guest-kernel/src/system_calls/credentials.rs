//! Users and groups (credentials(7)).
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::credentials::{Credentials, GROUPS_LIMIT, GROUPS_MAX, Ids, Which};
use alloc::vec::Vec;
use contract::Errno;

/// An id that a call is to leave as it is.
const LEAVE: u32 = u32::MAX;

impl Kernel {
    fn credentials(&self) -> &Credentials {
        &self.processes[self.current.process].credentials
    }

    fn set_ids(&mut self, which: Which, ids: Ids) -> Result<u64, Errno> {
        let process = &mut self.processes[self.current.process];
        process.credentials.set_ids(which, ids)?;
        Ok(0)
    }

    /// getuid(2), getgid(2).
    pub fn real_id(&self, which: Which) -> u64 {
        u64::from(self.credentials().ids(which).real)
    }

    /// geteuid(2), getegid(2).
    pub fn effective_id(&self, which: Which) -> u64 {
        u64::from(self.credentials().ids(which).effective)
    }

    /// setuid(2), setgid(2).
    pub fn set_id(&mut self, which: Which, id: u64) -> Result<u64, Errno> {
        let id = id as u32;
        let mut ids = self.credentials().ids(which);
        if id == LEAVE {
            return Err(Errno::EINVAL);
        }
        if self.credentials().is_privileged() {
            (ids.real, ids.saved) = (id, id);
        } else if id != ids.real && id != ids.saved {
            return Err(Errno::EPERM);
        }
        (ids.effective, ids.files) = (id, id);
        self.set_ids(which, ids)
    }

    /// setreuid(2), setregid(2).
    pub fn set_real_and_effective(
        &mut self,
        which: Which,
        real: u64,
        effective: u64,
    ) -> Result<u64, Errno> {
        let (real, effective) = (real as u32, effective as u32);
        let old = self.credentials().ids(which);
        let mut ids = old;
        let privileged = self.credentials().is_privileged();
        if real != LEAVE {
            if !privileged && ![old.real, old.effective].contains(&real) {
                return Err(Errno::EPERM);
            }
            ids.real = real;
        }
        if effective != LEAVE {
            if !privileged && ![old.real, old.effective, old.saved].contains(&effective) {
                return Err(Errno::EPERM);
            }
            ids.effective = effective;
        }
        if real != LEAVE || effective != LEAVE && effective != old.real {
            ids.saved = ids.effective;
        }
        ids.files = ids.effective;
        self.set_ids(which, ids)
    }

    /// setresuid(2), setresgid(2).
    pub fn set_all_ids(
        &mut self,
        which: Which,
        real: u64,
        effective: u64,
        saved: u64,
    ) -> Result<u64, Errno> {
        let old = self.credentials().ids(which);
        let mut ids = old;
        let privileged = self.credentials().is_privileged();
        for (new, place) in [
            (real as u32, &mut ids.real),
            (effective as u32, &mut ids.effective),
            (saved as u32, &mut ids.saved),
        ] {
            if new == LEAVE {
                continue;
            }
            if !privileged && ![old.real, old.effective, old.saved].contains(&new) {
                return Err(Errno::EPERM);
            }
            *place = new;
        }
        ids.files = ids.effective;
        self.set_ids(which, ids)
    }

    /// getresuid(2), getresgid(2).
    pub fn all_ids(
        &self,
        which: Which,
        real: u64,
        effective: u64,
        saved: u64,
    ) -> Result<u64, Errno> {
        let process = &self.processes[self.current.process];
        let ids = process.credentials.ids(which);
        for (address, id) in [
            (real, ids.real),
            (effective, ids.effective),
            (saved, ids.saved),
        ] {
            user::write(process.space(), address, &id.to_ne_bytes())?;
        }
        Ok(0)
    }

    /// setfsuid(2), setfsgid(2): answers the id from before, whether it was changed or not.
    pub fn set_files_id(&mut self, which: Which, id: u64) -> Result<u64, Errno> {
        let id = id as u32;
        let mut ids = self.credentials().ids(which);
        let before = u64::from(ids.files);
        let known = [ids.real, ids.effective, ids.saved, ids.files].contains(&id);
        if id != LEAVE && (known || self.credentials().is_privileged()) {
            ids.files = id;
            self.set_ids(which, ids)?;
        }
        Ok(before)
    }

    /// getgroups(2).
    pub fn getgroups(&self, size: u64, address: u64) -> Result<u64, Errno> {
        let process = &self.processes[self.current.process];
        let groups = process.credentials.groups();
        let size = size as i32;
        if size < 0 {
            return Err(Errno::EINVAL);
        }
        if size == 0 {
            return Ok(groups.len() as u64);
        }
        if groups.len() > size as usize {
            return Err(Errno::EINVAL);
        }
        for (index, group) in groups.iter().enumerate() {
            let at = address.wrapping_add(4 * index as u64);
            user::write(process.space(), at, &group.to_ne_bytes())?;
        }
        Ok(groups.len() as u64)
    }

    /// setgroups(2).
    pub fn setgroups(&mut self, size: u64, address: u64) -> Result<u64, Errno> {
        if !self.credentials().is_privileged() {
            return Err(Errno::EPERM);
        }
        let size = u64::from(size as u32);
        if size > GROUPS_MAX {
            return Err(Errno::EINVAL);
        }
        if size > GROUPS_LIMIT as u64 {
            return Err(Errno::ENOMEM);
        }
        heap::require_reserve()?;
        let mut groups = Vec::with_capacity(size as usize);
        let process = &mut self.processes[self.current.process];
        for index in 0..size {
            let mut group = [0; 4];
            user::read(process.space(), address.wrapping_add(4 * index), &mut group)?;
            let group = u32::from_ne_bytes(group);
            // As on Linux, -1 is nobody's number.
            if group == u32::MAX {
                return Err(Errno::EINVAL);
            }
            groups.push(group);
        }
        groups.sort_unstable();
        process.credentials.set_groups(groups)?;
        Ok(0)
    }
}
