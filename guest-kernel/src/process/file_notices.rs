//! Signals that tell of files: whoever asked for it (O_ASYNC in fcntl(2)) hears that something can be read or written.
//!
//! A signal may end or stop the caller. So what has changed is told when a call is over, not in the middle of it; and only
//! while somebody has asked for it does every call go by way of that ([`dispatch::watch`]).
use super::signal::{self, Info, SIGIO};
use super::{Pid, ProcessSlot};
use crate::kernel::Kernel;
use crate::process::credentials::Which;
use crate::process::signal::To;
use crate::system_calls::{Outcome, dispatch};
use files::{Addressee, AddresseeKind, Notice};

impl Kernel {
    /// A call of the current thread is over with that: whoever is to be told of what it did is told.
    pub fn tell_after_call(&mut self, outcome: Outcome) -> Outcome {
        if !self.files.tells() {
            dispatch::unwatch();
            return outcome;
        }
        // A call that lacks memory may be asked again.
        if matches!(outcome, Outcome::OutOfMemory) {
            return outcome;
        }
        let Some(notice) = self.files.take_notice() else {
            return outcome;
        };
        if let Outcome::Return(value) = outcome {
            self.processes[self.current.thread].set_result(value);
        }
        self.send_notice(notice);
        self.tell_all();
        match outcome {
            Outcome::Other => Outcome::Other,
            _ => self.whether_running().into(),
        }
    }

    /// Tells whoever is to be told of anything.
    pub fn tell_all(&mut self) {
        while let Some(notice) = self.files.take_notice() {
            self.send_notice(notice);
        }
    }

    fn send_notice(&mut self, notice: Notice) {
        let Addressee { kind, id, .. } = notice.to;
        let id = Pid(id);
        match kind {
            AddresseeKind::Thread => {
                if let Some(slot) = self.processes.find_thread(id) {
                    self.tell_one(To::Thread(slot), notice);
                }
            }
            AddresseeKind::Process => {
                if let Some(slot) = self.processes.find(id) {
                    self.tell_one(To::Process(slot), notice);
                }
            }
            AddresseeKind::Group => {
                let mut last = 0;
                // By rising pid: an end by the signal changes the table.
                while let Some(slot) = self.processes.next_by_pid(last + 1) {
                    last = self.processes[slot].pid.0;
                    if self.processes[slot].group == id {
                        self.tell_one(To::Process(slot), notice);
                    }
                }
            }
        }
    }

    fn tell_one(&mut self, to: To, notice: Notice) {
        let target = match to {
            To::Process(slot) => slot,
            To::Thread(slot) => self.processes[slot].process,
        };
        if !self.may_tell(notice.to, target) {
            return;
        }
        let (code, band) = notice.news.code_and_band();
        let info = Info::File {
            code,
            band,
            descriptor: notice.descriptor,
        };
        let refused = notice.signal == 0 || self.send_to(to, notice.signal, info).is_err();
        if refused {
            // What the kernel itself says is never refused.
            let _ = self.send_to(to, SIGIO, Info::Kernel);
        }
    }

    /// Whether who asked for notices to a process could signal it.
    fn may_tell(&self, by: Addressee, target: ProcessSlot) -> bool {
        let ids = self.processes[target].credentials.ids(Which::User);
        let [real, effective] = by.users;
        let is_theirs = |id| id == ids.real || id == ids.saved;
        effective == 0 || is_theirs(effective) || is_theirs(real)
    }

    /// Whether there is somebody of that kind and id.
    pub fn is_there(&self, to: Addressee) -> bool {
        let id = Pid(to.id);
        match to.kind {
            AddresseeKind::Thread => self.processes.find_thread(id).is_some(),
            AddresseeKind::Process => self.processes.find(id).is_some(),
            AddresseeKind::Group => self.processes.is_group(id),
        }
    }

    /// A process has ended, whose descriptors others may have waited for.
    #[cold]
    pub fn tell_of_closed(&mut self, slot: ProcessSlot) {
        let process = &mut self.processes[slot];
        process
            .descriptors
            .release(&mut self.files, &mut self.pages);
        self.tell_all();
    }

    /// A lease is in somebody's way.
    pub fn tell_of_lease(&mut self, to: Addressee, signal: u8) {
        let signal = if signal == 0 { SIGIO } else { signal };
        let id = Pid(to.id);
        match to.kind {
            AddresseeKind::Group => self.signal_group(id, signal, Info::Kernel),
            _ => {
                if let Some(slot) = self.processes.find(id) {
                    signal::send(self, slot, signal, Info::Kernel);
                }
            }
        }
    }
}
