//! The start of the tree: an archive, then what every system has.
use crate::archive::{Archive, ArchiveError, ArchiveFault, Entry, Item, file_type};
use crate::device::{Device, DeviceNumber};
use crate::directory::{Directory, NAME_MAX, Name};
use crate::inode::{Inode, Kind, Number, Time};
use crate::path::{LastLink, View};
use crate::proc::NoProcesses;
use crate::regular::Regular;
use crate::slab::Slab;
use crate::wait_queue::Wakeups;
use crate::{Files, InodeId, PageStore};
use alloc::collections::BTreeMap;
use contract::Errno;
use linux_raw_sys::general as linux;

/// Mode of a directory that the archive leaves out.
const DIRECTORY_MODE: u16 = 0o755;

/// Hard links of the archive that is being read: identity and file.
type HardLinks = BTreeMap<[u32; 3], Number>;

/// The directory of the entry before, by the bytes of its path: most entries lie beside the one before them.
struct Neighbour {
    path: &'static [u8],
    directory: Number,
}

impl<S: PageStore> Files<S> {
    /// An empty root directory.
    #[must_use]
    pub fn new() -> Self {
        let mut files = Self {
            inodes: Slab::new(),
            descriptions: Slab::new(),
            pipes: Slab::new(),
            root: Number(0),
            proc_mount: None,
            wakeups: Wakeups::new(),
            time: Time::default(),
        };
        let root = Inode::new(
            Kind::Directory(Directory::new()),
            DIRECTORY_MODE,
            Time::default(),
        );
        if let Ok(root) = files.add_inode(root) {
            files.root = root;
        }
        files
    }

    /// Puts the files of an archive, or of several one after the other, into the tree. Their contents stay where they
    /// are. Directories that are not there are made. A later archive replaces what an earlier one gave.
    ///
    /// # Errors
    /// What is wrong with the archive. What came before is in the tree then.
    pub fn seed(&mut self, store: &mut S, bytes: &'static [u8]) -> Result<(), ArchiveError> {
        let mut archive = Archive::new(bytes);
        let mut links = HardLinks::new();
        let mut neighbour = Neighbour {
            path: &[],
            directory: self.root,
        };
        loop {
            match archive.next_item()? {
                Item::Entry(entry) => {
                    self.seed_entry(store, &entry, archive.ordinal, &mut neighbour, &mut links)?;
                }
                Item::Trailer => {
                    links.clear();
                    neighbour = Neighbour {
                        path: &[],
                        directory: self.root,
                    };
                    if let Item::End = archive.next_archive() {
                        return Ok(());
                    }
                }
                Item::End => return Ok(()),
            }
        }
    }

