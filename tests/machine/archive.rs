//! cpio archives (`newc`, cpio(5)) made by hand, so that they can be made wrong.

/// An entry; every field can be wrong.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Six bytes.
    pub magic: [u8; 6],
    /// Without its NUL.
    pub name: Vec<u8>,
    /// As in stat(2).
    pub mode: u32,
    /// Contents.
    pub data: Vec<u8>,
}

impl Entry {
    /// A regular file.
    pub fn file(name: &str, mode: u32, data: &[u8]) -> Self {
        Self {
            magic: *b"070701",
            name: name.into(),
            mode: 0o100_000 | mode,
            data: data.into(),
        }
    }

    /// A directory.
    pub fn directory(name: &str) -> Self {
        Self {
            mode: 0o040_755,
            ..Self::file(name, 0, b"")
        }
    }

    /// The last entry.
    pub fn trailer() -> Self {
        Self {
            mode: 0,
            ..Self::file("TRAILER!!!", 0, b"")
        }
    }
}

/// The entries one after the other: no trailer unless it is one of them.
pub fn write(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        archive.extend_from_slice(&entry.magic);
        let (size, name_size) = (entry.data.len(), entry.name.len() + 1);
        for field in [
            index,
            entry.mode as usize,
            0,
            0,
            1,
            0,
            size,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ] {
            archive.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        archive.extend_from_slice(&entry.name);
        archive.push(0);
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend_from_slice(&entry.data);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }
    archive
}
