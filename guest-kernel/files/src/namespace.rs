//! Names: made, removed, moved; and what is changed through a name.
use crate::device::{Device, DeviceNumber};
use crate::directory::{Directory, Name};
use crate::inode::{Home, Inode, InodeId, Kind, Number, Stamp, Time};
use crate::path::{Ending, Last, LastLink, PATH_MAX, Resolved, Slash, View};
use crate::regular::Regular;
use crate::words::hash;
use crate::{Attributes, Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Links to one file: as many as `st_nlink` can say on any file system.
const LINK_MAX: u32 = 65_000;

impl<S: PageStore> Files<S> {
    /// Gives an inode a name, which is not there yet, in a directory. ENOENT where that has been removed, ENOSPC.
    pub(crate) fn add_entry(
        &mut self,
        directory: Number,
        name: Name,
        number: Number,
    ) -> Result<(), Errno> {
        let time = self.time;
        if !self.is_named(directory) {
            return Err(Errno::ENOENT);
        }
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
        inode.home = Some(Home { directory, place });
        Ok(())
    }

    /// Removes an entry, and what it led to if that was the last name and nobody has it open.
    pub(crate) fn remove_entry(&mut self, store: &mut S, directory: Number, place: u32) {
        let time = self.time;
        let Ok(parent) = self.inode_mut(directory) else {
            return;
        };
        let Ok(entries) = parent.directory_mut() else {
            return;
        };
        let Some(number) = entries.remove(place) else {
            return;
        };
        (parent.modified, parent.changed) = (time, time);
        self.lose_name(store, number, Home { directory, place });
    }

    /// An inode's name at `home` is gone.
    fn lose_name(&mut self, store: &mut S, number: Number, home: Home) {
        let time = self.time;
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
            self.remove_entry(store, directory, place);
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

    /// As [`Self::create`], in a directory that has been looked into: by the name's hash.
    pub(crate) fn create_as(
        &mut self,
        directory: Number,
        name: Name,
        hash: u32,
        mut inode: Inode<S::Page>,
    ) -> Result<Number, Errno> {
        let time = self.time;
        let is_directory = inode.is_directory();
        let parent = self.inode(directory)?;
        if parent.links == 0 && directory != self.root {
            return Err(Errno::ENOENT);
        }
        inode.links = 1;
        inode.home = Some(Home {
            directory,
            place: parent.directory()?.next_place(),
        });
        let number = self.add_inode(inode)?;
        let parent = self.inode_mut(directory)?;
        let entries = parent.directory_mut()?;
        if let Err(errno) = entries.insert_hashed(name, hash, number) {
            self.inodes.remove(number.0);
            return Err(errno);
        }
        entries.subdirectories += u32::from(is_directory);
        // While the tree is seeded there is no time yet, and the archive's stays.
        if time != Stamp::ZERO {
            (parent.modified, parent.changed) = (time, time);
        }
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
        let inode = Inode::new(Kind::Directory(Directory::new()), mode, self.time);
        self.create(parent, resolved.name(), inode)?;
        Ok(())
    }

    /// mknod(2): a regular file, a FIFO or a device, by the file type in `mode`; `device` is a `dev_t`.
    ///
    /// # Errors
    /// EEXIST, ENOSPC; EPERM for a directory, EINVAL for another type; and those of a resolution.
    pub fn mknod(
        &mut self,
        _store: &mut S,
        view: &View<'_>,
        path: &[u8],
        mode: u32,
        device: u64,
    ) -> Result<(), Errno> {
        let number = DeviceNumber::decode(device);
        let kind = match mode & linux::S_IFMT {
            0 | linux::S_IFREG => Kind::Regular(Regular::new(&[])),
            linux::S_IFIFO => Kind::Fifo(None),
            linux::S_IFCHR => Kind::Device(Device::with_number(number), number),
            linux::S_IFBLK => Kind::Block(number),
            linux::S_IFDIR => return Err(Errno::EPERM),
            _ => return Err(Errno::EINVAL),
        };
        let resolved = self.walk(view, path, Ending::Name)?;
        let parent = self.vacant_for_file(&resolved)?;
        let inode = Inode::new(kind, mode as u16 & 0o7777 & !view.umask, self.time);
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
        let inode = Inode::new(Kind::Symlink(Name::Owned(target.into())), 0o777, self.time);
        self.create(parent, resolved.name(), inode)?;
        Ok(())
    }

    /// link(2) and linkat(2): `last_link` says whether a link at the end of `old` is followed.
    ///
    /// # Errors
    /// EPERM for a directory, EXDEV for a file of `/proc`, EEXIST, EMLINK, ENOSPC, and those of a resolution.
    pub fn link(
        &mut self,
        old_view: &View<'_>,
        old: &[u8],
        last_link: LastLink,
        new_view: &View<'_>,
        new: &[u8],
    ) -> Result<(), Errno> {
        let node = self.lookup(old_view, old, last_link)?;
        let resolved = self.walk(new_view, new, Ending::Name)?;
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
        if inode.links == 0 {
            return Err(Errno::ENOENT);
        }
        self.add_entry(parent, Name::Owned(resolved.name().into()), number)?;
        let time = self.time;
        self.inode_mut(number)?.changed = time;
        Ok(())
    }

    /// What is to be removed: its directory, place and inode. EPERM in `/proc`, EBUSY for what is mounted.
    fn removable(&self, resolved: &Resolved<'_>) -> Result<(Number, u32, Number), Errno> {
        let node = resolved.node.ok_or(Errno::ENOENT)?;
        let InodeId::Memory(parent) = resolved.parent else {
            return Err(Errno::EPERM);
        };
        let InodeId::Memory(number) = node else {
            return Err(Errno::EBUSY);
        };
        let parent = Number(parent);
        let place = self.inode(parent)?.directory()?.place(resolved.name());
        Ok((parent, place.ok_or(Errno::ENOENT)?, Number(number)))
    }

    /// unlink(2). Who has the file open keeps it.
    ///
    /// # Errors
    /// EISDIR, EPERM in `/proc`, and those of a resolution.
    pub fn unlink(&mut self, store: &mut S, view: &View<'_>, path: &[u8]) -> Result<(), Errno> {
        let resolved = self.walk(view, path, Ending::Name)?;
        if resolved.last != Last::Name {
            return Err(Errno::EISDIR);
        }
        let node = resolved.node.ok_or(Errno::ENOENT)?;
        if resolved.slash == Slash::Trailing && !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        if self.is_directory(node) {
            return Err(Errno::EISDIR);
        }
        let (parent, place, _) = self.removable(&resolved)?;
        self.remove_entry(store, parent, place);
        Ok(())
    }

    /// rmdir(2).
    ///
    /// # Errors
    /// ENOTDIR, ENOTEMPTY, EINVAL for `.`, EBUSY for a root, and those of a resolution.
    pub fn rmdir(&mut self, store: &mut S, view: &View<'_>, path: &[u8]) -> Result<(), Errno> {
        let resolved = self.walk(view, path, Ending::Name)?;
        match resolved.last {
            Last::Name => {}
            Last::Dot => return Err(Errno::EINVAL),
            Last::DotDot => return Err(Errno::ENOTEMPTY),
            Last::Root => return Err(Errno::EBUSY),
        }
        let node = resolved.node.ok_or(Errno::ENOENT)?;
        if !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        let (parent, place, number) = self.removable(&resolved)?;
        if self.inode(number)?.directory()?.len() != 0 {
            return Err(Errno::ENOTEMPTY);
        }
        self.remove_entry(store, parent, place);
        Ok(())
    }

    /// rename(2) and renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE.
    ///
    /// # Errors
    /// EINVAL for other flags, or to move a directory into itself; EXDEV, EBUSY, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY,
    /// ENOSPC, and those of a resolution.
    pub fn rename(
        &mut self,
        store: &mut S,
        old_view: &View<'_>,
        old: &[u8],
        new_view: &View<'_>,
        new: &[u8],
        flags: u32,
    ) -> Result<(), Errno> {
        let exchange = flags & linux::RENAME_EXCHANGE != 0;
        let keep = flags & linux::RENAME_NOREPLACE != 0;
        if flags & !(linux::RENAME_EXCHANGE | linux::RENAME_NOREPLACE) != 0 || exchange && keep {
            return Err(Errno::EINVAL);
        }
        let from = self.walk(old_view, old, Ending::Name)?;
        let to = self.walk(new_view, new, Ending::Name)?;
        let (InodeId::Memory(from_parent), InodeId::Memory(to_parent)) = (from.parent, to.parent)
        else {
            return Err(Errno::EXDEV);
        };
        if from.last != Last::Name {
            return Err(Errno::EBUSY);
        }
        if to.last != Last::Name {
            return Err(if keep { Errno::EEXIST } else { Errno::EBUSY });
        }
        let node = from.node.ok_or(Errno::ENOENT)?;
        if to.node.is_some() && keep {
            return Err(Errno::EEXIST);
        }
        if to.node.is_none() && exchange {
            return Err(Errno::ENOENT);
        }
        let is_directory = self.is_directory(node);
        if !is_directory
            && (from.slash == Slash::Trailing || to.slash == Slash::Trailing && !exchange)
        {
            return Err(Errno::ENOTDIR);
        }
        let (from_parent, to_parent) = (Number(from_parent), Number(to_parent));
        if self.is_within(to.parent, node)? {
            return Err(Errno::EINVAL);
        }
        if let Some(target) = to.node
            && self.is_within(from.parent, target)?
        {
            return Err(if exchange {
                Errno::EINVAL
            } else {
                Errno::ENOTEMPTY
            });
        }
        if to.node == Some(node) {
            return Ok(());
        }
        let (_, from_place, number) = self.removable(&from)?;
        if to.node.is_none() {
            if !self.is_named(to_parent) {
                return Err(Errno::ENOENT);
            }
            return self.move_entry(store, from_parent, from_place, to_parent, to.name(), number);
        }
        let (_, to_place, target) = self.removable(&to)?;
        let from_home = Home {
            directory: from_parent,
            place: from_place,
        };
        let to_home = Home {
            directory: to_parent,
            place: to_place,
        };
        if exchange {
            let target_is_directory = self.inode(target)?.is_directory();
            self.put_at(to_home, number)?;
            self.put_at(from_home, target)?;
            for (parent, gains, loses) in [
                (to_parent, is_directory, target_is_directory),
                (from_parent, target_is_directory, is_directory),
            ] {
                let entries = self.inode_mut(parent)?.directory_mut()?;
                entries.subdirectories += u32::from(gains);
                entries.subdirectories -= u32::from(loses);
            }
            return Ok(());
        }
        let target_inode = self.inode(target)?;
        match (is_directory, target_inode.directory()) {
            (true, Err(_)) => return Err(Errno::ENOTDIR),
            (false, Ok(_)) => return Err(Errno::EISDIR),
            (true, Ok(directory)) if directory.len() != 0 => return Err(Errno::ENOTEMPTY),
            _ => {}
        }
        self.put_at(to_home, number)?;
        // The old name goes without the inode's last name going: it has two now.
        self.inode_mut(number)?.links += 1;
        self.lose_name(store, target, to_home);
        if is_directory && let Ok(parent) = self.inode_mut(to_parent) {
            parent.directory_mut()?.subdirectories += 1;
        }
        self.remove_entry(store, from_parent, from_place);
        Ok(())
    }

    /// Moves an inode to a name that is not there yet: the only step that can fail comes first.
    fn move_entry(
        &mut self,
        store: &mut S,
        from: Number,
        place: u32,
        to: Number,
        name: &[u8],
        number: Number,
    ) -> Result<(), Errno> {
        self.add_entry(to, Name::Owned(name.into()), number)?;
        self.remove_entry(store, from, place);
        Ok(())
    }

    /// Lets the entry at `home` lead to `number`. Counts nothing: neither names nor subdirectories.
    fn put_at(&mut self, home: Home, number: Number) -> Result<(), Errno> {
        let time = self.time;
        let parent = self.inode_mut(home.directory)?;
        parent.directory_mut()?.replace(home.place, number);
        (parent.modified, parent.changed) = (time, time);
        let inode = self.inode_mut(number)?;
        inode.home = Some(home);
        inode.changed = time;
        Ok(())
    }

    /// Whether `directory` is `ancestor` or lies below it.
    fn is_within(&self, directory: InodeId, ancestor: InodeId) -> Result<bool, Errno> {
        let mut here = directory;
        while here != ancestor {
            if here == self.root() {
                return Ok(false);
            }
            here = self.parent(here)?;
        }
        Ok(true)
    }

    /// stat(2), lstat(2) and fstatat(2) with a path.
    ///
    /// # Errors
    /// Those of a resolution.
    pub fn stat(
        &self,
        view: &View<'_>,
        path: &[u8],
        last_link: LastLink,
    ) -> Result<Attributes, Errno> {
        let id = self.lookup(view, path, last_link)?;
        if let InodeId::Proc(crate::ProcNode::Descriptor(process, fd)) = id
            && last_link == LastLink::Follow
            && let Some(description) = view.processes.descriptor(process, fd)
        {
            return self.description_attributes(description);
        }
        self.attributes(id)
    }

    /// access(2): all is root's, who may read and write everything, and execute what somebody may execute.
    ///
    /// # Errors
    /// EINVAL for unknown bits of `mode`, EACCES, and those of a resolution.
    pub fn access(
        &self,
        view: &View<'_>,
        path: &[u8],
        mode: u32,
        last_link: LastLink,
    ) -> Result<(), Errno> {
        const EXECUTE: u32 = 1;
        if mode & !(linux::R_OK | linux::W_OK | EXECUTE) != 0 {
            return Err(Errno::EINVAL);
        }
        let attributes = self.stat(view, path, last_link)?;
        if mode & EXECUTE != 0 && !attributes.is_directory() && attributes.mode & 0o111 == 0 {
            return Err(Errno::EACCES);
        }
        Ok(())
    }

    /// chmod(2) of an inode.
    ///
    /// # Errors
    /// EPERM in `/proc`; EOPNOTSUPP for a symbolic link.
    pub fn chmod(&mut self, id: InodeId, mode: u16) -> Result<(), Errno> {
        let time = self.time;
        let inode = self.changeable(id)?;
        if let Kind::Symlink(_) = inode.kind {
            return Err(Errno::EOPNOTSUPP);
        }
        inode.permissions = mode & 0o7777;
        inode.changed = time;
        Ok(())
    }

    /// chown(2) of an inode; `None` leaves it. A program file loses its set-id bits.
    ///
    /// # Errors
    /// EPERM in `/proc`.
    pub fn chown(
        &mut self,
        id: InodeId,
        user: Option<u32>,
        group: Option<u32>,
    ) -> Result<(), Errno> {
        let time = self.time;
        let inode = self.changeable(id)?;
        inode.user = user.unwrap_or(inode.user);
        inode.group = group.unwrap_or(inode.group);
        if !inode.is_directory() {
            inode.permissions &= !0o4000;
            // Set-group-id without group execute means something else: mandatory locking.
            if inode.permissions & 0o010 != 0 {
                inode.permissions &= !0o2000;
            }
        }
        inode.changed = time;
        Ok(())
    }

    /// utimensat(2) of an inode; `None` leaves a time (UTIME_OMIT).
    ///
    /// # Errors
    /// EPERM in `/proc`.
    pub fn set_times(
        &mut self,
        id: InodeId,
        accessed: Option<Time>,
        modified: Option<Time>,
    ) -> Result<(), Errno> {
        let time = self.time;
        let inode = self.changeable(id)?;
        inode.accessed = accessed.map_or(inode.accessed, Stamp::from);
        inode.modified = modified.map_or(inode.modified, Stamp::from);
        inode.changed = time;
        Ok(())
    }

    fn changeable(&mut self, id: InodeId) -> Result<&mut Inode<S::Page>, Errno> {
        match id {
            InodeId::Memory(number) => self.inode_mut(Number(number)),
            InodeId::Proc(_) => Err(Errno::EPERM),
        }
    }

    /// truncate(2).
    ///
    /// # Errors
    /// EISDIR, EINVAL where it is not a regular file, EFBIG, and those of a resolution.
    pub fn truncate(
        &mut self,
        store: &mut S,
        view: &View<'_>,
        path: &[u8],
        size: u64,
    ) -> Result<(), Errno> {
        match self.lookup(view, path, LastLink::Follow)? {
            InodeId::Memory(number) => self.set_size(store, Number(number), size),
            id if self.is_directory(id) => Err(Errno::EISDIR),
            InodeId::Proc(_) => Err(Errno::EINVAL),
        }
    }
}
