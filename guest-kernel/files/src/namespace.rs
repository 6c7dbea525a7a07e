//! Names: how an inode gains and loses one; what is created.
use crate::device::{Device, DeviceNumber};
use crate::directory::{Directory, Name};
use crate::inode::{Home, Inode, InodeId, Kind, Number, Stamp, TO_BE_NAMED};
use crate::mapped::Regular;
use crate::path::{Ending, PATH_MAX, Resolved, Slash, View};
use crate::words::hash;
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Links to one file: as many as `st_nlink` can say on any file system.
const LINK_MAX: u32 = 65_000;
/// The set-group-ID bit of a mode.
const SET_GROUP_ID: u16 = 0o2000;

/// What mknod(2) is to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    file_type: NodeType,
    permissions: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NodeType {
    Regular,
    Fifo,
    Character(DeviceNumber),
    Block(DeviceNumber),
}

impl Node {
    /// By the arguments of mknod(2): type and permissions in `mode`; `device` is a `dev_t`.
    ///
    /// # Errors
    /// EPERM for a directory, EINVAL for another type.
    pub const fn parse(mode: u32, device: u64) -> Result<Self, Errno> {
        let number = DeviceNumber::decode(device);
        let file_type = match mode & linux::S_IFMT {
            0 | linux::S_IFREG => NodeType::Regular,
            linux::S_IFIFO => NodeType::Fifo,
            linux::S_IFCHR => NodeType::Character(number),
            linux::S_IFBLK => NodeType::Block(number),
            linux::S_IFDIR => return Err(Errno::EPERM),
            _ => return Err(Errno::EINVAL),
        };
        Ok(Self {
            file_type,
            permissions: mode as u16 & 0o7777,
        })
    }
}

impl<S: PageStore> Files<S> {
    /// Lets a directory be changed: before anything is. There may be many names in it, and what they take of the heap must
    /// leave what the rest of the change takes. ENOSPC, ENOMEM.
    #[inline]
    pub(crate) fn make_changeable(&mut self, directory: Number) -> Result<(), Errno> {
        let entries = self.inode_mut(directory)?.directory_mut()?;
        if entries.is_own() {
            return Ok(());
        }
        entries.make_own()?;
        S::require_reserve()
    }

    /// Gives an inode a name, which is not there yet, in a directory. ENOENT where that has been removed, ENOSPC.
    pub(crate) fn add_entry(
        &mut self,
        directory: Number,
        name: Name,
        number: Number,
    ) -> Result<(), Errno> {
        let time = self.now();
        if !self.is_named(directory) {
            return Err(Errno::ENOENT);
        }
        self.make_changeable(directory)?;
        let is_directory = self.inode(number)?.is_directory();
        let parent = self.inode_mut(directory)?;
        let entries = parent.directory_mut()?;
        let place = entries.insert(name, number)?;
        entries.subdirectories += u32::from(is_directory);
        // While the tree is seeded there is no time yet, and the archive's stays.
        if time != Stamp::ZERO {
            (parent.modified, parent.changed) = (time, time);
        }
        let inode = self.inode_mut(number)?;
        inode.links += 1;
        inode.home = Some(Home::new(directory, place));
        self.note_in_directory(directory, linux::DN_CREATE);
        Ok(())
    }

    /// Removes an entry, and what it led to if that was the last name and nobody has it open. ENOSPC, ENOMEM where the
    /// directory was not changed before, or what is in it not looked at: never after [`Self::make_changeable`] and that.
    pub(crate) fn remove_entry(
        &mut self,
        store: &mut S,
        directory: Number,
        place: u32,
    ) -> Result<(), Errno> {
        let time = self.now();
        self.make_changeable(directory)?;
        let entry = self.inode(directory)?.directory()?.entry(place);
        // It loses a name.
        self.inode(entry.ok_or(Errno::ENOENT)?.inode)?;
        let parent = self.inode_mut(directory)?;
        let number = parent.directory_mut()?.remove(place)?;
        (parent.modified, parent.changed) = (time, time);
        self.lose_name(store, number, Home::new(directory, place));
        self.note_in_directory(directory, linux::DN_DELETE);
        Ok(())
    }

