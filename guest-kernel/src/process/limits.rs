//! Resource limits (getrlimit(2)): sixteen pairs. A child has its parent's, and both share them until one
//! side changes its own; who never changed any has none of its own at all.
//!
//! Who enforces one asks [`Limits::soft`]. RLIMIT_NPROC and RLIMIT_MSGQUEUE, which do not bind root, bind nobody here.
use crate::memory::heap;
use alloc::rc::Rc;
use contract::{Errno, PROCESS_LIMIT};
use files::{DESCRIPTOR_DEFAULT, DESCRIPTOR_LIMIT};
use linux_raw_sys::general as linux;

/// No limit (RLIM_INFINITY).
pub const INFINITY: u64 = u64::MAX;

/// Signals that may be queued at once unless a process says otherwise (RLIMIT_SIGPENDING).
pub const PENDING_SIGNALS: u64 = 4096;

const COUNT: usize = linux::RLIM_NLIMITS as usize;

/// What is limited: the numbers of getrlimit(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Resource {
    /// CPU time, in seconds.
    Cpu = linux::RLIMIT_CPU as u8,
    /// Size of a file that is written, in bytes.
    FileSize = linux::RLIMIT_FSIZE as u8,
    /// Size of the data segment, in bytes.
    Data = linux::RLIMIT_DATA as u8,
    /// Size of the stack, in bytes.
    Stack = linux::RLIMIT_STACK as u8,
    /// Size of a core file, in bytes.
    Core = linux::RLIMIT_CORE as u8,
    /// Resident memory, in bytes: without effect, as on Linux.
    Resident = linux::RLIMIT_RSS as u8,
    /// Processes of the user.
    Processes = linux::RLIMIT_NPROC as u8,
    /// One more than the largest descriptor.
    Descriptors = linux::RLIMIT_NOFILE as u8,
    /// Locked memory, in bytes.
    Locked = linux::RLIMIT_MEMLOCK as u8,
    /// Size of the address space, in bytes.
    AddressSpace = linux::RLIMIT_AS as u8,
    /// Locks on files: without effect, as on Linux.
    FileLocks = linux::RLIMIT_LOCKS as u8,
    /// Signals that are queued.
    PendingSignals = linux::RLIMIT_SIGPENDING as u8,
    /// Bytes in POSIX message queues.
    MessageQueues = linux::RLIMIT_MSGQUEUE as u8,
    /// 20 less the least nice value.
    Nice = linux::RLIMIT_NICE as u8,
    /// Real-time priority.
    RealTimePriority = linux::RLIMIT_RTPRIO as u8,
    /// CPU time of a real-time process without a pause, in microseconds.
    RealTime = linux::RLIMIT_RTTIME as u8,
}

impl Resource {
    const ALL: [Self; COUNT] = [
        Self::Cpu,
        Self::FileSize,
        Self::Data,
        Self::Stack,
        Self::Core,
        Self::Resident,
        Self::Processes,
        Self::Descriptors,
        Self::Locked,
        Self::AddressSpace,
        Self::FileLocks,
        Self::PendingSignals,
        Self::MessageQueues,
        Self::Nice,
        Self::RealTimePriority,
        Self::RealTime,
    ];

    /// The resource of that number.
    ///
    /// # Errors
    /// EINVAL: there is none.
    pub fn from_number(number: u64) -> Result<Self, Errno> {
        let number = number as u32 as usize;
        Self::ALL.get(number).copied().ok_or(Errno::EINVAL)
    }

    /// What pid 1 starts with: Linux's own defaults, and the sizes of this kernel's tables.
    const fn initial(self) -> Limit {
        const MIB: u64 = 1 << 20;
        let (soft, hard) = match self {
            Self::Stack => (8 * MIB, INFINITY),
            Self::Core => (0, INFINITY),
            Self::Processes => (PROCESS_LIMIT as u64, PROCESS_LIMIT as u64),
            Self::Descriptors => (DESCRIPTOR_DEFAULT as u64, DESCRIPTOR_LIMIT as u64),
            Self::Locked => (8 * MIB, 8 * MIB),
            Self::PendingSignals => (PENDING_SIGNALS, PENDING_SIGNALS),
            Self::MessageQueues => (819_200, 819_200),
            Self::Nice | Self::RealTimePriority => (0, 0),
            _ => (INFINITY, INFINITY),
        };
        Limit { soft, hard }
    }
}

/// `struct rlimit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    pub soft: u64,
    pub hard: u64,
}

/// A process's limits. See the module.
#[derive(Clone, Default)]
pub struct Limits(Option<Rc<[Limit; COUNT]>>);

impl Limits {
    /// A child's.
    #[inline]
    pub fn share(&self) -> Self {
        self.clone()
    }

    /// Whether they may differ from what the first process started with.
    #[inline]
    pub const fn are_own(&self) -> bool {
        self.0.is_some()
    }

    /// Both limits of a resource.
    pub fn get(&self, resource: Resource) -> Limit {
        match &self.0 {
            None => resource.initial(),
            Some(limits) => limits[resource as usize],
        }
    }

    /// What is enforced.
    #[inline]
    pub fn soft(&self, resource: Resource) -> u64 {
        self.get(resource).soft
    }

    /// Changes a resource's.
    ///
    /// # Errors
    /// ENOMEM; EINVAL where the soft limit is above the hard one; EPERM for more descriptors than a table
    /// can have.
    pub fn set(&mut self, resource: Resource, mut limit: Limit) -> Result<(), Errno> {
        check(resource, limit)?;
        // As on Linux, which cannot tell 0 from no limit.
        if resource == Resource::Cpu {
            limit.soft = limit.soft.max(1);
        }
        if limit == self.get(resource) {
            return Ok(());
        }
        heap::require_reserve()?;
        let limits = self
            .0
            .get_or_insert_with(|| Rc::new(Resource::ALL.map(Resource::initial)));
        Rc::make_mut(limits)[resource as usize] = limit;
        Ok(())
    }
}

/// Whether a limit may be set, in Linux's order.
///
/// # Errors
/// As [`Limits::set`].
pub fn check(resource: Resource, limit: Limit) -> Result<(), Errno> {
    if limit.soft > limit.hard {
        return Err(Errno::EINVAL);
    }
    if resource == Resource::Descriptors && limit.hard > u64::from(DESCRIPTOR_LIMIT) {
        return Err(Errno::EPERM);
    }
    Ok(())
}
