//! The guest's root for one run: the embedded archive, or another one, or a directory of the host, with what is added.

use crate::archive::{self, Entry, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG};
use crate::command_line::Run;
use crate::image;
use anyhow::{Context, Result, bail, ensure};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Symbolic links followed at most on the way to where something is added.
const LINK_LIMIT: usize = 40;

/// Makes the archive that the options ask for.
///
/// # Errors
/// What is wrong with what was given.
pub fn build(options: &Run) -> Result<Cow<'static, [u8]>> {
    let base: Cow<'static, [u8]> = match (&options.initrd, &options.root) {
        (Some(path), _) => {
            let shown = path.display();
            let bytes =
                fs::read(path).with_context(|| format!("cannot read the initramfs {shown}"))?;
            archive::read(&bytes).with_context(|| format!("cannot use the initramfs {shown}"))?;
            bytes.into()
        }
        (None, Some(directory)) => {
            let mut root = Root::default();
            root.add_tree(directory, b"")
                .with_context(|| format!("--root {}", directory.display()))?;
            root.into_archive()?.into()
        }
        (None, None) => image::initramfs().into(),
    };
    if options.add.is_empty() {
        return Ok(base);
    }
    let mut root = Root::of_archive(&base)?;
    for added in &options.add {
        root.add(added)
            .with_context(|| format!("--add {}", added.display()))?;
    }
    Ok(root.into_archive()?.into())
}

/// A root under construction. Sorted by name, a directory comes before what is in it.
#[derive(Default)]
struct Root<'a> {
    entries: BTreeMap<Vec<u8>, Entry<'a>>,
    /// Files of the host that have several names, by device and inode.
    links: HashMap<(u64, u64), u32>,
    groups: u32,
}

