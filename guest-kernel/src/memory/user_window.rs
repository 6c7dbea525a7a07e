//! A program's memory in small pieces that lie close together: the page found last is kept at hand, so that
//! not each word costs a walk of the tables.
use super::space::AddressSpace;
use super::user::{UserFault, check, readable, writable};
use contract::PAGE;

/// Reads. For as long as the space does not change.
pub struct Reader<'a> {
    space: &'a AddressSpace,
    /// Address of `page`, which is empty before the first read.
    address: u64,
    page: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Nothing is read yet.
    #[inline]
    pub const fn new(space: &'a AddressSpace) -> Self {
        Self {
            space,
            address: 0,
            page: &[],
        }
    }

    /// The bytes from `address` to the end of its page: one at least.
    ///
    /// # Errors
    /// It cannot be read.
    #[inline]
    pub fn rest_of_page(&mut self, address: u64) -> Result<&'a [u8], UserFault> {
        let offset = address.wrapping_sub(self.address) as usize;
        if let Some(rest) = self.page.get(offset..)
            && !rest.is_empty()
        {
            return Ok(rest);
        }
        check(address, 1)?;
        self.address = address & !(PAGE - 1);
        self.page = readable(self.space, self.address, PAGE)?;
        Ok(&self.page[(address % PAGE) as usize..])
    }

    /// A word.
    ///
    /// # Errors
    /// As [`rest_of_page`](Self::rest_of_page).
    #[inline]
    pub fn word(&mut self, address: u64) -> Result<u64, UserFault> {
        if let Some(&bytes) = self.rest_of_page(address)?.first_chunk() {
            return Ok(u64::from_ne_bytes(bytes));
        }
        let mut bytes = [0; 8];
        super::user::read(self.space, address, &mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

/// Writes. For as long as nothing else changes the space.
pub struct Writer<'a> {
    space: &'a AddressSpace,
    /// Address of `page`, which is empty before the first write.
    address: u64,
    page: &'a mut [u8],
}

impl<'a> Writer<'a> {
    /// Nothing is written yet.
    #[inline]
    pub const fn new(space: &'a AddressSpace) -> Self {
        Self {
            space,
            address: 0,
            page: &mut [],
        }
    }

    /// Writes `bytes`. A failure in the middle leaves what was written.
    ///
    /// # Errors
    /// Some of it cannot be written.
    #[inline]
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), UserFault> {
        let offset = address.wrapping_sub(self.address) as usize;
        if let Some(end) = offset.checked_add(bytes.len())
            && let Some(place) = self.page.get_mut(offset..end)
        {
            place.copy_from_slice(bytes);
            return Ok(());
        }
        self.write_elsewhere(address, bytes)
    }

    #[inline(never)]
    fn write_elsewhere(&mut self, mut address: u64, mut bytes: &[u8]) -> Result<(), UserFault> {
        check(address, bytes.len() as u64)?;
        while !bytes.is_empty() {
            self.address = address & !(PAGE - 1);
            self.page = &mut [];
            self.page = writable(self.space, self.address, PAGE)?;
            let place = &mut self.page[(address % PAGE) as usize..];
            let (now, later) = bytes.split_at(bytes.len().min(place.len()));
            place[..now.len()].copy_from_slice(now);
            address += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// Writes a word.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    #[inline]
    pub fn word(&mut self, address: u64, word: u64) -> Result<(), UserFault> {
        self.write(address, &word.to_ne_bytes())
    }
}

/// Where the first NUL is. Eight bytes at a time: a word without one keeps the high bit of each byte clear
/// in `(w - 0x01…) & !w & 0x80…`, and the lowest that is set is a NUL's.
pub fn find_nul(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    let (words, tail) = bytes.as_chunks();
    for (index, &word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(word);
        let nuls = word.wrapping_sub(ONES) & !word & ONES << 7;
        if nuls != 0 {
            return Some(index * 8 + nuls.trailing_zeros() as usize / 8);
        }
    }
    let end = words.len() * 8;
    tail.iter()
        .position(|&byte| byte == 0)
        .map(|position| end + position)
}
