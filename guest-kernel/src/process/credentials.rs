//! Whose a process is (credentials(7)): users, groups, supplementary groups. A child has its parent's, and both share
//! them until one side changes its own; who never changed any is root's and has none of its own at all.
//!
//! They are kept and told, and new files are theirs. Little asks for them: opening and executing a file, by its mode
//! (`files/src/inode.rs`), signals, priorities and limits of other processes, and what root alone may change.
use crate::memory::heap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::Errno;
use files::Owner;

/// Supplementary groups that one process can have: as many as fit in a frame.
pub const GROUPS_LIMIT: usize = 1024;
/// Supplementary groups that a program may ask for (NGROUPS_MAX).
pub const GROUPS_MAX: u64 = 65536;

/// Real, effective and saved id, and that of files (setfsuid(2)).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Ids {
    pub real: u32,
    pub effective: u32,
    pub saved: u32,
    pub files: u32,
}

/// Which ids: those of a user or of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    User,
    Group,
}

/// Sets of capabilities (capabilities(7)).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    pub effective: u64,
    pub permitted: u64,
    pub inheritable: u64,
}

impl Capabilities {
    /// All that Linux 6.1 knows: root's.
    const ALL: Self = Self {
        effective: (1 << 41) - 1,
        permitted: (1 << 41) - 1,
        inheritable: 0,
    };
}

#[derive(Clone)]
struct Own {
    user: Ids,
    group: Ids,
    groups: Vec<u32>,
    capabilities: Capabilities,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            user: Ids::default(),
            group: Ids::default(),
            groups: Vec::new(),
            capabilities: Capabilities::ALL,
        }
    }
}

/// A process's. See the module.
#[derive(Clone, Default)]
pub struct Credentials(Option<Rc<Own>>);

impl Credentials {
    /// A child's.
    #[inline]
    pub fn share(&self) -> Self {
        self.clone()
    }

    pub fn ids(&self, which: Which) -> Ids {
        match (&self.0, which) {
            (None, _) => Ids::default(),
            (Some(own), Which::User) => own.user,
            (Some(own), Which::Group) => own.group,
        }
    }

    /// Whose new files are.
    #[inline]
    pub fn owner(&self) -> Owner {
        match &self.0 {
            None => Owner::ROOT,
            Some(own) => Owner {
                user: own.user.files,
                group: own.group.files,
            },
        }
    }

    /// Whether it has a capability, by its number in capabilities(7).
    fn has(&self, capability: u32) -> bool {
        self.capabilities().effective & 1 << capability != 0
    }

    /// Whether the limits of the system do not bind it (CAP_SYS_RESOURCE).
    pub fn may_exceed(&self) -> bool {
        self.has(24)
    }

    /// Whether it may change the system itself (CAP_SYS_ADMIN).
    pub fn may_administer(&self) -> bool {
        self.has(21)
    }

    /// Whether it may lock as much memory as there is (CAP_IPC_LOCK).
    pub fn may_lock_memory(&self) -> bool {
        self.has(14)
    }

    /// Whether it may ask for more than its share of the processor, for whomever (CAP_SYS_NICE).
    pub fn may_favour(&self) -> bool {
        self.has(23)
    }

    /// Whether it may signal a process with those (kill(2); CAP_KILL).
    pub fn may_signal(&self, target: &Self) -> bool {
        let (own, theirs) = (self.ids(Which::User), target.ids(Which::User));
        let is_theirs = |id| id == theirs.real || id == theirs.saved;
        is_theirs(own.real) || is_theirs(own.effective) || self.has(5)
    }

    /// Whether it may change the priority of a process with those (setpriority(2)).
    pub fn may_schedule(&self, target: &Self) -> bool {
        let (own, theirs) = (self.ids(Which::User), target.ids(Which::User));
        own.effective == theirs.real || own.effective == theirs.effective || self.may_favour()
    }

    /// Whether it may see and change the limits of another process with those (prlimit(2)).
    pub fn may_limit(&self, target: &Self) -> bool {
        let is = |which| {
            let (own, theirs) = (self.ids(which).real, target.ids(which));
            [theirs.real, theirs.effective, theirs.saved] == [own; 3]
        };
        is(Which::User) && is(Which::Group) || self.may_exceed()
    }

    pub fn groups(&self) -> &[u32] {
        self.0.as_ref().map_or(&[], |own| &own.groups)
    }

    /// Whether it may take any id (CAP_SETUID, CAP_SETGID).
    pub fn is_privileged(&self) -> bool {
        self.ids(Which::User).effective == 0
    }

    fn own(&mut self) -> Result<&mut Own, Errno> {
        heap::require_reserve()?;
        Ok(Rc::make_mut(self.0.get_or_insert_default()))
    }

    /// Changes ids.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn set_ids(&mut self, which: Which, ids: Ids) -> Result<(), Errno> {
        if ids == self.ids(which) {
            return Ok(());
        }
        let own = self.own()?;
        match which {
            Which::User => {
                // As capabilities(7) says of changes of user ids.
                let is_root = |ids: Ids| [ids.real, ids.effective, ids.saved].contains(&0);
                let sets = &mut own.capabilities;
                if is_root(own.user) && !is_root(ids) {
                    (sets.permitted, sets.effective) = (0, 0);
                } else if ids.effective != 0 {
                    sets.effective = 0;
                } else if own.user.effective != 0 {
                    sets.effective = sets.permitted;
                }
                own.user = ids;
            }
            Which::Group => own.group = ids,
        }
        Ok(())
    }

    pub fn capabilities(&self) -> Capabilities {
        self.0
            .as_ref()
            .map_or(Capabilities::ALL, |own| own.capabilities)
    }

    /// Changes the sets of capabilities.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn set_capabilities(&mut self, sets: Capabilities) -> Result<(), Errno> {
        if sets != self.capabilities() {
            self.own()?.capabilities = sets;
        }
        Ok(())
    }

    /// Changes the supplementary groups.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn set_groups(&mut self, groups: Vec<u32>) -> Result<(), Errno> {
        self.own()?.groups = groups;
        Ok(())
    }
}
