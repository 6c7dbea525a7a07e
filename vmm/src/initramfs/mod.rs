//! The guest's root for one run: the embedded archive, or another one, or a directory of the host, with what is added.

mod lookup;
mod root;

pub use lookup::{Found, find};

use crate::archive;
use crate::command_line::Run;
use crate::image;
use crate::shell::Busybox;
use crate::whole_file;
use anyhow::{Context, Result};
pub use root::Root;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Makes the archive that the options ask for.
///
/// # Errors
/// What is wrong with what was given.
pub fn build(options: &Run, busybox: Option<&Busybox>) -> Result<Cow<'static, [u8]>> {
    let base: Cow<'static, [u8]> = match (&options.initrd, &options.root) {
        (Some(path), _) => {
            let shown = path.display();
            let bytes = whole_file::read(path, options.mem)
                .with_context(|| format!("cannot read the initramfs {shown}"))?;
            archive::read(&bytes).with_context(|| format!("cannot use the initramfs {shown}"))?;
            bytes.into()
        }
        (None, Some(directory)) => {
            let mut root = Root::with_room(options.mem);
            root.add_tree(directory, b"")
                .with_context(|| format!("--root {}", directory.display()))?;
            root.into_archive()?.into()
        }
        (None, None) => image::initramfs().into(),
    };
    if options.add.is_empty() && busybox.is_none() {
        return Ok(base);
    }
    let mut root = Root::of_archive(&base)?;
    root.room = options.mem;
    if let Some(busybox) = busybox {
        busybox.install(&mut root, options)?;
    }
    for added in &options.add {
        root.add(added)
            .with_context(|| format!("--add {}", added.display()))?;
    }
    Ok(root.into_archive()?.into())
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
}