    /// An inode's name at `home` is gone.
    pub(crate) fn lose_name(&mut self, store: &mut S, number: Number, home: Home) {
        let time = self.now();
        let Ok(inode) = self.inode_mut(number) else {
            return;
        };
        inode.links -= 1;
        inode.changed = time;
        if inode.home == Some(home) {
            inode.home = None;
        }
        if inode.is_directory()
            && let Ok(parent) = self.inode_mut(home.directory)
            && let Ok(entries) = parent.directory_mut()
        {
            entries.subdirectories -= 1;
        }
        self.free_if_gone(store, number);
    }

    pub(crate) fn remove_named(&mut self, store: &mut S, directory: Number, name: &[u8]) {
        if let Ok(inode) = self.inode(directory)
            && let Ok(entries) = inode.directory()
            && let Some(place) = entries.place(name)
        {
            // Who asks for this has just added it.
            let _ = self.remove_entry(store, directory, place);
        }
    }

    /// Adds an inode under a name of its own. On an error nothing is left.
    pub(crate) fn create(
        &mut self,
        directory: Number,
        name: &[u8],
        inode: Inode<S::Page>,
    ) -> Result<Number, Errno> {
        self.create_as(directory, Name::Owned(name.into()), hash(name), inode)
    }

    /// What is to be created in a directory: its group is the caller's, or the directory's where that is set-group-ID,
    /// which a new directory then is, too (inode(7)).
    pub(crate) fn new_inode(
        &self,
        view: &View<'_>,
        directory: Number,
        kind: Kind<S::Page>,
        mode: u16,
    ) -> Result<Inode<S::Page>, Errno> {
        let parent = self.inode(directory)?;
        let mut inode = Inode::new(kind, mode, self.now());
        inode.user = view.owner.user;
        inode.group = view.owner.group;
        if parent.permissions & SET_GROUP_ID != 0 {
            inode.group = parent.group;
            if inode.is_directory() {
                inode.permissions |= SET_GROUP_ID;
            }
        }
        Ok(inode)
    }

    /// As [`Self::create`], in a directory that has been looked into: by the name's hash.
    pub(crate) fn create_as(
        &mut self,
        directory: Number,
        name: Name,
        hash: u32,
        mut inode: Inode<S::Page>,
    ) -> Result<Number, Errno> {
        let time = self.now();
        let is_directory = inode.is_directory();
        self.make_changeable(directory)?;
        let parent = self.inode(directory)?;
        if parent.links == 0 && directory != self.root {
            return Err(Errno::ENOENT);
        }
        inode.links = 1;
        let place = parent.directory()?.next_place();
        inode.home = Some(Home::new(directory, place));
        let number = self.add_inode(inode)?;
        let parent = self.inode_mut(directory)?;
        let entries = parent.directory_mut()?;
        if let Err(errno) = entries.insert_hashed(name, hash, number) {
            self.inodes.remove(number);
            return Err(errno);
        }
        entries.subdirectories += u32::from(is_directory);
        // While the tree is seeded there is no time yet, and the archive's stays.
        if time != Stamp::ZERO {
            (parent.modified, parent.changed) = (time, time);
        }
        self.note_in_directory(directory, linux::DN_CREATE);
        Ok(number)
    }

    /// Where a new name goes. EEXIST where there is something; ENOENT in `/proc`, as Linux says.
    fn vacant(&self, resolved: &Resolved<'_>) -> Result<Number, Errno> {
        if resolved.node.is_some() {
            return Err(Errno::EEXIST);
        }
        match resolved.parent {
            InodeId::Memory(number) => Ok(Number(number)),
            InodeId::Proc(_) => Err(Errno::ENOENT),
        }
    }

