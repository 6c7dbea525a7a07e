//! What every system has, where the archive has it not.
use crate::device::{Device, DeviceNumber};
use crate::directory::{Directory, Name};
use crate::inode::{Inode, Kind, Number};
use crate::mapped::Regular;
use crate::words::hash;
use crate::{Files, PageStore};
use contract::Errno;
use contract::system_files::{Kind as SystemKind, PROC, SYSTEM_FILES, SystemFile};

impl<S: PageStore> Files<S> {
    /// Makes the system files that are not there, and mounts `/proc`.
    ///
    /// # Errors
    /// ENOSPC when there are too many files; ENOTDIR where the archive has something else than a directory of the root.
    pub fn populate(&mut self, _store: &mut S) -> Result<(), Errno> {
        if self.proc_mount.is_some() {
            // An index says that all are there.
            return Ok(());
        }
        for file in &SYSTEM_FILES {
            let number = self.system_file(file)?;
            if file.directory.is_empty() {
                self.inode(number)?.directory()?;
                if file.name == PROC {
                    self.proc_mount = Some(number);
                }
            }
        }
        Ok(())
    }

    /// A system file, made where it is not there.
    fn system_file(&mut self, file: &'static SystemFile) -> Result<Number, Errno> {
        let mut directory = self.root;
        if !file.directory.is_empty() {
            let name = file.directory.as_bytes();
            let there = self.inode(directory)?.directory()?.get(name);
            directory = there.ok_or(Errno::ENOENT)?;
        }
        let name = file.name.as_bytes();
        let hash = hash(name);
        let entries = self.inode(directory)?.directory()?;
        if let Some(entry) = entries
            .place_hashed(name, hash)
            .and_then(|place| entries.entry(place))
        {
            return Ok(entry.inode);
        }
        let kind = match file.kind {
            SystemKind::Directory => Kind::Directory(Directory::new()),
            SystemKind::Device(major, minor) => {
                let number = DeviceNumber { major, minor };
                Kind::Device(Device::with_number(number), number)
            }
            SystemKind::Link(target) => Kind::Symlink(Name::Archived(target.as_bytes())),
            SystemKind::File(contents) => Kind::Regular(Regular::new(contents.as_bytes())),
        };
        let inode = Inode::new(kind, file.permissions, self.now());
        self.create_as(directory, Name::Archived(name), hash, inode)
    }
}
