//! A process's descriptors.
//!
//! In chunks of 64, each with its bits for "in use" and "close on exec". The first is the table's own, so that a process
//! with a few descriptors has one small block of the heap; the others are taken as they are used.
//!
//! A number can be reserved for a descriptor that comes later: it is in use, and leads nowhere.
use crate::description::DescriptionId;
use alloc::boxed::Box;
use alloc::vec::Vec;
use contract::Errno;
use core::iter;

/// Descriptors a process can have.
pub const DESCRIPTOR_LIMIT: u32 = 4096;
/// Those that it can have unless it asks for more.
pub const DESCRIPTOR_DEFAULT: u32 = 1024;
const CHUNK: u32 = 64;

/// Whether exec closes a descriptor (FD_CLOEXEC in fcntl(2)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnExec {
    /// It stays open.
    Keep,
    /// It is closed.
    Close,
}

impl OnExec {
    /// As open(2) and its like ask for it.
    #[must_use]
    pub const fn from_flags(flags: u32) -> Self {
        if flags & linux_raw_sys::general::O_CLOEXEC != 0 {
            Self::Close
        } else {
            Self::Keep
        }
    }
}

#[derive(Clone, Debug)]
struct Chunk {
    used: u64,
    close_on_exec: u64,
    slots: [DescriptionId; CHUNK as usize],
}

impl Chunk {
    const EMPTY: Self = Self {
        used: 0,
        close_on_exec: 0,
        slots: [DescriptionId(0); CHUNK as usize],
    };
}

/// See the module. It counts no references: [`crate::Files`] does, for it may have something to close.
#[derive(Debug)]
pub struct FdTable {
    first: Chunk,
    #[expect(
        clippy::vec_box,
        reason = "no block of the heap has room for all of them"
    )]
    further: Vec<Box<Chunk>>,
    /// RLIMIT_NOFILE: no descriptor at or above it is given out.
    limit: u32,
    /// How many numbers are reserved.
    reserved: u32,
}

impl Default for FdTable {
    fn default() -> Self {
        Self::new()
    }
}