    /// As [`Self::vacant`], for what is not a directory: no slash may follow.
    fn vacant_for_file(&self, resolved: &Resolved<'_>) -> Result<Number, Errno> {
        let parent = self.vacant(resolved)?;
        match resolved.slash {
            Slash::Absent => Ok(parent),
            Slash::Trailing => Err(Errno::ENOENT),
        }
    }

    /// mkdir(2).
    ///
    /// # Errors
    /// EEXIST, ENOSPC, and those of a resolution.
    pub fn mkdir(
        &mut self,
        _store: &mut S,
        view: &View<'_>,
        path: &[u8],
        mode: u16,
    ) -> Result<(), Errno> {
        let resolved = self.walk(view, path, Ending::Name)?;
        let parent = self.vacant(&resolved)?;
        let mode = mode & !view.umask & 0o1777;
        let inode = self.new_inode(view, parent, Kind::Directory(Directory::new()), mode)?;
        self.create(parent, resolved.name(), inode)?;
        Ok(())
    }

    /// mknod(2).
    ///
    /// # Errors
    /// EEXIST, ENOSPC, and those of a resolution.
    pub fn mknod(&mut self, view: &View<'_>, path: &[u8], node: Node) -> Result<(), Errno> {
        let kind = match node.file_type {
            NodeType::Regular => Kind::Regular(Regular::new(&[])),
            NodeType::Fifo => Kind::Fifo(None),
            NodeType::Character(number) => Kind::Device(Device::with_number(number), number),
            NodeType::Block(number) => Kind::Block(number),
        };
        let resolved = self.walk(view, path, Ending::Name)?;
        let parent = self.vacant_for_file(&resolved)?;
        let inode = self.new_inode(view, parent, kind, node.permissions & !view.umask)?;
        self.create(parent, resolved.name(), inode)?;
        Ok(())
    }

    /// symlink(2).
    ///
    /// # Errors
    /// ENOENT for an empty target, ENAMETOOLONG, EEXIST, ENOSPC, and those of a resolution.
    pub fn symlink(
        &mut self,
        _store: &mut S,
        view: &View<'_>,
        target: &[u8],
        path: &[u8],
    ) -> Result<(), Errno> {
        if target.is_empty() {
            return Err(Errno::ENOENT);
        }
        if target.len() >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let resolved = self.walk(view, path, Ending::Name)?;
        let parent = self.vacant_for_file(&resolved)?;
        let kind = Kind::Symlink(Name::Owned(target.into()));
        let inode = self.new_inode(view, parent, kind, 0o777)?;
        self.create(parent, resolved.name(), inode)?;
        Ok(())
    }

    /// link(2) and linkat(2): one more name for an inode.
    ///
    /// # Errors
    /// EPERM for a directory, EXDEV for a file of `/proc`, EEXIST, EMLINK, ENOSPC, and those of a resolution.
    pub fn link(&mut self, node: InodeId, view: &View<'_>, path: &[u8]) -> Result<(), Errno> {
        let resolved = self.walk(view, path, Ending::Name)?;
        let parent = self.vacant_for_file(&resolved)?;
        let InodeId::Memory(number) = node else {
            return Err(Errno::EXDEV);
        };
        let number = Number(number);
        let inode = self.inode(number)?;
        if inode.is_directory() {
            return Err(Errno::EPERM);
        }
        if inode.links >= LINK_MAX {
            return Err(Errno::EMLINK);
        }
        if inode.links == 0 && inode.archive != TO_BE_NAMED {
            return Err(Errno::ENOENT);
        }
        self.add_entry(parent, Name::Owned(resolved.name().into()), number)?;
        let time = self.now();
        let inode = self.inode_mut(number)?;
        inode.changed = time;
        if inode.archive == TO_BE_NAMED {
            inode.archive = 0;
        }
        Ok(())
    }
}
