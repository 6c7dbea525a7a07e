//! readv(2), pread(2) and their kin: an array of buffers, an offset of the call's own.
use super::Outcome;
use super::buffers::{Buffers, Direction};
use crate::kernel::Kernel;
use crate::memory::user::UserBuffer;
use contract::Errno;
use linux_raw_sys::general as linux;

impl Kernel {
    /// readv(2), writev(2).
    pub fn transfer_vector(
        &mut self,
        direction: Direction,
        descriptor: u64,
        address: u64,
        count: u64,
    ) -> Result<Outcome, Errno> {
        let buffers = Buffers::Vector { address, count };
        self.transfer(direction, descriptor, buffers, None)
    }

    /// pread(2), pwrite(2).
    pub fn transfer_bytes_at(
        &mut self,
        direction: Direction,
        descriptor: u64,
        address: u64,
        length: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        let buffers = Buffers::One(UserBuffer { address, length });
        self.transfer_at(direction, descriptor, buffers, offset)
    }

    /// preadv(2), pwritev(2).
    pub fn transfer_vector_at(
        &mut self,
        direction: Direction,
        descriptor: u64,
        address: u64,
        count: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        let buffers = Buffers::Vector { address, count };
        self.transfer_at(direction, descriptor, buffers, offset)
    }

    /// preadv2(2), pwritev2(2): at the description's own offset where `offset` is -1. What is in memory is there at once
    /// and synced at once; other flags are not known.
    pub fn transfer_vector_with_flags(
        &mut self,
        direction: Direction,
        descriptor: u64,
        address: u64,
        count: u64,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        const KNOWN: u32 = linux::RWF_HIPRI | linux::RWF_DSYNC | linux::RWF_SYNC;
        const OWN_OFFSET: u64 = u64::MAX;
        let buffers = Buffers::Vector { address, count };
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
}
