//! readv(2), pread(2) and their kin: an array of buffers, an offset of the call's own.
use super::Outcome;
use super::buffers::{Buffers, Direction};
use crate::kernel::Kernel;
use crate::memory::user::UserBuffer;
use contract::Errno;
use files::Transfer;
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
        let buffers = Buffers::vector(address, count);
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
        let buffers = Buffers::vector(address, count);
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
        let buffers = Buffers::vector(address, count);
        let thread = &self.processes[self.current.thread];
        let [.., flags] = thread.context.registers.arguments();
        let position = match offset {
            OWN_OFFSET => None,
            offset => Some(position(offset)?),
        };
        if flags as u32 & !KNOWN != 0 {
            // What is wrong beside it is told first.
            let description = self.description_of_call(descriptor)?;
            let mut transfer = Transfer::new(0);
            transfer.position = position;
            self.check_opened_for(direction, description, &transfer)?;
            return match buffers.total(&self.processes[self.current.process])? {
                0 => Ok(Outcome::Return(0)),
                _ => Err(Errno::EOPNOTSUPP),
            };
        }
        self.transfer(direction, descriptor, buffers, position)
    }

    /// A transfer at an offset that is the call's own, and leaves the description's alone.
    fn transfer_at(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffers: Buffers,
        offset: u64,
    ) -> Result<Outcome, Errno> {
        self.transfer(direction, descriptor, buffers, Some(position(offset)?))
    }
}

/// An offset is an `off_t`, and not negative.
fn position(offset: u64) -> Result<u64, Errno> {
    i64::try_from(offset)
        .map(|_| offset)
        .map_err(|_| Errno::EINVAL)
}
