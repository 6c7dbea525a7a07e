//! What a name leads to in an archive.

use super::root::{LINK_LIMIT, Root, without_dots};
use crate::archive::{S_IFDIR, S_IFLNK, S_IFMT, S_IFREG};
use std::borrow::Cow;

/// The file that a name leads to in an archive, symbolic links followed.
#[must_use]
pub fn find<'a>(archive: &'a [u8], name: &[u8]) -> Option<Found<'a>> {
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
                    data: entry.data.clone(),
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
pub enum Found<'a> {
    /// A regular file.
    File {
        /// Type and permissions.
        mode: u32,
        /// Contents.
        data: Cow<'a, [u8]>,
    },
    /// A directory.
    Directory,
    /// A device, FIFO or the like.
    Other,
}
