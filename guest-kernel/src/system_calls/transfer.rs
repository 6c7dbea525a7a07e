//! read(2), write(2): bytes between a program's buffers and what a descriptor leads to.
use super::Outcome;
use super::buffers::{Buffers, Direction};
use super::pieces::Piece;
use crate::arch::clock;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::user::{self, UserBuffer};
use crate::process::limits::{INFINITY, Resource};
use crate::process::signal::{self, Info};
use crate::process::terminal::{Access, Use};
use crate::process::{Wait, held};
use contract::{Errno, PAGE};
use files::{DescriptionId, KernelDevice, Memory, Step, Transfer};
use linux_raw_sys::general as linux;
use linux_raw_sys::net;

/// A file would grow beyond RLIMIT_FSIZE (signal(7)).
pub const SIGXFSZ: u8 = linux::SIGXFSZ as u8;

/// In nanoseconds.
const TENTH: u64 = 100_000_000;

impl Kernel {
    /// read(2).
    #[inline]
    pub fn read(&mut self, descriptor: u64, address: u64, length: u64) -> Outcome {
        let buffer = UserBuffer { address, length };
        match self.read_at_once(descriptor, buffer) {
            Some(outcome) => outcome,
            None => self.transfer_one(Direction::Read, descriptor, buffer),
        }
    }

    /// write(2).
    #[inline]
    pub fn write(&mut self, descriptor: u64, address: u64, length: u64) -> Outcome {
        let buffer = UserBuffer { address, length };
        match self.write_at_once(descriptor, buffer) {
            Some(outcome) => outcome,
            None => self.write_otherwise(descriptor, buffer),
        }
    }

    #[inline(never)]
    fn write_otherwise(&mut self, descriptor: u64, buffer: UserBuffer) -> Outcome {
        match self.hand_over(descriptor, buffer) {
            Some(outcome) => outcome,
            None => self.transfer_one(Direction::Write, descriptor, buffer),
        }
    }

    #[inline(never)]
    fn transfer_one(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffer: UserBuffer,
    ) -> Outcome {
        self.transfer_in_page(direction, descriptor, buffer).into()
    }

    /// Most calls are about bytes that lie in one page, and most files take or give them at once: then there
    /// is nothing to be put together. All else goes by [`transfer`](Self::transfer).
    #[inline]
    fn transfer_in_page(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffer: UserBuffer,
    ) -> Result<Outcome, Errno> {
        let room = PAGE - buffer.address % PAGE;
        if buffer.length == 0 || buffer.length > room || self.progress != 0 {
            return self.transfer(direction, descriptor, Buffers::One(buffer), None);
        }
        let description = self.description(descriptor)?;
        heap::require_reserve()?;
        let space = self.processes[self.current.process].space();
        let mut transfer = Transfer::new(buffer.length as usize);
        transfer.memory = Memory::Program;
        transfer.limit = self.processes[self.current.process]
            .limits
            .soft(Resource::FileSize);
        let (files, pages) = (&mut self.files, &mut self.pages);
        let step = match direction {
            Direction::Read => user::writable_piece(space, buffer)
                .map(|piece| files.read(pages, description, &mut transfer, piece)),
            Direction::Write => user::readable_piece(space, buffer)
                .map(|piece| files.write(pages, description, &mut transfer, piece)),
        };
        let Ok(step) = step else {
            return self.transfer(direction, descriptor, Buffers::One(buffer), None);
        };
        match step {
            Step::Done(Ok(_)) => {
                self.wake_files();
                Ok(Outcome::Return(transfer.done as u64))
            }
            Step::Wait(until) => {
                self.wake_files();
                Ok(self.wait_in_call(Wait::File {
                    until,
                    progress: transfer.done,
                }))
            }
            // Some errors are told once; those that come with a signal go the long way.
            Step::Done(Err(errno)) if !matches!(errno, Errno::EPIPE | Errno::EFBIG) => Err(errno),
            // Nothing was moved: the long way, from the start.
            _ => self.transfer(direction, descriptor, Buffers::One(buffer), None),
        }
    }

