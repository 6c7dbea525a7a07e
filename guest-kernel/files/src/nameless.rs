//! Pipes and sockets as stat(2) shows them: they lie in no directory, and what is set about one is kept while it is open.
use crate::attributes::{PIPE_DEVICE, SOCKET_DEVICE};
use crate::description::Opened;
use crate::inode::Stamp;
use crate::ownership::Changeable;
use crate::{Attributes, Files, PageStore};
use alloc::collections::BTreeMap;
use contract::PAGE;
use linux_raw_sys::general as linux;

/// A pipe or a socket, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Nameless {
    Pipe(u32),
    Socket(u32),
}

/// What was set about one.
#[derive(Debug)]
struct Set {
    permissions: u16,
    user: u32,
    group: u32,
    accessed: Stamp,
    modified: Stamp,
    changed: Stamp,
}

/// Those of which something was set.
#[derive(Debug)]
pub(crate) struct NamelessAttributes(BTreeMap<Nameless, Set>);

impl NamelessAttributes {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// It goes.
    #[inline]
    pub(crate) fn forget(&mut self, nameless: Nameless) {
        if !self.0.is_empty() {
            self.0.remove(&nameless);
        }
    }
}

impl Nameless {
    /// What is open, if it is one.
    pub(crate) const fn of<P>(opened: &Opened<P>) -> Option<Self> {
        match opened {
            Opened::PipeRead(pipe) | Opened::PipeWrite(pipe) | Opened::Packets(_, pipe) => {
                Some(Self::Pipe(pipe.0))
            }
            Opened::Socket(socket) => Some(Self::Socket(socket.number)),
            _ => None,
        }
    }

    const fn permissions(self) -> u16 {
        match self {
            Self::Pipe(_) => 0o600,
            Self::Socket(_) => 0o777,
        }
    }
}

impl<S: PageStore> Files<S> {
    /// fstat(2).
    pub(crate) fn nameless_attributes(&self, nameless: Nameless) -> Attributes {
        let (dev, kind, number) = match nameless {
            Nameless::Pipe(number) => (PIPE_DEVICE, linux::S_IFIFO, number),
            Nameless::Socket(number) => (SOCKET_DEVICE, linux::S_IFSOCK, number),
        };
        let now = self.now().into();
        let mut attributes = Attributes {
            dev,
            ino: u64::from(number) + 1,
            mode: kind | u32::from(nameless.permissions()),
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            size: 0,
            blksize: PAGE,
            blocks: 0,
            atime: now,
            mtime: now,
            ctime: now,
        };
        if let Some(set) = self.nameless.0.get(&nameless) {
            attributes.mode = kind | u32::from(set.permissions);
            (attributes.uid, attributes.gid) = (set.user, set.group);
            attributes.atime = set.accessed.into();
            attributes.mtime = set.modified.into();
            attributes.ctime = set.changed.into();
        }
        attributes
    }

    /// What of one can be changed.
    pub(crate) fn change_nameless(&mut self, nameless: Nameless) -> Changeable<'_> {
        let now = self.now();
        let set = self.nameless.0.entry(nameless).or_insert(Set {
            permissions: nameless.permissions(),
            user: 0,
            group: 0,
            accessed: now,
            modified: now,
            changed: now,
        });
        Changeable {
            permissions: &mut set.permissions,
            user: &mut set.user,
            group: &mut set.group,
            accessed: &mut set.accessed,
            modified: &mut set.modified,
            changed: &mut set.changed,
            is_link: false,
            is_directory: false,
        }
    }
}
