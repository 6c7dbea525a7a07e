//! The start of the tree: an archive, by its index where it has one, else entry by entry.
use crate::archive::{Archive, ArchiveError, ArchiveFault, Entry, Field, Next, file_type};
use crate::device::{Device, DeviceNumber};
use crate::directory::{Directory, NAME_MAX, Name};
use crate::index::Index;
use crate::inode::{Inode, Kind, Number, Stamp};
use crate::inodes::Inodes;
use crate::mapped::Regular;
use crate::path::{LastLink, Owner, View};
use crate::proc::NoProcesses;
use crate::slab::Slab;
use crate::wait_queue::Wakeups;
use crate::words::{self, hash};
use crate::{Files, InodeId, PageStore};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
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

impl Neighbour {
    /// The name in a path to something in the same directory; `None` where it is another one.
    #[inline]
    fn name_of(&self, path: &'static [u8]) -> Option<&'static [u8]> {
        let name = match self.path {
            b"" => path,
            directory => path.strip_prefix(directory)?.strip_prefix(b"/")?,
        };
        words::find(name, b'/').is_none().then_some(name)
    }
}

impl<S: PageStore> Files<S> {
    /// Takes the tree of an archive, before there is another. With an index ([`contract::archive_index`]) none of it is
    /// read before somebody asks for it.
    ///
    /// # Errors
    /// What is wrong with the archive.
    pub fn take_archive(
        &mut self,
        store: &mut S,
        bytes: &'static [u8],
    ) -> Result<(), ArchiveError> {
        if let Some(index) = Index::of(bytes) {
            // As long as the archive, and that is for ever.
            let index: &'static Index = Box::leak(Box::new(index));
            if let Ok(inodes) = Inodes::of(index) {
                self.inodes = inodes;
                self.proc_mount = index.proc;
                self.last_serial = index.len();
                return Ok(());
            }
        }
        self.make_root();
        self.seed(store, bytes)
    }

    /// An empty root directory.
    #[must_use]
    pub fn new() -> Self {
        let mut files = Self::none();
        files.make_root();
        files
    }

    fn make_root(&mut self) {
        let root = Inode::new(
            Kind::Directory(Directory::new()),
            DIRECTORY_MODE,
            Stamp::ZERO,
        );
        if let Ok(root) = self.add_inode(root) {
            self.root = root;
        }
    }

