//! What processes share that are not threads of one process (CLONE_FILES, CLONE_FS, CLONE_SIGHAND of clone(2)).
//!
//! One of those who share has the thing, the others have nothing: it goes to whoever runs. So nobody else ever
//! has to ask whether something is shared. Signal handlers, which are looked at while a process does not run,
//! are instead given to all when one changes its own.
use super::clone::Request;
use super::descriptors::Descriptors;
use super::{Current, ProcessSlot, ProcessTable, ThreadSlot};
use crate::kernel::Kernel;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::Cell;
use linux_raw_sys::general as linux;

/// What a process shares with others.
#[derive(Clone, Default)]
pub struct Shares {
    /// Descriptors: who has them.
    files: Option<Rc<Cell<ProcessSlot>>>,
    /// Working directory and umask: whose are true.
    places: Option<Rc<Cell<ProcessSlot>>>,
    handlers: Option<Rc<()>>,
    /// Whose own things it has now, of its threads (`apart.rs`).
    pub apart: Option<ThreadSlot>,
}

impl Shares {
    const fn is_none(&self) -> bool {
        self.files.is_none() && self.places.is_none() && self.handlers.is_none()
    }
}

/// Another process that shares by the same token.
fn fellow<T>(
    table: &ProcessTable,
    slot: ProcessSlot,
    token: &Rc<T>,
    of: fn(&Shares) -> &Option<Rc<T>>,
) -> Option<ProcessSlot> {
    fellows(table, slot, token, of).next()
}

fn fellows<'a, T>(
    table: &'a ProcessTable,
    slot: ProcessSlot,
    token: &'a Rc<T>,
    of: fn(&Shares) -> &Option<Rc<T>>,
) -> impl Iterator<Item = ProcessSlot> + 'a {
    table.slots().filter(move |&other| {
        other != slot
            && table[other]
                .shares
                .as_ref()
                .and_then(|shares| of(shares).as_ref())
                .is_some_and(|theirs| Rc::ptr_eq(theirs, token))
    })
}

impl Kernel {
    /// Lets a new child of the current process share what it was created to share.
    pub fn share_state(&mut self, child: ProcessSlot, request: &Request) {
        let caller = self.current.process;
        let mut own = match &self.processes[caller].shares {
            Some(shares) => Shares::clone(shares),
            None => Shares::default(),
        };
        let mut given = Shares::default();
        let holder = || Rc::new(Cell::new(caller));
        if request.has(linux::CLONE_FILES) {
            given.files = Some(Rc::clone(own.files.get_or_insert_with(holder)));
            let Self {
                processes,
                files,
                pages,
                ..
            } = self;
            processes[child].descriptors.release(files, pages);
        }
        if request.has(linux::CLONE_FS) {
            given.places = Some(Rc::clone(own.places.get_or_insert_with(holder)));
        }
        if request.has(linux::CLONE_SIGHAND) {
            given.handlers = Some(Rc::clone(own.handlers.get_or_insert_with(Rc::default)));
        }
        if !given.is_none() {
            self.processes[caller].shares = Some(Box::new(own));
            self.processes[child].shares = Some(Box::new(given));
        }
    }

    /// Brings what a process shares to it: a thread of it is about to run.
    #[cold]
    #[inline(never)]
    pub fn bring_shared(&mut self, who: Current) {
        let slot = who.process;
        self.put_apart_back(slot);
        let Some(shares) = &self.processes[slot].shares else {
            return;
        };
        let shares = Shares::clone(shares);
        if let Some(token) = &shares.files {
            self.put_apart_back(token.get());
            self.move_descriptors(token.replace(slot), slot);
        }
        if let Some(token) = &shares.places {
            self.put_apart_back(token.get());
            self.exchange_places(token.replace(slot), slot);
        }
        self.exchange_apart(who);
    }

