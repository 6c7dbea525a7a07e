//! What a thread asks of the scheduler (sched(7)). It is kept and told; the one CPU goes round all the same.
use linux_raw_sys::general as linux;

/// Policy, static priority and niceness.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scheduling {
    /// SCHED_*.
    pub policy: u8,
    /// 1 to 99 for SCHED_FIFO and SCHED_RR, else 0.
    pub priority: u8,
    /// -20 to 19.
    pub nice: i8,
    pub children: Children,
}

/// Whether children begin with the default (SCHED_RESET_ON_FORK).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Children {
    Inherit,
    Default,
}

impl Default for Scheduling {
    fn default() -> Self {
        Self {
            policy: linux::SCHED_NORMAL as u8,
            priority: 0,
            nice: 0,
            children: Children::Inherit,
        }
    }
}

impl Scheduling {
    /// A child's.
    #[inline]
    pub fn fork(self) -> Self {
        match self.children {
            Children::Inherit => self,
            Children::Default => self.reset(),
        }
    }

    #[cold]
    fn reset(self) -> Self {
        let real_time = u32::from(self.policy) != linux::SCHED_NORMAL;
        Self {
            nice: if real_time { 0 } else { self.nice.max(0) },
            ..Self::default()
        }
    }
}

/// Static priorities that a policy has, least and most; `None` where there is no such policy.
pub const fn priorities(policy: u32) -> Option<(u8, u8)> {
    match policy {
        linux::SCHED_FIFO | linux::SCHED_RR => Some((1, 99)),
        linux::SCHED_NORMAL | linux::SCHED_BATCH | linux::SCHED_IDLE => Some((0, 0)),
        _ => None,
    }
}
