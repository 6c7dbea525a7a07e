//! Reading: everything is checked, for the archive may come from anywhere.

use super::{
    Entry, HEADER, MAGIC, MAGIC_CHECKSUM, Malformed, NAME_LIMIT, S_IFMT, S_IFREG, TRAILER,
    normal_name, shown_name,
};
use std::collections::BTreeMap;

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
    modified: u32,
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
            modified,
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
            modified,
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
            modified: self.modified,
            link_group: if shared {
                self.inode.wrapping_add(1).max(1)
            } else {
                0
            },
            device: self.device,
            data: self.data.into(),
            source: None,
        })
    }
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
