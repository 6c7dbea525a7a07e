//! prctl(2): what a process and its threads say of themselves.
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::traits::Traits;
use crate::process::{NAME_LENGTH, signal};
use contract::Errno;
use linux_raw_sys::prctl as linux;

/// How late a timer may be, of every thread, in nanoseconds.
const TIMER_SLACK: u64 = 50_000;
/// The last capability (capabilities(7)).
const LAST_CAPABILITY: u64 = 40;

impl Kernel {
    /// prctl(2).
    pub fn prctl(&mut self, option: u64, a: u64, b: u64, c: u64, d: u64) -> Result<u64, Errno> {
        let space = self.processes[self.current].space();
        match option as u32 {
            linux::PR_SET_NAME => {
                let mut name = [0; NAME_LENGTH];
                let length = user::string_length(space, a, NAME_LENGTH as u64)?;
                let length = length.map_or(NAME_LENGTH, |length| length as usize);
                user::read(space, a, &mut name[..length])?;
                self.processes[self.current.thread].name = name;
            }
            linux::PR_GET_NAME => {
                let mut name = [0; NAME_LENGTH + 1];
                name[..NAME_LENGTH].copy_from_slice(&self.processes[self.current.thread].name);
                user::write(space, a, &name)?;
            }
            linux::PR_SET_PDEATHSIG => {
                if a > u64::from(signal::LAST) {
                    return Err(Errno::EINVAL);
                }
                self.processes[self.current].death_signal = a as u8;
            }
            linux::PR_GET_PDEATHSIG => {
                self.tell(a, u32::from(self.processes[self.current].death_signal))?;
            }
            linux::PR_SET_DUMPABLE => match a {
                0 => self.set_trait(Traits::UNDUMPABLE, 1),
                1 => self.set_trait(Traits::UNDUMPABLE, 0),
                _ => return Err(Errno::EINVAL),
            },
            linux::PR_GET_DUMPABLE => return Ok(1 - self.has_trait(Traits::UNDUMPABLE)),
            linux::PR_SET_KEEPCAPS if a > 1 => return Err(Errno::EINVAL),
            linux::PR_SET_KEEPCAPS => self.set_trait(Traits::KEEP_CAPABILITIES, a),
            linux::PR_GET_KEEPCAPS => return Ok(self.has_trait(Traits::KEEP_CAPABILITIES)),
            linux::PR_SET_CHILD_SUBREAPER => self.set_trait(Traits::SUBREAPER, a),
            linux::PR_GET_CHILD_SUBREAPER => {
                self.tell(a, self.has_trait(Traits::SUBREAPER) as u32)?;
            }
            linux::PR_SET_NO_NEW_PRIVS => {
                if a != 1 || b != 0 || c != 0 || d != 0 {
                    return Err(Errno::EINVAL);
                }
                self.set_trait(Traits::NO_NEW_PRIVILEGES, 1);
            }
            linux::PR_GET_NO_NEW_PRIVS => {
                if a != 0 || b != 0 || c != 0 || d != 0 {
                    return Err(Errno::EINVAL);
                }
                return Ok(self.has_trait(Traits::NO_NEW_PRIVILEGES));
            }
            linux::PR_GET_TIMERSLACK => return Ok(TIMER_SLACK),
            linux::PR_CAPBSET_READ if a <= LAST_CAPABILITY => return Ok(1),
            // What is asked here is not there, or not changed.
            linux::PR_GET_SECCOMP | linux::PR_GET_SECUREBITS => return Ok(0),
            _ => return Err(Errno::EINVAL),
        }
        Ok(0)
    }

    fn tell(&self, address: u64, value: u32) -> Result<(), Errno> {
        let space = self.processes[self.current].space();
        Ok(user::write(space, address, &value.to_ne_bytes())?)
    }

    fn has_trait(&self, one: Traits) -> u64 {
        u64::from(self.processes[self.current].traits.has(one))
    }

    /// Takes a trait away where `value` is 0, else adds it.
    fn set_trait(&mut self, one: Traits, value: u64) {
        let traits = &mut self.processes[self.current].traits;
        *traits = match value {
            0 => traits.without(one),
            _ => *traits | one,
        };
    }
}
