//! cpio archives in the `newc` format: what the kernel takes as its first root file system.
//!
//! Format: cpio(5), "New ASCII Format", and Linux's `Documentation/driver-api/early-userspace/buffer-format.rst`.
//! The writer pads names with NULs so that the data of every regular file starts on a page: the kernel then maps
//! files where they lie. It leaves out times and owners, so that the same input gives the same bytes.
//!
//! The build script uses this module too.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

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
/// Symbolic link; its data is the target.
pub const S_IFLNK: u32 = 0o120_000;

/// One file, directory, link or node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Path from the root, without a slash at either end; empty for the root itself.
    pub name: Vec<u8>,
    /// File type and permissions, as in stat(2).
    pub mode: u32,
    /// Names with the same number and more than one link are one file; 0 where nothing is shared.
    pub link_group: u32,
    /// Device number of a device node: major and minor.
    pub device: (u32, u32),
    /// Contents, or target of a symbolic link.
    pub data: Cow<'a, [u8]>,
}

impl Entry<'_> {
    /// A directory with permissions 0755.
    #[must_use]
    pub fn directory(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            mode: S_IFDIR | 0o755,
            link_group: 0,
            device: (0, 0),
            data: Cow::Borrowed(&[]),
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

/// Reads and checks a whole archive, concatenated ones too.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(archive: &[u8]) -> Result<Vec<Entry<'_>>, Malformed> {
    recognise(archive)?;
    let mut entries = Vec::new();
    let mut kinds: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    let mut at = 0;
    let mut ended = false;
    let mut base_group = 0;
    let mut highest_group = 0;
    loop {
        if ended {
            // NULs may follow a trailer, and another archive them.
            at += archive[at..].iter().take_while(|&&byte| byte == 0).count();
            if at >= archive.len() {
                break;
            }
        }
        let Some(raw) = RawEntry::parse(archive, at)? else {
            return Err(Malformed::NoTrailer(archive.len()));
        };
        let next = raw.next;
        if raw.name == TRAILER {
            ended = true;
            base_group = highest_group;
            at = next.min(archive.len());
            continue;
        }
        ended = false;
        let mut entry = raw.into_entry()?;
        if entry.link_group != 0 {
            entry.link_group += base_group;
            highest_group = highest_group.max(entry.link_group);
        }
        check_place(&entry, &mut kinds)?;
        entries.push(entry);
        at = next;
    }
    Ok(entries)
}

/// Tells what else it may be that somebody took for a `newc` archive.
fn recognise(archive: &[u8]) -> Result<(), Malformed> {
    match archive {
        [] => Err(Malformed::Empty),
        [0x1f, 0x8b, ..] => Err(Malformed::Compressed("gzip", "gunzip")),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Err(Malformed::Compressed("xz", "unxz")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(Malformed::Compressed("zstd", "unzstd")),
        [b'B', b'Z', b'h', ..] => Err(Malformed::Compressed("bzip2", "bunzip2")),
        [0x02, 0x21, 0x4c, 0x18, ..] | [0x04, 0x22, 0x4d, 0x18, ..] => {
            Err(Malformed::Compressed("lz4", "unlz4"))
        }
        [0xc7, 0x71, ..] | [0x71, 0xc7, ..] => Err(Malformed::OtherFormat("old binary")),
        [b'0', b'7', b'0', b'7', b'0', b'7', ..] => Err(Malformed::OtherFormat("odc")),
        _ => Ok(()),
    }
}

/// An entry as it stands in the archive.
struct RawEntry<'a> {
    at: usize,
    inode: u32,
    mode: u32,
    links: u32,
    device: (u32, u32),
    name: &'a [u8],
    data: &'a [u8],
    next: usize,
}

