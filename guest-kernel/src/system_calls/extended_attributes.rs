//! Extended attributes (xattr(7)): no file has any, and none can be set.
use super::paths::WORKING_DIRECTORY;
use crate::kernel::Kernel;
use crate::memory::user;
use contract::Errno;
use linux_raw_sys::general as linux;

/// Longest name of an attribute.
const NAME_MAX: u64 = 255;

impl Kernel {
    /// Whether a name can be one at all. EFAULT, ERANGE.
    fn check_attribute_name(&self, name: u64) -> Result<(), Errno> {
        let space = self.processes[self.current.process].space();
        match user::string_length(space, name, NAME_MAX + 1)? {
            None | Some(0) => Err(Errno::ERANGE),
            Some(_) => Ok(()),
        }
    }

    /// Whether such an attribute could be set at all. EINVAL, E2BIG, and what is wrong with its name.
    fn check_new_attribute(&self, name: u64, size: u64, flags: u64) -> Result<(), Errno> {
        const SIZE_MAX: u64 = linux::XATTR_SIZE_MAX as u64;
        if flags as u32 & !(linux::XATTR_CREATE | linux::XATTR_REPLACE) != 0 {
            return Err(Errno::EINVAL);
        }
        self.check_attribute_name(name)?;
        if size > SIZE_MAX {
            return Err(Errno::E2BIG);
        }
        Ok(())
    }

    /// setxattr(2), lsetxattr(2); `at_flags` as for an `*at` call.
    pub fn set_attribute_of_path(
        &mut self,
        path: u64,
        name: u64,
        size: u64,
        flags: u64,
        at_flags: u32,
    ) -> Result<u64, Errno> {
        self.locate(WORKING_DIRECTORY, path, at_flags)?;
        self.check_new_attribute(name, size, flags)?;
        Err(Errno::EOPNOTSUPP)
    }

    /// fsetxattr(2).
    pub fn set_attribute_of_descriptor(
        &self,
        descriptor: u64,
        name: u64,
        size: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        self.files.open_inode_of(self.description(descriptor)?)?;
        self.check_new_attribute(name, size, flags)?;
        Err(Errno::EOPNOTSUPP)
    }

    /// getxattr(2), removexattr(2), and of a link itself; `flags` as for an `*at` call.
    pub fn attribute_of_path(&mut self, path: u64, name: u64, flags: u32) -> Result<u64, Errno> {
        self.locate(WORKING_DIRECTORY, path, flags)?;
        self.check_attribute_name(name)?;
        Err(Errno::EOPNOTSUPP)
    }

    /// fgetxattr(2), fremovexattr(2).
    pub fn attribute_of_descriptor(&self, descriptor: u64, name: u64) -> Result<u64, Errno> {
        self.files.open_inode_of(self.description(descriptor)?)?;
        self.check_attribute_name(name)?;
        Err(Errno::EOPNOTSUPP)
    }

    /// listxattr(2), llistxattr(2): none.
    pub fn attributes_of_path(&mut self, path: u64, flags: u32) -> Result<u64, Errno> {
        self.locate(WORKING_DIRECTORY, path, flags)?;
        Ok(0)
    }

    /// flistxattr(2): none.
    pub fn attributes_of_descriptor(&self, descriptor: u64) -> Result<u64, Errno> {
        self.files.open_inode_of(self.description(descriptor)?)?;
        Ok(0)
    }
}

/// What the calls with an l say of a link at the end.
pub const OF_LINK: u32 = linux::AT_SYMLINK_NOFOLLOW;
