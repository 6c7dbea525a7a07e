//! Writing.

use super::index::{self, Position};
use super::{Entry, HEADER, MAGIC, NAME_LIMIT, PAGE, S_IFMT, S_IFREG, TRAILER};
use std::collections::BTreeMap;

/// Writes entries, in their order, and a trailer, with an index in it where there can be one.
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
    let mut positions = Vec::with_capacity(entries.len());
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
        positions.push(write_entry(&mut archive, entry, number, count));
    }
    let index_at = (archive.len() + HEADER + TRAILER.len() + 1).next_multiple_of(4);
    let trailer = Entry {
        name: TRAILER.to_vec(),
        mode: 0,
        data: index::of(entries, &positions, index_at)
            .unwrap_or_default()
            .into(),
        ..Entry::directory(&[])
    };
    write_entry(&mut archive, &trailer, 0, 1);
    archive
}

fn write_entry(archive: &mut Vec<u8>, entry: &Entry<'_>, inode: u32, links: u32) -> Position {
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
        entry.modified,
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
    let name_at = archive.len();
    archive.extend_from_slice(name);
    archive.resize(archive.len() + name_size - name.len(), 0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    let data_at = archive.len();
    archive.extend_from_slice(&entry.data);
    archive.resize(archive.len().next_multiple_of(4), 0);
    Position {
        name: name_at,
        data: data_at,
    }
}
