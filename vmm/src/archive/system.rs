//! What every system has, as entries.

use super::{Entry, S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG};
use contract::system_files::{Kind, SYSTEM_FILES};

/// An entry for the root and for each system file, a directory before what is in it. A root has them from its archive, or
/// else the kernel makes them.
pub fn system_entries() -> impl Iterator<Item = Entry<'static>> {
    let files = SYSTEM_FILES.iter().map(|file| {
        let (kind, device, data) = match file.kind {
            Kind::Directory => (S_IFDIR, (0, 0), ""),
            Kind::Device(major, minor) => (S_IFCHR, (major, minor), ""),
            Kind::Link(target) => (S_IFLNK, (0, 0), target),
            Kind::File(contents) => (S_IFREG, (0, 0), contents),
        };
        let name = match file.directory {
            "" => file.name.to_owned(),
            directory => format!("{directory}/{}", file.name),
        };
        Entry {
            mode: kind | u32::from(file.permissions),
            device,
            data: data.as_bytes().into(),
            ..Entry::directory(name.as_bytes())
        }
    });
    std::iter::once(Entry::directory(b"")).chain(files)
}
