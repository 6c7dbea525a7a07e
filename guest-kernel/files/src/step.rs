//! What an operation answers, and what a read or write call remembers.
use crate::proc::SysFile;
use crate::process_handle::ProcessHandle;
use crate::wait_queue::WaitFor;
use contract::Errno;

/// The outcome of asking for something that may have to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<T> {
    /// It is over.
    Done(Result<T, Errno>),
    /// It cannot go on now. Park the process in this queue, and ask the same again when it is woken.
    Wait(WaitFor),
    /// It is the kernel's own to do: this device is not made of memory.
    Device(KernelDevice),
    /// The text of a file in `/proc` is wanted first: call [`crate::Files::generate`], then ask the same again.
    Generate,
    /// The `pagemap` of a process from there on: the kernel's own to do, and to tell [`crate::Files::note_read`].
    Pages(u32, u64),
    /// The bytes may be the file's own, for programs map it: ask the same with bytes that are the kernel's.
    Aside,
    /// A setting of `/proc/sys` is to become what the piece says: the kernel's own to do.
    Set(SysFile),
}

/// What only the kernel can read and write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KernelDevice {
    /// The console, through the line discipline where it is a terminal.
    Console,
    /// The random number generator.
    Random,
}

/// One read or write system call: how far it has come, over all pieces of the user's buffer and all retries.
///
/// After each piece: where it took all of the piece and [`Transfer::done`] is below [`Transfer::total`], hand the next
/// piece. Where it took less, the call is over; so it is on an error, whose errno is the result only if nothing was done.
/// [`Step::Wait`] means: park, then go on with the byte at `done`. A signal meanwhile ends the call with `done`, or EINTR
/// if that is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Bytes that the whole call asked for.
    pub total: usize,
    /// Bytes moved so far. The operations here add to it.
    pub done: usize,
    /// Where in the file the call began, for pread and pwrite; else the description's offset counts, and moves.
    pub position: Option<u64>,
    /// Size beyond which a regular file is not written (RLIMIT_FSIZE).
    pub limit: u64,
    /// Flags of recv(2) and send(2).
    pub flags: u32,
    /// Length of the message that is being read; 0 where there are no messages.
    pub message: usize,
    /// Whether the message has begun.
    pub begun: bool,
    /// Whose memory the bytes are in.
    pub memory: Memory,
}

/// Where the bytes of a read or write lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memory {
    /// In memory of the kernel's own, which nothing maps.
    Kernel,
    /// In a program's, which may be pages of a file.
    Program,
}

impl Transfer {
    /// A call that begins at the description's offset.
    #[must_use]
    pub const fn new(total: usize) -> Self {
        Self {
            total,
            done: 0,
            position: None,
            limit: u64::MAX,
            flags: 0,
            message: 0,
            begun: false,
            memory: Memory::Kernel,
        }
    }

    /// A call of pread or pwrite.
    #[must_use]
    pub const fn at(total: usize, position: u64) -> Self {
        Self {
            total,
            done: 0,
            position: Some(position),
            limit: u64::MAX,
            flags: 0,
            message: 0,
            begun: false,
            memory: Memory::Kernel,
        }
    }

    /// Where it goes on, in a file whose description is at `offset`.
    #[must_use]
    pub(crate) fn place(&self, offset: u64) -> u64 {
        match self.position {
            Some(position) => position + self.done as u64,
            None => offset,
        }
    }

    /// The call's result once it has ended with `last`: the bytes that were moved, else the error.
    ///
    /// # Errors
    /// `last`'s, where nothing was moved before it.
    pub fn result(&self, last: Result<usize, Errno>) -> Result<usize, Errno> {
        match last {
            Err(errno) if self.done == 0 => Err(errno),
            _ => Ok(self.done),
        }
    }
}

/// What could be done at once: bits of poll(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// `POLLIN`, `POLLOUT`, `POLLERR` and `POLLHUP`, those that hold.
    Events(u16),
    /// The kernel's own to say: POLLOUT always holds.
    Device(KernelDevice),
    /// `POLLIN` where this process has ended, which the kernel knows.
    Process(ProcessHandle),
}
