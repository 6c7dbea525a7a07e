//! read(2), write(2) and their kin: bytes between a program's buffers and what a descriptor leads to, a piece
//! of a page at a time.
use super::Outcome;
use crate::arch::clock;
use crate::console::Found;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::user::{self, UserBuffer};
use crate::process::limits::{INFINITY, Resource};
use crate::process::signal::{self, Info};
use crate::process::terminal::{Access, Use};
use crate::process::{Process, Wait, held};
use crate::processes_view::ProcessesView;
use crate::random;
use contract::{Errno, PAGE_SIZE};
use files::{DescriptionId, KernelDevice, Memory, Step, Transfer, WaitFor};
use linux_raw_sys::general as linux;
use linux_raw_sys::net;

/// Most bytes that one call moves (read(2), NOTES).
const TRANSFER_LIMIT: u64 = 0x7fff_f000;
/// Most buffers of readv(2) (IOV_MAX).
pub const VECTOR_LIMIT: u64 = 1024;
/// A file would grow beyond RLIMIT_FSIZE (signal(7)).
pub const SIGXFSZ: u8 = linux::SIGXFSZ as u8;

/// In nanoseconds.
const TENTH: u64 = 100_000_000;

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Read,
    Write,
}

/// Where a call's bytes lie.
#[derive(Clone, Copy)]
pub enum Buffers {
    One(UserBuffer),
    /// An array of `struct iovec`.
    Vector {
        address: u64,
        count: u64,
    },
}

impl Buffers {
    const fn count(self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Vector { count, .. } => count,
        }
    }

    fn get(self, process: &Process, index: u64) -> Result<UserBuffer, Errno> {
        match self {
            Self::One(buffer) => Ok(buffer),
            Self::Vector { address, .. } => {
                let [address, length] = user::read_words(process.space(), address + 16 * index)?;
                Ok(UserBuffer { address, length })
            }
        }
    }

    /// Whether all of them can be read.
    fn check_readable(self, process: &Process) -> Result<(), Errno> {
        for index in 0..self.count() {
            let buffer = self.get(process, index)?;
            buffer.read_pieces::<Errno>(process.space(), |_, piece| Ok(piece.len()))?;
            let last = UserBuffer {
                address: buffer.address.wrapping_add(buffer.length).wrapping_sub(1),
                length: buffer.length.min(1),
            };
            user::readable_piece(process.space(), last)?;
        }
        Ok(())
    }

    /// Bytes of all of them, as far as one call moves them. What is too long to be is EINVAL, before any address is looked
    /// at.
    fn total(self, process: &Process) -> Result<u64, Errno> {
        match self {
            Self::One(buffer) => user::check(buffer.address, buffer.length)?,
            Self::Vector { count, .. } if count > VECTOR_LIMIT => return Err(Errno::EINVAL),
            Self::Vector { address, count } if count > 0 => user::check(address, count * 16)?,
            Self::Vector { .. } => {}
        }
        let mut total: u64 = 0;
        for index in 0..self.count() {
            let length = self.get(process, index)?.length;
            total = total
                .checked_add(length)
                .filter(|&total| total <= i64::MAX as u64)
                .ok_or(Errno::EINVAL)?;
        }
        for index in 0..self.count() {
            let buffer = self.get(process, index)?;
            user::check(buffer.address, buffer.length)?;
        }
        Ok(total.min(TRANSFER_LIMIT))
    }
}

