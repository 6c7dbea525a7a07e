//! open(2) and openat(2).
use crate::description::{DescriptionId, Opened};
use crate::fd_table::{FdTable, OnExec};
use crate::inode::{InodeId, Kind, Number, TO_BE_NAMED};
use crate::mapped::Regular;
use crate::path::{Ending, LastLink, View};
use crate::proc::ProcNode;
use crate::{Files, PageStore, Step};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Flags that are spent when the file is open: F_GETFL does not show them.
const SPENT: u32 =
    linux::O_CREAT | linux::O_EXCL | linux::O_NOCTTY | linux::O_TRUNC | linux::O_CLOEXEC;
/// What O_PATH leaves of the flags.
const WITH_PATH: u32 = linux::O_PATH | linux::O_DIRECTORY | linux::O_NOFOLLOW | linux::O_CLOEXEC;
/// The bit of O_TMPFILE that is its own.
const UNNAMED: u32 = linux::O_TMPFILE & !linux::O_DIRECTORY;
/// All that this knows, and O_LARGEFILE, which is always on here.
const KNOWN: u32 = linux::O_ACCMODE
    | SPENT
    | WITH_PATH
    | UNNAMED
    | linux::O_APPEND
    | linux::O_NONBLOCK
    | linux::O_SYNC
    | linux::O_DIRECT
    | linux::O_LARGEFILE
    | linux::O_NOATIME;

