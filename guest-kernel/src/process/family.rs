//! Who is whose child. A parent has its children in one list, in the order in which they became its own, living or
//! zombies: the order in which waits look at them, here as on Linux.
//!
//! ```text
//!  parent ── first … last
//!  child  ── previous, next
//! ```
use super::{Pid, ProcessSlot, ProcessTable};

/// A process's place in its family.
#[derive(Default)]
pub struct Links {
    /// `None` for pid 1 alone.
    pub parent: Option<ProcessSlot>,
    first_child: Option<ProcessSlot>,
    last_child: Option<ProcessSlot>,
    previous: Option<ProcessSlot>,
    next: Option<ProcessSlot>,
}

impl Links {
    /// Whether there is no child, neither living nor a zombie.
    #[inline]
    pub const fn is_childless(&self) -> bool {
        self.first_child.is_none()
    }

    /// Makes `child` the last child of a parent, who is `own`: the child's links. Its [`elder`](Self::elder) is to
    /// be told ([`ProcessTable::tell_elder`]).
    #[inline]
    pub fn bear(&mut self, own: ProcessSlot, child: ProcessSlot) -> Self {
        let previous = self.last_child.replace(child);
        if previous.is_none() {
            self.first_child = Some(child);
        }
        Self {
            parent: Some(own),
            previous,
            ..Self::default()
        }
    }

    /// The child before this one.
    #[inline]
    pub const fn elder(&self) -> Option<ProcessSlot> {
        self.previous
    }
}

impl ProcessTable {
    /// Lets the one before a new child know of it.
    #[inline]
    pub fn tell_elder(&mut self, elder: Option<ProcessSlot>, child: ProcessSlot) {
        if let Some(elder) = elder {
            self[elder].family.next = Some(child);
        }
    }

    /// Makes `child`, who has no parent any more, the last child of `parent`.
    pub fn add_child(&mut self, parent: ProcessSlot, child: ProcessSlot) {
        let last = self[parent].family.last_child.replace(child);
        match last {
            Some(last) => self[last].family.next = Some(child),
            None => self[parent].family.first_child = Some(child),
        }
        let links = &mut self[child].family;
        (links.parent, links.previous, links.next) = (Some(parent), last, None);
    }

    /// Takes `child` out of its parent's list.
    #[inline]
    pub fn remove_child(&mut self, child: ProcessSlot) {
        let links = &self[child].family;
        let (Some(parent), previous, next) = (links.parent, links.previous, links.next) else {
            return;
        };
        match previous {
            Some(previous) => self[previous].family.next = next,
            None => self[parent].family.first_child = next,
        }
        match next {
            Some(next) => self[next].family.previous = previous,
            None => self[parent].family.last_child = previous,
        }
    }

    /// The first child of `parent`.
    #[inline]
    pub fn first_child(&self, parent: ProcessSlot) -> Option<ProcessSlot> {
        self[parent].family.first_child
    }

    /// The child after this one.
    #[inline]
    pub fn next_child(&self, child: ProcessSlot) -> Option<ProcessSlot> {
        self[child].family.next
    }

    /// The children of `parent`, living and zombies.
    pub fn children(&self, parent: ProcessSlot) -> impl Iterator<Item = ProcessSlot> + '_ {
        core::iter::successors(self.first_child(parent), |&slot| self.next_child(slot))
    }

    /// The parent's pid, 0 where there is none (getppid(2)).
    pub fn parent_pid(&self, slot: ProcessSlot) -> Pid {
        self[slot]
            .family
            .parent
            .map_or(Pid(0), |parent| self[parent].pid)
    }
}
