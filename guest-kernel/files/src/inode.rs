//! Inodes: what a name leads to.
use crate::Files;
use crate::device::{Device, DeviceNumber};
use crate::directory::{Directory, Name};
use crate::mapped::Regular;
use crate::path::Owner;
use crate::pipe::PipeId;
use crate::proc::ProcNode;
use crate::store::PageStore;
use alloc::boxed::Box;
use contract::Errno;
use core::num::NonZeroU32;
use linux_raw_sys::general as linux;

/// Index of an inode in memory. The root's is 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Number(pub(crate) u32);

/// What a path leads to. Keep one only while something holds the inode: an open description, or a hold of your own
/// ([`Files::share_directory`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InodeId {
    /// An inode in memory, by its index.
    Memory(u32),
    /// A node of `/proc`, which is not stored anywhere.
    Proc(ProcNode),
}

/// A time as struct timespec has it, since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Time {
    /// Whole seconds.
    pub seconds: i64,
    /// The rest, below 10⁹.
    pub nanoseconds: u32,
}

/// A time in nanoseconds since 1970: 1677 to 2262, and a third of an inode's size less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Stamp(i64);

impl Stamp {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn from_seconds(seconds: u32) -> Self {
        Self(seconds as i64 * 1_000_000_000)
    }

    pub(crate) const fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds as i64)
    }

    pub(crate) const fn is_a_day_before(self, other: Self) -> bool {
        const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
        other.0.saturating_sub(self.0) >= DAY
    }
}

impl From<Time> for Stamp {
    fn from(time: Time) -> Self {
        let whole = time.seconds.saturating_mul(1_000_000_000);
        Self(whole.saturating_add(i64::from(time.nanoseconds)))
    }
}

impl From<Stamp> for Time {
    fn from(stamp: Stamp) -> Self {
        Self {
            seconds: stamp.0.div_euclid(1_000_000_000),
            nanoseconds: stamp.0.rem_euclid(1_000_000_000) as u32,
        }
    }
}

/// What kind of file an inode is, with what is particular to it.
#[derive(Debug)]
pub(crate) enum Kind<P> {
    Regular(Regular<P>),
    Directory(Directory),
    Symlink(Name),
    Device(Option<Device>, DeviceNumber),
    /// A block device: there is none, but an archive may name one.
    Block(DeviceNumber),
    /// The pipe is there while somebody has it open.
    Fifo(Option<PipeId>),
}

/// Where an inode was last named: a directory and the place in it. A hint, which is right where that entry still leads to
/// the inode; for a directory, which has one name, it always is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Home {
    pub(crate) directory: Number,
    /// The place and one more: so an inode with one, or without, is no larger than that.
    after: NonZeroU32,
}

impl Home {
    pub(crate) const fn new(directory: Number, place: u32) -> Self {
        Self {
            directory,
            after: NonZeroU32::MIN.saturating_add(place),
        }
    }

    pub(crate) const fn place(self) -> u32 {
        self.after.get() - 1
    }
}

/// In place of an archive: the file was made without a name (O_TMPFILE), and may still be given one.
pub(crate) const TO_BE_NAMED: u16 = u16::MAX;

#[derive(Debug)]
pub(crate) struct Inode<P> {
    pub(crate) kind: Kind<P>,
    /// `st_ino`. Its index may be another's when it is gone, while mappings still show it; this never is.
    pub(crate) serial: u32,
    /// The low twelve bits of `st_mode`.
    pub(crate) permissions: u16,
    /// Which of the archives it came from, from 1 on; 0 for none, or [`TO_BE_NAMED`].
    pub(crate) archive: u16,
    /// Names that lead to it; a directory's own `.` and its children's `..` are not counted here.
    pub(crate) links: u32,
    /// Open descriptions, working directories.
    pub(crate) holders: u32,
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) home: Option<Home>,
    pub(crate) accessed: Stamp,
    pub(crate) modified: Stamp,
    pub(crate) changed: Stamp,
}

impl<P> Inode<P> {
    pub(crate) fn new(kind: Kind<P>, permissions: u16, time: Stamp) -> Self {
        Self {
            kind,
            serial: 0,
            permissions: permissions & 0o7777,
            archive: 0,
            links: 0,
            holders: 0,
            user: 0,
            group: 0,
            home: None,
            accessed: time,
            modified: time,
            changed: time,
        }
    }

    /// The file type bits of `st_mode`.
    pub(crate) fn file_type(&self) -> u32 {
        match &self.kind {
            Kind::Regular(_) => linux::S_IFREG,
            Kind::Directory(_) => linux::S_IFDIR,
            Kind::Symlink(_) => linux::S_IFLNK,
            Kind::Device(..) => linux::S_IFCHR,
            Kind::Block(_) => linux::S_IFBLK,
            Kind::Fifo(_) => linux::S_IFIFO,
        }
    }

