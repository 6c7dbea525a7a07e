//! wait4 and waitid: what children have to report, and taking the zombies among them.
use super::family::Which;
use super::signal::SIGCHLD;
use super::{Pid, Process, ProcessSlot, ProcessTable, Status};
use crate::kernel::Kernel;
use crate::records::COUNTERS;
use contract::counters::Counter;
use linux_raw_sys::general as linux;

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
    pub fn fits(self, child: &Process) -> bool {
        match self {
            Self::Any => true,
            Self::Process(pid) => child.pid == pid,
            Self::Group(group) => child.group == group,
        }
    }
}

/// What a child reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    Ended(Status),
    /// By this signal.
    Stopped(u8),
    Continued,
}

impl Event {
    /// The status word of wait4 (wait(2)).
    pub const fn word(self) -> i32 {
        match self {
            Self::Ended(status) => status.word(),
            Self::Stopped(signal) => (signal as i32) << 8 | 0x7f,
            Self::Continued => 0xffff,
        }
    }
}

/// What of a living child its parent has not heard yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// It has stopped, by this signal.
    Stopped(u8),
    /// It has gone on.
    Continued,
}

/// What a wait is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub who: Selector,
    /// WEXITED, WSTOPPED and WCONTINUED.
    pub events: u32,
    /// `__WCLONE`, `__WALL` and `__WNOTHREAD`.
    pub options: u32,
    /// The thread that waits; of interest for `__WNOTHREAD` alone.
    pub thread: Pid,
}

impl Wanted {
    /// Whether it is about this child: of those that send SIGCHLD at their end, or of the others, of all threads
    /// or of the one that waits.
    #[inline]
    fn is_about(self, child: &Process) -> bool {
        let usual = child.exit_signal == SIGCHLD;
        (usual == (self.options & linux::__WCLONE == 0) || self.options & linux::__WALL != 0)
            && (self.options & linux::__WNOTHREAD == 0 || child.parent_thread == self.thread)
            && self.who.fits(child)
    }

    fn wants(self, news: News) -> bool {
        let event = match news {
            News::Stopped(_) => linux::WSTOPPED,
            News::Continued => linux::WCONTINUED,
        };
        self.events & event != 0
    }

    /// Whether a child has something to report that is wanted.
    #[inline]
    pub fn fits(self, child: &Process) -> bool {
        let reports = match child.ended {
            Some(_) => self.events & linux::WEXITED != 0,
            None => child.job.news.is_some_and(|news| self.wants(news)),
        };
        reports && self.is_about(child)
    }
}

/// What there is for a wait.
pub enum Found {
    /// The zombie that ended first among those that fit; else a living child's news.
    Report(ProcessSlot, Event),
    /// A child fits, and none of those has anything to report.
    NotYet,
    /// No child fits: ECHILD.
    NoChild,
}

/// Looks for a report, and changes nothing.
#[inline(always)]
pub fn find(table: &ProcessTable, parent: ProcessSlot, wanted: Wanted) -> Found {
    let family = &table[parent].family;
    // Mostly the end of a child is waited for, and the first is the one.
    if wanted.events == linux::WEXITED
        && let Some(slot) = family.zombies.first.or(family.living.first)
    {
        let child = &table[slot];
        if wanted.is_about(child) {
            return match child.ended {
                Some(status) => Found::Report(slot, Event::Ended(status)),
                None => Found::NotYet,
            };
        }
    }
    find_among_all(table, parent, wanted)
}

#[inline(never)]
fn find_among_all(table: &ProcessTable, parent: ProcessSlot, wanted: Wanted) -> Found {
    let mut zombies = table.children(parent, Which::Zombies);
    let zombie = zombies.find(|&slot| wanted.is_about(&table[slot]));
    if wanted.events & linux::WEXITED != 0
        && let Some(slot) = zombie
        && let Some(status) = table[slot].ended
    {
        return Found::Report(slot, Event::Ended(status));
    }
    let mut living = table.children(parent, Which::Living);
    if wanted.events == linux::WEXITED {
        return match living.find(|&slot| wanted.is_about(&table[slot])) {
            Some(_) => Found::NotYet,
            None => Found::NoChild,
        };
    }
    let mut found = match zombie {
        Some(_) => Found::NotYet,
        None => Found::NoChild,
    };
    for slot in living.filter(|&slot| wanted.is_about(&table[slot])) {
        match table[slot].job.news {
            Some(News::Stopped(signal)) if wanted.events & linux::WSTOPPED != 0 => {
                return Found::Report(slot, Event::Stopped(signal));
            }
            Some(News::Continued) if wanted.events & linux::WCONTINUED != 0 => {
                return Found::Report(slot, Event::Continued);
            }
            _ => found = Found::NotYet,
        }
    }
    found
}

impl Kernel {
    /// Takes what a child has reported: of a zombie, nothing is left.
    #[inline]
    pub fn take_report(&mut self, child: ProcessSlot) {
        let process = &self.processes[child];
        if process.ended.is_some() {
            if let Some(parent) = process.family.parent {
                let (own, children) = (process.usage, process.children_usage);
                let parent = &mut self.processes[parent];
                parent.children_usage.add(&own);
                if children.is_any() {
                    parent.children_usage.add(&children);
                }
            }
            self.reap(child);
        } else {
            self.processes[child].job.news = None;
        }
    }

    /// Takes a zombie out of the table: nothing is left of it.
    #[inline]
    pub fn reap(&mut self, zombie: ProcessSlot) {
        self.processes.remove_child(zombie, Which::Zombies);
        if self.processes.remove(zombie).is_none() {
            return;
        }
        COUNTERS.subtract(Counter::Processes, 1);
        COUNTERS.add(Counter::Waits, 1);
    }
}
