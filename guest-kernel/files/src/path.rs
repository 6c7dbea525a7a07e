//! Path resolution (path_resolution(7)).
use crate::directory::{Directory, NAME_MAX};
use crate::inode::{InodeId, Kind, Number};
use crate::proc::{ProcLinkTarget, ProcNode, ProcSource};
use crate::{Files, PageStore, words};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use contract::Errno;
use core::ops::Range;

/// Greatest length of a path in bytes, with the NUL that ends it.
pub const PATH_MAX: usize = 4096;
/// Symbolic links that one resolution follows.
const LINK_LIMIT: u32 = 40;

/// A user and a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    /// `st_uid`.
    pub user: u32,
    /// `st_gid`.
    pub group: u32,
}

impl Owner {
    /// The superuser.
    pub const ROOT: Self = Self { user: 0, group: 0 };
}

/// Who asks, and from where.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Where a path without a leading slash starts: the working directory, or the directory of an `*at` call.
    pub start: InodeId,
    /// The process that asks: `/proc/self`.
    pub process: u32,
    /// Permission bits that new files do not get (umask(2)).
    pub umask: u16,
    /// Whose new files are.
    pub owner: Owner,
    /// The processes that `/proc` shows.
    pub processes: &'a dyn ProcSource,
}

/// What to do with a symbolic link at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastLink {
    /// Go where it leads.
    Follow,
    /// It is what was asked for; but with a slash behind it, it is followed all the same.
    Keep,
}

/// How a resolution ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Link(LastLink),
    /// As before, but what is not there will be made a file: with a slash behind a name, even that of a link, that is
    /// EISDIR.
    File(LastLink),
    /// The last name is about to be created or removed: never a link followed, slash or no.
    Name,
}

/// What the last component of a path is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Last {
    Name,
    Dot,
    DotDot,
    /// There is none: `/`.
    Root,
}

/// Whether slashes follow the last component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slash {
    Absent,
    Trailing,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Resolved<'p> {
    /// The directory that the last component was looked up in.
    pub(crate) parent: InodeId,
    /// What it leads to, if there is such a thing.
    pub(crate) node: Option<InodeId>,
    pub(crate) last: Last,
    pub(crate) slash: Slash,
    /// Links that were followed.
    pub(crate) links: u32,
    text: Cow<'p, [u8]>,
    name: Range<usize>,
}

impl Resolved<'_> {
    /// The last component.
    pub(crate) fn name(&self) -> &[u8] {
        &self.text[self.name.clone()]
    }
}

/// A directory that a name is looked for in.
#[derive(Clone, Copy)]
enum Place<'a> {
    Memory(&'a Directory),
    Proc(ProcNode),
}

/// Where a link leads.
pub(crate) enum Target<'a> {
    Text(Cow<'a, [u8]>),
    /// Straight to an inode, whatever its name.
    Inode(InodeId),
    /// To something without an inode: an unnamed pipe.
    Nameless,
}

impl<S: PageStore> Files<S> {
    /// The root directory.
    #[must_use]
    pub fn root(&self) -> InodeId {
        InodeId::Memory(self.root.0)
    }

    /// The inode that a path leads to.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG.
    pub fn lookup(
        &self,
        view: &View<'_>,
        path: &[u8],
        last_link: LastLink,
    ) -> Result<InodeId, Errno> {
        let resolved = self.walk(view, path, Ending::Link(last_link))?;
        self.existing(&resolved)
    }

    /// The inode that was found. ENOENT without one, ENOTDIR where a slash follows what is not a directory.
    pub(crate) fn existing(&self, resolved: &Resolved<'_>) -> Result<InodeId, Errno> {
        let node = resolved.node.ok_or(Errno::ENOENT)?;
        if resolved.slash == Slash::Trailing && !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        Ok(node)
    }

