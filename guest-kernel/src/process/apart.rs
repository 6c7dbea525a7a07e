//! Threads that have descriptors, or a working directory and umask, of their own (clone(2) with CLONE_THREAD and
//! without CLONE_FILES or CLONE_FS).
//!
//! As with what processes share (`sharing.rs`), what is a thread's own is put into its process when it runs, and
//! what is the process's is kept with the thread meanwhile: nobody else has to know.
use super::clone::Request;
use super::descriptors::Descriptors;
use super::sharing::Shares;
use super::{Current, ProcessSlot, Thread, ThreadSlot};
use crate::kernel::Kernel;
use crate::memory::heap;
use alloc::boxed::Box;
use contract::Errno;
use files::InodeId;
use linux_raw_sys::general as linux;

/// What a thread has for itself; while it runs, what its process has in the place of that.
pub struct Apart {
    descriptors: Option<Descriptors>,
    /// Working directory and umask.
    places: Option<(InodeId, u16)>,
}

impl Thread {
    /// Whether it has descriptors of its own.
    pub fn has_own_descriptors(&self) -> bool {
        let apart = self.apart.as_ref();
        apart.is_some_and(|apart| apart.descriptors.is_some())
    }
}

impl Kernel {
    /// Gives a new thread of the current process what it does not share with the caller.
    pub fn set_apart(&mut self, thread: ThreadSlot, request: &Request) {
        let process = &self.processes[self.current];
        let descriptors = (!request.has(linux::CLONE_FILES)).then(|| process.descriptors.share());
        let places = (!request.has(linux::CLONE_FS)).then(|| {
            let directory = self.files.share_directory(process.working_directory);
            (directory, process.umask)
        });
        if descriptors.is_some() || places.is_some() {
            self.processes[thread].apart = Some(Box::new(Apart {
                descriptors,
                places,
            }));
            // With it the process is looked at whenever one of its threads is about to run.
            self.processes[self.current]
                .shares
                .get_or_insert_with(Box::<Shares>::default);
        }
    }

    /// Gives the current thread descriptors of its own, the same that it has (CLOSE_RANGE_UNSHARE).
    ///
    /// # Errors
    /// ENOMEM.
    #[cold]
    pub fn unshare_descriptors(&mut self) -> Result<(), Errno> {
        let who = self.current;
        if self.processes[who.thread].has_own_descriptors() {
            return Ok(());
        }
        heap::require_reserve()?;
        if self.processes[who].threads.count == 1 {
            let own = self.unshared_descriptors(who.process);
            self.unshare_files(who.process, own);
            return Ok(());
        }
        // It runs: what its process has is its own from now on, and what is the process's is kept here.
        let (thread, process) = self.processes.both(who);
        let common = process.descriptors.share();
        thread
            .apart
            .get_or_insert_with(|| {
                Box::new(Apart {
                    descriptors: None,
                    places: None,
                })
            })
            .descriptors = Some(common);
        process
            .shares
            .get_or_insert_with(Box::<Shares>::default)
            .apart = Some(who.thread);
        Ok(())
    }

    /// Puts what is a thread's own into its process, and what was another's back to that.
    pub fn exchange_apart(&mut self, who: Current) {
        self.put_apart_back(who.process);
        if self.processes[who.thread].apart.is_some() {
            self.swap_apart(who);
            self.note_apart(who.process, Some(who.thread));
        }
    }

    /// Puts what is a thread's own back to it.
    pub fn put_apart_back(&mut self, process: ProcessSlot) {
        let shares = &self.processes[process].shares;
        if let Some(thread) = shares.as_ref().and_then(|shares| shares.apart) {
            self.swap_apart(Current { thread, process });
            self.note_apart(process, None);
        }
    }

    /// Notes whose own things a process has now.
    fn note_apart(&mut self, process: ProcessSlot, thread: Option<ThreadSlot>) {
        if let Some(shares) = &mut self.processes[process].shares {
            shares.apart = thread;
        }
    }

    fn swap_apart(&mut self, who: Current) {
        let (thread, process) = self.processes.both(who);
        let Some(apart) = &mut thread.apart else {
            return;
        };
        if let Some(descriptors) = &mut apart.descriptors {
            core::mem::swap(descriptors, &mut process.descriptors);
        }
        if let Some((directory, umask)) = &mut apart.places {
            core::mem::swap(directory, &mut process.working_directory);
            core::mem::swap(umask, &mut process.umask);
        }
    }

    /// A thread ends: what it had for itself goes.
    #[cold]
    #[inline(never)]
    pub fn drop_apart(&mut self, who: Current) {
        let shares = &self.processes[who].shares;
        if shares.as_ref().and_then(|shares| shares.apart) == Some(who.thread) {
            self.put_apart_back(who.process);
        }
        self.release_apart(who.thread);
    }

    /// A thread execs: what it had for itself is the process's, and what was that's goes.
    #[cold]
    #[inline(never)]
    pub fn keep_apart(&mut self, who: Current) {
        self.note_apart(who.process, None);
        self.release_apart(who.thread);
    }

    fn release_apart(&mut self, thread: ThreadSlot) {
        let Some(apart) = self.processes[thread].apart.take() else {
            return;
        };
        if let Some(mut descriptors) = apart.descriptors {
            descriptors.release(&mut self.files, &mut self.pages);
            self.wake_files();
        }
        if let Some((directory, _)) = apart.places {
            self.files.release_directory(&mut self.pages, directory);
        }
    }
}
