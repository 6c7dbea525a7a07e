//! The format of the archive: cpio "newc" (cpio(5)), uncompressed, whole in memory.
//!
//! Own, because the readers in the field either stop silently where an archive is broken, or read through a stream and
//! copy; and because this runs at every boot on hosts where an instruction of the kernel costs half a microsecond. An
//! entry costs some two hundred instructions and no byte of its data is touched.
//!
//! ```text
//!   header  6 magic, 13 numbers of 8 hexadecimal digits
//!   name    NUL-terminated, in as many bytes as the header says; more NULs may follow it
//!   pad to a multiple of 4 · data · pad to a multiple of 4 · … · an entry named TRAILER!!!
//! ```
//! After the trailer may come NULs and another archive. The checksum of the variant with magic 070702 is not looked at.
use core::fmt;
use linux_raw_sys::general as linux;

const HEADER: usize = 110;
const TRAILER: &[u8] = b"TRAILER!!!";
/// Longest path, with its NUL, as everywhere.
const NAME_LIMIT: usize = crate::path::PATH_MAX;

/// What is wrong with an archive, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArchiveError {
    /// Byte at which the entry begins.
    pub offset: usize,
    /// Its name, as far as it could be read.
    pub name: &'static [u8],
    /// What is wrong.
    pub fault: ArchiveFault,
}

/// What can be wrong with an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArchiveFault {
    /// It is compressed, by the program named.
    Compressed(&'static str),
    /// It is cpio of an older format than newc.
    OldFormat,
    /// No archive starts here: the magic is another.
    NotAnArchive,
    /// It ends before the trailer.
    CutShort,
    /// A number in the header is not hexadecimal.
    BadNumber,
    /// The name is empty or not terminated.
    BadName,
    /// The path is over 4095 bytes, or a name in it over 255.
    NameTooLong,
    /// The path contains `..`.
    ParentReference,
    /// The name was there before.
    Duplicate,
    /// What should be a directory, for something to lie in it, is something else.
    NotADirectory,
    /// A file type that there is no such thing as; the mode.
    UnknownType(u32),
    /// There are more files than there can be.
    TooManyFiles,
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            ArchiveFault::Compressed(program) => {
                write!(
                    f,
                    "the initramfs is compressed ({program}): unpack it first"
                )?;
            }
            ArchiveFault::OldFormat => {
                write!(f, "cpio of an old format: make it with `cpio -H newc`")?;
            }
            ArchiveFault::NotAnArchive => write!(f, "not a cpio archive: bad magic")?,
            ArchiveFault::CutShort => write!(f, "the archive is cut short")?,
            ArchiveFault::BadNumber => write!(f, "a number is not hexadecimal")?,
            ArchiveFault::BadName => write!(f, "an empty or unterminated name")?,
            ArchiveFault::NameTooLong => write!(f, "name too long")?,
            ArchiveFault::ParentReference => write!(f, "`..` in a path")?,
            ArchiveFault::Duplicate => write!(f, "two entries of one name")?,
            ArchiveFault::NotADirectory => write!(f, "a path leads through a file")?,
            ArchiveFault::UnknownType(mode) => write!(f, "unknown file type in mode {mode:o}")?,
            ArchiveFault::TooManyFiles => write!(f, "too many files")?,
        }
        write!(f, " (byte {}", self.offset)?;
        if !self.name.is_empty() {
            write!(f, ", entry \"{}\"", self.name.escape_ascii())?;
        }
        write!(f, ")")
    }
}

impl core::error::Error for ArchiveError {}

/// One entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) offset: usize,
    pub(crate) name: &'static [u8],
    pub(crate) data: &'static [u8],
    pub(crate) mode: u32,
    pub(crate) links: u32,
    pub(crate) user: u32,
    pub(crate) group: u32,
    /// Seconds since 1970.
    pub(crate) modified: u32,
    header: &'static [u8; HEADER],
}

impl Entry {
    pub(crate) fn fault(&self, fault: ArchiveFault) -> ArchiveError {
        ArchiveError {
            offset: self.offset,
            name: self.name,
            fault,
        }
    }

    /// What tells hard links to one file: inode and device.
    pub(crate) fn identity(&self) -> Result<[u32; 3], ArchiveError> {
        Ok([self.number(0)?, self.number(7)?, self.number(8)?])
    }

    /// Major and minor number of the device that it is.
    pub(crate) fn device(&self) -> Result<(u32, u32), ArchiveError> {
        Ok((self.number(9)?, self.number(10)?))
    }

    fn number(&self, index: usize) -> Result<u32, ArchiveError> {
        field(self.header, index).ok_or_else(|| self.fault(ArchiveFault::BadNumber))
    }
}

/// Reads entries one by one.
#[derive(Debug)]
pub(crate) struct Archive {
    bytes: &'static [u8],
    at: usize,
    /// Which of the concatenated archives this is, from 1 on.
    pub(crate) ordinal: u16,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Item {
    Entry(Entry),
    /// The trailer: another archive begins, or nothing comes.
    Trailer,
    End,
}

impl Archive {
    pub(crate) const fn new(bytes: &'static [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            ordinal: 1,
        }
    }

