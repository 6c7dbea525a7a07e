//! What is changed about a file: chmod(2), chown(2), utimensat(2).
use super::paths::{WORKING_DIRECTORY, time_of_change};
use crate::arch::clock::SECOND;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use contract::Errno;
use files::{Located, Time};
use linux_raw_sys::general as linux;

/// What becomes of a time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NewTime {
    Now,
    Keep,
    At(Time),
}

impl NewTime {
    /// Of a `struct timespec`: an impossible number of nanoseconds is the caller's to refuse.
    fn from_words(seconds: u64, nanoseconds: u64) -> Option<Self> {
        match nanoseconds {
            now if now == u64::from(linux::UTIME_NOW) => Some(Self::Now),
            omit if omit == u64::from(linux::UTIME_OMIT) => Some(Self::Keep),
            0..SECOND => Some(Self::At(Time {
                seconds: seconds as i64,
                nanoseconds: nanoseconds as u32,
            })),
            _ => None,
        }
    }

    fn time(self, now: Time) -> Option<Time> {
        match self {
            Self::Now => Some(now),
            Self::Keep => None,
            Self::At(time) => Some(time),
        }
    }
}

impl Kernel {
    /// What a descriptor leads to, to be changed; not one of O_PATH.
    fn open_to_change(&self, descriptor: u64) -> Result<Located, Errno> {
        heap::require_reserve()?;
        let id = self.description(descriptor)?;
        self.files.open_inode_of(id)?;
        Ok(Located::Description(id))
    }

    /// chmod(2).
    pub fn chmod(&mut self, path: u64, mode: u64) -> Result<u64, Errno> {
        self.fchmodat(WORKING_DIRECTORY, path, mode)
    }

    /// fchmodat: without flags, as Linux's call is.
    pub fn fchmodat(&mut self, directory: u64, path: u64, mode: u64) -> Result<u64, Errno> {
        let of = self.locate(directory, path, 0)?;
        self.files.chmod(of, (mode & 0o7777) as u16)?;
        Ok(0)
    }

    /// fchmod(2).
    pub fn fchmod(&mut self, descriptor: u64, mode: u64) -> Result<u64, Errno> {
        let of = self.open_to_change(descriptor)?;
        self.files.chmod(of, (mode & 0o7777) as u16)?;
        Ok(0)
    }

    /// chown(2).
    pub fn chown(&mut self, path: u64, user: u64, group: u64) -> Result<u64, Errno> {
        self.fchownat(WORKING_DIRECTORY, path, user, group, 0)
    }

    /// lchown(2).
    pub fn lchown(&mut self, path: u64, user: u64, group: u64) -> Result<u64, Errno> {
        let flags = u64::from(linux::AT_SYMLINK_NOFOLLOW);
        self.fchownat(WORKING_DIRECTORY, path, user, group, flags)
    }

    /// fchownat(2).
    pub fn fchownat(
        &mut self,
        directory: u64,
        path: u64,
        user: u64,
        group: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        let flags = flags as u32;
        if flags & !(linux::AT_SYMLINK_NOFOLLOW | linux::AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL);
        }
        let of = self.locate(directory, path, flags)?;
        self.files.chown(of, owner(user), owner(group))?;
        Ok(0)
    }

    /// fchown(2).
    pub fn fchown(&mut self, descriptor: u64, user: u64, group: u64) -> Result<u64, Errno> {
        let of = self.open_to_change(descriptor)?;
        self.files.chown(of, owner(user), owner(group))?;
        Ok(0)
    }

    /// utimensat(2); without a path, of the descriptor itself (futimens(3)).
    pub fn utimensat(
        &mut self,
        directory: u64,
        path: u64,
        times: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        let times = if times == 0 {
            [Some(NewTime::Now); 2]
        } else {
            let space = self.processes[self.current.process].space();
            let [a, b, c, d] = user::read_words(space, times)?;
            [NewTime::from_words(a, b), NewTime::from_words(c, d)]
        };
        if times == [Some(NewTime::Keep); 2] {
            return Ok(0);
        }
        let flags = flags as u32;
        if flags & !(linux::AT_SYMLINK_NOFOLLOW | linux::AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL);
        }
        let of = if path == 0 && directory as i32 != linux::AT_FDCWD {
            if flags != 0 {
                return Err(Errno::EINVAL);
            }
            self.open_to_change(directory)?
        } else {
            self.locate(directory, path, flags)?
        };
        let [Some(accessed), Some(modified)] = times else {
            return Err(Errno::EINVAL);
        };
        self.set_times(of, accessed, modified)
    }

    fn set_times(
        &mut self,
        of: Located,
        accessed: NewTime,
        modified: NewTime,
    ) -> Result<u64, Errno> {
        let now = time_of_change();
        self.files
            .set_times(of, accessed.time(now), modified.time(now))?;
        Ok(0)
    }

    /// utimes(2).
    pub fn utimes(&mut self, path: u64, times: u64) -> Result<u64, Errno> {
        self.futimesat(WORKING_DIRECTORY, path, times)
    }

    /// futimesat(2).
    pub fn futimesat(&mut self, directory: u64, path: u64, times: u64) -> Result<u64, Errno> {
        let mut new = [NewTime::Now; 2];
        if times != 0 {
            let space = self.processes[self.current.process].space();
            let [a, b, c, d] = user::read_words(space, times)?;
            for (place, [seconds, microseconds]) in new.iter_mut().zip([[a, b], [c, d]]) {
                if microseconds >= SECOND / 1000 {
                    return Err(Errno::EINVAL);
                }
                *place = NewTime::At(Time {
                    seconds: seconds as i64,
                    nanoseconds: microseconds as u32 * 1000,
                });
            }
        }
        let of = if path == 0 && directory as i32 != linux::AT_FDCWD {
            self.open_to_change(directory)?
        } else {
            self.locate(directory, path, 0)?
        };
        self.set_times(of, new[0], new[1])
    }

    /// utime(2).
    pub fn utime(&mut self, path: u64, times: u64) -> Result<u64, Errno> {
        let mut new = [NewTime::Now; 2];
        if times != 0 {
            let space = self.processes[self.current.process].space();
            let seconds: [u64; 2] = user::read_words(space, times)?;
            new = seconds.map(|seconds| {
                NewTime::At(Time {
                    seconds: seconds as i64,
                    nanoseconds: 0,
                })
            });
        }
        let of = self.locate(WORKING_DIRECTORY, path, 0)?;
        self.set_times(of, new[0], new[1])
    }
}

/// A user or group that is to be set; -1 leaves it.
const fn owner(id: u64) -> Option<u32> {
    match id as u32 {
        u32::MAX => None,
        id => Some(id),
    }
}
