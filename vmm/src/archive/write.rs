//! Writing.

use super::index::{self, Position};
use super::{Entry, HEADER, MAGIC, NAME_LIMIT, PAGE, S_IFMT, S_IFREG, Source, TRAILER};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};

/// An archive of entries, which hold their contents, in their order, and a trailer, with an index in it where there can be one.
#[must_use]
pub fn write(entries: &[Entry<'_>]) -> Vec<u8> {
    let size: usize = entries
        .iter()
        .map(|entry| entry.data.len() + HEADER + entry.name.len() + 8)
        .sum();
    let mut archive = Vec::with_capacity(size + size / 2 + PAGE);
    match write_to(entries, &mut archive) {
        Ok(()) => archive,
        Err(error) => unreachable!("a vector takes everything: {error}"),
    }
}

/// Writes that archive into something.
///
/// # Errors
/// It cannot be written there.
pub fn write_to(entries: &[Entry<'_>], output: &mut impl Write) -> io::Result<()> {
    let mut links: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.link_group != 0) {
        links.entry(entry.link_group).or_default().0 += 1;
    }
    let mut archive = Archive { output, length: 0 };
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
        positions.push(archive.put_entry(entry, number, count)?);
    }
    let index_at = (archive.length + HEADER + TRAILER.len() + 1).next_multiple_of(4);
    let trailer = Entry {
        name: TRAILER.to_vec(),
        mode: 0,
        data: index::of(entries, &positions, index_at)
            .unwrap_or_default()
            .into(),
        ..Entry::directory(&[])
    };
    archive.put_entry(&trailer, 0, 1)?;
    Ok(())
}

/// An archive that is being written.
struct Archive<'a, W> {
    output: &'a mut W,
    /// Bytes of it so far.
    length: usize,
}

impl<W: Write> Archive<'_, W> {
    fn put_entry(&mut self, entry: &Entry<'_>, inode: u32, links: u32) -> io::Result<Position> {
        let name: &[u8] = if entry.name.is_empty() {
            b"."
        } else {
            &entry.name
        };
        let mut name_size = name.len() + 1;
        if entry.mode & S_IFMT == S_IFREG && entry.size() != 0 {
            let data_at = self.length + HEADER + name_size;
            let padded = name_size + (data_at.next_multiple_of(PAGE) - data_at);
            // A reader refuses longer names; a file that would need one starts off a page boundary.
            if padded <= NAME_LIMIT {
                name_size = padded;
            }
        }
        self.put(MAGIC)?;
        let size = u32::try_from(entry.size()).unwrap_or(u32::MAX);
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
            self.put(format!("{field:08X}").as_bytes())?;
        }
        let name_at = self.length;
        self.put(name)?;
        self.pad_to((name_at + name_size).next_multiple_of(4))?;
        let data_at = self.length;
        match &entry.source {
            None => self.put(&entry.data)?,
            Some(source) => self.put_file(source)?,
        }
        self.pad_to(self.length.next_multiple_of(4))?;
        Ok(Position {
            name: name_at,
            data: data_at,
        })
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.length += bytes.len();
        Ok(())
    }

    fn put_file(&mut self, source: &Source) -> io::Result<()> {
        let failed = |error: io::Error| {
            io::Error::other(format!("cannot read {}: {error}", source.path.display()))
        };
        let mut file = File::open(&source.path).map_err(failed)?.take(source.size);
        let copied = io::copy(&mut file, self.output)?;
        if copied < source.size {
            return Err(failed(io::Error::other("it has become shorter meanwhile")));
        }
        self.length += copied as usize;
        Ok(())
    }

    /// Puts NULs up to a place within a page from here.
    fn pad_to(&mut self, end: usize) -> io::Result<()> {
        const NULS: [u8; NAME_LIMIT + 4] = [0; NAME_LIMIT + 4];
        self.put(&NULS[..end - self.length])
    }
}
