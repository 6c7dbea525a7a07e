//! Who a process is: identifiers, names, and what else it can ask about itself.
use crate::arch::registers::read_msr;
use crate::kernel::Kernel;
use crate::memory::space::USER_END;
use crate::memory::user::{self, UserBuffer};
use crate::process::{Pid, ProcessSlot};
use crate::random;
use contract::Errno;
use linux_raw_sys::general as linux;

impl Kernel {
    /// getpid(2).
    pub fn process_id(&self) -> u64 {
        u64::from(self.processes[self.current.process].pid.0)
    }

    /// getppid(2).
    #[inline]
    pub fn parent_id(&self) -> u64 {
        u64::from(self.processes.parent_pid(self.current.process).0)
    }

    /// getpgrp(2).
    pub fn group_id(&self) -> u64 {
        u64::from(self.processes[self.current.process].group.0)
    }

    fn named(&self, pid: u64) -> Result<ProcessSlot, Errno> {
        match pid as u32 {
            0 => Ok(self.current.process),
            pid => self.find_process(pid as i32),
        }
    }

    /// getpgid(2).
    pub fn group_id_of(&self, pid: u64) -> Result<u64, Errno> {
        Ok(u64::from(self.processes[self.named(pid)?].group.0))
    }

    /// getsid(2).
    pub fn session_id_of(&self, pid: u64) -> Result<u64, Errno> {
        Ok(u64::from(self.processes[self.named(pid)?].session.0))
    }

    /// setpgid(2).
    pub fn set_group_id(&mut self, pid: u64, group: u64) -> Result<u64, Errno> {
        let named = if group as u32 == 0 { pid } else { group };
        if (named as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        let slot = self.named(pid)?;
        if pid as u32 != 0 && self.processes[slot].pid != Pid(pid as u32) {
            // It is one of its other threads.
            return Err(Errno::EINVAL);
        }
        let group = match group as u32 {
            0 => self.processes[slot].pid,
            group => Pid(group),
        };
        self.join_group(slot, group)?;
        Ok(0)
    }

    /// setsid(2).
    pub fn new_session(&mut self) -> Result<u64, Errno> {
        let pid = self.processes[self.current.process].pid;
        if self.processes.is_group(pid) {
            return Err(Errno::EPERM);
        }
        self.processes.set_group(self.current.process, pid, pid);
        Ok(u64::from(pid.0))
    }

    /// arch_prctl(2).
    pub fn arch_prctl(&mut self, code: u64, value: u64) -> Result<u64, Errno> {
        const ARCH_SET_GS: u64 = 0x1001;
        const ARCH_SET_FS: u64 = 0x1002;
        const ARCH_GET_FS: u64 = 0x1003;
        const ARCH_GET_GS: u64 = 0x1004;
        let context = &mut self.processes[self.current.thread].context;
        match code {
            ARCH_SET_FS | ARCH_SET_GS if value >= USER_END => Err(Errno::EPERM),
            ARCH_SET_FS => {
                context.set_fs_base(value);
                Ok(0)
            }
            ARCH_SET_GS => {
                context.set_gs_base(value);
                Ok(0)
            }
            ARCH_GET_FS | ARCH_GET_GS => {
                let register = if code == ARCH_GET_FS {
                    crate::arch::registers::IA32_FS_BASE
                } else {
                    crate::arch::registers::IA32_GS_BASE
                };
                let base = read_msr(register).to_ne_bytes();
                user::write(self.processes[self.current.process].space(), value, &base)?;
                Ok(0)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// getrandom(2).
    pub fn getrandom(&self, address: u64, length: u64, flags: u64) -> Result<u64, Errno> {
        const KNOWN: u64 = 0b111;
        // Of the blocking source and of what need not be random at once: both cannot be meant.
        const EITHER: u64 = (linux::GRND_RANDOM | linux::GRND_INSECURE) as u64;
        let flags = u64::from(flags as u32);
        if flags & !KNOWN != 0 || flags & EITHER == EITHER {
            return Err(Errno::EINVAL);
        }
        let buffer = UserBuffer {
            address,
            length: length.min(i32::MAX as u64),
        };
        let space = self.processes[self.current.process].space();
        let done = buffer.write_pieces::<Errno>(space, |_, piece| {
            random::fill(piece);
            Ok(piece.len())
        })?;
        Ok(done as u64)
    }
}
