//! The format of the archive: cpio "newc" (cpio(5)), uncompressed, whole in memory.
//!
//! Own, because the readers in the field either stop silently where an archive is broken, or read through a stream and
//! copy; and because without an index this runs at every boot, on hosts where an instruction of the kernel costs half a
//! microsecond. An entry costs some two hundred instructions and no byte of its data is touched.
//!
//! ```text
//!   header  6 magic, 13 numbers of 8 hexadecimal digits
//!   name    NUL-terminated, in as many bytes as the header says; more NULs may follow it
//!   pad to a multiple of 4 · data · pad to a multiple of 4 · … · an entry named TRAILER!!!
//! ```
//! After the trailer may come NULs and another archive. The checksum of the variant with magic 070702 is not looked at.
use crate::words;
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
    Compressed(Compression),
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

/// How a file is compressed, by the name of the program that undoes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Compression {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Lzma,
    Lz4,
}

impl Compression {
    /// The program's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "lzma",
            Self::Lz4 => "lz4",
        }
    }
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            ArchiveFault::Compressed(format) => {
                let format = format.name();
                write!(f, "the initramfs is compressed ({format}): unpack it first")?;
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
    pub(crate) name: &'static [u8],
    pub(crate) data: &'static [u8],
    header: &'static [u8; HEADER],
}

/// The fields of a header, by index.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Inode = 0,
    Mode = 1,
    User = 2,
    Group = 3,
    Links = 4,
    /// Seconds since 1970.
    Modified = 5,
    DataSize = 6,
    /// Of the device that the file is on.
    Major = 7,
    Minor = 8,
    /// Of the device that the file is.
    DeviceMajor = 9,
    DeviceMinor = 10,
    NameSize = 11,
}

impl Entry {
    #[inline]
    pub(crate) fn number(&self, field: Field) -> Result<u32, ArchiveFault> {
        number(self.header, field)
    }

    /// Whether it has more names than this one. Nearly none has: the number is read only where it is not plainly one.
    #[inline]
    pub(crate) fn has_more_names(&self) -> Result<bool, ArchiveFault> {
        if text(self.header, Field::Links) == u64::from_le_bytes(*b"00000001") {
            return Ok(false);
        }
        Ok(self.number(Field::Links)? > 1)
    }

    /// What tells hard links to one file: inode and device.
    pub(crate) fn identity(&self) -> Result<[u32; 3], ArchiveFault> {
        Ok([
            self.number(Field::Inode)?,
            self.number(Field::Major)?,
            self.number(Field::Minor)?,
        ])
    }
}

/// Reads entries one by one.
#[derive(Debug)]
pub(crate) struct Archive {
    bytes: &'static [u8],
    at: usize,
    /// Where the entry that was read last begins, and its name, as far as it could be read.
    offset: usize,
    name: &'static [u8],
    /// Which of the concatenated archives this is, from 1 on.
    pub(crate) ordinal: u16,
}

/// What comes after a trailer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    Archive,
    Nothing,
}

impl Archive {
    pub(crate) const fn new(bytes: &'static [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            offset: 0,
            name: &[],
            ordinal: 1,
        }
    }

    /// A fault of the entry that was read last.
    #[cold]
    pub(crate) fn error(&self, fault: ArchiveFault) -> ArchiveError {
        ArchiveError {
            offset: self.offset,
            name: self.name,
            fault,
        }
    }

    /// The next entry; `None` for the trailer.
    #[inline]
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveFault> {
        (self.offset, self.name) = (self.at, &[]);
        let rest = &self.bytes[self.at..];
        let Some(header) = rest.first_chunk::<HEADER>() else {
            return Err(wrong_magic(rest).unwrap_or(ArchiveFault::CutShort));
        };
        if !header.starts_with(b"070701") && !header.starts_with(b"070702") {
            return Err(wrong_magic(rest).unwrap_or(ArchiveFault::NotAnArchive));
        }
        let name_size = number(header, Field::NameSize)? as usize;
        let data_size = number(header, Field::DataSize)? as usize;
        let name_end = HEADER + name_size;
        let data_start = name_end.next_multiple_of(4);
        let data_end = data_start + data_size;
        let padded_name = rest.get(HEADER..name_end).ok_or(ArchiveFault::CutShort)?;
        let name = match words::find(padded_name, 0) {
            Some(length) if length < NAME_LIMIT => &padded_name[..length],
            None if padded_name.len() < NAME_LIMIT => return Err(ArchiveFault::BadName),
            _ => {
                self.name = &padded_name[..64];
                return Err(ArchiveFault::NameTooLong);
            }
        };
        self.name = name;
        let data = rest
            .get(data_start..data_end)
            .ok_or(ArchiveFault::CutShort)?;
        // The last entry's padding may be missing at the very end.
        self.at = (self.offset + data_end)
            .next_multiple_of(4)
            .min(self.bytes.len());
        Ok((name != TRAILER).then_some(Entry { name, data, header }))
    }

    /// After a trailer: skips the NULs, and says whether another archive follows.
    pub(crate) fn next_archive(&mut self) -> Next {
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
            Next::Nothing
        } else {
            Next::Archive
        }
    }
}

/// What a start that is not newc's says, if it says something.
fn wrong_magic(bytes: &[u8]) -> Option<ArchiveFault> {
    const COMPRESSED: [(&[u8], Compression); 6] = [
        (b"\x1f\x8b", Compression::Gzip),
        (b"\x28\xb5\x2f\xfd", Compression::Zstd),
        (b"\xfd7zXZ\0", Compression::Xz),
        (b"BZh", Compression::Bzip2),
        (b"\x5d\0\0", Compression::Lzma),
        (b"\x02\x21\x4c\x18", Compression::Lz4),
    ];
    if let Some((_, format)) = COMPRESSED
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
    {
        return Some(ArchiveFault::Compressed(*format));
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

/// A number of a header.
#[inline]
fn number(header: &[u8; HEADER], field: Field) -> Result<u32, ArchiveFault> {
    let text = text(header, field);
    if text == u64::from_le_bytes(*b"00000000") {
        return Ok(0);
    }
    hexadecimal(text).ok_or(ArchiveFault::BadNumber)
}

/// Its eight digits, the first in the lowest byte.
#[inline]
fn text(header: &[u8; HEADER], field: Field) -> u64 {
    let start = 6 + field as usize * 8;
    match header.get(start..).and_then(<[u8]>::first_chunk) {
        Some(text) => u64::from_le_bytes(*text),
        None => 0,
    }
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
