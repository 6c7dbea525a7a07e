//! A root under construction: entries by name, from an archive and from the host.

use super::{NAME, split};
use crate::archive::{self, Entry, S_IFDIR, S_IFLNK, S_IFMT, Source};
use crate::messages::say;
use crate::sealed_file::SealedFile;
use crate::whole_file;
use anyhow::{Context, Result, bail, ensure};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Symbolic links followed at most on the way to a name.
pub const LINK_LIMIT: usize = 40;

/// Files of so many bytes are only read when they go into the archive, and never held in memory. Some small ones have
/// fewer bytes than they say, or more: those below `/proc` and `/sys`.
const LARGE: u64 = 64 << 10;

/// A root under construction. Sorted by name, a directory comes before what is in it.
#[derive(Default)]
pub struct Root<'a> {
    /// By name.
    pub entries: BTreeMap<Vec<u8>, Entry<'a>>,
    /// Files of the host that have several names, by device and inode.
    links: HashMap<(u64, u64), u32>,
    groups: u32,
    /// Bytes of files that may still be read from the host: what does not fit into the machine is not read.
    pub room: u64,
}

impl<'a> Root<'a> {
    /// An empty one, for at most so many bytes of files.
    #[must_use]
    pub fn with_room(room: u64) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// What an archive holds.
    ///
    /// # Errors
    /// It is malformed.
    pub fn of_archive(archive: &'a [u8]) -> Result<Self> {
        let mut root = Self::default();
        for entry in archive::read(archive).context("cannot use the initramfs")? {
            root.groups = root.groups.max(entry.link_group);
            root.entries.insert(entry.name.clone(), entry);
        }
        // Only one name of a file carries its data, and that one may be replaced: give it to all.
        let data: HashMap<u32, Cow<'a, [u8]>> = root
            .entries
            .values()
            .filter(|entry| entry.link_group != 0 && !entry.data.is_empty())
            .map(|entry| (entry.link_group, entry.data.clone()))
            .collect();
        for entry in root.entries.values_mut() {
            if let Some(data) = data.get(&entry.link_group) {
                entry.data = data.clone();
            }
        }
        Ok(root)
    }

    /// As an archive.
    ///
    /// # Errors
    /// An archive cannot hold it; the host has no memory for it.
    pub fn into_archive(mut self) -> Result<SealedFile> {
        self.add_system_files();
        let mut entries: Vec<Entry> = self.entries.into_values().collect();
        let mut seen = vec![false; self.groups as usize + 1];
        for entry in entries.iter_mut().filter(|entry| entry.link_group != 0) {
            if std::mem::replace(&mut seen[entry.link_group as usize], true) {
                entry.data = Cow::Borrowed(&[]);
                entry.source = None;
            }
        }
        if let Some(large) = entries
            .iter()
            .find(|entry| u32::try_from(entry.size()).is_err())
        {
            bail!(
                "/{} is over 4 GiB, the most a cpio archive can hold",
                large.name.escape_ascii()
            );
        }
        let archive = SealedFile::new(NAME, |file| {
            let mut output = BufWriter::new(file);
            archive::write_to(&entries, &mut output)
                .and_then(|()| output.flush())
                .context("cannot put the initramfs together")
        })?;
        drop(entries);
        archive::read(&archive)?;
        Ok(archive)
    }

    /// Adds what every system has where it is not there: the kernel would otherwise do so, at each start.
    pub fn add_system_files(&mut self) {
        for entry in archive::system_entries() {
            let above = entry.name.iter().rposition(|byte| *byte == b'/');
            let has_place = above.is_none_or(|slash| {
                let above = self.entries.get(&entry.name[..slash]);
                above.is_some_and(Entry::is_directory)
            });
            if has_place {
                self.entries.entry(entry.name.clone()).or_insert(entry);
            }
        }
    }

    /// Adds what `HOST[:GUEST]` names.
    pub fn add(&mut self, argument: &OsStr) -> Result<()> {
        let (host, guest) = split(argument);
        ensure!(
            !host.as_os_str().is_empty(),
            "it names nothing of the host: write HOST:GUEST"
        );
        let metadata =
            fs::metadata(&host).with_context(|| format!("cannot read {}", host.display()))?;
        let own_name = || -> Result<Vec<u8>> {
            let full = host
                .canonicalize()
                .with_context(|| format!("cannot read {}", host.display()))?;
            // The name as given; `.` and `..` have none, so take the directory's own.
            let name = host
                .file_name()
                .or(full.file_name())
                .context("it has no name: add `:/GUEST`")?;
            Ok(name.as_bytes().to_vec())
        };
        let guest = match guest {
            None => own_name()?,
            Some(guest) => {
                let inside = guest.ends_with(b"/") && guest != b"/";
                let mut name = archive::normal_name(guest)?;
                let is_directory =
                    self.entries.get(&name).is_some_and(Entry::is_directory) || name.is_empty();
                if (inside || is_directory) && !metadata.is_dir() {
                    if !name.is_empty() {
                        name.push(b'/');
                    }
                    name.extend(own_name()?);
                }
                name
            }
        };
        let guest = self.resolve_parent(&guest)?;
        if metadata.is_dir() {
            self.add_tree(&host, &guest)
        } else {
            self.add_file(&host, guest, &metadata)
        }
    }

