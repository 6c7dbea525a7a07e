//! What prctl(2) sets of a process that is yes or no.
use core::ops::{BitAnd, BitOr};

/// A set of them.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits(u8);

impl Traits {
    /// Orphans among its descendants become its children (PR_SET_CHILD_SUBREAPER).
    pub const SUBREAPER: Self = Self(1);
    /// exec gives no new privileges (PR_SET_NO_NEW_PRIVS).
    pub const NO_NEW_PRIVILEGES: Self = Self(2);
    /// No core may be dumped (PR_SET_DUMPABLE).
    pub const UNDUMPABLE: Self = Self(4);
    /// Capabilities stay when the user changes (PR_SET_KEEPCAPS).
    pub const KEEP_CAPABILITIES: Self = Self(8);
    /// Its parent has exec'd since, and hears of its end by SIGCHLD, whatever the signal of its clone (clone(2)).
    pub const PARENT_EXECUTED: Self = Self(16);

    /// A child's.
    #[inline]
    pub const fn fork(self) -> Self {
        Self(self.0 & !(Self::SUBREAPER.0 | Self::PARENT_EXECUTED.0))
    }

    /// What execve(2) leaves.
    pub const fn exec(self) -> Self {
        Self(self.0 & (Self::SUBREAPER.0 | Self::NO_NEW_PRIVILEGES.0))
    }

    pub const fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    pub const fn without(self, one: Self) -> Self {
        Self(self.0 & !one.0)
    }
}

impl BitOr for Traits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Traits {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