/// Whether flags of open(2) go together. To be asked before the path is looked at.
///
/// # Errors
/// EINVAL.
pub const fn check_open_flags(flags: u32) -> Result<(), Errno> {
    const CREATES_DIRECTORY: u32 = linux::O_CREAT | linux::O_DIRECTORY;
    if flags & linux::O_PATH != 0 {
        return Ok(());
    }
    let unnamed_only_read = flags & UNNAMED != 0
        && (flags & linux::O_DIRECTORY == 0 || flags & linux::O_ACCMODE == linux::O_RDONLY);
    if flags & CREATES_DIRECTORY == CREATES_DIRECTORY || unnamed_only_read {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

impl<S: PageStore> Files<S> {
    /// open(2): the lowest free descriptor leads to what `path` names. `mode` counts where a file is created.
    ///
    /// A FIFO may have to wait for its other end. `progress` is 0 at first and kept over the wait; meanwhile the
    /// descriptor, `progress` − 1, is taken, so that the end of the process closes it. A signal that ends the call closes
    /// it, too, by [`Files::close`].
    ///
    /// Errors: EMFILE before anything is done; ENFILE; ENOSPC; ENOENT, EEXIST, EISDIR, ENOTDIR, ELOOP, ENAMETOOLONG,
    /// EINVAL, ENXIO (a device that is not there, a FIFO without a reader), EACCES (a file of `/proc` for writing).
    #[allow(
        clippy::too_many_arguments,
        reason = "they are openat's, and where from"
    )]
    pub fn open(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        view: &View<'_>,
        path: &[u8],
        flags: u32,
        mode: u16,
        progress: &mut usize,
    ) -> Step<u32> {
        if let Some(fd) = progress.checked_sub(1) {
            return self.open_further(table, fd as u32);
        }
        if let Err(errno) = table.lowest_free(0) {
            return Step::Done(Err(errno));
        }
        let opened = self
            .open_description(store, view, path, flags, mode)
            .and_then(|id| self.install(store, table, id, OnExec::from_flags(flags)));
        match opened {
            Ok(fd) => {
                *progress = fd as usize + 1;
                self.open_further(table, fd)
            }
            Err(errno) => Step::Done(Err(errno)),
        }
    }

    /// Whether an open is over, or waits for the other end of a FIFO.
    fn open_further(&mut self, table: &FdTable, fd: u32) -> Step<u32> {
        match table.get(fd) {
            Ok(id) => match self.awaited(id) {
                None => Step::Done(Ok(fd)),
                Some(until) => Step::Wait(until),
            },
            Err(errno) => Step::Done(Err(errno)),
        }
    }

    /// As [`Files::open`], without a descriptor: the caller has the one reference. A FIFO is not waited for.
    ///
    /// # Errors
    /// As there.
    pub fn open_description(
        &mut self,
        store: &mut S,
        view: &View<'_>,
        path: &[u8],
        flags: u32,
        mode: u16,
    ) -> Result<DescriptionId, Errno> {
        check_open_flags(flags)?;
        // As Linux on 64 bits: F_GETFL shows it.
        let large = if flags & linux::O_PATH == 0 {
            linux::O_LARGEFILE
        } else {
            0
        };
        self.try_open(store, view, path, flags & KNOWN | large, mode)
    }

    /// Opens `/dev/console`, before anything has changed.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub fn open_console(&mut self, store: &mut S, view: &View<'_>) -> Result<DescriptionId, Errno> {
        const FLAGS: u32 = linux::O_RDWR | linux::O_LARGEFILE;
        match self.inodes.indexed(b"dev", b"console") {
            // Straight there: no directory on the way needs to come into being.
            Some(number) if self.inodes.file_type(number) == linux::S_IFCHR => {
                self.open_inode(store, view, InodeId::Memory(number.0), FLAGS)
            }
            _ => self.open_description(store, view, b"/dev/console", FLAGS, 0),
        }
    }

    fn try_open(
        &mut self,
        store: &mut S,
        view: &View<'_>,
        path: &[u8],
        flags: u32,
        mode: u16,
    ) -> Result<DescriptionId, Errno> {
        let has = |flag| flags & flag != 0;
        if has(linux::O_PATH) {
            return self.open_path(view, path, flags & WITH_PATH);
        }
        if has(UNNAMED) {
            return self.open_unnamed(view, path, flags, mode);
        }
        let keep = has(linux::O_NOFOLLOW) || has(linux::O_CREAT) && has(linux::O_EXCL);
        let last_link = if keep {
            LastLink::Keep
        } else {
            LastLink::Follow
        };
        let ending = if has(linux::O_CREAT) {
            Ending::File(last_link)
        } else {
            Ending::Link(last_link)
        };
        let resolved = self.walk(view, path, ending)?;
        let Some(node) = resolved.node else {
            if !has(linux::O_CREAT) {
                return Err(Errno::ENOENT);
            }
            let InodeId::Memory(parent) = resolved.parent else {
                return Err(Errno::ENOENT);
            };
            let kind = Kind::Regular(Regular::new(&[]));
            let inode = self.new_inode(view, Number(parent), kind, mode & !view.umask)?;
            let number = self.create(Number(parent), resolved.name(), inode)?;
            return match self.describe(Opened::Regular(number), flags & !SPENT) {
                Ok(id) => Ok(id),
                Err(errno) => {
                    self.remove_named(store, Number(parent), resolved.name());
                    Err(errno)
                }
            };
        };
        self.existing(&resolved)?;
        if has(linux::O_CREAT) {
            if has(linux::O_EXCL) {
                return Err(Errno::EEXIST);
            }
            if self.is_directory(node) {
                return Err(Errno::EISDIR);
            }
        }
        if has(linux::O_DIRECTORY) && !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        self.open_inode(store, view, node, flags)
    }

    /// Opens what there is.
    fn open_inode(
        &mut self,
        store: &mut S,
        view: &View<'_>,
        node: InodeId,
        flags: u32,
    ) -> Result<DescriptionId, Errno> {
        let writes = flags & linux::O_ACCMODE != linux::O_RDONLY || flags & linux::O_TRUNC != 0;
        let opened = match node {
            InodeId::Memory(number) => {
                let number = Number(number);
                let inode = self.inode(number)?;
                let user = view.owner.user;
                if flags & linux::O_NOATIME != 0 && user != 0 && user != inode.user {
                    return Err(Errno::EPERM);
                }
                if !inode.permits(view.owner, flags) {
                    return Err(Errno::EACCES);
                }
                match &inode.kind {
                    Kind::Regular(_) => Opened::Regular(number),
                    Kind::Directory(_) if writes => return Err(Errno::EISDIR),
                    Kind::Directory(_) => Opened::Directory(node),
                    Kind::Symlink(_) => return Err(Errno::ELOOP),
                    Kind::Device(Some(device), _) => Opened::Device(number, *device),
                    Kind::Device(None, _) | Kind::Block(_) => return Err(Errno::ENXIO),
                    Kind::Fifo(_) => return self.open_fifo(store, number, flags & !SPENT),
                }
            }
            InodeId::Proc(ProcNode::Descriptor(process, fd)) => {
                let id = view
                    .processes
                    .descriptor(process, fd)
                    .ok_or(Errno::ENOENT)?;
                return self.open_again(store, id, flags & !SPENT);
            }
            InodeId::Proc(proc) if proc.is_directory() => {
                if writes {
                    return Err(Errno::EISDIR);
                }
                Opened::Directory(node)
            }
            InodeId::Proc(proc) if proc.is_link() => return Err(Errno::ELOOP),
            InodeId::Proc(ProcNode::SysFile(file)) if writes && file.is_writable() => {
                Opened::Proc(ProcNode::SysFile(file), None)
            }
            InodeId::Proc(_) if writes => return Err(Errno::EACCES),
            InodeId::Proc(proc) => Opened::Proc(proc, None),
        };
        if let Opened::Regular(number) = opened {
            self.respect_leases(number, flags)?;
        }
        let truncate = match opened {
            Opened::Regular(number) if flags & linux::O_TRUNC != 0 => Some(number),
            _ => None,
        };
        let id = self.describe(opened, flags & !SPENT)?;
        if let Some(number) = truncate
            && let Err(errno) = self.set_size(store, number, 0)
        {
            self.drop_reference(store, id);
            return Err(errno);
        }
        Ok(id)
    }

    fn open_path(
        &mut self,
        view: &View<'_>,
        path: &[u8],
        flags: u32,
    ) -> Result<DescriptionId, Errno> {
        let last_link = if flags & linux::O_NOFOLLOW != 0 {
            LastLink::Keep
        } else {
            LastLink::Follow
        };
        let node = self.lookup(view, path, last_link)?;
        if flags & linux::O_DIRECTORY != 0 && !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        self.describe(Opened::Path(node), flags & !SPENT)
    }

    /// O_TMPFILE: a file without a name.
    fn open_unnamed(
        &mut self,
        view: &View<'_>,
        path: &[u8],
        flags: u32,
        mode: u16,
    ) -> Result<DescriptionId, Errno> {
        let directory = self.lookup(view, path, LastLink::Follow)?;
        if !self.is_directory(directory) {
            return Err(Errno::ENOTDIR);
        }
        let InodeId::Memory(directory) = directory else {
            return Err(Errno::EOPNOTSUPP);
        };
        let kind = Kind::Regular(Regular::new(&[]));
        let mut inode = self.new_inode(view, Number(directory), kind, mode & !view.umask)?;
        if flags & linux::O_EXCL == 0 {
            inode.archive = TO_BE_NAMED;
        }
        let number = self.add_inode(inode)?;
        let opened = self.describe(Opened::Regular(number), flags & !SPENT);
        if opened.is_err() {
            self.inodes.remove(number);
        }
        opened
    }
}
