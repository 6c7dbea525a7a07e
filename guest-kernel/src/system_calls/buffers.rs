//! Where a call's bytes lie: one buffer, or an array of them.
use crate::memory::user::{self, UserBuffer};
use crate::process::Process;
use contract::Errno;

/// Most bytes that one call moves (read(2), NOTES).
pub const TRANSFER_LIMIT: u64 = 0x7fff_f000;
/// Most buffers of readv(2) (IOV_MAX).
pub const VECTOR_LIMIT: u64 = 1024;

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
    /// The vector of a call: its count has 32 bits.
    pub const fn vector(address: u64, count: u64) -> Self {
        let count = count as u32 as u64;
        Self::Vector { address, count }
    }

    /// How many.
    pub const fn count(self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Vector { count, .. } => count,
        }
    }

    /// One of them.
    pub fn get(self, process: &Process, index: u64) -> Result<UserBuffer, Errno> {
        match self {
            Self::One(buffer) => Ok(buffer),
            Self::Vector { address, .. } => {
                let [address, length] = user::read_words(process.space(), address + 16 * index)?;
                Ok(UserBuffer { address, length })
            }
        }
    }

    /// Whether `count` bytes can be reached, after the first `skipped` of them all.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn reach(
        self,
        process: &Process,
        direction: Direction,
        mut skipped: u64,
        mut count: u64,
    ) -> Result<(), Errno> {
        for index in 0..self.count() {
            let buffer = self.get(process, index)?;
            let begin = skipped.min(buffer.length);
            skipped -= begin;
            let mut rest = UserBuffer {
                address: buffer.address + begin,
                length: (buffer.length - begin).min(count),
            };
            count -= rest.length;
            while rest.length != 0 {
                let piece = match direction {
                    Direction::Read => user::writable_piece(process.space(), rest)?.len(),
                    Direction::Write => user::readable_piece(process.space(), rest)?.len(),
                } as u64;
                rest.address += piece;
                rest.length -= piece;
            }
            if count == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Bytes of all of them, as far as one call moves them. What is too long to be is EINVAL, before any address is looked
    /// at.
    pub fn total(self, process: &Process) -> Result<u64, Errno> {
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