    /// Of the processes that have the same descriptors as `slot`, the next one after `last`, which begins as `slot`.
    pub fn next_with_same_descriptors(
        &self,
        slot: ProcessSlot,
        last: ProcessSlot,
    ) -> Option<ProcessSlot> {
        let shares = self.processes[slot].shares.as_ref()?;
        let token = shares.files.as_ref()?;
        fellows(self.processes, slot, token, |shares| &shares.files)
            .find(|&other| last == slot || other > last)
    }

    fn move_descriptors(&mut self, from: ProcessSlot, to: ProcessSlot) {
        if from != to {
            let none = Descriptors::none();
            let descriptors = core::mem::replace(&mut self.processes[from].descriptors, none);
            self.processes[to].descriptors = descriptors;
        }
    }

    fn exchange_places(&mut self, one: ProcessSlot, other: ProcessSlot) {
        if one == other {
            return;
        }
        let first = &self.processes[one];
        let (directory, umask) = (first.working_directory, first.umask);
        let second = &mut self.processes[other];
        let directory = core::mem::replace(&mut second.working_directory, directory);
        let umask = core::mem::replace(&mut second.umask, umask);
        let first = &mut self.processes[one];
        (first.working_directory, first.umask) = (directory, umask);
    }

    /// Ends what a process shares: it ends itself. What it has goes to another of those who share it.
    #[cold]
    #[inline(never)]
    pub fn leave_shares(&mut self, slot: ProcessSlot) {
        let Some(shares) = self.processes[slot].shares.take() else {
            return;
        };
        if let Some(token) = &shares.files
            && token.get() == slot
            && let Some(other) = fellow(self.processes, slot, token, |shares| &shares.files)
        {
            token.set(other);
            self.move_descriptors(slot, other);
        }
        if let Some(token) = &shares.places
            && token.get() == slot
            && let Some(other) = fellow(self.processes, slot, token, |shares| &shares.places)
        {
            token.set(other);
            self.exchange_places(slot, other);
        }
    }

    /// What a process that runs will have of descriptors once they are its own; none where they are that now.
    #[inline]
    pub fn unshared_descriptors(&self, slot: ProcessSlot) -> Option<Descriptors> {
        let process = &self.processes[slot];
        let shares = process.shares.as_ref()?;
        shares.files.as_ref().map(|_| process.descriptors.share())
    }

    /// Gives a process that runs [those descriptors](Self::unshared_descriptors), and handlers of its own
    /// (execve(2)). Working directory and umask stay shared.
    #[inline]
    pub fn unshare_for_exec(&mut self, slot: ProcessSlot, descriptors: Option<Descriptors>) {
        let Some(shares) = &mut self.processes[slot].shares else {
            return;
        };
        shares.handlers = None;
        self.unshare_files(slot, descriptors);
    }

    /// Gives a process that runs [those descriptors](Self::unshared_descriptors) alone.
    pub fn unshare_files(&mut self, slot: ProcessSlot, descriptors: Option<Descriptors>) {
        let Some(shares) = &mut self.processes[slot].shares else {
            return;
        };
        let Some((token, own)) = shares.files.take().zip(descriptors) else {
            return;
        };
        let mut common = core::mem::replace(&mut self.processes[slot].descriptors, own);
        match fellow(self.processes, slot, &token, |shares| &shares.files) {
            Some(other) => {
                token.set(other);
                self.processes[other].descriptors = common;
            }
            None => common.release(&mut self.files, &mut self.pages),
        }
    }

    /// Gives a process's handlers, which have changed, to all who share them.
    #[cold]
    pub fn spread_handlers(&mut self, slot: ProcessSlot) {
        let process = &self.processes[slot];
        let Some(token) = process
            .shares
            .as_ref()
            .and_then(|shares| shares.handlers.clone())
        else {
            return;
        };
        let actions = process.signals.actions.clone();
        let mut last = None;
        loop {
            // One at a time: what is found is changed.
            let next = fellows(self.processes, slot, &token, |shares| &shares.handlers)
                .find(|&other| last.is_none_or(|last| other > last));
            let Some(other) = next else { return };
            self.processes[other].signals.actions.clone_from(&actions);
            last = next;
        }
    }
}
