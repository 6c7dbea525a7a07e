//! Process creation, exec and exit: the arguments of the calls. What they do is in
//! [`crate::process`].
use super::Outcome;
use super::paths::PathBuffer;
use crate::kernel::Kernel;
use crate::process::Status;
use crate::process::exec::UserStrings;
use crate::process::scheduler::Next;
use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::Errno;
use files::{Found, InodeId, Located, OnExec, PATH_MAX};
use linux_raw_sys::general as linux;

impl Kernel {
    /// execve(2).
    pub fn execve(&mut self, path: u64, arguments: u64, environment: u64) -> Result<Next, Errno> {
        let who = self.current;
        let Some(memory) = &self.processes[who].memory else {
            return Err(Errno::ESRCH);
        };
        let space = Rc::clone(memory);
        let mut buffer = PathBuffer::take();
        let result = buffer.read(&space, path).and_then(|path| {
            self.exec(
                who,
                path,
                &mut UserStrings::new(&space, arguments),
                &mut UserStrings::new(&space, environment),
            )
        });
        crate::memory::space::AddressSpace::release(space);
        result.map(|()| Next::Same)
    }

    /// execveat(2). A program that a descriptor leads to is told a name below `/dev/fd`.
    pub fn execveat(
        &mut self,
        directory: u64,
        path: u64,
        arguments: u64,
        environment: u64,
        flags: u64,
    ) -> Result<Next, Errno> {
        let flags = flags as u32;
        if flags & !(linux::AT_EMPTY_PATH | linux::AT_SYMLINK_NOFOLLOW) != 0 {
            return Err(Errno::EINVAL);
        }
        let who = self.current;
        let Some(memory) = &self.processes[who].memory else {
            return Err(Errno::ESRCH);
        };
        let space = Rc::clone(memory);
        let mut buffer = PathBuffer::take();
        let result = buffer.read(&space, path).and_then(|name| {
            let inode = self.file_to_execute(directory, path, flags)?;
            let below = self.name_by_descriptor(directory, name, inode)?;
            self.exec_file(
                who,
                Found { inode, path: None },
                below.as_deref().unwrap_or(name),
                &mut UserStrings::new(&space, arguments),
                &mut UserStrings::new(&space, environment),
            )
        });
        crate::memory::space::AddressSpace::release(space);
        result.map(|()| Next::Same)
    }

    fn file_to_execute(&mut self, directory: u64, path: u64, flags: u32) -> Result<InodeId, Errno> {
        let inode = match self.locate(directory, path, flags)? {
            Located::Inode(inode) => inode,
            Located::Description(open) => self.files.inode_of(open)?.ok_or(Errno::EACCES)?,
        };
        let kind = self.files.attributes(inode)?.mode & linux::S_IFMT;
        if kind == linux::S_IFLNK {
            return Err(Errno::ELOOP);
        }
        let who = self.processes[self.current].credentials.owner();
        self.files.check_program(inode, who)?;
        Ok(inode)
    }

    /// The name of a program that a descriptor leads to; `None` where its path does without one. An interpreter
    /// cannot open a script whose descriptor exec closes (ENOENT).
    fn name_by_descriptor(
        &self,
        directory: u64,
        path: &[u8],
        inode: InodeId,
    ) -> Result<Option<Vec<u8>>, Errno> {
        if directory as i32 == linux::AT_FDCWD || path.starts_with(b"/") {
            return Ok(None);
        }
        let descriptor = directory as u32;
        let descriptors = &self.processes[self.current].descriptors;
        if let OnExec::Close = descriptors.on_exec(descriptor)?
            && self.files.begins_with(&self.pages, inode, b"#!")
        {
            return Err(Errno::ENOENT);
        }
        const DIRECTORY: &[u8] = b"/dev/fd/";
        const DIGITS: usize = 10;
        let length = DIRECTORY.len() + DIGITS + 1 + path.len();
        if length >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let mut name = Vec::new();
        name.try_reserve_exact(length).map_err(|_| Errno::ENOMEM)?;
        name.extend_from_slice(DIRECTORY);
        let mut digits = (0..DIGITS as u32)
            .rev()
            .map(|place| descriptor / 10_u32.pow(place) % 10)
            .peekable();
        while digits.len() > 1 && digits.next_if_eq(&0).is_some() {}
        name.extend(digits.map(|digit| b'0' + digit as u8));
        if !path.is_empty() {
            name.push(b'/');
            name.extend_from_slice(path);
        }
        Ok(Some(name))
    }

    /// exit_group(2): exit(3) of all threads.
    pub fn exit_group(&mut self, status: u64) -> Outcome {
        self.end_process(self.current.process, Status::Exited(status as u8));
        Outcome::Other
    }
}
