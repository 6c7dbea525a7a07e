//! The table of processes and of their threads: by slot, and by identifier.
//!
//! Pids and thread ids are of one kind: no thread has the id of another process. What a slot is of decides
//! what the table shows for it: `table[slot]`.
use super::slots::{Places, Slot};
use super::{Pid, Process, Thread};
use alloc::boxed::Box;
use contract::{Errno, PROCESS_LIMIT};
use core::ops::{Index, IndexMut};
use files::ProcessHandle;

/// Largest pid (`/proc/sys/kernel/pid_max` of Linux's default, less one).
pub const PID_MAX: u32 = 32767;
/// Threads that there are at most.
pub const THREAD_LIMIT: usize = 8192;

pub type ProcessSlot = Slot<Process>;
pub type ThreadSlot = Slot<Thread>;

/// The thread that the CPU runs, and its process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Current {
    pub thread: ThreadSlot,
    pub process: ProcessSlot,
}

impl Current {
    /// Before there is a thread.
    pub const NONE: Self = Self {
        thread: Slot::FIRST,
        process: Slot::FIRST,
    };
}

/// Who has an identifier.
#[derive(Clone, Copy)]
struct Holders {
    thread: Option<ThreadSlot>,
    process: Option<ProcessSlot>,
    /// Processes whose group, or session, it names.
    group_members: u16,
    session_members: u16,
}

impl Holders {
    const NOBODY: Self = Self {
        thread: None,
        process: None,
        group_members: 0,
        session_members: 0,
    };

    #[inline]
    const fn is_nobody(self) -> bool {
        self.thread.is_none()
            && self.process.is_none()
            && self.group_members == 0
            && self.session_members == 0
    }
}

/// All processes and threads. All zeros when empty, so that its static takes no room in the kernel's file.
pub struct ProcessTable {
    processes: Places<Process, PROCESS_LIMIT>,
    threads: Places<Thread, THREAD_LIMIT>,
    by_id: [Holders; PID_MAX as usize + 1],
    last_id: u32,
}

/// A slot and an identifier that nobody has yet. Dropping it changes nothing.
pub struct Vacancy<T> {
    slot: Slot<T>,
    id: Pid,
}

impl<T> Vacancy<T> {
    pub const fn pid(&self) -> Pid {
        self.id
    }

    pub const fn slot(&self) -> Slot<T> {
        self.slot
    }
}

impl ProcessTable {
    /// No process.
    pub const fn new() -> Self {
        Self {
            processes: Places::EMPTY,
            threads: Places::EMPTY,
            by_id: [Holders::NOBODY; PID_MAX as usize + 1],
            last_id: 0,
        }
    }

    /// Where the next process and its first thread would go, with an identifier of the caller's choice or
    /// any.
    ///
    /// # Errors
    /// EAGAIN at a limit, EEXIST where somebody has that identifier.
    #[inline]
    pub fn vacancy(
        &self,
        wanted: Option<Pid>,
    ) -> Result<(Vacancy<Process>, Vacancy<Thread>), Errno> {
        let slot = self.processes.vacancy().ok_or(Errno::EAGAIN)?;
        let thread = self.thread_vacancy(wanted)?;
        let id = thread.id;
        Ok((Vacancy { slot, id }, thread))
    }

    /// Where the next thread would go.
    ///
    /// # Errors
    /// As [`vacancy`](Self::vacancy).
    #[inline]
    pub fn thread_vacancy(&self, wanted: Option<Pid>) -> Result<Vacancy<Thread>, Errno> {
        let slot = self.threads.vacancy().ok_or(Errno::EAGAIN)?;
        if let Some(id) = wanted {
            return if self.holders_of(id).is_nobody() {
                Ok(Vacancy { slot, id })
            } else {
                Err(Errno::EEXIST)
            };
        }
        let mut id = self.last_id;
        for _ in 0..PID_MAX {
            id = if id == PID_MAX { 2 } else { id + 1 };
            if self.by_id[id as usize].is_nobody() {
                return Ok(Vacancy { slot, id: Pid(id) });
            }
        }
        Err(Errno::EAGAIN)
    }

    /// Puts a process where [`vacancy`](Self::vacancy) said.
    #[inline]
    pub fn insert(&mut self, vacancy: Vacancy<Process>, process: Box<Process>) -> ProcessSlot {
        let (group, session) = (process.group, process.session);
        self.holders(vacancy.id).process = Some(vacancy.slot);
        self.processes.insert(vacancy.slot, process);
        self.holders(group).group_members += 1;
        self.holders(session).session_members += 1;
        vacancy.slot
    }

    /// Puts a thread where a vacancy said; its process and its fellows know nothing of it.
    #[inline]
    pub fn insert_thread(&mut self, vacancy: Vacancy<Thread>, thread: Box<Thread>) -> ThreadSlot {
        self.last_id = vacancy.id.0;
        self.holders(vacancy.id).thread = Some(vacancy.slot);
        self.threads.insert(vacancy.slot, thread);
        vacancy.slot
    }

    /// Takes a process out.
    #[inline]
    pub fn remove(&mut self, slot: ProcessSlot) -> Option<Box<Process>> {
        let process = self.processes.remove(slot)?;
        self.holders(process.pid).process = None;
        self.holders(process.group).group_members -= 1;
        self.holders(process.session).session_members -= 1;
        Some(process)
    }

    /// Takes a thread out.
    #[inline]
    pub fn remove_thread(&mut self, slot: ThreadSlot) -> Option<Box<Thread>> {
        let thread = self.threads.remove(slot)?;
        self.holders(thread.tid).thread = None;
        Some(thread)
    }

    #[inline]
    fn holders(&mut self, id: Pid) -> &mut Holders {
        &mut self.by_id[id.0 as usize % (PID_MAX as usize + 1)]
    }

