//! The kernel's files: pure logic that a test runs without a machine.
//!
//! [`Files`] is all of it: the root directory in memory, seeded in place from a cpio archive, `/dev`, `/proc` (whose text
//! comes from the kernel through [`ProcSource`]), pipes, and the open file descriptions. A process has an [`FdTable`] and a
//! working directory. Contents lie in page frames that the kernel gives through [`PageStore`]; the first argument of
//! whatever changes the tree or a file is that store, whether it takes a frame today or not.
//!
//! | what | module |
//! |---|---|
//! | names and inodes | `directory`, `inode`, `inodes` (their table), `path` (resolution), `namespace` (create, link), `remove`, `rename`, `readlink`, `metadata`, `attributes` and `nameless` (stat), `ownership` (chmod, chown) |
//! | contents | `regular` over `page_map`, `storage` (fallocate), `content` (what exec and mmap ask for), `mapped` and `mappable` (regular files that are mapped), `pipe`, `handover` (past a pipe), `device`, `snapshot` (text of `/proc`) |
//! | what a descriptor leads to | `fd_table`, `descriptors` (close, dup, fork), `description`, `fcntl`, `open`, `fifo`, `transfer` (read, write), `without_bytes` (the same where the bytes cannot be reached), `readiness` (poll), `listing` (getdents) |
//! | pairs of sockets, descriptors of processes, locks, leases, signals that tell of files | `socket`, `process_handle`, `locks`, `leases`, `memfd`, `notices`, `directory_notices` |
//! | the start | `index` (of an archive that has one), else `archive` (the format) and `seed` (into the tree); `system` (what every system has) |
//! | `/proc`, the terminal | `proc`, `tty` |
//! | a whole tree, on its way out of the machine | `tree` |
//! | below | `step` (what an operation answers), `wait_queue`, `slab` (tables), `words` (bytes eight at a time), `store` (frames) |
//!
//! **Waiting.** Nothing here blocks. What cannot go on answers [`Step::Wait`]; the kernel parks the thread in the queue
//! of that [`WaitFor`] and asks again when [`Files::take_wakeup`] names it. The description must be kept
//! ([`Files::retain`]) where another thread could close it meanwhile, as Linux keeps it.
//!
//! **Pieces.** A user's buffer is not contiguous in memory. The kernel hands it over piece by piece with one
//! [`Transfer`] that remembers how far the whole call has come, over its pieces and its retries.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod archive;
mod attributes;
mod content;
mod description;
mod descriptors;
mod device;
mod directory;
mod directory_notices;
mod fcntl;
mod fd_table;
mod fifo;
mod handover;
mod index;
mod inode;
mod inodes;
mod leases;
mod listing;
mod locks;
mod mappable;
mod mapped;
mod memfd;
mod metadata;
mod nameless;
mod namespace;
mod notices;
mod open;
mod ownership;
mod page_map;
mod path;
mod pipe;
mod proc;
mod process_handle;
mod readiness;
mod readlink;
mod regular;
mod remove;
mod rename;
mod seed;
mod slab;
mod snapshot;
mod socket;
mod step;
mod storage;
mod store;
mod system;
mod transfer;
mod tree;
pub mod tty;
mod wait_queue;
mod without_bytes;
mod words;

pub use archive::{ArchiveError, ArchiveFault, Compression};
pub use attributes::{Attributes, FileSystem, STAT_SIZE, STATX_SIZE};
pub use content::Found;
pub use description::DescriptionId;
pub use device::Device;
pub use directory::NAME_MAX;
pub use fd_table::{DESCRIPTOR_DEFAULT, DESCRIPTOR_LIMIT, FdTable, OnExec};
pub use handover::ReadNothing;
pub use inode::{InodeId, Time};
pub use leases::Broken;
pub use listing::Listing;
pub use locks::{LockMode, LockOwner, RecordLock};
pub use mappable::Mappable;
pub use mapped::{MappedFile, NoPage, Purpose};
pub use metadata::Located;
pub use namespace::Node;
pub use notices::{Addressee, AddresseeKind, News, Notice};
pub use open::check_open_flags;
pub use path::{LastLink, Owner, PATH_MAX, View};
pub use pipe::{PIPE_BUF, PIPE_CAPACITY, PIPE_CAPACITY_MAX, PipeId};
pub use proc::{
    NoProcesses, Output, ProcContent, ProcNode, ProcSource, ProcessFile, ProcessLink, SysDirectory,
    SysFile, SystemFile,
};
pub use process_handle::ProcessHandle;
pub use regular::{MAX_FILE_SIZE, PageContent};
pub use rename::Replaced;
pub use socket::{MESSAGE_MAX, SocketKind};
pub use step::{KernelDevice, Memory, Readiness, Step, Transfer};
pub use store::PageStore;
pub use wait_queue::{WaitFor, WaitQueue};

pub use words::{find as find_byte, find_below as find_byte_below};

use description::Description;
use inode::Number;
use inodes::Inodes;
use pipe::Pipe;
use slab::Slab;
use wait_queue::Wakeups;

/// All files of the machine. See the crate's page.
pub struct Files<S: PageStore> {
    inodes: Inodes<S>,
    /// The `st_ino` of the youngest inode.
    last_serial: u32,
    descriptions: Slab<Description<S::Page>, 32>,
    /// How many descriptions of regular files are open for writing.
    writers: u32,
    pipes: Slab<Pipe<S::Page>, 8>,
    root: Number,
    /// The directory on which `/proc` is, once it is.
    proc_mount: Option<Number>,
    wakeups: Wakeups,
    notices: notices::Notices,
    /// What a pipe of somebody without privileges may hold (`/proc/sys/fs/pipe-max-size`).
    pipe_limit: u64,
    locks: locks::Locks,
    /// Descriptions that stand for processes.
    process_handles: u32,
    /// See [`Self::minds_ends`].
    minds_ends: bool,
    leases: leases::Leases,
    memfds: memfd::Memfds,
    nameless: nameless::NamelessAttributes,
    /// A file that has lost pages which mappings still have.
    lost_pages: Option<MappedFile<S::Page>>,
    /// Tells the time that changes get.
    clock: Option<fn() -> Time>,
}
