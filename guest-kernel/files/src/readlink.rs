//! The other way round: what a link says, and the path of an inode.
use crate::content::Found;
use crate::inode::{InodeId, Number};
use crate::path::{LastLink, PATH_MAX, Target, View};
use crate::proc::ProcNode;
use crate::{Files, PageStore};
use alloc::vec::Vec;
use contract::Errno;

impl<S: PageStore> Files<S> {
    /// The text of a symbolic link (readlink(2)).
    ///
    /// # Errors
    /// EINVAL where it is none; ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG; ENOMEM.
    pub fn readlink(&self, view: &View<'_>, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let id = self.lookup(view, path, LastLink::Keep)?;
        self.readlink_inode(view, id)
    }

    /// The text of a symbolic link, as readlinkat(2) with an empty path asks for it.
    ///
    /// # Errors
    /// EINVAL where it is none; ENOMEM.
    pub fn readlink_inode(&self, view: &View<'_>, id: InodeId) -> Result<Vec<u8>, Errno> {
        if let InodeId::Proc(ProcNode::Descriptor(process, fd)) = id {
            let description = view
                .processes
                .descriptor(process, fd)
                .ok_or(Errno::ENOENT)?;
            return self.description_name(description);
        }
        match self.link_target(view, id)? {
            None => Err(Errno::EINVAL),
            Some(Target::Text(text)) => copy(&text),
            Some(Target::Inode(inode)) => self.path_of(inode),
            Some(Target::Nameless) => Err(Errno::ENOENT),
        }
    }

    /// What `/proc/PID/fd` shows for a description: a path, or what kind of thing it is.
    ///
    /// # Errors
    /// EBADF, ENOMEM, ENAMETOOLONG.
    pub fn description_name(&self, id: crate::DescriptionId) -> Result<Vec<u8>, Errno> {
        use crate::description::Opened;
        match self.description(id)?.opened {
            Opened::PipeRead(pipe) | Opened::PipeWrite(pipe) | Opened::Packets(_, pipe) => {
                let mut name = copy(b"pipe:[")?;
                crate::proc::ProcName::Number(pipe.number()).push_to(&mut name);
                name.push(b']');
                Ok(name)
            }
            Opened::Socket(socket) => {
                let mut name = copy(b"socket:[")?;
                crate::proc::ProcName::Number(socket.number + 1).push_to(&mut name);
                name.push(b']');
                Ok(name)
            }
            Opened::Process(_) => copy(b"anon_inode:[pidfd]"),
            _ => match self.description(id)?.inode() {
                Some(inode) => self.path_or_deleted(inode),
                None => Err(Errno::ENOENT),
            },
        }
    }

    fn path_or_deleted(&self, inode: InodeId) -> Result<Vec<u8>, Errno> {
        match self.path_of(inode) {
            Err(Errno::ENOENT) => match self.memfds.shown_name(inode) {
                Some(name) => Ok(name),
                None => copy(b"/ (deleted)"),
            },
            path => path,
        }
    }

    /// The absolute path of a file that was found; the errors of [`Files::path_of`].
    ///
    /// # Errors
    /// See there.
    pub fn path_of_found(&self, file: &Found<'_>) -> Result<Vec<u8>, Errno> {
        match file.own_path() {
            Some(path) => copy(path),
            None => self.path_of(file.inode),
        }
    }

    /// The absolute path of an inode that has one, without a NUL: what getcwd(2) answers for a directory.
    ///
    /// # Errors
    /// ENOENT where it has been removed; ENAMETOOLONG beyond [`PATH_MAX`]; ENOMEM.
    pub fn path_of(&self, id: InodeId) -> Result<Vec<u8>, Errno> {
        if id == self.root() {
            return copy(b"/");
        }
        // The names are only known from the leaf to the root: once to measure, once to put them where they belong.
        let mut length = 0;
        self.visit_up(id, &mut |name| length += name.len() + 1)?;
        if length >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let mut path = Vec::new();
        path.try_reserve_exact(length).map_err(|_| Errno::ENOMEM)?;
        path.resize(length, b'/');
        self.visit_up(id, &mut |name| {
            length -= name.len();
            path[length..length + name.len()].copy_from_slice(name);
            length -= 1;
        })?;
        Ok(path)
    }

    /// Hands `visit` the names that lead to an inode, the last one first. ENOENT where it has been removed.
    fn visit_up(&self, id: InodeId, visit: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
        let mut here = id;
        while here != self.root() {
            let number = match here {
                InodeId::Memory(number) => Number(number),
                InodeId::Proc(node) => match node.own_name() {
                    Some(name) => {
                        visit(name.bytes(&mut [0; 10]));
                        here = self.parent(here)?;
                        continue;
                    }
                    None => self.proc_mount.ok_or(Errno::ENOENT)?,
                },
            };
            let home = self.inode(number)?.home.ok_or(Errno::ENOENT)?;
            let directory = self.inode(home.directory)?.directory()?;
            let entry = directory
                .entry(home.place())
                .filter(|entry| entry.inode == number)
                .ok_or(Errno::ENOENT)?;
            visit(entry.name);
            here = InodeId::Memory(home.directory.0);
        }
        Ok(())
    }
}

fn copy(text: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(text.len())
        .map_err(|_| Errno::ENOMEM)?;
    copy.extend_from_slice(text);
    Ok(copy)
}
