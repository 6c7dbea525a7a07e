//! What programs point at: the one border at which addresses from programs are checked.
//!
//! The kernel never uses a user address as a pointer. It walks the program's page tree, resolves what would
//! have faulted, and reaches the bytes through the direct map, page by page.
use super::space::AddressSpace;
use super::user_window::find_nul;
use super::{direct_map, physical_address};
use contract::{Errno, PAGE};
use page_tree::{Access, Protection, Refusal, Sharing, USER_END};
use x86_64::structures::paging::PhysFrame;

/// Why a program's memory could not be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserFault {
    /// The program itself could not have used it so.
    BadAddress,
    /// There is no frame for it.
    OutOfFrames,
}

impl From<Refusal> for UserFault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotMapped | Refusal::NotAllowed | Refusal::NotThere | Refusal::BeyondEnd => {
                Self::BadAddress
            }
            Refusal::OutOfFrames => Self::OutOfFrames,
        }
    }
}

impl From<UserFault> for Errno {
    fn from(fault: UserFault) -> Self {
        match fault {
            UserFault::BadAddress => Self::EFAULT,
            UserFault::OutOfFrames => Self::ENOMEM,
        }
    }
}

/// What of `length` bytes from `address` lies in the first page.
#[inline]
fn first_piece(address: u64, length: u64) -> usize {
    (PAGE - address % PAGE).min(length) as usize
}

/// The bytes to read at `address`, as far as its page goes and at most `length`.
///
/// The slice is only valid until the space changes.
#[inline]
pub(super) fn readable(
    space: &AddressSpace,
    address: u64,
    length: u64,
) -> Result<&[u8], UserFault> {
    let frame = match space.readable_already(address) {
        Some(frame) => frame,
        None => make_readable(space, address)?,
    };
    let pointer = direct_map(frame.start_address() + address % PAGE);
    // SAFETY: the piece ends with the frame, which is RAM; user memory is bytes, any value is valid.
    Ok(unsafe { core::slice::from_raw_parts(pointer, first_piece(address, length)) })
}

#[inline(never)]
fn make_readable(space: &AddressSpace, address: u64) -> Result<PhysFrame, UserFault> {
    Ok(match space.resolve_for_read(address) {
        Ok(frame) => frame,
        Err(refusal) => space.persist(
            refusal,
            address,
            Access::Read,
            AddressSpace::resolve_for_read,
        )?,
    })
}

/// The bytes to write at `address`, as far as its page goes and at most `length`.
#[inline]
#[allow(
    clippy::mut_from_ref,
    reason = "the bytes are the program's, behind its tables, not the space's own"
)]
pub(super) fn writable(
    space: &AddressSpace,
    address: u64,
    length: u64,
) -> Result<&mut [u8], UserFault> {
    let frame = match space.resolve_for_write(address) {
        Ok(frame) => frame,
        Err(refusal) => space.persist(
            refusal,
            address,
            Access::Write,
            AddressSpace::resolve_for_write,
        )?,
    };
    let pointer = direct_map(frame.start_address() + address % PAGE);
    // SAFETY: as in `readable`; a frame that was resolved for writing is in no other process's private memory, and
    // one system call makes one such slice at a time. Of a shared mapping it may be a file's page too: the contents of
    // a file that is mapped are never moved to or from such a slice, but by way of the kernel's own memory.
    Ok(unsafe { core::slice::from_raw_parts_mut(pointer, first_piece(address, length)) })
}

/// Checks that a range does not wrap or leave the user half. What is mapped there is seen when it is used.
///
/// # Errors
/// BadAddress.
#[inline]
pub fn check(address: u64, length: u64) -> Result<(), UserFault> {
    match address.checked_add(length) {
        Some(end) if end <= USER_END => Ok(()),
        _ => Err(UserFault::BadAddress),
    }
}

/// Reads `buffer.len()` bytes.
///
/// # Errors
/// Some of it cannot be read.
#[inline]
pub fn read(
    space: &AddressSpace,
    mut address: u64,
    mut buffer: &mut [u8],
) -> Result<(), UserFault> {
    check(address, buffer.len() as u64)?;
    while !buffer.is_empty() {
        let piece = readable(space, address, buffer.len() as u64)?;
        let (now, later) = buffer.split_at_mut(piece.len());
        now.copy_from_slice(piece);
        address += piece.len() as u64;
        buffer = later;
    }
    Ok(())
}

/// Writes `bytes`. A failure in the middle leaves what was written.
///
/// # Errors
/// Some of it cannot be written.
#[inline]
pub fn write(space: &AddressSpace, mut address: u64, mut bytes: &[u8]) -> Result<(), UserFault> {
    check(address, bytes.len() as u64)?;
    while !bytes.is_empty() {
        let piece = writable(space, address, bytes.len() as u64)?;
        let (now, later) = bytes.split_at(piece.len());
        piece.copy_from_slice(now);
        address += now.len() as u64;
        bytes = later;
    }
    Ok(())
}

/// Writes what a new process finds when it starts: half a word, in one page.
///
/// # Errors
/// As [`write()`].
#[inline]
pub fn write_at_start(space: &AddressSpace, address: u64, value: u32) -> Result<(), UserFault> {
    let bytes = value.to_ne_bytes();
    check(address, bytes.len() as u64)?;
    let within = (address % PAGE) as usize;
    if within > PAGE as usize - bytes.len() {
        return write(space, address, &bytes);
    }
    let frame = match space.resolve_first_write(address) {
        Ok(frame) => frame,
        Err(refusal) => space.persist(
            refusal,
            address,
            Access::Write,
            AddressSpace::resolve_for_write,
        )?,
    };
    let place = direct_map(frame.start_address()).wrapping_add(within);
    // SAFETY: as in `writable`; the bytes end with the frame at the latest.
    unsafe { place.cast::<[u8; 4]>().write(bytes) };
    Ok(())
}