    pub(crate) fn next_item(&mut self) -> Result<Item, ArchiveError> {
        let offset = self.at;
        let fault = |fault| ArchiveError {
            offset,
            name: &[],
            fault,
        };
        let rest = &self.bytes[offset..];
        let Some(header) = rest.first_chunk::<HEADER>() else {
            return Err(fault(wrong_magic(rest).unwrap_or(ArchiveFault::CutShort)));
        };
        if !header.starts_with(b"070701") && !header.starts_with(b"070702") {
            return Err(fault(
                wrong_magic(rest).unwrap_or(ArchiveFault::NotAnArchive),
            ));
        }
        let number = |index| field(header, index).ok_or(fault(ArchiveFault::BadNumber));
        let (name_size, data_size) = (number(11)? as usize, number(6)? as usize);
        let name_end = HEADER + name_size;
        let data_start = name_end.next_multiple_of(4);
        let data_end = data_start + data_size;
        let data = rest.get(data_start..data_end);
        let padded_name = rest
            .get(HEADER..name_end)
            .ok_or(fault(ArchiveFault::CutShort))?;
        let length = padded_name
            .iter()
            .take(NAME_LIMIT)
            .position(|byte| *byte == 0);
        let name = match length {
            Some(length) => &padded_name[..length],
            None if padded_name.len() < NAME_LIMIT => return Err(fault(ArchiveFault::BadName)),
            None => {
                return Err(ArchiveError {
                    offset,
                    name: &padded_name[..64],
                    fault: ArchiveFault::NameTooLong,
                });
            }
        };
        let Some(data) = data else {
            return Err(ArchiveError {
                offset,
                name,
                fault: ArchiveFault::CutShort,
            });
        };
        // The last entry's padding may be missing at the very end.
        self.at = (offset + data_end)
            .next_multiple_of(4)
            .min(self.bytes.len());
        if name == TRAILER {
            return Ok(Item::Trailer);
        }
        Ok(Item::Entry(Entry {
            offset,
            name,
            data,
            mode: number(1)?,
            user: number(2)?,
            group: number(3)?,
            links: number(4)?,
            modified: number(5)?,
            header,
        }))
    }

    /// After a trailer: skips the NULs, and says whether another archive follows.
    pub(crate) fn next_archive(&mut self) -> Item {
        let rest = &self.bytes[self.at..];
        // Eight at a time: an archive is often padded to a large block.
        let words = rest
            .chunks_exact(8)
            .take_while(|chunk| **chunk == [0; 8])
            .count();
        let nulls = words * 8
            + rest[words * 8..]
                .iter()
                .take_while(|byte| **byte == 0)
                .count();
        self.at += nulls;
        self.ordinal = self.ordinal.saturating_add(1);
        if self.at == self.bytes.len() {
            Item::End
        } else {
            Item::Trailer
        }
    }
}

/// What a start that is not newc's says, if it says something.
fn wrong_magic(bytes: &[u8]) -> Option<ArchiveFault> {
    const COMPRESSED: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"\x5d\0\0", "lzma"),
        (b"\x02\x21\x4c\x18", "lz4"),
    ];
    if let Some((_, program)) = COMPRESSED
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
    {
        return Some(ArchiveFault::Compressed(program));
    }
    if [&b"070707"[..], b"\xc7\x71", b"\x71\xc7"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
    {
        return Some(ArchiveFault::OldFormat);
    }
    let newc = b"07070";
    let there = bytes.len().min(newc.len());
    (bytes[..there] != newc[..there]).then_some(ArchiveFault::NotAnArchive)
}

/// The number with this index in a header.
#[inline]
fn field(header: &[u8; HEADER], index: usize) -> Option<u32> {
    let start = 6 + index * 8;
    hexadecimal(u64::from_le_bytes(
        *header.get(start..start + 8)?.first_chunk()?,
    ))
}

/// Eight hexadecimal digits, the first in the lowest byte; all eight at once, for this is most of what seeding costs.
#[inline]
fn hexadecimal(text: u64) -> Option<u32> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Digits are 0x30–0x39, letters 0x41–0x46 and 0x61–0x66: bit 6 tells them apart.
    let letter = (text >> 6) & ONES;
    let low = text & (ONES * 0x0f);
    let value = low + letter * 9;
    let canonical = low + ONES * 0x30 + letter * 0x30;
    let is_canonical = (text | letter << 5) == canonical;
    let fits = value & (ONES * 0xf0) == 0;
    // A digit's value is below ten, and a letter's is not.
    let is_sorted = ((value + ONES * 6) >> 4) & ONES == letter;
    if !(is_canonical && fits && is_sorted) {
        return None;
    }
    let value = value.swap_bytes();
    let value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff;
    let value = (value | value >> 8) & 0x0000_ffff_0000_ffff;
    Some((value | value >> 16) as u32)
}

/// The file types that an entry can have.
pub(crate) const fn file_type(mode: u32) -> u32 {
    mode & linux::S_IFMT
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    #[test]
    fn hexadecimal_is_what_the_standard_library_says() {
        let parse = |text: &str| {
            hexadecimal(u64::from_le_bytes(
                *text.as_bytes().first_chunk().unwrap_or(&[0; 8]),
            ))
        };
        for value in [0, 1, 9, 10, 15, 0x1234_5678, 0x9abc_def0, u32::MAX] {
            assert_eq!(parse(&format!("{value:08x}")), Some(value));
            assert_eq!(parse(&format!("{value:08X}")), Some(value));
        }
        for position in 0..8 {
            for byte in 0..=127u8 {
                let mut text = *b"00000000";
                text[position] = byte;
                let text = String::from_utf8_lossy(&text);
                let expected = u32::from_str_radix(&text, 16)
                    .ok()
                    .filter(|_| !text.starts_with('+'));
                assert_eq!(parse(&text), expected, "{text:?}");
            }
            for byte in 128..=255u8 {
                let mut text = *b"00000000";
                text[position] = byte;
                assert_eq!(hexadecimal(u64::from_le_bytes(text)), None);
            }
        }
    }
}