impl<'a> RawEntry<'a> {
    /// `None` at the end of the archive.
    fn parse(archive: &'a [u8], at: usize) -> Result<Option<Self>, Malformed> {
        let rest = &archive[at.min(archive.len())..];
        if rest.is_empty() {
            return Ok(None);
        }
        let magic = &rest[..rest.len().min(MAGIC.len())];
        if magic != &MAGIC[..magic.len()] && magic != &MAGIC_CHECKSUM[..magic.len()] {
            return Err(Malformed::BadMagic(at));
        }
        let header = rest.get(..HEADER).ok_or(Malformed::CutShort(at))?;
        let mut fields = [0_u32; 13];
        for (field, digits) in fields.iter_mut().zip(header[MAGIC.len()..].chunks_exact(8)) {
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return Err(Malformed::BadHeader(at));
            }
            *field = std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                .ok_or(Malformed::BadHeader(at))?;
        }
        let [
            inode,
            mode,
            _,
            _,
            links,
            _,
            size,
            _,
            _,
            major,
            minor,
            name_size,
            _,
        ] = fields;
        let (size, name_size) = (size as usize, name_size as usize);
        let name_at = at + HEADER;
        if name_size > NAME_LIMIT {
            let shown = &archive[name_at..archive.len().min(name_at + 32)];
            return Err(Malformed::NameTooLong(shown_name(shown)));
        }
        let data_at = (name_at + name_size).next_multiple_of(4);
        let name = archive
            .get(name_at..name_at + name_size)
            .ok_or(Malformed::CutShort(at))?;
        let data = if size == 0 {
            &[]
        } else {
            archive
                .get(data_at..data_at + size)
                .ok_or(Malformed::CutShort(at))?
        };
        let end = name
            .iter()
            .position(|&byte| byte == 0)
            .ok_or(Malformed::BadName(at))?;
        Ok(Some(Self {
            at,
            inode,
            mode,
            links,
            device: (major, minor),
            name: &name[..end],
            data,
            next: (data_at + size).next_multiple_of(4),
        }))
    }

    fn into_entry(self) -> Result<Entry<'a>, Malformed> {
        let name = normal_name(self.name).map_err(|problem| match problem {
            Malformed::BadName(_) => Malformed::BadName(self.at),
            other => other,
        })?;
        let shared = self.links > 1 && self.mode & S_IFMT == S_IFREG;
        Ok(Entry {
            name,
            mode: self.mode,
            link_group: if shared {
                self.inode.wrapping_add(1).max(1)
            } else {
                0
            },
            device: self.device,
            data: self.data.into(),
        })
    }
}

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

fn check_place(entry: &Entry<'_>, kinds: &mut BTreeMap<Vec<u8>, bool>) -> Result<(), Malformed> {
    for (slash, _) in entry
        .name
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
    {
        if kinds.get(&entry.name[..slash]) == Some(&false) {
            return Err(Malformed::NotADirectory(shown_name(&entry.name)));
        }
    }
    match kinds.insert(entry.name.clone(), entry.is_directory()) {
        Some(_) if !entry.name.is_empty() => Err(Malformed::Duplicate(shown_name(&entry.name))),
        _ => Ok(()),
    }
}

/// A name as shown to people.
fn shown_name(name: &[u8]) -> String {
    format!("\"{}\"", name.escape_ascii())
}

/// Writes entries, in their order, and a trailer.
#[must_use]
pub fn write(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut links: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.link_group != 0) {
        links.entry(entry.link_group).or_default().0 += 1;
    }
    let size: usize = entries
        .iter()
        .map(|entry| entry.data.len() + HEADER + entry.name.len() + 8)
        .sum();
    let mut archive = Vec::with_capacity(size + size / 2 + PAGE);
    let mut inode = 0;
    for entry in entries {
        inode += 1;
        let (count, number) = match links.get_mut(&entry.link_group) {
            Some((count, number)) if *count > 1 => {
                if *number == 0 {
                    *number = inode;
                }
                (*count, *number)
            }
            _ => (1, inode),
        };
        write_entry(&mut archive, entry, number, count);
    }
    let trailer = Entry {
        name: TRAILER.to_vec(),
        mode: 0,
        link_group: 0,
        device: (0, 0),
        data: Cow::Borrowed(&[]),
    };
    write_entry(&mut archive, &trailer, 0, 1);
    archive
}