impl FdTable {
    /// No descriptors.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: Chunk::EMPTY,
            further: Vec::new(),
            limit: DESCRIPTOR_DEFAULT,
            reserved: 0,
        }
    }

    /// Sets RLIMIT_NOFILE, at most [`DESCRIPTOR_LIMIT`]. Descriptors above it stay.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit.min(DESCRIPTOR_LIMIT);
    }

    /// RLIMIT_NOFILE.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// What a descriptor leads to: where its number is only reserved, a description that is not there.
    ///
    /// # Errors
    /// EBADF where it is not open. A negative number, as the unsigned one of the same bits, is not.
    #[inline]
    pub fn get(&self, fd: u32) -> Result<DescriptionId, Errno> {
        let chunk = self.chunk(fd).ok_or(Errno::EBADF)?;
        Ok(chunk.slots[(fd % CHUNK) as usize])
    }

    /// As [`Self::get`], of an open descriptor.
    ///
    /// # Errors
    /// EBADF, also where the number is only reserved.
    pub fn get_open(&self, fd: u32) -> Result<DescriptionId, Errno> {
        match self.get(fd)? {
            DescriptionId::NONE => Err(Errno::EBADF),
            id => Ok(id),
        }
    }

    /// Whether a number is reserved.
    #[must_use]
    pub fn is_reserved(&self, fd: u32) -> bool {
        self.reserved != 0 && self.get(fd) == Ok(DescriptionId::NONE)
    }

    /// Reserves the lowest number that is free.
    ///
    /// # Errors
    /// EMFILE, ENOMEM.
    pub fn reserve(&mut self) -> Result<u32, Errno> {
        let fd = self.lowest_free(0)?;
        self.set(fd, DescriptionId::NONE, OnExec::Keep)?;
        self.reserved += 1;
        Ok(fd)
    }

    /// Frees a number that is reserved.
    pub fn unreserve(&mut self, fd: u32) {
        if self.is_reserved(fd)
            && let Some(chunk) = self.chunk_mut(fd)
        {
            chunk.used &= !bit(fd);
            self.reserved -= 1;
        }
    }

    /// Frees all numbers that are reserved.
    #[cold]
    pub fn unreserve_all(&mut self) {
        for fd in 0..self.count() * CHUNK {
            self.unreserve(fd);
        }
    }

    /// Whether exec closes it (F_GETFD).
    ///
    /// # Errors
    /// EBADF.
    pub fn on_exec(&self, fd: u32) -> Result<OnExec, Errno> {
        self.get_open(fd)?;
        let chunk = self.chunk(fd).ok_or(Errno::EBADF)?;
        Ok(if chunk.close_on_exec & bit(fd) == 0 {
            OnExec::Keep
        } else {
            OnExec::Close
        })
    }

    /// Sets whether exec closes it (F_SETFD).
    ///
    /// # Errors
    /// EBADF.
    pub fn set_on_exec(&mut self, fd: u32, on_exec: OnExec) -> Result<(), Errno> {
        self.get_open(fd)?;
        if let Some(chunk) = self.chunk_mut(fd) {
            chunk.mark(fd, on_exec);
        }
        Ok(())
    }

    /// How many descriptors Linux's table of these would have room for: select(2) looks no further.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        match self.count() {
            1 => CHUNK,
            chunks => (chunks * CHUNK).next_power_of_two().max(4 * CHUNK),
        }
    }

    /// The lowest descriptor from `from` on that is free.
    ///
    /// # Errors
    /// EMFILE where none is below the limit.
    pub fn lowest_free(&self, from: u32) -> Result<u32, Errno> {
        let mut fd = from;
        while fd < self.limit {
            let Some(chunk) = self.chunk_at(fd) else {
                return Ok(fd);
            };
            let free = !chunk.used & (u64::MAX << (fd % CHUNK));
            if free != 0 {
                let found = fd / CHUNK * CHUNK + free.trailing_zeros();
                return if found < self.limit {
                    Ok(found)
                } else {
                    Err(Errno::EMFILE)
                };
            }
            fd = (fd / CHUNK + 1) * CHUNK;
        }
        Err(Errno::EMFILE)
    }

    /// Lets `fd`, which must be free or is forgotten, lead to a description. The table takes over a reference.
    ///
    /// # Errors
    /// EBADF at or above [`DESCRIPTOR_LIMIT`]; ENOMEM.
    pub(crate) fn set(&mut self, fd: u32, id: DescriptionId, on_exec: OnExec) -> Result<(), Errno> {
        if fd >= DESCRIPTOR_LIMIT {
            return Err(Errno::EBADF);
        }
        let further = (fd / CHUNK) as usize;
        if further > self.further.len() {
            self.further
                .try_reserve_exact(further - self.further.len())
                .map_err(|_| Errno::ENOMEM)?;
            self.further.resize_with(further, || Box::new(Chunk::EMPTY));
        }
        let chunk = self.chunk_mut(fd).ok_or(Errno::EBADF)?;
        chunk.used |= bit(fd);
        chunk.slots[(fd % CHUNK) as usize] = id;
        chunk.mark(fd, on_exec);
        Ok(())
    }

    /// Frees a descriptor; the caller has the reference now.
    pub(crate) fn take(&mut self, fd: u32) -> Result<DescriptionId, Errno> {
        let id = self.get_open(fd)?;
        if let Some(chunk) = self.chunk_mut(fd) {
            chunk.used &= !bit(fd);
            chunk.close_on_exec &= !bit(fd);
        }
        Ok(id)
    }

    /// The least open descriptor that is at least `from`.
    #[must_use]
    pub fn next_open(&self, from: u32) -> Option<u32> {
        let mut fd = self.next_used(from)?;
        while self.is_reserved(fd) {
            fd = self.next_used(fd + 1)?;
        }
        Some(fd)
    }

    fn next_used(&self, from: u32) -> Option<u32> {
        let mut fd = from;
        while let Some(chunk) = self.chunk_at(fd) {
            let used = chunk.used & (u64::MAX << (fd % CHUNK));
            if used != 0 {
                return Some(fd / CHUNK * CHUNK + used.trailing_zeros());
            }
            fd = (fd / CHUNK + 1) * CHUNK;
        }
        None
    }

    /// Whether exec closes any.
    #[must_use]
    pub fn closes_on_exec(&self) -> bool {
        self.chunks().any(|chunk| chunk.close_on_exec != 0)
    }

    /// The least descriptor, at least `from`, that exec closes.
    pub(crate) fn next_to_close(&self, from: u32) -> Option<u32> {
        let mut fd = from;
        while let Some(chunk) = self.chunk_at(fd) {
            let close = chunk.close_on_exec & (u64::MAX << (fd % CHUNK));
            if close != 0 {
                return Some(fd / CHUNK * CHUNK + close.trailing_zeros());
            }
            fd = (fd / CHUNK + 1) * CHUNK;
        }
        None
    }

    /// A copy; `retain` is told of each description that it leads to once more.
    pub(crate) fn copy(&self, mut retain: impl FnMut(DescriptionId)) -> Self {
        for chunk in self.chunks() {
            let mut left = chunk.used;
            while left != 0 {
                retain(chunk.slots[left.trailing_zeros() as usize]);
                left &= left - 1;
            }
        }
        let mut copy = Self {
            first: self.first.clone(),
            further: self.further.clone(),
            limit: self.limit,
            reserved: self.reserved,
        };
        // What is to come, comes to the other one.
        if copy.reserved != 0 {
            copy.unreserve_all();
        }
        copy
    }

    /// Gives the chunks back, once nothing is open.
    pub(crate) fn forget(&mut self) {
        self.further = Vec::new();
        self.reserved = 0;
    }

    fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        iter::once(&self.first).chain(self.further.iter().map(Box::as_ref))
    }

    /// How many chunks there are.
    fn count(&self) -> u32 {
        self.further.len() as u32 + 1
    }

    /// The chunk of a number. Where there is none, there is none for higher ones either.
    #[inline]
    fn chunk_at(&self, fd: u32) -> Option<&Chunk> {
        match (fd / CHUNK).checked_sub(1) {
            None => Some(&self.first),
            Some(index) => self.further.get(index as usize).map(Box::as_ref),
        }
    }

    #[inline]
    fn chunk_mut(&mut self, fd: u32) -> Option<&mut Chunk> {
        match (fd / CHUNK).checked_sub(1) {
            None => Some(&mut self.first),
            Some(index) => self.further.get_mut(index as usize).map(Box::as_mut),
        }
    }

    /// The chunk of a descriptor that is open or reserved.
    #[inline]
    fn chunk(&self, fd: u32) -> Option<&Chunk> {
        let chunk = self.chunk_at(fd)?;
        (chunk.used & bit(fd) != 0).then_some(chunk)
    }
}

impl Chunk {
    fn mark(&mut self, fd: u32, on_exec: OnExec) {
        match on_exec {
            OnExec::Keep => self.close_on_exec &= !bit(fd),
            OnExec::Close => self.close_on_exec |= bit(fd),
        }
    }
}

#[inline]
const fn bit(fd: u32) -> u64 {
    1 << (fd % CHUNK)
}
