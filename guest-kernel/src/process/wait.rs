//! wait4 and waitid: what children have to report, and taking the zombies among them.
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

impl News {
    const fn event(self) -> Event {
        match self {
            Self::Stopped(signal) => Event::Stopped(signal),
            Self::Continued => Event::Continued,
        }
    }
}

/// What a wait is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub who: Selector,
    /// Of [`EVENTS`](Self::EVENTS) and [`KIN`](Self::KIN).
    pub options: u32,
    /// The thread that waits; of interest for `__WNOTHREAD` alone.
    pub thread: Pid,
}

impl Wanted {
    /// What there is to wait for.
    pub const EVENTS: u32 = linux::WEXITED | linux::WSTOPPED | linux::WCONTINUED;
    /// Which children are meant, beside who they are.
    pub const KIN: u32 = linux::__WCLONE | linux::__WALL | linux::__WNOTHREAD;

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
        self.options & event != 0
    }

    /// Whether what has become of a child changes the answer: an end does, be it to ECHILD.
    #[inline]
    pub fn fits(self, child: &Process) -> bool {
        let reports = match child.ended {
            Some(_) => true,
            None => child.job.news.is_some_and(|news| self.wants(news)),
        };
        reports && self.is_about(child)
    }
}

/// What there is for a wait.
pub enum Found {
    /// The first child that fits and has something to report.
    Report(ProcessSlot, Event),
    /// A child fits, and none of those has anything to report.
    NotYet,
    /// No child fits that could still report anything: ECHILD.
    NoChild,
}

/// Looks for a report, and changes nothing.
#[inline(always)]
pub fn find(table: &ProcessTable, parent: ProcessSlot, wanted: Wanted) -> Found {
    // Mostly the end of an only child is waited for.
    if wanted.options & Wanted::EVENTS == linux::WEXITED
        && let Some(slot) = table.first_child(parent)
    {
        let child = &table[slot];
        if wanted.is_about(child) {
            match child.ended {
                Some(status) => return Found::Report(slot, Event::Ended(status)),
                None if table.next_child(slot).is_none() => return Found::NotYet,
                None => {}
            }
        }
    }
    find_among_all(table, parent, wanted)
}

#[inline(never)]
fn find_among_all(table: &ProcessTable, parent: ProcessSlot, wanted: Wanted) -> Found {
    let mut found = Found::NoChild;
    let mut next = table.first_child(parent);
    while let Some(slot) = next {
        next = table.next_child(slot);
        let child = &table[slot];
        if !wanted.is_about(child) {
            continue;
        }
        match (child.ended, child.job.news) {
            (Some(status), _) if wanted.options & linux::WEXITED != 0 => {
                return Found::Report(slot, Event::Ended(status));
            }
            // It will neither stop nor go on.
            (Some(_), _) => {}
            (None, Some(news)) if wanted.wants(news) => {
                return Found::Report(slot, news.event());
            }
            (None, _) => found = Found::NotYet,
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
        self.processes.remove_child(zombie);
        if self.processes.remove(zombie).is_none() {
            return;
        }
        COUNTERS.subtract(Counter::Processes, 1);
        COUNTERS.add(Counter::Waits, 1);
    }
}
