//! What stat(2) reports.
use crate::device::DeviceNumber;
use crate::inode::{InodeId, Kind, Number, Time};
use crate::inodes::INODE_LIMIT;
use crate::metadata::Located;
use crate::proc::ProcNode;
use crate::{Files, PageStore};
use contract::{Errno, PAGE};
use core::mem::offset_of;
use linux_raw_sys::general as linux;

/// Bytes of `struct stat`.
pub const STAT_SIZE: usize = size_of::<linux::stat>();

/// Bytes of `struct statx`.
pub const STATX_SIZE: usize = size_of::<linux::statx>();

/// Which file system a file is in: what statfs(2) says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileSystem {
    /// The root, in memory.
    Memory,
    /// `/proc`.
    Proc,
    /// That of unnamed pipes.
    Pipe,
    /// That of sockets.
    Socket,
}

impl FileSystem {
    /// `f_type` (statfs(2)).
    #[must_use]
    pub const fn magic(self) -> u32 {
        match self {
            Self::Memory => linux::TMPFS_MAGIC,
            Self::Proc => linux::PROC_SUPER_MAGIC,
            Self::Pipe => linux::PIPEFS_MAGIC,
            Self::Socket => linux::SOCKFS_MAGIC,
        }
    }
}

/// `st_dev` of the root, of `/proc`, and of pipes: unnamed devices, which have major number 0.
const ROOT_DEVICE: u64 = 2;
const PROC_DEVICE: u64 = 3;
pub(crate) const PIPE_DEVICE: u64 = 4;
pub(crate) const SOCKET_DEVICE: u64 = 5;
/// A directory's size, empty and by entry, as Linux's tmpfs has it.
const DIRECTORY_SIZE: u64 = 40;
const ENTRY_SIZE: u64 = 20;

/// The attributes of a file; the names are struct stat's without their prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names are struct stat's")]
pub struct Attributes {
    pub dev: u64,
    pub ino: u64,
    pub mode: u32,
    pub nlink: u64,
    pub uid: u32,
    pub gid: u32,
    pub rdev: u64,
    /// Bytes.
    pub size: u64,
    /// Bytes.
    pub blksize: u64,
    /// Units of 512 bytes.
    pub blocks: u64,
    pub atime: Time,
    pub mtime: Time,
    pub ctime: Time,
}

impl Attributes {
    /// As `struct stat` lies in memory.
    #[must_use]
    pub fn to_stat(&self) -> [u8; STAT_SIZE] {
        let mut bytes = [0; STAT_SIZE];
        let mut put = |offset: usize, value: &[u8]| {
            bytes[offset..offset + value.len()].copy_from_slice(value);
        };
        put(offset_of!(linux::stat, st_dev), &self.dev.to_le_bytes());
        put(offset_of!(linux::stat, st_ino), &self.ino.to_le_bytes());
        put(offset_of!(linux::stat, st_nlink), &self.nlink.to_le_bytes());
        put(offset_of!(linux::stat, st_mode), &self.mode.to_le_bytes());
        put(offset_of!(linux::stat, st_uid), &self.uid.to_le_bytes());
        put(offset_of!(linux::stat, st_gid), &self.gid.to_le_bytes());
        put(offset_of!(linux::stat, st_rdev), &self.rdev.to_le_bytes());
        put(offset_of!(linux::stat, st_size), &self.size.to_le_bytes());
        put(
            offset_of!(linux::stat, st_blksize),
            &self.blksize.to_le_bytes(),
        );
        put(
            offset_of!(linux::stat, st_blocks),
            &self.blocks.to_le_bytes(),
        );
        for (offset, time) in [
            (offset_of!(linux::stat, st_atime), self.atime),
            (offset_of!(linux::stat, st_mtime), self.mtime),
            (offset_of!(linux::stat, st_ctime), self.ctime),
        ] {
            put(offset, &time.seconds.to_le_bytes());
            put(offset + 8, &u64::from(time.nanoseconds).to_le_bytes());
        }
        bytes
    }

    /// As `struct statx` lies in memory: the basic fields, whatever was asked for, as statx(2) allows. There is no time of
    /// birth.
    #[must_use]
    pub fn to_statx(&self) -> [u8; STATX_SIZE] {
        let mut bytes = [0; STATX_SIZE];
        let mut put = |offset: usize, value: &[u8]| {
            bytes[offset..offset + value.len()].copy_from_slice(value);
        };
        macro_rules! put {
            ($($field:ident: $value:expr,)*) => {
                $(put(offset_of!(linux::statx, $field), &$value.to_le_bytes());)*
            };
        }
        let device = |number| {
            let number = DeviceNumber::decode(number);
            (number.major, number.minor)
        };
        let (dev, rdev) = (device(self.dev), device(self.rdev));
        put! {
            stx_mask: linux::STATX_BASIC_STATS,
            stx_blksize: self.blksize as u32,
            stx_nlink: self.nlink as u32,
            stx_uid: self.uid,
            stx_gid: self.gid,
            stx_mode: self.mode as u16,
            stx_ino: self.ino,
            stx_size: self.size,
            stx_blocks: self.blocks,
            stx_rdev_major: rdev.0,
            stx_rdev_minor: rdev.1,
            stx_dev_major: dev.0,
            stx_dev_minor: dev.1,
        }
        for (offset, time) in [
            (offset_of!(linux::statx, stx_atime), self.atime),
            (offset_of!(linux::statx, stx_mtime), self.mtime),
            (offset_of!(linux::statx, stx_ctime), self.ctime),
        ] {
            put(offset, &time.seconds.to_le_bytes());
            put(offset + 8, &time.nanoseconds.to_le_bytes());
        }
        bytes
    }