    /// Whether its mode lets somebody open it so. Root may do all.
    pub(crate) const fn permits(&self, who: Owner, flags: u32) -> bool {
        if who.user == 0 {
            return true;
        }
        let wanted = match flags & linux::O_ACCMODE {
            linux::O_RDONLY => 0o4,
            linux::O_WRONLY => 0o2,
            _ => 0o6,
        };
        let truncates = if flags & linux::O_TRUNC != 0 { 0o2 } else { 0 };
        let wanted = wanted | truncates;
        self.permissions_of(who) & wanted == wanted
    }

    /// Whether its mode lets somebody execute it: root, where it lets anybody.
    pub(crate) const fn permits_execution(&self, who: Owner) -> bool {
        if who.user == 0 {
            self.permissions & 0o111 != 0
        } else {
            self.permissions_of(who) & 0o1 != 0
        }
    }

    /// The three bits of its mode that are for somebody who is not root.
    const fn permissions_of(&self, who: Owner) -> u16 {
        let shift = if who.user == self.user {
            6
        } else if who.group == self.group {
            3
        } else {
            0
        };
        self.permissions >> shift & 0o7
    }

    pub(crate) fn directory(&self) -> Result<&Directory, Errno> {
        match &self.kind {
            Kind::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    pub(crate) fn directory_mut(&mut self) -> Result<&mut Directory, Errno> {
        match &mut self.kind {
            Kind::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }
}

impl<S: PageStore> Files<S> {
    /// Lets a clock tell the time that inodes are stamped with: else it is 1970.
    pub fn set_clock(&mut self, clock: fn() -> Time) {
        self.clock = Some(clock);
    }

    /// The time of a change.
    pub(crate) fn now(&self) -> Stamp {
        self.clock.map_or(Stamp::ZERO, |clock| clock().into())
    }

    /// Keeps a working directory while one more process has it.
    pub fn share_directory(&mut self, directory: InodeId) -> InodeId {
        self.hold(directory);
        directory
    }

    /// Lets a working directory go.
    #[inline]
    pub fn release_directory(&mut self, store: &mut S, directory: InodeId) {
        self.release(store, directory);
    }

    pub(crate) fn hold(&mut self, id: InodeId) {
        if let InodeId::Memory(number) = id
            && let Ok(inode) = self.inodes.get_mut(Number(number))
        {
            inode.holders += 1;
        }
    }

    #[inline(always)]
    pub(crate) fn release(&mut self, store: &mut S, id: InodeId) {
        if let InodeId::Memory(number) = id
            && let Ok(inode) = self.inodes.get_mut(Number(number))
        {
            inode.holders -= 1;
            if inode.holders == 0 && inode.links == 0 {
                self.free_if_gone(store, Number(number));
            }
        }
    }

    #[inline]
    pub(crate) fn inode(&self, number: Number) -> Result<&Inode<S::Page>, Errno> {
        match self.inodes.in_memory(number) {
            Some(inode) => Ok(inode),
            None => self.bring_inode(number),
        }
    }

    /// Lets an inode come into being; the way to a file may lead by any number of those.
    #[cold]
    #[inline(never)]
    fn bring_inode(&self, number: Number) -> Result<&Inode<S::Page>, Errno> {
        S::require_reserve()?;
        self.inodes.get(number)
    }

    pub(crate) fn inode_mut(&mut self, number: Number) -> Result<&mut Inode<S::Page>, Errno> {
        self.inodes.get_mut(number)
    }

    /// Adds an inode that has no name yet. ENOSPC when the table is full.
    pub(crate) fn add_inode(&mut self, mut inode: Inode<S::Page>) -> Result<Number, Errno> {
        self.last_serial = self.last_serial.wrapping_add(1);
        inode.serial = self.last_serial;
        self.inodes
            .insert(Box::new(inode))
            .map_err(|_| Errno::ENOSPC)
    }

    /// Frees an inode that has no name and no holder.
    pub(crate) fn free_if_gone(&mut self, store: &mut S, number: Number) {
        let Ok(inode) = self.inodes.get_mut(number) else {
            return;
        };
        if inode.links == 0
            && let Kind::Regular(regular) = &inode.kind
        {
            regular.note_unlinked();
        }
        // The root has no name that links to it, and stays when the last process has left it.
        if inode.links != 0 || inode.holders != 0 || number == self.root {
            return;
        }
        if let Kind::Regular(regular) = &mut inode.kind {
            regular.free(store);
        }
        self.inodes.remove(number);
        self.memfds.forget(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inode_fills_one_block_of_the_heap() {
        assert!(size_of::<Inode<core::num::NonZeroU32>>() <= 128);
    }

    #[test]
    fn times_survive() {
        for (seconds, nanoseconds) in [(0, 0), (1_700_000_000, 999_999_999), (-1, 1), (-2, 0)] {
            let time = Time {
                seconds,
                nanoseconds,
            };
            assert_eq!(Time::from(Stamp::from(time)), time);
        }
    }
}
