//! Who is whose child. A parent has two lists of children, those that live and those that are zombies,
//! so that wait4 need not look through the living for the dead.
//!
//! ```text
//!  parent ── living:  first … last      in order of birth
//!         └─ zombies: first … last      in order of ending
//!  child  ── previous, next in the one list it is in
//! ```
use super::{Pid, ProcessSlot, ProcessTable};

/// A process's place in its family.
#[derive(Default)]
pub struct Links {
    /// `None` for pid 1 alone.
    pub parent: Option<ProcessSlot>,
    pub living: List,
    pub zombies: List,
    previous: Option<ProcessSlot>,
    next: Option<ProcessSlot>,
}

/// One of a parent's lists of children.
#[derive(Clone, Copy, Default)]
pub struct List {
    pub first: Option<ProcessSlot>,
    pub last: Option<ProcessSlot>,
}

/// Which of a parent's lists.
#[derive(Clone, Copy)]
pub enum Which {
    Living,
    Zombies,
}

impl Links {
    /// Whether there is no child, neither living nor a zombie.
    #[inline]
    pub const fn is_childless(&self) -> bool {
        self.living.first.is_none() && self.zombies.first.is_none()
    }

    /// Makes `child` the youngest of the living children of a parent, who is `own`: the child's links. Its
    /// [`elder`](Self::elder) is to be told ([`ProcessTable::tell_elder`]).
    #[inline]
    pub fn bear(&mut self, own: ProcessSlot, child: ProcessSlot) -> Self {
        let previous = self.living.last.replace(child);
        if previous.is_none() {
            self.living.first = Some(child);
        }
        Self {
            parent: Some(own),
            previous,
            ..Self::default()
        }
    }

    /// The next older in the same list.
    #[inline]
    pub const fn elder(&self) -> Option<ProcessSlot> {
        self.previous
    }

    const fn list_mut(&mut self, which: Which) -> &mut List {
        match which {
            Which::Living => &mut self.living,
            Which::Zombies => &mut self.zombies,
        }
    }

    const fn list(&self, which: Which) -> List {
        match which {
            Which::Living => self.living,
            Which::Zombies => self.zombies,
        }
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

    /// Makes `child` the youngest in a list of `parent`.
    #[inline]
    pub fn add_child(&mut self, parent: ProcessSlot, child: ProcessSlot, which: Which) {
        let last = self[parent].family.list_mut(which).last.replace(child);
        match last {
            Some(last) => self[last].family.next = Some(child),
            None => self[parent].family.list_mut(which).first = Some(child),
        }
        let links = &mut self[child].family;
        (links.parent, links.previous, links.next) = (Some(parent), last, None);
    }

    /// Takes `child` out of the list of its parent that it is in.
    #[inline]
    pub fn remove_child(&mut self, child: ProcessSlot, which: Which) {
        let links = &self[child].family;
        let (Some(parent), previous, next) = (links.parent, links.previous, links.next) else {
            return;
        };
        let list = self[parent].family.list_mut(which);
        if previous.is_none() {
            list.first = next;
        }
        if next.is_none() {
            list.last = previous;
        }
        self.join_neighbours(previous, next);
    }

    #[inline]
    fn join_neighbours(&mut self, previous: Option<ProcessSlot>, next: Option<ProcessSlot>) {
        if let Some(previous) = previous {
            self[previous].family.next = next;
        }
        if let Some(next) = next {
            self[next].family.previous = previous;
        }
    }

    /// Moves `child` from the living to the zombies of its parent, whom it answers.
    #[inline]
    pub fn bury_child(&mut self, child: ProcessSlot) -> Option<ProcessSlot> {
        let links = &self[child].family;
        let (parent, previous, next) = (links.parent?, links.previous, links.next);
        let family = &mut self[parent].family;
        if previous.is_none() {
            family.living.first = next;
        }
        if next.is_none() {
            family.living.last = previous;
        }
        let last = family.zombies.last.replace(child);
        if last.is_none() {
            family.zombies.first = Some(child);
        }
        self.join_neighbours(previous, next);
        if let Some(last) = last {
            self[last].family.next = Some(child);
        }
        let links = &mut self[child].family;
        (links.previous, links.next) = (last, None);
        Some(parent)
    }

    /// The first child of `parent` in one list.
    pub fn first_child(&self, parent: ProcessSlot, which: Which) -> Option<ProcessSlot> {
        self[parent].family.list(which).first
    }

    /// The next child in the same list.
    pub fn next_child(&self, child: ProcessSlot) -> Option<ProcessSlot> {
        self[child].family.next
    }

    /// The children of `parent` in one list.
    pub fn children(
        &self,
        parent: ProcessSlot,
        which: Which,
    ) -> impl Iterator<Item = ProcessSlot> + '_ {
        let first = self[parent].family.list(which).first;
        core::iter::successors(first, |&slot| self[slot].family.next)
    }

    /// The parent's pid, 0 where there is none (getppid(2)).
    pub fn parent_pid(&self, slot: ProcessSlot) -> Pid {
        self[slot]
            .family
            .parent
            .map_or(Pid(0), |parent| self[parent].pid)
    }
}