    /// Whether it is a directory.
    #[must_use]
    pub const fn is_directory(&self) -> bool {
        self.mode & linux::S_IFMT == linux::S_IFDIR
    }
}

impl<S: PageStore> Files<S> {
    /// The file system that something is in.
    ///
    /// # Errors
    /// EBADF.
    pub fn file_system(&self, located: Located) -> Result<FileSystem, Errno> {
        let inode = match located {
            Located::Inode(inode) => Some(inode),
            Located::Description(id) => self.inode_of(id)?,
        };
        Ok(match inode {
            Some(InodeId::Memory(_)) => FileSystem::Memory,
            Some(InodeId::Proc(_)) => FileSystem::Proc,
            None => match located {
                Located::Description(id) if self.socket(id).is_ok() => FileSystem::Socket,
                _ => FileSystem::Pipe,
            },
        })
    }

    /// Inodes that there are, and how many there can be.
    #[must_use]
    pub fn inodes(&self) -> [u64; 2] {
        [self.inodes.len() as u64, INODE_LIMIT]
    }

    /// `st_dev` and `st_ino` of an inode.
    #[must_use]
    pub fn identity(&self, id: InodeId) -> (u64, u64) {
        match id {
            InodeId::Memory(number) => (ROOT_DEVICE, self.inodes.serial(Number(number)).into()),
            InodeId::Proc(node) => (PROC_DEVICE, node.number()),
        }
    }

    /// stat(2) of an inode.
    ///
    /// # Errors
    /// ENOENT for an id that nothing held.
    pub fn attributes(&self, id: InodeId) -> Result<Attributes, Errno> {
        match id {
            InodeId::Memory(number) => self.memory_attributes(Number(number)),
            InodeId::Proc(node) => Ok(self.proc_attributes(node)),
        }
    }

    fn memory_attributes(&self, number: Number) -> Result<Attributes, Errno> {
        let inode = self.inode(number)?;
        let (nlink, size, blocks, rdev) = match &inode.kind {
            Kind::Regular(regular) => (inode.links, regular.size(), regular.blocks(), 0),
            Kind::Directory(directory) => {
                let own = if self.is_named(number) { 2 } else { 0 };
                let size = DIRECTORY_SIZE + ENTRY_SIZE * directory.len() as u64;
                (own + directory.subdirectories, size, 0, 0)
            }
            Kind::Symlink(target) => (inode.links, target.bytes().len() as u64, 0, 0),
            Kind::Device(_, device) | Kind::Block(device) => (inode.links, 0, 0, device.encode()),
            Kind::Fifo(_) => (inode.links, 0, 0, 0),
        };
        let written = match &inode.kind {
            Kind::Regular(regular) => regular.written(),
            _ => None,
        };
        Ok(Attributes {
            dev: ROOT_DEVICE,
            ino: u64::from(inode.serial),
            mode: inode.file_type() | u32::from(inode.permissions),
            nlink: u64::from(nlink),
            uid: inode.user,
            gid: inode.group,
            rdev,
            size,
            blksize: PAGE,
            blocks,
            atime: inode.accessed.into(),
            mtime: written
                .map_or(inode.modified, |time| time.max(inode.modified))
                .into(),
            ctime: written
                .map_or(inode.changed, |time| time.max(inode.changed))
                .into(),
        })
    }

    /// Whether a directory still has its name; the root, which has none, counts.
    pub(crate) fn is_named(&self, number: Number) -> bool {
        number == self.root || self.inode(number).is_ok_and(|inode| inode.links != 0)
    }

    fn proc_attributes(&self, node: ProcNode) -> Attributes {
        let mode = node.mode();
        let directory = mode & linux::S_IFMT == linux::S_IFDIR;
        Attributes {
            dev: PROC_DEVICE,
            ino: node.number(),
            mode,
            nlink: if directory { 2 } else { 1 },
            uid: 0,
            gid: 0,
            rdev: 0,
            // Linux, too, says 0 for text that is made when it is read.
            size: 0,
            blksize: 1024,
            blocks: 0,
            atime: self.now().into(),
            mtime: self.now().into(),
            ctime: self.now().into(),
        }
    }
}
