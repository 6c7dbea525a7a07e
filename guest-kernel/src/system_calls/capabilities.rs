//! Capabilities (capabilities(7)): kept and told. What is refused for want of one is more of
//! them, namespaces, and pipes beyond their limit.
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::credentials::Capabilities;
use crate::process::{Pid, ProcessSlot};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Words of each of the three sets that a version of the interface has.
fn set_words(version: u32) -> Option<usize> {
    match version {
        linux::_LINUX_CAPABILITY_VERSION_1 => Some(1),
        linux::_LINUX_CAPABILITY_VERSION_2 | linux::_LINUX_CAPABILITY_VERSION_3 => Some(2),
        _ => None,
    }
}

/// Bytes of `struct __user_cap_data_struct`: effective, permitted, inheritable.
const DATA: u64 = 12;

impl Kernel {
    /// The version's words, and the process that a header is about. EINVAL for an unknown version, which is told the one
    /// that is known.
    fn capability_header(&self, header: u64) -> Result<(usize, ProcessSlot), Errno> {
        let space = self.processes[self.current.process].space();
        let word = user::read_u64(space, header)?;
        let (version, pid) = (word as u32, (word >> 32) as u32);
        let Some(words) = set_words(version) else {
            let known = linux::_LINUX_CAPABILITY_VERSION_3;
            user::write(space, header, &known.to_ne_bytes())?;
            return Err(Errno::EINVAL);
        };
        let slot = match pid as i32 {
            ..0 => return Err(Errno::EINVAL),
            0 => self.current.process,
            _ => match self.processes.find_thread(Pid(pid)) {
                Some(thread) => self.processes[thread].process,
                None => return Err(Errno::ESRCH),
            },
        };
        Ok((words, slot))
    }

    /// capget(2).
    pub fn capget(&self, header: u64, data: u64) -> Result<u64, Errno> {
        let (words, slot) = match self.capability_header(header) {
            // Who has no room for an answer only asks for the version.
            Err(Errno::EINVAL) if data == 0 => return Ok(0),
            found => found?,
        };
        let sets = self.processes[slot].credentials.capabilities();
        let space = self.processes[self.current.process].space();
        for index in 0..words {
            let word = |set: u64| ((set >> (32 * index)) as u32).to_ne_bytes();
            let bytes = [
                word(sets.effective),
                word(sets.permitted),
                word(sets.inheritable),
            ];
            let at = data.wrapping_add(DATA * index as u64);
            user::write(space, at, bytes.as_flattened())?;
        }
        Ok(0)
    }

    /// capset(2).
    pub fn capset(&mut self, header: u64, data: u64) -> Result<u64, Errno> {
        let (words, slot) = self.capability_header(header)?;
        if slot != self.current.process {
            return Err(Errno::EPERM);
        }
        let process = &mut self.processes[self.current.process];
        let mut new = Capabilities::default();
        for index in 0..words {
            let mut bytes = [0; DATA as usize];
            let at = data.wrapping_add(DATA * index as u64);
            user::read(process.space(), at, &mut bytes)?;
            let (sets, _) = bytes.as_chunks();
            let word = |set: usize| u64::from(u32::from_ne_bytes(sets[set])) << (32 * index);
            new.effective |= word(0);
            new.permitted |= word(1);
            new.inheritable |= word(2);
        }
        let old = process.credentials.capabilities();
        let inheritable = old.inheritable | old.permitted;
        if new.permitted & !old.permitted != 0
            || new.effective & !new.permitted != 0
            || new.inheritable & !inheritable != 0
        {
            return Err(Errno::EPERM);
        }
        process.credentials.set_capabilities(new)?;
        Ok(0)
    }
}
