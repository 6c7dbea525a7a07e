//! cpio archives in the `newc` format: what the kernel takes as its first root file system.
//!
//! Format: cpio(5), "New ASCII Format", and Linux's `Documentation/driver-api/early-userspace/buffer-format.rst`.
//! The writer pads names with NULs so that the data of every regular file starts on a page: the kernel then maps
//! files where they lie. It leaves out owners: in the guest everything is root's. The trailer carries an index, with which
//! the kernel need not read the archive.
//!
//! The build script uses this module too.

mod index;
mod read;
mod system;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

pub use read::read;
pub use system::system_entries;
pub use write::{write, write_to};

/// Length of an entry's header in bytes.
const HEADER: usize = 110;
/// First bytes of a header.
const MAGIC: &[u8; 6] = b"070701";
/// First bytes of a header in the variant with checksums.
const MAGIC_CHECKSUM: &[u8; 6] = b"070702";
/// Name of the last entry.
const TRAILER: &[u8] = b"TRAILER!!!";
/// Longest name with its NULs, PATH_MAX of Linux.
pub const NAME_LIMIT: usize = 4096;
/// Longest component of a name, NAME_MAX of Linux.
pub const COMPONENT_LIMIT: usize = 255;
/// Alignment of file data in archives written here.
const PAGE: usize = 4096;

/// Mask of the file type in a mode.
pub const S_IFMT: u32 = 0o170_000;
/// Directory.
pub const S_IFDIR: u32 = 0o040_000;
/// Regular file.
pub const S_IFREG: u32 = 0o100_000;
/// FIFO.
pub const S_IFIFO: u32 = 0o010_000;
/// Character device.
pub const S_IFCHR: u32 = 0o020_000;
/// Block device.
pub const S_IFBLK: u32 = 0o060_000;
/// Symbolic link; its data is the target.
pub const S_IFLNK: u32 = 0o120_000;

/// One file, directory, link or node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Path from the root, without a slash at either end; empty for the root itself.
    pub name: Vec<u8>,
    /// File type and permissions, as in stat(2).
    pub mode: u32,
    /// When it was last changed, in seconds since 1970.
    pub modified: u32,
    /// Names with the same number and more than one link are one file; 0 where nothing is shared.
    pub link_group: u32,
    /// Device number of a device node: major and minor.
    pub device: (u32, u32),
    /// Contents, or target of a symbolic link.
    pub data: Cow<'a, [u8]>,
    /// A file of the host that has the contents, where they are only read when the archive is written: `data` is empty.
    pub source: Option<Source>,
}

/// A file of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// So many bytes of it are taken.
    pub size: u64,
}

impl Entry<'_> {
    /// A directory with permissions 0755.
    #[must_use]
    pub fn directory(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            mode: S_IFDIR | 0o755,
            modified: 0,
            link_group: 0,
            device: (0, 0),
            data: Cow::Borrowed(&[]),
            source: None,
        }
    }

    /// Bytes of the contents.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.source {
            None => self.data.len() as u64,
            Some(source) => source.size,
        }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.mode & S_IFMT == S_IFDIR
    }
}

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing in it.
    Empty,
    /// Compressed; the name of the format and of the tool that undoes it.
    Compressed(&'static str, &'static str),
    /// Another cpio format.
    OtherFormat(&'static str),
    /// No header where one must be: offset.
    BadMagic(usize),
    /// A header with something else than hexadecimal digits: offset.
    BadHeader(usize),
    /// Ends within the entry at this offset.
    CutShort(usize),
    /// Ends without a trailer: offset.
    NoTrailer(usize),
    /// A name of no bytes or without its NUL: offset.
    BadName(usize),
    /// A name over the limit: its beginning.
    NameTooLong(String),
    /// A name that leads out of the root, or holds `.` or `..` on its way.
    NotInside(String),
    /// Two entries of one name.
    Duplicate(String),
    /// An entry below something that is not a directory.
    NotADirectory(String),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty"),
            Self::Compressed(format, tool) => {
                write!(f, "it is {format}-compressed; decompress it first ({tool})")
            }
            Self::OtherFormat(format) => write!(
                f,
                "it is a cpio archive in the {format} format; make it with `cpio -o -H newc`"
            ),
            Self::BadMagic(at) => write!(
                f,
                "bad magic at byte {at}: no cpio `newc` header (070701) there"
            ),
            Self::BadHeader(at) => write!(f, "the header at byte {at} is damaged"),
            Self::CutShort(at) => write!(f, "it is cut short: the entry at byte {at} has no end"),
            Self::NoTrailer(at) => {
                write!(
                    f,
                    "it is cut short: no TRAILER!!! entry by its end at byte {at}"
                )
            }
            Self::BadName(at) => write!(f, "the entry at byte {at} has no proper name"),
            Self::NameTooLong(name) => write!(
                f,
                "the name {name}… is over the limit of {} bytes a path, {COMPONENT_LIMIT} a component",
                NAME_LIMIT - 1
            ),
            Self::NotInside(name) => write!(f, "the name {name} holds a `.` or `..` component"),
            Self::Duplicate(name) => write!(f, "two entries have the name {name}"),
            Self::NotADirectory(name) => {
                write!(
                    f,
                    "the entry {name} lies below something that is not a directory"
                )
            }
        }
    }
}

impl std::error::Error for Malformed {}

/// The name as cowbell keeps it: no slash at either end, no `./` in front, no empty components.
///
/// # Errors
/// `.` or `..` within it, too long, or no name at all.
pub fn normal_name(name: &[u8]) -> Result<Vec<u8>, Malformed> {
    if name.is_empty() {
        return Err(Malformed::BadName(0));
    }
    let mut normal: Vec<u8> = Vec::with_capacity(name.len());
    for (index, component) in name
        .split(|&byte| byte == b'/')
        .filter(|component| !component.is_empty())
        .enumerate()
    {
        match component {
            // `find . | cpio` starts names so.
            b"." if index == 0 => continue,
            b"." | b".." => return Err(Malformed::NotInside(shown_name(name))),
            _ if component.len() > COMPONENT_LIMIT => {
                return Err(Malformed::NameTooLong(shown_name(&component[..32])));
            }
            _ => {}
        }
        if !normal.is_empty() {
            normal.push(b'/');
        }
        normal.extend_from_slice(component);
    }
    if normal.len() >= NAME_LIMIT {
        return Err(Malformed::NameTooLong(shown_name(&normal[..32])));
    }
    Ok(normal)
}

/// A name as shown to people.
fn shown_name(name: &[u8]) -> String {
    format!("\"{}\"", name.escape_ascii())
}
