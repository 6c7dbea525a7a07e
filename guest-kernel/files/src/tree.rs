//! A whole tree, from its top: each directory before what is in it.
use crate::inode::{InodeId, Number};
use crate::path::PATH_MAX;
use crate::{Files, PageStore};
use contract::Errno;

/// What is done with each path and its inode.
type Visit<'a> = &'a mut dyn FnMut(&[u8], InodeId) -> Result<(), Errno>;

impl<S: PageStore> Files<S> {
    /// Hands `visit` every inode from `top` down with its path from there, empty for `top` itself. `/proc` is left out.
    ///
    /// No stack is needed, however deep the tree is: a directory knows where its entry stands.
    ///
    /// # Errors
    /// What `visit` answers; ENAMETOOLONG for a path over the limit.
    pub fn visit_tree(&self, top: InodeId, visit: Visit<'_>) -> Result<(), Errno> {
        visit(b"", top)?;
        let InodeId::Memory(top) = top else {
            return Ok(());
        };
        if !self.is_directory(InodeId::Memory(top)) {
            return Ok(());
        }
        let mut path = [0; PATH_MAX];
        let mut length = 0;
        let mut directory = Number(top);
        let mut from = 0;
        loop {
            let inode = self.inode(directory)?;
            let Some((place, entry)) = inode.directory()?.next_from(from) else {
                let Some(home) = inode.home.filter(|_| directory.0 != top) else {
                    return Ok(());
                };
                let cut = path[..length].iter().rposition(|&byte| byte == b'/');
                length = cut.unwrap_or(0);
                directory = home.directory;
                from = home.place() + 1;
                continue;
            };
            from = place + 1;
            let child = self.mounted(entry.inode);
            let InodeId::Memory(number) = child else {
                continue;
            };
            let before = length;
            for part in [if length == 0 { &b""[..] } else { b"/" }, entry.name] {
                path.get_mut(length..length + part.len())
                    .ok_or(Errno::ENAMETOOLONG)?
                    .copy_from_slice(part);
                length += part.len();
            }
            visit(&path[..length], child)?;
            if self.is_directory(child) {
                directory = Number(number);
                from = 0;
            } else {
                length = before;
            }
        }
    }
}
