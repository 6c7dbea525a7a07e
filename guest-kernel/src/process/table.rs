//! The table of processes: by slot, and by pid.
use super::{Pid, Process};
use alloc::boxed::Box;
use contract::PROCESS_LIMIT;
use core::ops::{Index, IndexMut};

/// Largest pid (`/proc/sys/kernel/pid_max` of Linux's default, less one).
pub const PID_MAX: u32 = 32767;

/// Where a process stands in the table: valid as long as the process is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Slot(u16);

impl Slot {
    /// As a number, for queues that are kept elsewhere.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// The reverse of [`number`](Self::number).
    pub const fn from_number(number: u32) -> Self {
        Self(number as u16)
    }
}

const _: () = assert!(PROCESS_LIMIT < u16::MAX as usize && PROCESS_LIMIT.is_power_of_two());

impl Slot {
    /// As an index. Every slot is below the limit: to say so by a mask is cheaper than a check.
    #[inline]
    const fn index(self) -> usize {
        self.0 as usize % PROCESS_LIMIT
    }
}

/// All processes. All zeros when empty, so that its static takes no room in the kernel's file.
pub struct ProcessTable {
    processes: [Option<Box<Process>>; PROCESS_LIMIT],
    /// Free slots, a chain through `next_free` that begins here (slot plus one, zero at its end), then
    /// those never used.
    first_free: u16,
    never_used: u16,
    next_free: [u16; PROCESS_LIMIT],
    /// Slot by pid plus one, zero where there is none: all zeros at boot.
    by_pid: [u16; PID_MAX as usize + 1],
    last_pid: u32,
    count: usize,
}

/// A slot and a pid that nobody has yet. Dropping it changes nothing.
pub struct Vacancy {
    slot: u16,
    pid: Pid,
}

impl Vacancy {
    pub const fn pid(&self) -> Pid {
        self.pid
    }
}

impl ProcessTable {
    /// No process.
    pub const fn new() -> Self {
        Self {
            processes: [const { None }; PROCESS_LIMIT],
            first_free: 0,
            never_used: 0,
            next_free: [0; PROCESS_LIMIT],
            by_pid: [0; PID_MAX as usize + 1],
            last_pid: 0,
            count: 0,
        }
    }

    /// Where the next process would go; `None` at the limit.
    #[inline]
    pub fn vacancy(&self) -> Option<Vacancy> {
        let slot = match self.first_free {
            0 if (self.never_used as usize) < PROCESS_LIMIT => self.never_used,
            0 => return None,
            slot => slot - 1,
        };
        let mut pid = self.last_pid;
        loop {
            pid = if pid == PID_MAX { 2 } else { pid + 1 };
            // More pids than slots: one is free.
            if self.by_pid[pid as usize] == 0 {
                return Some(Vacancy {
                    slot,
                    pid: Pid(pid),
                });
            }
        }
    }

    /// Puts a process where [`vacancy`](Self::vacancy) said.
    #[inline]
    pub fn insert(&mut self, vacancy: Vacancy, process: Box<Process>) -> Slot {
        let slot = vacancy.slot;
        if self.first_free == slot + 1 {
            self.first_free = self.next_free[slot as usize];
        } else {
            self.never_used += 1;
        }
        self.last_pid = vacancy.pid.0;
        self.by_pid[vacancy.pid.0 as usize] = slot + 1;
        self.processes[slot as usize] = Some(process);
        self.count += 1;
        Slot(slot)
    }

    /// Takes a process out.
    #[inline]
    pub fn remove(&mut self, slot: Slot) -> Option<Box<Process>> {
        let process = self.processes[slot.index()].take()?;
        self.by_pid[process.pid.0 as usize] = 0;
        self.next_free[slot.0 as usize] = self.first_free;
        self.first_free = slot.0 + 1;
        self.count -= 1;
        Some(process)
    }

    /// The process of that pid, zombies included.
    #[inline]
    pub fn find(&self, pid: Pid) -> Option<Slot> {
        match *self.by_pid.get(pid.0 as usize)? {
            0 => None,
            slot => Some(Slot(slot - 1)),
        }
    }

    /// The process in a slot, if there is one.
    pub fn get(&self, slot: Slot) -> Option<&Process> {
        self.processes[slot.index()].as_deref()
    }

    /// How many there are, zombies included.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The process with the least pid that is at least `from`.
    pub fn next_by_pid(&self, from: u32) -> Option<Slot> {
        let pids = self.by_pid.get(from as usize..)?;
        pids.iter()
            .find(|&&slot| slot != 0)
            .map(|&slot| Slot(slot - 1))
    }

    /// Some process, if there is one.
    pub fn first(&self) -> Option<Slot> {
        self.slots().next()
    }

    /// All slots with a process, by slot.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        (0..self.never_used)
            .filter(|&slot| self.processes[slot as usize].is_some())
            .map(Slot)
    }
}

impl Index<Slot> for ProcessTable {
    type Output = Process;

    #[inline]
    fn index(&self, slot: Slot) -> &Process {
        match &self.processes[slot.index()] {
            Some(process) => process,
            None => unreachable!("a slot outlived its process"),
        }
    }
}

impl IndexMut<Slot> for ProcessTable {
    #[inline]
    fn index_mut(&mut self, slot: Slot) -> &mut Process {
        match &mut self.processes[slot.index()] {
            Some(process) => process,
            None => unreachable!("a slot outlived its process"),
        }
    }
}