fn write_entry(archive: &mut Vec<u8>, entry: &Entry<'_>, inode: u32, links: u32) {
    let name: &[u8] = if entry.name.is_empty() {
        b"."
    } else {
        &entry.name
    };
    let mut name_size = name.len() + 1;
    if entry.mode & S_IFMT == S_IFREG && !entry.data.is_empty() {
        let data_at = archive.len() + HEADER + name_size;
        let padded = name_size + (data_at.next_multiple_of(PAGE) - data_at);
        // A reader refuses longer names; a file that would need one starts off a page boundary.
        if padded <= NAME_LIMIT {
            name_size = padded;
        }
    }
    archive.extend_from_slice(MAGIC);
    let size = u32::try_from(entry.data.len()).unwrap_or(u32::MAX);
    let fields = [
        inode,
        entry.mode,
        0,
        0,
        links,
        0,
        size,
        0,
        0,
        entry.device.0,
        entry.device.1,
        u32::try_from(name_size).unwrap_or(u32::MAX),
        0,
    ];
    for field in fields {
        archive.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    archive.extend_from_slice(name);
    archive.resize(archive.len() + name_size - name.len(), 0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend_from_slice(&entry.data);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, data: &'static [u8]) -> Entry<'static> {
        Entry {
            mode: S_IFREG | 0o644,
            data: data.into(),
            ..Entry::directory(name.as_bytes())
        }
    }

    fn archive_of(entries: &[Entry<'_>]) -> Vec<u8> {
        write(entries)
    }

    #[test]
    fn what_is_written_is_read() {
        let entries = [
            Entry::directory(b""),
            Entry::directory(b"d"),
            file("d/empty", b""),
            file("d/a", b"abc"),
            Entry {
                mode: S_IFLNK | 0o777,
                ..file("link", b"d/a")
            },
            Entry {
                device: (1, 3),
                mode: 0o020_666,
                ..Entry::directory(b"null")
            },
        ];
        assert_eq!(read(&archive_of(&entries)).as_deref(), Ok(&entries[..]));
    }

    #[test]
    fn data_of_files_starts_on_a_page() {
        let names: Vec<String> = (0..40)
            .map(|n| format!("name{}", "x".repeat(n * 5)))
            .collect();
        let entries: Vec<Entry> = names.iter().map(|name| file(name, &[7; 5000])).collect();
        let archive = archive_of(&entries);
        let aligned = read(&archive)
            .expect("sound")
            .iter()
            .filter(|entry| {
                (entry.data.as_ptr() as usize - archive.as_ptr() as usize).is_multiple_of(PAGE)
            })
            .count();
        // A name padded beyond the limit is left as it is; that is rare.
        assert!(aligned >= entries.len() - 1, "{aligned}");
    }

    #[test]
    fn hard_links_stay_together() {
        let linked = |name, data| Entry {
            link_group: 5,
            ..file(name, data)
        };
        let archive = archive_of(&[linked("a", b"x"), file("b", b""), linked("c", b"")]);
        let groups: Vec<u32> = read(&archive)
            .expect("sound")
            .iter()
            .map(|entry| entry.link_group)
            .collect();
        assert!(
            groups[0] != 0 && groups[0] == groups[2] && groups[1] == 0,
            "{groups:?}"
        );
    }

    #[test]
    fn archives_one_after_another_are_one() {
        let mut archive = archive_of(&[file("a", b"1")]);
        archive.extend([0; 512]);
        archive.extend(archive_of(&[file("b", b"2")]));
        assert_eq!(read(&archive).map(|entries| entries.len()), Ok(2));
    }

    #[test]
    fn every_cut_is_noticed() {
        let archive = archive_of(&[Entry::directory(b"d"), file("d/a", b"data")]);
        // The trailer's own padding may go.
        for length in 0..archive.len() - 4 {
            assert!(read(&archive[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn damage_is_named() {
        let one = |name: &str| archive_of(&[file(name, b"")]);
        let dots = String::from("\"a/../b\"");
        let long = "n".repeat(COMPONENT_LIMIT + 1);
        let mut bad_digit = one("a");
        bad_digit[20] = b'x';
        let mut bad_magic = archive_of(&[file("a", b""), file("b", b"")]);
        let second = bad_magic
            .windows(6)
            .rposition(|window| window == MAGIC)
            .expect("there");
        bad_magic[second] = b'1';
        for (archive, problem) in [
            (vec![], Malformed::Empty),
            (
                vec![0x1f, 0x8b, 8, 0],
                Malformed::Compressed("gzip", "gunzip"),
            ),
            (b"070707000".to_vec(), Malformed::OtherFormat("odc")),
            (b"hello".to_vec(), Malformed::BadMagic(0)),
            (bad_magic, Malformed::BadMagic(second)),
            (bad_digit, Malformed::BadHeader(0)),
            (one("a/../b"), Malformed::NotInside(dots)),
            (
                one(&long),
                Malformed::NameTooLong(format!("\"{}\"", "n".repeat(32))),
            ),
            (
                archive_of(&[file("a", b""), file("./a", b"")]),
                Malformed::Duplicate("\"a\"".to_owned()),
            ),
            (
                archive_of(&[file("a", b""), file("a/b", b"")]),
                Malformed::NotADirectory("\"a/b\"".to_owned()),
            ),
        ] {
            assert_eq!(read(&archive), Err(problem));
        }
        let deep = ["d"; 2100].join("/");
        assert!(matches!(
            normal_name(deep.as_bytes()),
            Err(Malformed::NameTooLong(_))
        ));
    }

    /// Any bytes give an answer.
    #[test]
    fn random_damage_never_panics() {
        let archive = archive_of(&[
            Entry::directory(b"d"),
            file("d/a", b"data"),
            file("b", &[1; 200]),
        ]);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            let mut damaged = archive.clone();
            for _ in 0..3 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = state as usize % damaged.len();
                damaged[at] = (state >> 32) as u8;
            }
            let _ = read(&damaged);
        }
    }
}