    #[inline(never)]
    pub(super) fn transfer(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffers: Buffers,
        position: Option<u64>,
    ) -> Result<Outcome, Errno> {
        let mut transfer = Transfer::new(0);
        transfer.position = position;
        self.transfer_as(direction, descriptor, buffers, &mut transfer)
    }

    /// A transfer of a certain kind: its position, its flags.
    pub fn transfer_as(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffers: Buffers,
        transfer: &mut Transfer,
    ) -> Result<Outcome, Errno> {
        let description = self.description_of_call(descriptor)?;
        heap::require_reserve()?;
        let process = &self.processes[self.current.process];
        transfer.done = held::done_in(self.progress);
        transfer.memory = Memory::Program;
        transfer.limit = process.limits.soft(Resource::FileSize);
        self.check_opened_for(direction, description, transfer)?;
        transfer.total = buffers.total(process)? as usize;
        if self.console.session().is_some()
            && self.files.kernel_device(description)? == Some(KernelDevice::Console)
        {
            let how = match direction {
                Direction::Read => Use::Read,
                Direction::Write => Use::Write,
            };
            if self.use_terminal(how)? == Access::Signalled {
                return Ok(Outcome::Other);
            }
        }
        if direction == Direction::Write && self.files.keeps_messages(description) {
            // A message that has begun must not end in a fault.
            let process = &self.processes[self.current.process];
            if let Err(fault) = buffers.reach(process, direction, 0, transfer.total as u64) {
                let total = transfer.total;
                match self.without_bytes(direction, description, total, transfer, fault) {
                    Piece::Over(Err(errno)) => return Err(errno),
                    _ => return Err(fault),
                }
            }
        }
        let last = self.transfer_pieces(direction, description, buffers, transfer);
        self.wake_files();
        match last {
            Piece::Taken(_) => Ok(Outcome::Return(transfer.done as u64)),
            Piece::WaitTenths(tenths) => {
                let deadline = clock::now() + u64::from(tenths) * TENTH;
                Ok(self.wait_in_call(Wait::TimedInput {
                    progress: transfer.done,
                    deadline,
                }))
            }
            Piece::Wait(until) => Ok(self.wait_in_call(Wait::File {
                until,
                progress: self.progress_with(transfer.done),
            })),
            Piece::Over(result) => {
                let result = transfer.result(result);
                let signal = match result {
                    Err(Errno::EPIPE) if transfer.flags & net::MSG_NOSIGNAL == 0 => signal::SIGPIPE,
                    Err(Errno::EFBIG) if transfer.limit != INFINITY => SIGXFSZ,
                    _ => return Ok(Outcome::Return(result? as u64)),
                };
                Ok(self.fail_with_signal(result, signal))
            }
        }
    }

    /// Whether a file is open to be read (or written), for a call of this kind.
    pub fn check_opened_for(
        &self,
        direction: Direction,
        description: DescriptionId,
        transfer: &Transfer,
    ) -> Result<(), Errno> {
        match direction {
            Direction::Read => self.files.check_readable(description, transfer),
            Direction::Write => self.files.check_writable(description, transfer),
        }
    }

    /// What a call works on that may have waited: the file that it holds, or what its descriptor leads to.
    pub fn description_of_call(&self, descriptor: u64) -> Result<DescriptionId, Errno> {
        match held::file_in(self.progress) {
            Some(file) => Ok(file),
            None => self.description(descriptor),
        }
    }

    /// The progress of such a call that waits again: it holds what it held.
    pub fn progress_with(&self, done: usize) -> usize {
        match held::file_in(self.progress) {
            Some(file) => held::holding(done, file),
            None => done,
        }
    }

    /// A call that fails, and sends the process a signal for it.
    #[cold]
    pub fn fail_with_signal(&mut self, result: Result<usize, Errno>, signal: u8) -> Outcome {
        let slot = self.current.thread;
        if let Err(errno) = result {
            self.processes[slot].set_result(errno.to_return_value());
        }
        signal::send_to_thread(self, slot, signal, Info::Kernel);
        self.whether_running().into()
    }
}