    /// Nothing, not even a root, before [`Self::take_archive`]. The root will be number 0.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            inodes: Inodes::new(),
            descriptions: Slab::new(),
            writers: 0,
            pipes: Slab::new(),
            root: Number(0),
            proc_mount: None,
            wakeups: Wakeups::new(),
            notices: crate::notices::Notices::new(),
            pipe_limit: crate::PIPE_CAPACITY_MAX as u64,
            last_serial: 0,
            lost_pages: None,
            locks: crate::locks::Locks::new(),
            process_handles: 0,
            minds_ends: false,
            leases: crate::leases::Leases::new(),
            memfds: crate::memfd::Memfds::new(),
            nameless: crate::nameless::NamelessAttributes::new(),
            clock: None,
        }
    }

    /// Puts the files of an archive, or of several one after the other, into the tree. Their contents stay where they
    /// are. Directories that are not there are made. A later archive replaces what an earlier one gave.
    ///
    /// # Errors
    /// What is wrong with the archive. What came before is in the tree then.
    pub fn seed(&mut self, store: &mut S, bytes: &'static [u8]) -> Result<(), ArchiveError> {
        let mut archive = Archive::new(bytes);
        self.seed_all(store, &mut archive)
            .map_err(|fault| archive.error(fault))
    }

    fn seed_all(&mut self, store: &mut S, archive: &mut Archive) -> Result<(), ArchiveFault> {
        loop {
            let mut links = HardLinks::new();
            let mut neighbour = Neighbour {
                path: &[],
                directory: self.root,
            };
            while let Some(entry) = archive.next_entry()? {
                self.seed_entry(store, &entry, archive.ordinal, &mut neighbour, &mut links)?;
            }
            if archive.next_archive() == Next::Nothing {
                return Ok(());
            }
        }
    }

    #[inline]
    fn seed_entry(
        &mut self,
        store: &mut S,
        entry: &Entry,
        ordinal: u16,
        neighbour: &mut Neighbour,
        links: &mut HardLinks,
    ) -> Result<(), ArchiveFault> {
        if entry.name.is_empty() {
            return Err(ArchiveFault::BadName);
        }
        let path = strip_slashes(entry.name);
        let name = match neighbour.name_of(path) {
            Some(name) => name,
            None => self.seed_neighbour(path, neighbour)?,
        };
        let parent = neighbour.directory;
        check_name(name)?;
        let mode = entry.number(Field::Mode)?;
        if name.is_empty() || name == b"." {
            return self.seed_again(entry, mode, parent, ordinal);
        }
        let hash = hash(name);
        let there = self
            .inode(parent)
            .and_then(Inode::directory)
            .map_err(|_| ArchiveFault::NotADirectory)?
            .place_hashed(name, hash);
        if let Some(place) = there {
            let number = self
                .seeded_at(parent, place)
                .ok_or(ArchiveFault::Duplicate)?;
            let old = self.inode(number).map_err(|_| ArchiveFault::Duplicate)?;
            if old.is_directory() && file_type(mode) == linux::S_IFDIR {
                return self.seed_again(entry, mode, number, ordinal);
            }
            if old.archive == ordinal || old.is_directory() {
                return Err(ArchiveFault::Duplicate);
            }
            self.remove_entry(store, parent, place)
                .map_err(|_| ArchiveFault::TooManyFiles)?;
        }
        let hard_links = file_type(mode) == linux::S_IFREG && entry.has_more_names()?;
        if hard_links && let Some(number) = links.get(&entry.identity()?).copied() {
            if !entry.data.is_empty()
                && let Ok(inode) = self.inode_mut(number)
                && let Kind::Regular(regular) = &mut inode.kind
            {
                regular.set_archived(store, entry.data);
            }
            return self
                .add_entry(parent, Name::Archived(name), number)
                .map_err(|_| ArchiveFault::TooManyFiles);
        }
        let time = Stamp::from_seconds(entry.number(Field::Modified)?);
        let mut inode = Inode::new(seed_kind(entry, mode)?, mode as u16, time);
        inode.archive = ordinal;
        inode.user = entry.number(Field::User)?;
        inode.group = entry.number(Field::Group)?;
        let number = self
            .create_as(parent, Name::Archived(name), hash, inode)
            .map_err(|_| ArchiveFault::TooManyFiles)?;
        if hard_links {
            links.insert(entry.identity()?, number);
        }
        Ok(())
    }

    /// Goes to the directory of a path, and returns the name in it.
    fn seed_neighbour(
        &mut self,
        path: &'static [u8],
        neighbour: &mut Neighbour,
    ) -> Result<&'static [u8], ArchiveFault> {
        let (directory, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], path),
        };
        neighbour.directory = self.seed_directories(directory)?;
        neighbour.path = directory;
        Ok(name)
    }

    fn seeded_at(&self, parent: Number, place: u32) -> Option<Number> {
        let directory = self.inode(parent).ok()?.directory().ok()?;
        Some(directory.entry(place)?.inode)
    }

    /// An entry for a directory that is there: made on the way to something in it, by an earlier archive, or the root.
    fn seed_again(
        &mut self,
        entry: &Entry,
        mode: u32,
        number: Number,
        ordinal: u16,
    ) -> Result<(), ArchiveFault> {
        let inode = self
            .inode_mut(number)
            .map_err(|_| ArchiveFault::NotADirectory)?;
        if file_type(mode) != linux::S_IFDIR || inode.archive == ordinal {
            return Err(ArchiveFault::Duplicate);
        }
        let time = Stamp::from_seconds(entry.number(Field::Modified)?);
        inode.permissions = mode as u16 & 0o7777;
        inode.archive = ordinal;
        inode.user = entry.number(Field::User)?;
        inode.group = entry.number(Field::Group)?;
        (inode.accessed, inode.modified, inode.changed) = (time, time, time);
        Ok(())
    }

    /// The directory with this path, made where it is missing. Links to directories are followed.
    fn seed_directories(&mut self, path: &'static [u8]) -> Result<Number, ArchiveFault> {
        let mut here = self.root;
        let mut begin = 0;
        for name in path.split(|byte| *byte == b'/') {
            let end = begin + name.len();
            check_name(name)?;
            begin = end + 1;
            if name.is_empty() || name == b"." {
                continue;
            }
            let directory = self
                .inode(here)
                .and_then(Inode::directory)
                .map_err(|_| ArchiveFault::NotADirectory)?;
            here = match directory.get(name) {
                Some(number) => self
                    .seeded_directory(number, &path[..end])
                    .ok_or(ArchiveFault::NotADirectory)?,
                None => {
                    let kind = Kind::Directory(Directory::new());
                    let inode = Inode::new(kind, DIRECTORY_MODE, Stamp::ZERO);
                    self.create_as(here, Name::Archived(name), hash(name), inode)
                        .map_err(|_| ArchiveFault::TooManyFiles)?
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
                    owner: Owner::ROOT,
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
}

impl<S: PageStore> Default for Files<S> {
    fn default() -> Self {
        Self::new()
    }
}

#[inline]
fn seed_kind<P>(entry: &Entry, mode: u32) -> Result<Kind<P>, ArchiveFault> {
    let device = || {
        Ok(DeviceNumber {
            major: entry.number(Field::DeviceMajor)?,
            minor: entry.number(Field::DeviceMinor)?,
        })
    };
    Ok(match file_type(mode) {
        linux::S_IFREG => Kind::Regular(Regular::new(entry.data)),
        linux::S_IFDIR => Kind::Directory(Directory::new()),
        linux::S_IFLNK => {
            if entry.data.len() >= crate::path::PATH_MAX {
                return Err(ArchiveFault::NameTooLong);
            }
            Kind::Symlink(Name::Archived(entry.data))
        }
        linux::S_IFCHR => {
            let number = device()?;
            Kind::Device(Device::with_number(number), number)
        }
        linux::S_IFBLK => Kind::Block(device()?),
        linux::S_IFIFO => Kind::Fifo(None),
        _ => return Err(ArchiveFault::UnknownType(mode)),
    })
}

#[inline]
fn check_name(name: &[u8]) -> Result<(), ArchiveFault> {
    if name == b".." {
        return Err(ArchiveFault::ParentReference);
    }
    if name.len() > NAME_MAX {
        return Err(ArchiveFault::NameTooLong);
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
