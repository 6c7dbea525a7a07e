//! Who is told of a file by which signal: those commands of fcntl(2), and FIOASYNC of ioctl(2).
use super::dispatch;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::credentials::Which;
use crate::process::{Pid, signal};
use contract::Errno;
use files::{Addressee, AddresseeKind, DescriptionId, KernelDevice};
use linux_raw_sys::general as linux;

impl Kernel {
    /// F_SETOWN, F_GETOWN, F_SETSIG, F_GETSIG, F_SETOWN_EX, F_GETOWN_EX and F_NOTIFY.
    pub fn fcntl_notices(
        &mut self,
        descriptor: u32,
        description: DescriptionId,
        command: u32,
        argument: u64,
    ) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let space = self.processes[self.current].space();
        match command {
            linux::F_SETOWN => {
                let who = argument as i32;
                let kind = match who {
                    i32::MIN => return Err(Errno::EINVAL),
                    who if who < 0 => AddresseeKind::Group,
                    _ => AddresseeKind::Process,
                };
                self.set_addressee(description, kind, who.unsigned_abs())
            }
            linux::F_GETOWN => {
                let to = self.files.addressee(description)?;
                Ok(match (self.is_there(to), to.kind) {
                    (false, _) => 0,
                    (true, AddresseeKind::Group) => (-i64::from(to.id)) as u64,
                    (true, _) => u64::from(to.id),
                })
            }
            linux::F_SETSIG => {
                if argument > u64::from(signal::LAST) {
                    return Err(Errno::EINVAL);
                }
                self.files.set_notice_signal(description, argument as u8)?;
                Ok(0)
            }
            linux::F_GETSIG => Ok(u64::from(self.files.notice_signal(description)?)),
            linux::F_SETOWN_EX => {
                let word = user::read_u64(space, argument)?;
                let kind = match word as u32 {
                    linux::F_OWNER_TID => AddresseeKind::Thread,
                    linux::F_OWNER_PID => AddresseeKind::Process,
                    linux::F_OWNER_PGRP => AddresseeKind::Group,
                    _ => return Err(Errno::EINVAL),
                };
                self.set_addressee(description, kind, (word >> 32) as u32)
            }
            linux::F_GETOWN_EX => {
                let to = self.files.addressee(description)?;
                let kind = match to.kind {
                    AddresseeKind::Thread => linux::F_OWNER_TID,
                    AddresseeKind::Process => linux::F_OWNER_PID,
                    AddresseeKind::Group => linux::F_OWNER_PGRP,
                };
                let id = if self.is_there(to) { to.id } else { 0 };
                user::write_words(space, argument, &[u64::from(kind) | u64::from(id) << 32])?;
                Ok(0)
            }
            linux::F_NOTIFY => {
                let process = self.processes[self.current].pid;
                self.files
                    .watch_directory(description, descriptor, argument as u32)?;
                if self.files.addressee(description)?.id == 0 {
                    self.set_addressee(description, AddresseeKind::Process, process.0)?;
                }
                dispatch::watch();
                Ok(0)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    fn set_addressee(
        &mut self,
        description: DescriptionId,
        kind: AddresseeKind,
        id: u32,
    ) -> Result<u64, Errno> {
        if id != 0 && !self.processes.is_anybody(Pid(id)) {
            return Err(Errno::ESRCH);
        }
        let ids = self.processes[self.current].credentials.ids(Which::User);
        let users = [ids.real, ids.effective];
        let to = Addressee { kind, id, users };
        self.files.set_addressee(description, to)?;
        Ok(0)
    }

    /// Sets O_ASYNC or takes it away, by a descriptor; files that cannot have it are left alone. A terminal without
    /// somebody to tell tells its foreground group, as on Linux.
    pub fn set_asynchronous(
        &mut self,
        descriptor: u32,
        description: DescriptionId,
        is_on: bool,
    ) -> Result<(), Errno> {
        let was_on = self.files.status_flags(description)? & linux::FASYNC != 0;
        if was_on == is_on || !self.files.can_tell(description)? {
            return Ok(());
        }
        heap::require_reserve()?;
        self.files
            .set_asynchronous(description, is_on.then_some(descriptor))?;
        if is_on {
            dispatch::watch();
        }
        let is_console = self.files.kernel_device(description)? == Some(KernelDevice::Console);
        if is_on && is_console && self.files.addressee(description)?.id == 0 {
            let (kind, id) = match self.terminal_session() {
                Ok(session) => (AddresseeKind::Group, session.foreground),
                Err(_) => (AddresseeKind::Process, self.processes[self.current].pid),
            };
            self.set_addressee(description, kind, id.0)?;
        }
        Ok(())
    }

    /// FIOASYNC.
    pub fn ioctl_asynchronous(
        &mut self,
        descriptor: u32,
        description: DescriptionId,
        argument: u64,
    ) -> Result<(), Errno> {
        let space = self.processes[self.current].space();
        let is_on = user::read_u32(space, argument)? != 0;
        let was_on = self.files.status_flags(description)? & linux::FASYNC != 0;
        if was_on != is_on && !self.files.can_tell(description)? {
            return Err(Errno::ENOTTY);
        }
        self.set_asynchronous(descriptor, description, is_on)
    }
}
