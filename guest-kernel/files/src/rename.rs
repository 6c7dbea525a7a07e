//! rename(2).
use crate::directory::Name;
use crate::inode::{Home, InodeId, Number};
use crate::path::{Ending, Last, Slash, View};
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// What becomes of a file that has the new name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replaced {
    /// It loses it.
    Dropped,
    /// It keeps it: EEXIST (RENAME_NOREPLACE).
    Kept,
    /// It gets the old one (RENAME_EXCHANGE).
    Exchanged,
}

impl Replaced {
    /// By the flags of renameat2(2).
    ///
    /// # Errors
    /// EINVAL for both, and for others.
    pub const fn from_flags(flags: u32) -> Result<Self, Errno> {
        match flags {
            0 => Ok(Self::Dropped),
            linux::RENAME_NOREPLACE => Ok(Self::Kept),
            linux::RENAME_EXCHANGE => Ok(Self::Exchanged),
            _ => Err(Errno::EINVAL),
        }
    }
}

impl<S: PageStore> Files<S> {
    /// rename(2) and renameat2(2).
    ///
    /// # Errors
    /// EINVAL to move a directory into itself; EXDEV, EBUSY, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY,
    /// ENOSPC, and those of a resolution.
    pub fn rename(
        &mut self,
        store: &mut S,
        old_view: &View<'_>,
        old: &[u8],
        new_view: &View<'_>,
        new: &[u8],
        replaced: Replaced,
    ) -> Result<(), Errno> {
        let exchange = replaced == Replaced::Exchanged;
        let keep = replaced == Replaced::Kept;
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
        if let Some(target) = to.node
            && exchange
            && to.slash == Slash::Trailing
            && !self.is_directory(target)
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
        self.make_changeable(from_parent)?;
        self.make_changeable(to_parent)?;
        self.inode(number)?;
        if from_parent == to_parent {
            self.note_in_directory(to_parent, linux::DN_RENAME);
        }
        if to.node.is_none() {
            if !self.is_named(to_parent) {
                return Err(Errno::ENOENT);
            }
            return self.move_entry(store, from_parent, from_place, to_parent, to.name(), number);
        }
        let (_, to_place, target) = self.removable(&to)?;
        let from_home = Home::new(from_parent, from_place);
        let to_home = Home::new(to_parent, to_place);
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
        self.remove_entry(store, from_parent, from_place)
    }

    /// Moves an inode to a name that is not there yet: the only step that can still fail comes first.
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
        self.remove_entry(store, from, place)
    }

    /// Lets the entry at `home` lead to `number`. Counts nothing: neither names nor subdirectories.
    fn put_at(&mut self, home: Home, number: Number) -> Result<(), Errno> {
        let time = self.now();
        let parent = self.inode_mut(home.directory)?;
        parent.directory_mut()?.replace(home.place(), number)?;
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
}
