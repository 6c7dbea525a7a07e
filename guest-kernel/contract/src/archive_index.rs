//! The index of an archive: what a kernel would find out by reading all of it, found out by who wrote it.
//!
//! It is the data of the archive's last entry, the trailer, which every reader of cpio passes over; so an archive with
//! an index is an archive like any other. A kernel that finds the footer at the very end, with the archive's own length in
//! it, need not look at an entry before somebody asks for that file. Where there is none (an archive made elsewhere, cut,
//! changed, or with another one behind it) it reads the archive.
//!
//! ```text
//!  … · trailer's header and name · records · chains · footer        words of 32 bits, the lowest byte first
//!
//!  records   one for each name, by number: the root is 0, and what lies in one directory stands together, in the order
//!            of the archive. A name's place in its directory counts from the first of these.
//!  chains    for each directory that is not empty a table of as many chains as it has entries, rounded up to a power of
//!            two: the place of the first name whose hash is that chain's, modulo their number, or NONE
//! ```

/// Words of a record.
const WORDS: usize = 13;
/// Bytes of a record.
pub const RECORD_SIZE: usize = WORDS * 4;
/// Bytes of the footer.
pub const FOOTER_SIZE: usize = 32;
/// First bytes of the footer.
const MAGIC: [u8; 8] = *b"cowbidx1";
/// No such place or record.
pub const NONE: u32 = u32::MAX;

/// Most records of an index.
pub const RECORD_LIMIT: usize = 1 << 16;
/// Most names in one directory.
pub const NAMES_LIMIT: usize = 1 << 14;

/// The words of a record. Where one means nothing it is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// File type and permissions, as in stat(2).
    Mode,
    /// When it was last changed, in seconds since 1970.
    Modified,
    /// Where the name lies in the archive, without the directories before it.
    NameAt,
    /// Its length.
    NameLength,
    /// The name's [`hash`].
    Hash,
    /// The next place in the name's chain, or [`NONE`].
    Next,
    /// The record of the directory that it is in.
    Parent,
    /// The record that stands for the file: another one, where this is a further name of it.
    Inode,
    /// How many names the file has.
    Links,
    /// Regular file, symbolic link: where the data lie in the archive. Directory: its first record. Device: major number.
    Start,
    /// Regular file, symbolic link: bytes of data. Directory: names in it. Device: minor number.
    Length,
    /// Directory: where its chains begin.
    Chains,
    /// Directory: how many directories are in it.
    Subdirectories,
}

/// A name of the index, as it lies in the archive.
pub type Record = [u8; RECORD_SIZE];

/// A word of a record.
#[inline]
#[must_use]
pub fn get(record: &Record, word: Word) -> u32 {
    let (words, _) = record.as_chunks::<4>();
    u32::from_le_bytes(words[word as usize])
}

/// Sets a word of a record.
pub fn set(record: &mut Record, word: Word, value: u32) {
    let (words, _) = record.as_chunks_mut::<4>();
    words[word as usize] = value.to_le_bytes();
}

/// What stands at the end of an archive with an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Footer {
    /// Bytes of the archive, with all of the index.
    pub length: u64,
    /// Records of the index.
    pub records: u32,
    /// Words of its chains.
    pub chains: u32,
    /// Files: names, less those that are further names of one.
    pub files: u32,
    /// The record of `/proc`, where all of [`crate::system_files`] is in the archive, else [`NONE`].
    pub proc: u32,
}

impl Footer {
    /// Bytes of records and chains.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.records as u64 * RECORD_SIZE as u64 + self.chains as u64 * 4
    }

    /// As it lies in the archive.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FOOTER_SIZE] {
        let mut bytes = [0; FOOTER_SIZE];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.length.to_le_bytes());
        for (place, value) in [self.records, self.chains, self.files, self.proc]
            .into_iter()
            .enumerate()
        {
            let at = 16 + place * 4;
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The footer of an archive, if it has one that is of this archive.
    #[must_use]
    pub fn of(archive: &[u8]) -> Option<Self> {
        let bytes = archive.last_chunk::<FOOTER_SIZE>()?;
        let (words, _) = bytes.as_chunks::<4>();
        let word = |at: usize| u32::from_le_bytes(words[at]);
        let footer = Self {
            length: u64::from(word(2)) | u64::from(word(3)) << 32,
            records: word(4),
            chains: word(5),
            files: word(6),
            proc: word(7),
        };
        let is_of_it = bytes.starts_with(&MAGIC) && footer.length == archive.len() as u64;
        is_of_it.then_some(footer)
    }
}

/// Fewer than eight bytes as the lower ones of a word, the others zero.
#[inline]
#[must_use]
pub fn tail(bytes: &[u8]) -> u64 {
    // Two loads that overlap: where both have a byte, it is the same one.
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let shift = 8 * (bytes.len() as u32 - 4);
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift
        }
        _ => match *bytes {
            [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
            [a, b] => u64::from(a) | u64::from(b) << 8,
            [a] => u64::from(a),
            _ => 0,
        },
    }
}

/// A hash of a name: each byte changes it, and so does the length.
#[inline]
#[must_use]
pub fn hash(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64;
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
        hash ^= hash >> 32;
    }
    hash = (hash ^ tail(rest)).wrapping_mul(FACTOR);
    // A product's upper bits depend on all of the factor's: they come lowest, where a table looks.
    hash.rotate_left(24) as u32
}