    fn seed_entry(
        &mut self,
        store: &mut S,
        entry: &Entry,
        ordinal: u16,
        neighbour: &mut Neighbour,
        links: &mut HardLinks,
    ) -> Result<(), ArchiveError> {
        let path = strip_slashes(entry.name);
        if entry.name.is_empty() {
            return Err(entry.fault(ArchiveFault::BadName));
        }
        let split = path.iter().rposition(|byte| *byte == b'/');
        let (directory_path, name) = match split {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], path),
        };
        if directory_path != neighbour.path {
            neighbour.directory = self.seed_directories(store, entry, directory_path)?;
            neighbour.path = directory_path;
        }
        let parent = neighbour.directory;
        check_name(entry, name)?;
        if name.is_empty() || name == b"." {
            return self.seed_again(entry, parent, ordinal);
        }
        let there = self
            .inode(parent)
            .and_then(|inode| inode.directory())
            .map_err(|_| entry.fault(ArchiveFault::NotADirectory))?
            .place(name);
        if let Some(place) = there {
            let number = self.seeded_at(parent, place);
            let Some(number) = number else {
                return Err(entry.fault(ArchiveFault::Duplicate));
            };
            let old = self
                .inode(number)
                .map_err(|_| entry.fault(ArchiveFault::Duplicate))?;
            if old.is_directory() && file_type(entry.mode) == linux::S_IFDIR {
                return self.seed_again(entry, number, ordinal);
            }
            if old.archive == ordinal || old.is_directory() {
                return Err(entry.fault(ArchiveFault::Duplicate));
            }
            self.remove_entry(store, parent, place);
        }
        let hard_links = entry.links > 1 && file_type(entry.mode) == linux::S_IFREG;
        if hard_links && let Some(number) = links.get(&entry.identity()?).copied() {
            if !entry.data.is_empty()
                && let Ok(inode) = self.inode_mut(number)
                && let Kind::Regular(regular) = &mut inode.kind
            {
                regular.set_archived(store, entry.data);
            }
            return self.seed_name(entry, parent, name, number);
        }
        let mut inode = Inode::new(seed_kind(entry)?, 0, Time::default());
        describe(&mut inode, entry, ordinal);
        let number = self
            .add_inode(inode)
            .map_err(|_| entry.fault(ArchiveFault::TooManyFiles))?;
        if hard_links {
            links.insert(entry.identity()?, number);
        }
        self.seed_name(entry, parent, name, number)
    }

    fn seeded_at(&self, parent: Number, place: u32) -> Option<Number> {
        let directory = self.inode(parent).ok()?.directory().ok()?;
        Some(directory.entry(place)?.inode)
    }

    fn seed_name(
        &mut self,
        entry: &Entry,
        parent: Number,
        name: &'static [u8],
        number: Number,
    ) -> Result<(), ArchiveError> {
        self.add_entry(parent, Name::Archived(name), number)
            .map_err(|_| entry.fault(ArchiveFault::TooManyFiles))
    }

    /// An entry for a directory that is there: made on the way to something in it, by an earlier archive, or the root.
    fn seed_again(
        &mut self,
        entry: &Entry,
        number: Number,
        ordinal: u16,
    ) -> Result<(), ArchiveError> {
        let inode = self
            .inode_mut(number)
            .map_err(|_| entry.fault(ArchiveFault::NotADirectory))?;
        if file_type(entry.mode) != linux::S_IFDIR {
            return Err(entry.fault(ArchiveFault::Duplicate));
        }
        if inode.archive == ordinal {
            return Err(entry.fault(ArchiveFault::Duplicate));
        }
        describe(inode, entry, ordinal);
        Ok(())
    }

    /// The directory with this path, made where it is missing. Links to directories are followed.
    fn seed_directories(
        &mut self,
        store: &mut S,
        entry: &Entry,
        path: &'static [u8],
    ) -> Result<Number, ArchiveError> {
        let mut here = self.root;
        let mut begin = 0;
        for name in path.split(|byte| *byte == b'/') {
            let end = begin + name.len();
            check_name(entry, name)?;
            begin = end + 1;
            if name.is_empty() || name == b"." {
                continue;
            }
            let directory = self
                .inode(here)
                .and_then(|inode| inode.directory())
                .map_err(|_| entry.fault(ArchiveFault::NotADirectory))?;
            here = match directory.get(name) {
                Some(number) => self
                    .seeded_directory(number, &path[..end])
                    .ok_or_else(|| entry.fault(ArchiveFault::NotADirectory))?,
                None => {
                    let kind = Kind::Directory(Directory::new());
                    let inode = Inode::new(kind, DIRECTORY_MODE, Time::default());
                    self.create_as(store, here, Name::Archived(name), inode)
                        .map_err(|_| entry.fault(ArchiveFault::TooManyFiles))?
                }
            };
        }
        Ok(here)
    }

    fn seeded_directory(&self, number: Number, path: &[u8]) -> Option<Number> {
        match self.inode(number).ok()?.kind {
            Kind::Directory(_) => Some(number),
            Kind::Symlink(_) => {
                let view = View {
                    start: self.root(),
                    process: 0,
                    umask: 0,
                    processes: &NoProcesses,
                };
                match self.lookup(&view, path, LastLink::Follow).ok()? {
                    InodeId::Memory(number) => Some(Number(number)),
                    InodeId::Proc(_) => None,
                }
            }
            _ => None,
        }
    }

    /// Makes what every system has where the archive has not: `/dev` with its devices, `/proc`, `/tmp`.
    ///
    /// # Errors
    /// ENOSPC when there are too many files; ENOTDIR where the archive has something else of that name.
    pub fn populate(&mut self, store: &mut S) -> Result<(), Errno> {
        let devices = self.system_directory(store, b"dev", DIRECTORY_MODE)?;
        for device in Device::ALL {
            let kind = Kind::Device(Some(device), device.number());
            let name = Name::Archived(device.name().as_bytes());
            self.system_file(store, devices, name, kind, device.permissions())?;
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            let kind = Kind::Symlink(Name::Archived(target.as_bytes()));
            let name = Name::Archived(name.as_bytes());
            self.system_file(store, devices, name, kind, 0o777)?;
        }
        self.system_directory(store, b"tmp", 0o1777)?;
        let proc = self.system_directory(store, b"proc", 0o555)?;
        self.proc_mount = Some(proc);
        Ok(())
    }

    fn system_directory(
        &mut self,
        store: &mut S,
        name: &'static [u8],
        mode: u16,
    ) -> Result<Number, Errno> {
        match self.inode(self.root)?.directory()?.get(name) {
            Some(number) => {
                self.inode(number)?.directory()?;
                Ok(number)
            }
            None => {
                let inode = Inode::new(Kind::Directory(Directory::new()), mode, self.time);
                self.create_as(store, self.root, Name::Archived(name), inode)
            }
        }
    }

    fn system_file(
        &mut self,
        store: &mut S,
        directory: Number,
        name: Name,
        kind: Kind<S::Page>,
        mode: u16,
    ) -> Result<(), Errno> {
        if self
            .inode(directory)?
            .directory()?
            .get(name.bytes())
            .is_none()
        {
            let inode = Inode::new(kind, mode, self.time);
            self.create_as(store, directory, name, inode)?;
        }
        Ok(())
    }
}