    fn holders_of(&self, id: Pid) -> Holders {
        self.by_id
            .get(id.0 as usize)
            .copied()
            .unwrap_or(Holders::NOBODY)
    }

    /// The process of that pid, zombies included.
    #[inline]
    pub fn find(&self, pid: Pid) -> Option<ProcessSlot> {
        self.holders_of(pid).process
    }

    /// The process that a handle is of, a zombie perhaps; `None` once nothing is left of it.
    pub fn holder_of(&self, handle: ProcessHandle) -> Option<ProcessSlot> {
        let slot = self.find(Pid(handle.pid))?;
        (self[slot].started == handle.started).then_some(slot)
    }

    /// The thread of that id.
    #[inline]
    pub fn find_thread(&self, tid: Pid) -> Option<ThreadSlot> {
        self.holders_of(tid).thread
    }

    /// Gives a thread the identifier of its process, as if it were the first, which there is none of any more
    /// (execve(2)).
    pub fn make_leader(&mut self, slot: ThreadSlot) {
        let pid = self[self[slot].process].pid;
        let old = core::mem::replace(&mut self[slot].tid, pid);
        self.holders(old).thread = None;
        self.holders(pid).thread = Some(slot);
    }

    /// Whether that is the identifier of anything: a thread, a process, a group, a session.
    pub fn is_anybody(&self, id: Pid) -> bool {
        !self.holders_of(id).is_nobody()
    }

    /// Whether some process, a zombie perhaps, is in that process group.
    pub fn is_group(&self, group: Pid) -> bool {
        self.holders_of(group).group_members != 0
    }

    /// Moves a process to another group and session.
    pub fn set_group(&mut self, slot: ProcessSlot, group: Pid, session: Pid) {
        let process = &mut self[slot];
        let old = (process.group, process.session);
        (process.group, process.session) = (group, session);
        self.holders(old.0).group_members -= 1;
        self.holders(old.1).session_members -= 1;
        self.holders(group).group_members += 1;
        self.holders(session).session_members += 1;
    }

    /// The process in a slot, if there is one.
    pub fn get(&self, slot: ProcessSlot) -> Option<&Process> {
        self.processes.get(slot)
    }

    /// As [`get`](Self::get), to be changed.
    pub fn get_mut(&mut self, slot: ProcessSlot) -> Option<&mut Process> {
        self.processes.get_mut(slot)
    }

    /// As [`thread`](Self::thread), to be changed.
    #[inline]
    pub fn thread_mut(&mut self, slot: ThreadSlot) -> Option<&mut Thread> {
        self.threads.get_mut(slot)
    }

    /// The thread in a slot, if there is one.
    pub fn thread(&self, slot: ThreadSlot) -> Option<&Thread> {
        self.threads.get(slot)
    }

    /// A thread and its process, both to be changed.
    #[inline]
    pub fn both(&mut self, current: Current) -> (&mut Thread, &mut Process) {
        let Self {
            processes, threads, ..
        } = self;
        let process = processes.get_mut(current.process);
        let thread = threads.get_mut(current.thread);
        match (thread, process) {
            (Some(thread), Some(process)) => (thread, process),
            _ => outlived(),
        }
    }

    /// How many processes there are, zombies included.
    pub const fn count(&self) -> usize {
        self.processes.count
    }

    /// How many threads there are.
    pub const fn thread_count(&self) -> usize {
        self.threads.count
    }

    /// The process with the least pid that is at least `from`.
    pub fn next_by_pid(&self, from: u32) -> Option<ProcessSlot> {
        let ids = self.by_id.get(from as usize..)?;
        ids.iter().find_map(|holders| holders.process)
    }

    /// Some process, if there is one.
    pub fn first(&self) -> Option<ProcessSlot> {
        self.slots().next()
    }

    /// All slots with a process, by slot.
    pub fn slots(&self) -> impl Iterator<Item = ProcessSlot> + '_ {
        self.processes.slots()
    }

    /// All slots with a thread, by slot.
    pub fn threads(&self) -> impl Iterator<Item = ThreadSlot> + '_ {
        self.threads.slots()
    }
}

#[cold]
fn outlived() -> ! {
    unreachable!("a slot outlived what stood there")
}

impl Index<ProcessSlot> for ProcessTable {
    type Output = Process;

    #[inline]
    fn index(&self, slot: ProcessSlot) -> &Process {
        match self.processes.get(slot) {
            Some(process) => process,
            None => outlived(),
        }
    }
}

impl IndexMut<ProcessSlot> for ProcessTable {
    #[inline]
    fn index_mut(&mut self, slot: ProcessSlot) -> &mut Process {
        match self.processes.get_mut(slot) {
            Some(process) => process,
            None => outlived(),
        }
    }
}

impl Index<ThreadSlot> for ProcessTable {
    type Output = Thread;

    #[inline]
    fn index(&self, slot: ThreadSlot) -> &Thread {
        match self.threads.get(slot) {
            Some(thread) => thread,
            None => outlived(),
        }
    }
}

impl IndexMut<ThreadSlot> for ProcessTable {
    #[inline]
    fn index_mut(&mut self, slot: ThreadSlot) -> &mut Thread {
        match self.threads.get_mut(slot) {
            Some(thread) => thread,
            None => outlived(),
        }
    }
}

/// The process of the thread that runs.
impl Index<Current> for ProcessTable {
    type Output = Process;

    #[inline]
    fn index(&self, current: Current) -> &Process {
        &self[current.process]
    }
}

impl IndexMut<Current> for ProcessTable {
    #[inline]
    fn index_mut(&mut self, current: Current) -> &mut Process {
        &mut self[current.process]
    }
}