/// How a piece went.
enum Piece {
    Taken(usize),
    Over(Result<usize, Errno>),
    Wait(WaitFor),
    /// For input, no longer than so many tenths of a second.
    WaitTenths(u8),
}

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

    /// readv(2).
    pub fn readv(&mut self, descriptor: u64, address: u64, count: u64) -> Result<Outcome, Errno> {
        self.transfer(Direction::Read, descriptor, vector(address, count), None)
    }

    /// writev(2).
    pub fn writev(&mut self, descriptor: u64, address: u64, count: u64) -> Result<Outcome, Errno> {
        self.transfer(Direction::Write, descriptor, vector(address, count), None)
    }

    /// pread(2).
    pub fn pread(
        &mut self,
        descriptor: u64,
        address: u64,
        length: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        let buffers = Buffers::One(UserBuffer { address, length });
        self.transfer_at(Direction::Read, descriptor, buffers, offset)
    }

    /// pwrite(2).
    pub fn pwrite(
        &mut self,
        descriptor: u64,
        address: u64,
        length: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        let buffers = Buffers::One(UserBuffer { address, length });
        self.transfer_at(Direction::Write, descriptor, buffers, offset)
    }

    /// preadv(2).
    pub fn preadv(
        &mut self,
        descriptor: u64,
        address: u64,
        count: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        self.transfer_at(Direction::Read, descriptor, vector(address, count), offset)
    }

    /// pwritev(2).
    pub fn pwritev(
        &mut self,
        descriptor: u64,
        address: u64,
        count: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        self.transfer_at(Direction::Write, descriptor, vector(address, count), offset)
    }

    /// preadv2(2): at the description's own offset where `offset` is -1. What is in memory is there at once and synced at
    /// once; other flags are not known.
    pub fn preadv2(
        &mut self,
        descriptor: u64,
        address: u64,
        count: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        self.transfer_with_flags(Direction::Read, descriptor, vector(address, count), offset)
    }

    /// pwritev2(2), as [`preadv2`](Self::preadv2).
    pub fn pwritev2(
        &mut self,
        descriptor: u64,
        address: u64,
        count: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        self.transfer_with_flags(Direction::Write, descriptor, vector(address, count), offset)
    }

    fn transfer_with_flags(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffers: Buffers,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        const KNOWN: u32 = linux::RWF_HIPRI | linux::RWF_DSYNC | linux::RWF_SYNC;
        const OWN_OFFSET: u64 = u64::MAX;
        let thread = &self.processes[self.current.thread];
        let [.., flags] = thread.context.registers.arguments();
        self.description_of_call(descriptor)?;
        if flags as u32 & !KNOWN != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if offset == OWN_OFFSET {
            self.transfer(direction, descriptor, buffers, None)
        } else {
            self.transfer_at(direction, descriptor, buffers, offset)
        }
    }

    /// A transfer at an offset that is the call's own, and leaves the description's alone.
    fn transfer_at(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffers: Buffers,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        let position = i64::try_from(offset).map_err(|_| Errno::EINVAL)? as u64;
        self.transfer(direction, descriptor, buffers, Some(position))
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
        let room = PAGE_SIZE as u64 - buffer.address % PAGE_SIZE as u64;
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
            Direction::Read => {
                let piece = user::writable_piece(space, buffer)?;
                files.read(pages, description, &mut transfer, piece)
            }
            Direction::Write => {
                let piece = user::readable_piece(space, buffer)?;
                files.write(pages, description, &mut transfer, piece)
            }
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
    fn transfer(
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
        match direction {
            Direction::Read => self.files.check_readable(description, transfer)?,
            Direction::Write => self.files.check_writable(description, transfer)?,
        }
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
            buffers.check_readable(&self.processes[self.current.process])?;
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

    /// Moves piece after piece until the call is over or has to wait.
    fn transfer_pieces(
        &mut self,
        direction: Direction,
        description: DescriptionId,
        buffers: Buffers,
        transfer: &mut Transfer,
    ) -> Piece {
        // Bytes of earlier buffers, and where in the present one to go on.
        let mut before = 0;
        for index in 0..buffers.count() {
            let buffer = match buffers.get(&self.processes[self.current.process], index) {
                Ok(buffer) => buffer,
                Err(errno) => return Piece::Over(Err(errno)),
            };
            loop {
                // A terminal's line that ends lessens the total.
                let end = (before + buffer.length).min(transfer.total as u64);
                let done = transfer.done as u64;
                // A call for no bytes is asked once: it has errors to report.
                if done >= end && !(transfer.total == 0 && index == 0) {
                    break;
                }
                let rest = UserBuffer {
                    address: buffer.address + (done - before),
                    length: end - done,
                };
                match self.transfer_piece(direction, description, rest, transfer) {
                    Piece::Taken(0) | Piece::Taken(_) if transfer.done as u64 == done => {
                        return Piece::Over(Ok(0));
                    }
                    Piece::Taken(_) => {}
                    over => return over,
                }
            }
            before += buffer.length;
        }
        Piece::Taken(0)
    }

    /// Moves what of `rest` lies in its first page.
    #[inline]
    fn transfer_piece(
        &mut self,
        direction: Direction,
        description: DescriptionId,
        rest: UserBuffer,
        transfer: &mut Transfer,
    ) -> Piece {
        let Self {
            processes,
            files,
            pages,
            console,
            current,
            ..
        } = self;
        let space = processes[*current].space();
        let (step, size) = match direction {
            Direction::Read => {
                let piece = match user::writable_piece(space, rest) {
                    Ok(piece) => piece,
                    Err(fault) => return Piece::Over(Err(fault.into())),
                };
                let size = piece.len();
                let step = match files.read(pages, description, transfer, piece) {
                    Step::Device(KernelDevice::Random) => {
                        random::fill(piece);
                        transfer.done += size;
                        Step::Done(Ok(size))
                    }
                    Step::Device(KernelDevice::Console) => match console.read(transfer, piece) {
                        Found::Over(result) => Step::Done(result),
                        Found::Nothing(_) if is_nonblocking(files.status_flags(description)) => {
                            Step::Done(Err(Errno::EAGAIN))
                        }
                        Found::Nothing(Some(tenths)) => return Piece::WaitTenths(tenths),
                        Found::Nothing(None) => Step::Wait(WaitFor::ConsoleInput),
                    },
                    step => step,
                };
                (step, size)
            }
            Direction::Write => {
                let piece = match user::readable_piece(space, rest) {
                    Ok(piece) => piece,
                    Err(fault) => return Piece::Over(Err(fault.into())),
                };
                let step = match files.write(pages, description, transfer, piece) {
                    Step::Device(KernelDevice::Console) if console.is_stopped() => {
                        if is_nonblocking(files.status_flags(description)) {
                            Step::Done(Err(Errno::EAGAIN))
                        } else {
                            Step::Wait(WaitFor::ConsoleOutput)
                        }
                    }
                    Step::Device(device) => {
                        if device == KernelDevice::Console {
                            console.write(piece);
                        }
                        transfer.done += piece.len();
                        Step::Done(Ok(piece.len()))
                    }
                    step => step,
                };
                (step, piece.len())
            }
        };
        match step {
            Step::Set(file) => match self.set_setting(file, rest) {
                Ok(count) => {
                    transfer.done += count;
                    Piece::Over(Ok(count))
                }
                Err(errno) => Piece::Over(Err(errno)),
            },
            Step::Done(Ok(count)) if count == size => Piece::Taken(count),
            Step::Done(result) => Piece::Over(result),
            Step::Wait(until) => Piece::Wait(until),
            Step::Aside => self.transfer_aside(direction, description, rest, transfer),
            Step::Generate => {
                // It may tell of CPU time.
                self.charge();
                let Self {
                    processes,
                    files,
                    pages,
                    current,
                    names,
                    console,
                    ..
                } = self;
                let view = ProcessesView {
                    processes,
                    names,
                    pipe_limit: files.pipe_limit(),
                    console,
                    current: *current,
                };
                match files.generate(pages, description, &view) {
                    Ok(()) => self.transfer_piece(direction, description, rest, transfer),
                    Err(errno) => Piece::Over(Err(errno)),
                }
            }
            Step::Device(_) => Piece::Over(Err(Errno::EINVAL)),
        }
    }
}

impl Kernel {
    /// As [`transfer_piece`](Self::transfer_piece), by way of a page of the kernel's own: the program's bytes may be the
    /// file's.
    #[inline(never)]
    fn transfer_aside(
        &mut self,
        direction: Direction,
        description: DescriptionId,
        rest: UserBuffer,
        transfer: &mut Transfer,
    ) -> Piece {
        let mut page = [0; PAGE_SIZE];
        let room = PAGE_SIZE as u64 - rest.address % PAGE_SIZE as u64;
        let bytes = &mut page[..room.min(rest.length) as usize];
        let space = self.processes[self.current].space();
        let (files, pages) = (&mut self.files, &mut self.pages);
        transfer.memory = Memory::Kernel;
        let step = match direction {
            // Its first byte was found writable, and so is its page.
            Direction::Read => match files.read(pages, description, transfer, bytes) {
                Step::Done(Ok(count)) => {
                    let written = user::write(space, rest.address, &bytes[..count]);
                    Step::Done(written.map(|()| count).map_err(Errno::from))
                }
                step => step,
            },
            Direction::Write => match user::read(space, rest.address, bytes) {
                Ok(()) => files.write(pages, description, transfer, bytes),
                Err(fault) => Step::Done(Err(fault.into())),
            },
        };
        transfer.memory = Memory::Program;
        match step {
            Step::Done(Ok(count)) if count == bytes.len() => Piece::Taken(count),
            Step::Done(result) => Piece::Over(result),
            // A regular file asks for nothing else.
            _ => Piece::Over(Err(Errno::EINVAL)),
        }
    }
}

const fn vector(address: u64, count: u64) -> Buffers {
    Buffers::Vector { address, count }
}

fn is_nonblocking(flags: Result<u32, Errno>) -> bool {
    flags.is_ok_and(|flags| flags & linux::O_NONBLOCK != 0)
}