    /// Adds a directory with all that is in it.
    pub fn add_tree(&mut self, host: &Path, guest: &[u8]) -> Result<()> {
        let metadata =
            fs::metadata(host).with_context(|| format!("cannot read {}", host.display()))?;
        ensure!(metadata.is_dir(), "{} is not a directory", host.display());
        self.insert(Entry {
            mode: S_IFDIR | metadata.mode() & 0o7777,
            modified: modified(&metadata),
            ..Entry::directory(guest)
        })?;
        let listing =
            fs::read_dir(host).with_context(|| format!("cannot read {}", host.display()))?;
        for item in listing {
            let item = item.with_context(|| format!("cannot read {}", host.display()))?;
            let path = item.path();
            let metadata = fs::symlink_metadata(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let mut name = guest.to_vec();
            if !name.is_empty() {
                name.push(b'/');
            }
            name.extend_from_slice(item.file_name().as_bytes());
            if metadata.is_dir() {
                self.add_tree(&path, &name)?;
            } else {
                self.add_file(&path, name, &metadata)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, host: &Path, guest: Vec<u8>, metadata: &Metadata) -> Result<()> {
        let kind = metadata.file_type();
        let failed = || format!("cannot read {}", host.display());
        let mut source = None;
        let data: Vec<u8> = if kind.is_file() && metadata.len() >= LARGE {
            File::open(host).with_context(failed)?;
            whole_file::check(metadata.len(), self.room).with_context(failed)?;
            self.room -= metadata.len();
            source = Some(Source {
                path: host.to_owned(),
                size: metadata.len(),
            });
            Vec::new()
        } else if kind.is_file() {
            let data = whole_file::read(host, self.room).with_context(failed)?;
            self.room -= data.len() as u64;
            data
        } else if kind.is_symlink() {
            fs::read_link(host)
                .with_context(failed)?
                .as_os_str()
                .as_bytes()
                .to_vec()
        } else if kind.is_socket() {
            say(&format!(
                "left out {}: a socket means nothing without the process that listens",
                host.display()
            ));
            return Ok(());
        } else {
            Vec::new()
        };
        let is_node = kind.is_char_device() || kind.is_block_device();
        let link_group = if kind.is_file() && metadata.nlink() > 1 {
            let groups = &mut self.groups;
            *self
                .links
                .entry((metadata.dev(), metadata.ino()))
                .or_insert_with(|| {
                    *groups += 1;
                    *groups
                })
        } else {
            0
        };
        self.insert(Entry {
            name: guest,
            mode: metadata.mode(),
            modified: modified(metadata),
            link_group,
            device: if is_node {
                (libc::major(metadata.rdev()), libc::minor(metadata.rdev()))
            } else {
                (0, 0)
            },
            data: data.into(),
            source,
        })
    }

    /// Puts an entry in, and the directories above it where there are none.
    pub fn insert(&mut self, entry: Entry<'a>) -> Result<()> {
        archive::normal_name(if entry.name.is_empty() {
            b"/"
        } else {
            &entry.name
        })?;
        for (slash, _) in entry
            .name
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
        {
            let above = &entry.name[..slash];
            let there = self
                .entries
                .entry(above.to_vec())
                .or_insert_with(|| Entry::directory(above));
            ensure!(
                there.is_directory(),
                "/{} is not a directory in the guest's root",
                above.escape_ascii()
            );
        }
        let replaced = self.entries.get(&entry.name);
        ensure!(
            entry.is_directory() || !replaced.is_some_and(Entry::is_directory),
            "/{} is a directory in the guest's root",
            entry.name.escape_ascii()
        );
        self.entries.insert(entry.name.clone(), entry);
        Ok(())
    }

    /// Follows symbolic links of the guest's root on the way to a name: `/bin` is often one.
    pub fn resolve_parent(&self, name: &[u8]) -> Result<Vec<u8>> {
        let mut name = name.to_vec();
        for _ in 0..LINK_LIMIT {
            let link = name.iter().enumerate().find_map(|(slash, byte)| {
                let above = self
                    .entries
                    .get(name.get(..slash).filter(|_| *byte == b'/')?)?;
                (above.mode & S_IFMT == S_IFLNK).then_some((slash, above))
            });
            let Some((slash, link)) = link else {
                return Ok(name);
            };
            let mut target = Vec::new();
            if !link.data.starts_with(b"/")
                && let Some(parent) = name[..slash].iter().rposition(|byte| *byte == b'/')
            {
                target.extend_from_slice(&name[..=parent]);
            }
            target.extend_from_slice(&link.data);
            target.extend_from_slice(&name[slash..]);
            name = without_dots(&target);
        }
        bail!(
            "too many symbolic links on the way to /{}",
            name.escape_ascii()
        )
    }
}

/// A file's time as an archive can hold it: in seconds, from 1970 to 2106.
fn modified(metadata: &Metadata) -> u32 {
    u32::try_from(metadata.mtime().max(0)).unwrap_or(u32::MAX)
}

/// Takes `.` and `..` out of a path whose directories are no links.
pub fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                components.pop();
            }
            _ => components.push(component),
        }
    }
    components.join(&b'/')
}