impl<'a> Root<'a> {
    fn of_archive(archive: &'a [u8]) -> Result<Self> {
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

    fn into_archive(self) -> Result<Vec<u8>> {
        let mut entries: Vec<Entry> = self.entries.into_values().collect();
        let mut seen = vec![false; self.groups as usize + 1];
        for entry in entries.iter_mut().filter(|entry| entry.link_group != 0) {
            if std::mem::replace(&mut seen[entry.link_group as usize], true) {
                entry.data = Cow::Borrowed(&[]);
            }
        }
        if let Some(large) = entries
            .iter()
            .find(|entry| u32::try_from(entry.data.len()).is_err())
        {
            bail!(
                "/{} is over 4 GiB, the most a cpio archive can hold",
                large.name.escape_ascii()
            );
        }
        let archive = archive::write(&entries);
        archive::read(&archive)?;
        Ok(archive)
    }

    /// Adds what `HOST[:GUEST]` names.
    fn add(&mut self, argument: &OsStr) -> Result<()> {
        let (host, guest) = split(argument);
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
    fn add_tree(&mut self, host: &Path, guest: &[u8]) -> Result<()> {
        let metadata =
            fs::metadata(host).with_context(|| format!("cannot read {}", host.display()))?;
        ensure!(metadata.is_dir(), "{} is not a directory", host.display());
        self.insert(Entry {
            mode: S_IFDIR | metadata.mode() & 0o7777,
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
        let data: Vec<u8> = if kind.is_file() {
            fs::read(host).with_context(failed)?
        } else if kind.is_symlink() {
            fs::read_link(host)
                .with_context(failed)?
                .as_os_str()
                .as_bytes()
                .to_vec()
        } else if kind.is_socket() {
            // It means nothing without the process that listens.
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
            link_group,
            device: if is_node {
                (libc::major(metadata.rdev()), libc::minor(metadata.rdev()))
            } else {
                (0, 0)
            },
            data: data.into(),
        })
    }

    /// Puts an entry in, and the directories above it where there are none.
    fn insert(&mut self, entry: Entry<'a>) -> Result<()> {
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
    fn resolve_parent(&self, name: &[u8]) -> Result<Vec<u8>> {
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

/// Takes `.` and `..` out of a path whose directories are no links.
fn without_dots(path: &[u8]) -> Vec<u8> {
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

/// Splits `HOST[:GUEST]`; a host path that has a colon in it and is there is taken whole.
fn split(argument: &OsStr) -> (PathBuf, Option<&[u8]>) {
    let bytes = argument.as_bytes();
    let colon = bytes
        .iter()
        .rposition(|byte| *byte == b':')
        .filter(|at| at + 1 < bytes.len());
    match colon {
        Some(colon) if fs::symlink_metadata(argument).is_err() => (
            PathBuf::from(OsStr::from_bytes(&bytes[..colon])),
            Some(&bytes[colon + 1..]),
        ),
        _ => (PathBuf::from(argument), None),
    }
}

/// The file that a name leads to in an archive, symbolic links followed.
#[must_use]
pub fn find(archive: &[u8], name: &[u8]) -> Option<Found> {
    let root = Root::of_archive(archive).ok()?;
    let mut name = without_dots(name);
    for _ in 0..LINK_LIMIT {
        name = root.resolve_parent(&name).ok()?;
        let entry = root.entries.get(&name)?;
        match entry.mode & S_IFMT {
            S_IFLNK => {
                let mut target = if entry.data.starts_with(b"/") {
                    Vec::new()
                } else {
                    name.clone()
                };
                let parent = target
                    .iter()
                    .rposition(|byte| *byte == b'/')
                    .map_or(0, |slash| slash + 1);
                target.truncate(parent);
                target.extend_from_slice(&entry.data);
                name = without_dots(&target);
            }
            S_IFREG => {
                return Some(Found::File {
                    mode: entry.mode,
                    data: entry.data.to_vec(),
                });
            }
            S_IFDIR => return Some(Found::Directory),
            _ => return Some(Found::Other),
        }
    }
    None
}

/// What a name leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A regular file.
    File {
        /// Type and permissions.
        mode: u32,
        /// Contents.
        data: Vec<u8>,
    },
    /// A directory.
    Directory,
    /// A device, FIFO or the like.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, data: &'static [u8]) -> Entry<'static> {
        Entry {
            name: name.as_bytes().to_vec(),
            mode: S_IFREG | 0o755,
            data: data.into(),
            ..Entry::directory(b"")
        }
    }

    fn link(name: &str, target: &'static [u8]) -> Entry<'static> {
        Entry {
            mode: S_IFLNK | 0o777,
            ..file(name, target)
        }
    }

    #[test]
    fn the_embedded_archive_is_sound() {
        archive::read(image::initramfs()).expect("it was made by this module's writer");
    }

    #[test]
    fn names_are_found_through_links() {
        let entries = [
            link("bin", b"usr/bin"),
            Entry::directory(b"usr"),
            Entry::directory(b"usr/bin"),
            file("usr/bin/a", b"A"),
            link("init", b"/bin/a"),
        ];
        let archive = archive::write(&entries);
        for name in ["/bin/a", "/init", "usr/../bin/./a"] {
            let found = Found::File {
                mode: S_IFREG | 0o755,
                data: b"A".to_vec(),
            };
            assert_eq!(find(&archive, name.as_bytes()), Some(found), "{name}");
        }
        assert_eq!(find(&archive, b"/bin"), Some(Found::Directory));
        assert_eq!(find(&archive, b"/nope"), None);
        let root = Root::of_archive(&archive).expect("sound");
        assert_eq!(
            root.resolve_parent(b"bin/new").expect("resolves"),
            b"usr/bin/new"
        );
    }

    #[test]
    fn added_files_get_their_directories_and_replace_files() {
        let archive = archive::write(&[Entry::directory(b""), file("a", b"1"), file("b/c", b"2")]);
        let mut root = Root::of_archive(&archive).expect("sound");
        root.insert(file("a", b"new")).expect("replaces");
        root.insert(file("x/y/z", b"3")).expect("makes directories");
        assert!(root.insert(file("a/below", b"")).is_err());
        assert!(root.insert(file("x", b"")).is_err());
        let written = root.into_archive().expect("sound");
        let names: Vec<Vec<u8>> = archive::read(&written)
            .expect("sound")
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, [&b""[..], b"a", b"b/c", b"x", b"x/y", b"x/y/z"]);
    }
}
