//! An archive maker.
/// An entry of an archive to be made.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub name: &'a str,
    pub mode: u32,
    pub data: &'a [u8],
    pub inode: u32,
    pub links: u32,
    pub device: (u32, u32),
}

pub const fn file<'a>(name: &'a str, data: &'a [u8]) -> Entry<'a> {
    Entry {
        name,
        mode: 0o100_755,
        data,
        inode: 0,
        links: 1,
        device: (0, 0),
    }
}

pub const fn directory(name: &str) -> Entry<'_> {
    Entry {
        mode: 0o040_755,
        links: 2,
        ..file(name, b"")
    }
}

pub const fn symlink<'a>(name: &'a str, target: &'a str) -> Entry<'a> {
    Entry {
        mode: 0o120_777,
        ..file(name, target.as_bytes())
    }
}

/// A newc archive with its trailer.
pub fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries.iter().chain(&[file("TRAILER!!!", b"")]) {
        put_entry(&mut bytes, entry, entry.name.len() + 1);
    }
    bytes
}

/// Adds one entry whose name takes `name_size` bytes, NULs included.
pub fn put_entry(bytes: &mut Vec<u8>, entry: &Entry<'_>, name_size: usize) {
    let fields = [
        entry.inode,
        entry.mode,
        1000,
        100,
        entry.links,
        1_700_000_000,
        entry.data.len() as u32,
        8,
        1,
        entry.device.0,
        entry.device.1,
        name_size as u32,
        0,
    ];
    bytes.extend(b"070701");
    for field in fields {
        bytes.extend(format!("{field:08X}").bytes());
    }
    let name_end = bytes.len() + name_size;
    bytes.extend(entry.name.bytes());
    bytes.resize(name_end.next_multiple_of(4), 0);
    bytes.extend(entry.data);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}
