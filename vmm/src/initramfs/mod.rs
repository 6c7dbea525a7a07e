//! The guest's root for one run: the embedded archive, or another one, or a directory of the host, with what is added.

mod lookup;
mod root;

pub use lookup::{Found, find};

use crate::archive;
use crate::command_line::Run;
use crate::image;
use crate::sealed_file::SealedFile;
use crate::shell::Busybox;
use crate::whole_file;
use anyhow::{Context, Result};
pub use root::Root;
use std::ffi::{CStr, OsStr};
use std::fs;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What its file in memory is called.
pub const NAME: &CStr = c"cowbell-initramfs";

/// The archive of one run.
pub enum Initramfs {
    /// The embedded one, as it is.
    Embedded,
    /// Another one.
    File(SealedFile),
}

impl Initramfs {
    /// What holds it where it is not the embedded one.
    pub fn file(&self) -> Option<&SealedFile> {
        match self {
            Self::Embedded => None,
            Self::File(file) => Some(file),
        }
    }
}

impl Deref for Initramfs {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Embedded => image::initramfs(),
            Self::File(file) => file,
        }
    }
}

/// Makes the archive that the options ask for.
///
/// # Errors
/// What is wrong with what was given.
pub fn build(options: &Run, busybox: Option<Busybox>) -> Result<Initramfs> {
    let base = match &options.initrd {
        None => Initramfs::Embedded,
        Some(path) => Initramfs::File(read(path, options.mem)?),
    };
    let mut root = match &options.root {
        Some(directory) => {
            let mut root = Root::with_room(options.mem);
            root.add_tree(directory, b"")
                .with_context(|| format!("--root {}", directory.display()))?;
            root.add_system_files();
            root
        }
        None if options.add.is_empty() && busybox.is_none() => return Ok(base),
        None => {
            let mut root = Root::of_archive(&base)?;
            root.room = options.mem;
            root
        }
    };
    if let Some(busybox) = busybox {
        busybox.install(&mut root, options)?;
    }
    for added in &options.add {
        root.add(added)
            .with_context(|| format!("--add {}", added.display()))?;
    }
    root.into_archive().map(Initramfs::File)
}

/// Copies an archive of the user's, which may change while the guest runs.
fn read(path: &Path, room: u64) -> Result<SealedFile> {
    let shown = path.display();
    let archive = SealedFile::new(NAME, |file| {
        whole_file::append(path, room, file)
            .with_context(|| format!("cannot read the initramfs {shown}"))
    })?;
    archive::read(&archive).with_context(|| format!("cannot use the initramfs {shown}"))?;
    Ok(archive)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Entry, S_IFLNK, S_IFREG};

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
                data: b"A".into(),
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
        let system: Vec<Vec<u8>> = archive::system_entries()
            .map(|entry| entry.name)
            .filter(|name| !name.is_empty())
            .collect();
        let (there, names): (Vec<_>, Vec<_>) = archive::read(&written)
            .expect("sound")
            .into_iter()
            .map(|entry| entry.name)
            .partition(|name| system.contains(name));
        assert_eq!(there.len(), system.len());
        assert_eq!(names, [&b""[..], b"a", b"b/c", b"x", b"x/y", b"x/y/z"]);
    }

    #[test]
    fn large_files_are_read_when_the_archive_is_written() {
        let directory = std::env::temp_dir().join(format!("cowbell-large-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let path = directory.join("large");
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        fs::write(&path, &bytes).expect("a file");
        fs::hard_link(&path, directory.join("linked")).expect("a second name");
        let root = || {
            let mut root = Root::with_room(bytes.len() as u64 * 2);
            root.add_tree(&directory, b"").expect("it fits");
            root
        };
        assert!(Root::with_room(150_000).add(path.as_os_str()).is_err());
        let archive = root().into_archive().expect("sound");
        for name in ["/large", "/linked"] {
            let found = find(&archive, name.as_bytes());
            assert!(matches!(found, Some(Found::File { data, .. }) if *data == bytes));
        }
        let late = root();
        fs::write(&path, b"short").expect("a file");
        let error = late.into_archive().err().expect("it is cut short");
        assert!(format!("{error:#}").contains("shorter"), "{error:#}");
        fs::remove_dir_all(&directory).expect("it is there");
    }
}
