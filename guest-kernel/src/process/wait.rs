//! wait4 and waitid: taking the zombies among one's children.
use super::family::Which;
use super::{Pid, ProcessSlot, ProcessTable, Status};
use crate::kernel::Kernel;
use crate::records::COUNTERS;
use contract::counters::Counter;

/// Which children a wait is about (wait(2)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selector {
    Any,
    Process(Pid),
    Group(Pid),
}

impl Selector {
    /// The first argument of wait4, for a caller of process group `own`.
    pub const fn from_wait4(pid: i32, own: Pid) -> Self {
        match pid {
            -1 => Self::Any,
            0 => Self::Group(own),
            pid if pid < 0 => Self::Group(Pid(pid.unsigned_abs())),
            pid => Self::Process(Pid(pid as u32)),
        }
    }

    /// Whether it is about this child.
    #[inline]
    pub fn fits(self, table: &ProcessTable, slot: ProcessSlot) -> bool {
        match self {
            Self::Any => true,
            Self::Process(pid) => table[slot].pid == pid,
            Self::Group(group) => table[slot].group == group,
        }
    }
}

/// What there is for a wait.
pub enum Found {
    /// The zombie that ended first among those that fit.
    Zombie(ProcessSlot, Status),
    /// A child fits, and none of those is a zombie yet.
    NotYet,
    /// No child fits: ECHILD.
    NoChild,
}

/// Looks for a zombie, and changes nothing.
pub fn find(table: &ProcessTable, parent: ProcessSlot, selector: Selector) -> Found {
    let zombie = table
        .children(parent, Which::Zombies)
        .find(|&slot| selector.fits(table, slot));
    if let Some(slot) = zombie
        && let Some(status) = table[slot].ended
    {
        return Found::Zombie(slot, status);
    }
    match table
        .children(parent, Which::Living)
        .find(|&slot| selector.fits(table, slot))
    {
        Some(_) => Found::NotYet,
        None => Found::NoChild,
    }
}

impl Kernel {
    /// Takes a zombie out of the table: nothing is left of it.
    pub fn reap(&mut self, zombie: ProcessSlot) {
        self.processes.remove_child(zombie, Which::Zombies);
        if self.processes.remove(zombie).is_none() {
            return;
        }
        COUNTERS.subtract(Counter::Processes, 1);
        COUNTERS.add(Counter::Waits, 1);
    }
}