    pub(crate) fn walk<'p>(
        &self,
        view: &View<'_>,
        path: &'p [u8],
        ending: Ending,
    ) -> Result<Resolved<'p>, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if path.len() >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let mut text = Cow::Borrowed(path);
        let mut at = 0;
        let mut links = 0;
        let mut here = if path[0] == b'/' {
            self.root()
        } else {
            view.start
        };
        loop {
            let begin = at + count_slashes(&text[at..]);
            let length = words::find(&text[begin..], b'/').unwrap_or(text.len() - begin);
            let end = begin + length;
            let behind = count_slashes(&text[end..]);
            let is_last = end + behind == text.len();
            let slash = if is_last && behind != 0 {
                Slash::Trailing
            } else {
                Slash::Absent
            };
            let directory = self.directory(here)?;
            if let Ending::File(_) = ending
                && slash == Slash::Trailing
                && !matches!(&text[begin..end], b"" | b"." | b"..")
            {
                return Err(Errno::EISDIR);
            }
            if length > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            let (last, node) = match &text[begin..end] {
                b"" => (Last::Root, Some(here)),
                b"." => (Last::Dot, Some(here)),
                b".." => (Last::DotDot, Some(self.parent(here)?)),
                name => (Last::Name, self.child(view, directory, name)),
            };
            let finish = |node, links, text| {
                Ok(Resolved {
                    parent: here,
                    node,
                    last,
                    slash,
                    links,
                    text,
                    name: begin..end,
                })
            };
            let Some(child) = node else {
                return if is_last {
                    finish(None, links, text)
                } else {
                    Err(Errno::ENOENT)
                };
            };
            let follow = !is_last
                || match ending {
                    Ending::Link(LastLink::Follow) | Ending::File(LastLink::Follow) => true,
                    Ending::Link(LastLink::Keep) | Ending::File(LastLink::Keep) => {
                        slash == Slash::Trailing
                    }
                    Ending::Name => false,
                };
            // Of an archive's files, what was found comes into being here, if it can; then nothing can fail for that later.
            if !follow {
                self.require(child)?;
            } else if let Some(target) = self.link_target(view, child)? {
                links += 1;
                if links > LINK_LIMIT {
                    return Err(Errno::ELOOP);
                }
                match target {
                    Target::Text(target) => {
                        let rest = &text[end..];
                        if target.is_empty() {
                            return Err(Errno::ENOENT);
                        }
                        if target.len() + rest.len() >= PATH_MAX {
                            return Err(Errno::ENAMETOOLONG);
                        }
                        let mut longer = Vec::new();
                        longer
                            .try_reserve_exact(target.len() + rest.len())
                            .map_err(|_| Errno::ENOMEM)?;
                        longer.extend_from_slice(&target);
                        longer.extend_from_slice(rest);
                        if longer[0] == b'/' {
                            here = self.root();
                        }
                        text = Cow::Owned(longer);
                        at = 0;
                        continue;
                    }
                    Target::Inode(inode) if is_last => return finish(Some(inode), links, text),
                    Target::Inode(inode) => {
                        here = inode;
                        at = end;
                        continue;
                    }
                    Target::Nameless => {}
                }
            }
            if is_last {
                return finish(Some(child), links, text);
            }
            here = child;
            at = end;
        }
    }

    /// ENOENT where an inode is not there, ENOMEM where it cannot come into being.
    fn require(&self, id: InodeId) -> Result<(), Errno> {
        match id {
            InodeId::Memory(number) => self.inode(Number(number)).map(|_| ()),
            InodeId::Proc(_) => Ok(()),
        }
    }

    /// `..` of a directory. ENOENT in one that was removed.
    pub(crate) fn parent(&self, directory: InodeId) -> Result<InodeId, Errno> {
        match directory {
            InodeId::Memory(number) if Number(number) == self.root => Ok(directory),
            InodeId::Memory(number) => {
                let home = self.inode(Number(number))?.home.ok_or(Errno::ENOENT)?;
                Ok(InodeId::Memory(home.directory.0))
            }
            InodeId::Proc(node) => match node.parent() {
                Some(parent) => Ok(InodeId::Proc(parent)),
                None => self.parent(InodeId::Memory(self.proc_mount.ok_or(Errno::ENOENT)?.0)),
            },
        }
    }

    /// A directory to look into.
    #[inline]
    fn directory(&self, id: InodeId) -> Result<Place<'_>, Errno> {
        match id {
            InodeId::Memory(number) => Ok(Place::Memory(self.inode(Number(number))?.directory()?)),
            InodeId::Proc(node) if node.is_directory() => Ok(Place::Proc(node)),
            InodeId::Proc(_) => Err(Errno::ENOTDIR),
        }
    }

    #[inline]
    fn child(&self, view: &View<'_>, directory: Place<'_>, name: &[u8]) -> Option<InodeId> {
        match directory {
            Place::Memory(entries) => Some(self.mounted(entries.get(name)?)),
            Place::Proc(node) => node.child(view.processes, name).map(InodeId::Proc),
        }
    }

    /// The inode itself, or what is mounted on it.
    pub(crate) fn mounted(&self, number: Number) -> InodeId {
        if self.proc_mount == Some(number) {
            InodeId::Proc(ProcNode::Root)
        } else {
            InodeId::Memory(number.0)
        }
    }

    /// Where a link leads; `None` for what is not a link.
    pub(crate) fn link_target(
        &self,
        view: &View<'_>,
        id: InodeId,
    ) -> Result<Option<Target<'_>>, Errno> {
        match id {
            InodeId::Memory(number) => Ok(match &self.inode(Number(number))?.kind {
                Kind::Symlink(target) => Some(Target::Text(Cow::Borrowed(target.bytes()))),
                _ => None,
            }),
            InodeId::Proc(node) => {
                let Some(target) = node.link_target(view)? else {
                    return Ok(None);
                };
                Ok(Some(match target {
                    ProcLinkTarget::Text(text) => Target::Text(Cow::Owned(text)),
                    ProcLinkTarget::Root => Target::Inode(self.root()),
                    ProcLinkTarget::Inode(inode) => Target::Inode(inode),
                    ProcLinkTarget::Description(id) => match self.description(id)?.inode() {
                        Some(inode) => Target::Inode(inode),
                        None => Target::Nameless,
                    },
                }))
            }
        }
    }
}

fn count_slashes(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b'/').count()
}
