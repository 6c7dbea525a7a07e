//! Job control (setpgid(2), credentials(7)): process groups and sessions, which of them nobody could let go on, and
//! what becomes of them when their last ties to a shell go.
//!
//! A group is *orphaned* where no member has a parent in another group of the same session: nobody is left who
//! would send it SIGCONT. The first process's own children count it as a parent like any other, for it may be a
//! shell here; those that it has adopted do not.
use super::signal::{Info, SIGCONT, SIGHUP};
use super::wait::News;
use super::{Pid, ProcessSlot};
use crate::kernel::Kernel;
use crate::memory::heap;
use alloc::vec::Vec;
use contract::Errno;

/// What a process has to do with job control. A new one's is [`Job::NEW`].
pub struct Job {
    pub activity: Activity,
    /// What its parent has not heard of it.
    pub news: Option<News>,
    pub program: Program,
    pub parent: Parent,
}

/// Whether a process may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    Going,
    /// A signal has stopped it: none of its threads runs.
    Stopped(u8),
}

/// Whose program it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// Its parent's: that may still choose its group.
    Inherited,
    /// It has called execve.
    Own,
}

/// How it came by its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parent {
    Born,
    /// Its own has ended.
    Adopted,
}

impl Job {
    /// A new process's.
    pub const NEW: Self = Self {
        activity: Activity::Going,
        news: None,
        program: Program::Inherited,
        parent: Parent::Born,
    };

    pub const fn is_stopped(&self) -> bool {
        matches!(self.activity, Activity::Stopped(_))
    }
}

impl Kernel {
    /// setpgid(2) for a process: puts it into a group of its session, or into a new one that it leads.
    ///
    /// # Errors
    /// As setpgid(2).
    pub fn join_group(&mut self, slot: ProcessSlot, group: Pid) -> Result<(), Errno> {
        let caller = self.current.process;
        let (target, own) = (&self.processes[slot], &self.processes[caller]);
        if target.family.parent == Some(caller) {
            if target.session != own.session {
                return Err(Errno::EPERM);
            }
            if target.job.program == Program::Own {
                return Err(Errno::EACCES);
            }
        } else if slot != caller {
            return Err(Errno::ESRCH);
        }
        let session = own.session;
        if target.session == target.pid {
            return Err(Errno::EPERM);
        }
        if group != target.pid && !self.group_is_in(group, session) {
            return Err(Errno::EPERM);
        }
        self.processes.set_group(slot, group, session);
        Ok(())
    }

    /// Whether some process of a session is in a group.
    pub fn group_is_in(&self, group: Pid, session: Pid) -> bool {
        self.processes.is_group(group)
            && self.processes.slots().any(|slot| {
                let process = &self.processes[slot];
                process.group == group && process.session == session
            })
    }

    /// Whether a group is orphaned.
    pub fn is_orphaned(&self, group: Pid) -> bool {
        !self.processes.slots().any(|slot| {
            let process = &self.processes[slot];
            process.group == group
                && process.ended.is_none()
                && process.job.parent == Parent::Born
                && self.has_tie(slot)
        })
    }

    /// Whether a process's parent is in another group of the same session.
    fn has_tie(&self, slot: ProcessSlot) -> bool {
        let process = &self.processes[slot];
        process.family.parent.is_some_and(|parent| {
            let parent = &self.processes[parent];
            parent.group != process.group && parent.session == process.session
        })
    }

    /// The groups that may be orphaned by the end of a process: its own, and its children's. Only one with a
    /// stopped process is of interest.
    #[cold]
    pub fn groups_tied_by(&self, slot: ProcessSlot) -> Vec<Pid> {
        let mut groups = Vec::new();
        // Without memory nobody hears of it.
        if heap::require_reserve().is_err() {
            return groups;
        }
        let children = self.processes.children(slot);
        let living = children.filter(|&child| self.processes[child].ended.is_none());
        for member in living.chain([slot]) {
            let group = self.processes[member].group;
            if self.has_tie(member) && !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }

    /// After the end of a process: a group that is orphaned by it and has stopped gets SIGHUP and SIGCONT
    /// (setpgid(2)).
    #[cold]
    pub fn release_orphaned(&mut self, groups: &[Pid]) {
        for &group in groups {
            if self.is_orphaned(group) && self.has_stopped(group) {
                self.signal_group(group, SIGHUP, Info::Kernel);
                self.signal_group(group, SIGCONT, Info::Kernel);
            }
        }
    }

    fn has_stopped(&self, group: Pid) -> bool {
        self.processes.slots().any(|slot| {
            let process = &self.processes[slot];
            process.group == group && process.job.is_stopped()
        })
    }
}
