//! A transfer, a piece of a page at a time.
use super::buffers::{Buffers, Direction};
use super::page_map;
use crate::console::Found;
use crate::kernel::Kernel;
use crate::memory::user::{self, UserBuffer};
use crate::processes_view::ProcessesView;
use crate::random;
use contract::{Errno, PAGE, PAGE_SIZE};
use files::{DescriptionId, KernelDevice, Memory, Step, Transfer, WaitFor};
use linux_raw_sys::general as linux;

/// How a piece went.
pub enum Piece {
    Taken(usize),
    Over(Result<usize, Errno>),
    Wait(WaitFor),
    /// For input, no longer than so many tenths of a second.
    WaitTenths(u8),
}

impl Kernel {
    /// Moves piece after piece until the call is over or has to wait.
    pub fn transfer_pieces(
        &mut self,
        direction: Direction,
        description: DescriptionId,
        buffers: Buffers,
        transfer: &mut Transfer,
    ) -> Piece {
        // A stream takes or gives up to a page of its own at once, or nothing: that must not end in a fault halfway.
        let stream = self.files.is_stream(description);
        let mut reached = transfer.done;
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
                let mut rest = UserBuffer {
                    address: buffer.address + (done - before),
                    length: end - done,
                };
                let mut fault = None;
                if stream && transfer.done + rest.first_piece() > reached {
                    match self.reach_chunk(direction, description, buffers, transfer, reached) {
                        Ok(()) => reached += PAGE_SIZE,
                        Err(errno) if transfer.done == reached => fault = Some(errno),
                        Err(_) => rest.length = (reached - transfer.done) as u64,
                    }
                }
                let piece = match fault {
                    None => self.transfer_piece(direction, description, rest, transfer),
                    Some(fault) => Err(fault),
                };
                let piece = piece.unwrap_or_else(|fault| {
                    let length = rest.length as usize;
                    self.without_bytes(direction, description, length, transfer, fault)
                });
                match piece {
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

    /// Whether the page of bytes after the first `reached` of a transfer can be reached.
    fn reach_chunk(
        &self,
        direction: Direction,
        description: DescriptionId,
        buffers: Buffers,
        transfer: &Transfer,
        reached: usize,
    ) -> Result<(), Errno> {
        let mut end = transfer.total;
        if direction == Direction::Read {
            let there = self.files.readable_bytes(&self.pages, description)?;
            end = end.min(transfer.done + there as usize);
        }
        let count = end.saturating_sub(reached).min(PAGE_SIZE) as u64;
        let process = &self.processes[self.current.process];
        buffers.reach(process, direction, reached as u64, count)
    }

    /// What a file answers where the next bytes cannot be reached.
    #[cold]
    #[inline(never)]
    pub fn without_bytes(
        &mut self,
        direction: Direction,
        description: DescriptionId,
        length: usize,
        transfer: &mut Transfer,
        fault: Errno,
    ) -> Piece {
        let (files, pages) = (&mut self.files, &mut self.pages);
        let step = match direction {
            Direction::Read => files.read_without_bytes(pages, description, transfer),
            Direction::Write => files.write_without_bytes(pages, description, transfer, length),
        };
        match step {
            Some(Step::Done(Ok(count))) if count != 0 => Piece::Taken(count),
            Some(Step::Done(result)) => Piece::Over(result),
            Some(Step::Wait(until)) => Piece::Wait(until),
            Some(Step::Generate) => match self.generate(description) {
                Ok(()) => self.without_bytes(direction, description, length, transfer, fault),
                Err(errno) => Piece::Over(Err(errno)),
            },
            _ => Piece::Over(Err(fault)),
        }
    }

    /// Makes the text of a file in `/proc`.
    fn generate(&mut self, description: DescriptionId) -> Result<(), Errno> {
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
        files.generate(pages, description, &view)
    }

    /// Moves what of `rest` lies in its first page.
    ///
    /// # Errors
    /// That page cannot be reached: nothing was moved, nor the file asked.
    #[inline]
    fn transfer_piece(
        &mut self,
        direction: Direction,
        description: DescriptionId,
        rest: UserBuffer,
        transfer: &mut Transfer,
    ) -> Result<Piece, Errno> {
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
                let piece = user::writable_piece(space, rest)?;
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
                        Found::Nothing(Some(tenths)) => return Ok(Piece::WaitTenths(tenths)),
                        Found::Nothing(None) => Step::Wait(WaitFor::ConsoleInput),
                    },
                    Step::Pages(pid, from) => Step::Done(
                        page_map::read(processes, *current, pid, from, transfer, piece).and_then(
                            |count| {
                                files.note_read(description, transfer, count)?;
                                Ok(count)
                            },
                        ),
                    ),
                    step => step,
                };
                (step, size)
            }
            Direction::Write => {
                let piece = user::readable_piece(space, rest)?;
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
        Ok(match step {
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
            Step::Generate => match self.generate(description) {
                Ok(()) => return self.transfer_piece(direction, description, rest, transfer),
                Err(errno) => Piece::Over(Err(errno)),
            },
            Step::Device(_) | Step::Pages(..) => Piece::Over(Err(Errno::EINVAL)),
        })
    }

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
        let room = PAGE - rest.address % PAGE;
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

fn is_nonblocking(flags: Result<u32, Errno>) -> bool {
    flags.is_ok_and(|flags| flags & linux::O_NONBLOCK != 0)
}
