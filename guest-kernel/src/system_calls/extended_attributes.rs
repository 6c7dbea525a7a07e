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

    /// getxattr(2), setxattr(2), removexattr(2); `flags` as for an `*at` call.
    pub fn attribute_of_path(&mut self, path: u64, name: u64, flags: u32) -> Result<u64, Errno> {
        self.locate(WORKING_DIRECTORY, path, flags)?;
        self.check_attribute_name(name)?;
        Err(Errno::EOPNOTSUPP)
    }

    /// fgetxattr(2), fsetxattr(2), fremovexattr(2).
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
