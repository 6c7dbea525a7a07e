//! How much a pipe holds, and how that is changed.
use super::{PIPE_CAPACITY_MAX, Pipe};
use crate::description::{DescriptionId, Opened};
use crate::{Files, PageStore};
use alloc::vec::Vec;
use contract::{Errno, PAGE, PAGE_SIZE};

impl<P> Pipe<P> {
    /// Changes that. EBUSY where there is more in it, EPERM beyond [`PIPE_CAPACITY_MAX`], ENOMEM.
    pub(crate) fn set_capacity(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        capacity: usize,
    ) -> Result<(), Errno> {
        if capacity > PIPE_CAPACITY_MAX {
            return Err(Errno::EPERM);
        }
        if self.length > capacity {
            return Err(Errno::EBUSY);
        }
        if capacity > self.ring {
            self.widen(store, capacity)?;
        }
        self.withheld = self.ring - capacity;
        Ok(())
    }

    /// Puts what is there into a longer ring, from its first page on.
    fn widen(&mut self, store: &mut impl PageStore<Page = P>, ring: usize) -> Result<(), Errno> {
        let count = ring / PAGE_SIZE;
        let mut pages = Vec::new();
        pages.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
        let (first, within) = (self.start / PAGE_SIZE, self.start % PAGE_SIZE);
        let used = (within + self.length).div_ceil(PAGE_SIZE);
        // In a full ring the page at the start holds the newest bytes, too: they need one of their own.
        let old = self.ring / PAGE_SIZE;
        let newest = if used > old {
            let mut page = store.allocate().ok_or(Errno::ENOMEM)?;
            if let Some(shared) = self.slot(first).take() {
                let length = (within + self.length) % PAGE_SIZE;
                let bytes = *store.bytes(&shared);
                store.bytes_mut(&mut page)[..length].copy_from_slice(&bytes[..length]);
                *self.slot(first) = Some(shared);
            }
            Some(page)
        } else {
            None
        };
        for index in 0..old {
            pages.push(self.slot((first + index) % old).take());
        }
        pages.extend(newest.map(Some));
        pages.resize_with(count, || None);
        self.more = Some(pages.into_boxed_slice());
        (self.ring, self.start) = (ring, within);
        Ok(())
    }
}

impl<S: PageStore> Files<S> {
    /// What a pipe of somebody without privileges may hold.
    #[must_use]
    pub fn pipe_limit(&self) -> u64 {
        self.pipe_limit
    }

    /// Changes that, to whole pages and a power of two of them.
    ///
    /// # Errors
    /// EINVAL for 0 or more than [`crate::PIPE_CAPACITY_MAX`].
    pub fn set_pipe_limit(&mut self, size: u64) -> Result<(), Errno> {
        if size == 0 || size > crate::PIPE_CAPACITY_MAX as u64 {
            return Err(Errno::EINVAL);
        }
        self.pipe_limit = size.next_power_of_two().max(PAGE);
        Ok(())
    }

    /// Bytes that a pipe holds at most (F_GETPIPE_SZ in fcntl(2)).
    ///
    /// # Errors
    /// EBADF where it is no pipe.
    pub fn pipe_capacity(&self, id: DescriptionId) -> Result<u64, Errno> {
        match self.description(id)?.opened {
            Opened::PipeRead(pipe)
            | Opened::PipeWrite(pipe)
            | Opened::Packets(_, pipe)
            | Opened::Fifo(_, pipe) => Ok(self.pipe(pipe)?.capacity() as u64),
            _ => Err(Errno::EBADF),
        }
    }

    /// Changes that (F_SETPIPE_SZ), to whole pages and a power of two of them: what it is then.
    ///
    /// # Errors
    /// EBADF where it is no pipe; EBUSY where there is more in it; EINVAL for 0, or more than 2 GiB; EPERM beyond
    /// [`crate::PIPE_CAPACITY_MAX`].
    pub fn set_pipe_capacity(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        size: u64,
    ) -> Result<u64, Errno> {
        let (Opened::PipeRead(pipe)
        | Opened::PipeWrite(pipe)
        | Opened::Packets(_, pipe)
        | Opened::Fifo(_, pipe)) = self.description(id)?.opened
        else {
            return Err(Errno::EBADF);
        };
        if size > 1 << 31 {
            return Err(Errno::EINVAL);
        }
        let size = size.max(1).next_multiple_of(PAGE);
        let size = size.next_power_of_two();
        self.pipe_mut(pipe)?.set_capacity(store, size as usize)?;
        self.wake(crate::WaitFor::PipeWritable(pipe));
        Ok(size)
    }
}