impl<S: PageStore> Default for Files<S> {
    fn default() -> Self {
        Self::new()
    }
}

fn seed_kind<P>(entry: &Entry) -> Result<Kind<P>, ArchiveError> {
    let device = || {
        let (major, minor) = entry.device()?;
        Ok(DeviceNumber { major, minor })
    };
    Ok(match file_type(entry.mode) {
        linux::S_IFREG => Kind::Regular(Regular::new(entry.data)),
        linux::S_IFDIR => Kind::Directory(Directory::new()),
        linux::S_IFLNK => {
            if entry.data.len() >= crate::path::PATH_MAX {
                return Err(entry.fault(ArchiveFault::NameTooLong));
            }
            Kind::Symlink(Name::Archived(entry.data))
        }
        linux::S_IFCHR => {
            let number = device()?;
            Kind::Device(Device::with_number(number), number)
        }
        linux::S_IFBLK => Kind::Block(device()?),
        linux::S_IFIFO => Kind::Fifo(None),
        _ => return Err(entry.fault(ArchiveFault::UnknownType(entry.mode))),
    })
}

fn describe<P>(inode: &mut Inode<P>, entry: &Entry, ordinal: u16) {
    let time = Time {
        seconds: i64::from(entry.modified),
        nanoseconds: 0,
    };
    inode.permissions = (entry.mode & 0o7777) as u16;
    inode.archive = ordinal;
    inode.user = entry.user;
    inode.group = entry.group;
    (inode.accessed, inode.modified, inode.changed) = (time, time, time);
}

fn check_name(entry: &Entry, name: &[u8]) -> Result<(), ArchiveError> {
    if name == b".." {
        return Err(entry.fault(ArchiveFault::ParentReference));
    }
    if name.len() > NAME_MAX {
        return Err(entry.fault(ArchiveFault::NameTooLong));
    }
    Ok(())
}

/// Without slashes at either end.
fn strip_slashes(mut path: &'static [u8]) -> &'static [u8] {
    while let [b'/', rest @ ..] = path {
        path = rest;
    }
    while let [rest @ .., b'/'] = path {
        path = rest;
    }
    path
}