/// Reads a word.
///
/// # Errors
/// As [`read`].
#[inline]
pub fn read_u64(space: &AddressSpace, address: u64) -> Result<u64, UserFault> {
    let mut bytes = [0; 8];
    read(space, address, &mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// Reads half a word.
///
/// # Errors
/// As [`read`].
#[inline]
pub fn read_u32(space: &AddressSpace, address: u64) -> Result<u32, UserFault> {
    let mut bytes = [0; 4];
    read(space, address, &mut bytes)?;
    Ok(u32::from_ne_bytes(bytes))
}

/// The physical address of what is at an address, where it lies in memory that is shared with others; `None`
/// in private memory.
///
/// # Errors
/// Nothing is mapped there, it is private and cannot be written, or there is no frame for it.
pub fn shared_place(space: &AddressSpace, address: u64) -> Result<Option<u64>, UserFault> {
    let (protection, sharing) = space.mapping_at(address)?;
    match sharing {
        Sharing::Shared => {
            let bytes = readable(space, address, 4)?;
            Ok(Some(physical_address(bytes.as_ptr()).as_u64()))
        }
        Sharing::Private if protection.contains(Protection::WRITE) => Ok(None),
        Sharing::Private => Err(UserFault::BadAddress),
    }
}

/// Reads an array of words: a structure of the ABI that is made of them.
///
/// # Errors
/// As [`read`].
#[inline]
pub fn read_words<const N: usize>(
    space: &AddressSpace,
    address: u64,
) -> Result<[u64; N], UserFault> {
    let mut bytes = [[0; 8]; N];
    read(space, address, bytes.as_flattened_mut())?;
    Ok(bytes.map(u64::from_ne_bytes))
}

/// Writes words one after the other.
///
/// # Errors
/// As [`write()`].
#[inline]
pub fn write_words<const N: usize>(
    space: &AddressSpace,
    address: u64,
    words: &[u64; N],
) -> Result<(), UserFault> {
    let bytes = words.map(u64::to_ne_bytes);
    write(space, address, bytes.as_flattened())
}

/// Length of the NUL-ended string at `address`; `None` where there is no NUL in the first `limit` bytes.
///
/// # Errors
/// As [`read`].
pub fn string_length(
    space: &AddressSpace,
    address: u64,
    limit: u64,
) -> Result<Option<u64>, UserFault> {
    let mut length = 0;
    while length < limit {
        check(address, length + 1)?;
        let piece = readable(space, address + length, limit - length)?;
        if let Some(end) = find_nul(piece) {
            return Ok(Some(length + end as u64));
        }
        length += piece.len() as u64;
    }
    Ok(None)
}

/// A program's buffer: where, and how much.
#[derive(Clone, Copy)]
pub struct UserBuffer {
    pub address: u64,
    pub length: u64,
}

/// The bytes of a buffer's first page, to be read.
///
/// # Errors
/// The program could not read there.
#[inline]
pub fn readable_piece(space: &AddressSpace, buffer: UserBuffer) -> Result<&[u8], UserFault> {
    if buffer.length == 0 {
        Ok(&[])
    } else {
        readable(space, buffer.address, buffer.length)
    }
}

/// The bytes of a buffer's first page, to be written.
///
/// # Errors
/// The program could not write there.
#[inline]
#[allow(
    clippy::mut_from_ref,
    reason = "the bytes are the program's, behind its tables, not the space's own"
)]
pub fn writable_piece(space: &AddressSpace, buffer: UserBuffer) -> Result<&mut [u8], UserFault> {
    if buffer.length == 0 {
        Ok(&mut [])
    } else {
        writable(space, buffer.address, buffer.length)
    }
}

impl UserBuffer {
    /// How many of its bytes lie in its first page.
    pub fn first_piece(self) -> usize {
        first_piece(self.address, self.length)
    }

    /// Hands the bytes to `take`, a piece of a page at a time, until it takes less than a piece; answers how
    /// many were taken. A fault after some were taken ends the loop without an error.
    ///
    /// # Errors
    /// What `take` answers when nothing has been taken yet, and EFAULT.
    #[inline]
    pub fn read_pieces<E: From<Errno>>(
        self,
        space: &AddressSpace,
        mut take: impl FnMut(usize, &[u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        self.pieces(|done, address, length| {
            let piece = readable(space, address, length).map_err(Errno::from)?;
            Ok((take(done, piece)?, piece.len()))
        })
    }

    /// As [`read_pieces`](Self::read_pieces), for pieces to be filled.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn write_pieces<E: From<Errno>>(
        self,
        space: &AddressSpace,
        mut fill: impl FnMut(usize, &mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        self.pieces(|done, address, length| {
            let piece = writable(space, address, length).map_err(Errno::from)?;
            let size = piece.len();
            Ok((fill(done, piece)?, size))
        })
    }

    #[inline]
    fn pieces<E: From<Errno>>(
        self,
        mut piece: impl FnMut(usize, u64, u64) -> Result<(usize, usize), E>,
    ) -> Result<usize, E> {
        check(self.address, self.length).map_err(Errno::from)?;
        let mut done = 0;
        while (done as u64) < self.length {
            match piece(done, self.address + done as u64, self.length - done as u64) {
                Ok((taken, size)) => {
                    done += taken;
                    if taken < size {
                        break;
                    }
                }
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(done)
    }
}
