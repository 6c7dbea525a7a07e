//! What processes use: CPU time, faults, switches, memory (getrusage(2)).
//!
//! The time-stamp counter is read where the CPU goes from one thread to another, and not on the way into the
//! kernel and out of it. What of the time is the kernel's is estimated: of every seventeen system calls and page
//! faults one is measured, and stands for all of them.
use super::{Current, ProcessSlot};
use crate::arch::clock::{ticks, ticks_to_nanoseconds};
use crate::arch::registers::read_tsc;
use crate::kernel::Kernel;
use contract::PAGE;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Of so many calls and faults, one is measured: a prime, so that what comes again and again is met in turn.
pub const SAMPLE: u64 = 17;

/// Bytes of `struct rusage`.
pub const RUSAGE_SIZE: usize = 144;

/// What a process has used, or its children that have been waited for.
#[derive(Clone, Copy, Default)]
pub struct Usage {
    /// CPU time, in ticks.
    pub cpu: u64,
    /// What of it was the kernel's, about.
    system: u64,
    /// What of `cpu` can be given to the kernel no more: a program has been told whose it was.
    settled: u64,
    pub faults: u32,
    /// How often it left the CPU, and how often of those because its time was up.
    pub switches: u32,
    pub involuntary: u32,
    /// Most pages resident at a time.
    pub peak: u32,
}

/// CPU time in nanoseconds.
#[derive(Clone, Copy)]
pub struct Times {
    pub user: u64,
    pub system: u64,
}

impl Usage {
    /// Nothing.
    pub const NONE: Self = Self {
        cpu: 0,
        system: 0,
        settled: 0,
        faults: 0,
        switches: 0,
        involuntary: 0,
        peak: 0,
    };

    /// Whether there is any: who has run has used time, and who has not had pages at most.
    #[inline]
    pub const fn is_any(&self) -> bool {
        self.cpu | self.peak as u64 != 0
    }

    /// Adds what a child, or its children, used.
    #[inline]
    pub fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.system += other.system;
        self.faults = self.faults.wrapping_add(other.faults);
        self.switches = self.switches.wrapping_add(other.switches);
        self.involuntary = self.involuntary.wrapping_add(other.involuntary);
        self.peak = self.peak.max(other.peak);
    }

    /// How often it left the CPU because it waited.
    pub const fn voluntary(&self) -> u32 {
        self.switches.wrapping_sub(self.involuntary)
    }

    /// CPU time; what is told of either part never grows less.
    pub fn times(&mut self) -> Times {
        self.settled = self.cpu;
        let system = self.system.min(self.cpu);
        Times {
            user: ticks_to_nanoseconds(self.cpu - system),
            system: ticks_to_nanoseconds(system),
        }
    }

    /// `struct rusage`; without blocks and messages, of which there are none.
    pub fn to_rusage(mut self) -> [u8; RUSAGE_SIZE] {
        let Times { user, system } = self.times();
        let timeval = |time: u64| [time / 1_000_000_000, time % 1_000_000_000 / 1000];
        let [user, user_part] = timeval(user);
        let [system, system_part] = timeval(system);
        let mut words = [0; RUSAGE_SIZE / 8];
        words[..4].copy_from_slice(&[user, user_part, system, system_part]);
        words[4] = u64::from(self.peak) * (PAGE / 1024);
        words[8] = u64::from(self.faults);
        words[16] = u64::from(self.voluntary());
        words[17] = u64::from(self.involuntary);
        let mut bytes = [0; RUSAGE_SIZE];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}

/// How long the CPU was halted, and about how long it was the kernel's, in ticks.
static IDLE: AtomicU64 = AtomicU64::new(0);
static SYSTEM: AtomicU64 = AtomicU64::new(0);

/// Where the machine's time went until now, and how much of it was nobody's, in nanoseconds (proc(5), `stat`).
pub fn of_machine() -> (Times, u64) {
    let (all, idle) = (ticks(), IDLE.load(Relaxed));
    let busy = all.saturating_sub(idle);
    let system = SYSTEM.load(Relaxed).min(busy);
    let times = Times {
        user: ticks_to_nanoseconds(busy - system),
        system: ticks_to_nanoseconds(system),
    };
    (times, ticks_to_nanoseconds(idle))
}

impl Kernel {
    /// The time since the CPU last changed hands, which somebody is to be charged for.
    #[inline]
    pub fn time_to_charge(&mut self) -> u64 {
        let now = read_tsc();
        let passed = now.wrapping_sub(self.charged_until);
        self.charged_until = now;
        passed
    }

    /// The time since the CPU last changed hands is the current thread's, where that has not ended: whose usage grew.
    #[inline]
    pub fn charge(&mut self) -> Option<&mut Usage> {
        let passed = self.time_to_charge();
        let Current { thread, process } = self.current;
        self.processes.thread_mut(thread)?.cpu += passed;
        let usage = &mut self.processes[process].usage;
        usage.cpu += passed;
        Some(usage)
    }

    /// Whether this call, or fault, is one to be measured: [`add_sample`](Self::add_sample) is to follow.
    #[inline]
    pub fn is_sample(&mut self) -> bool {
        self.until_sample -= 1;
        self.until_sample == 0
    }

    /// The time since then is nobody's: the CPU was halted.
    pub fn charge_nobody(&mut self) {
        let now = read_tsc();
        let halted = now.wrapping_sub(self.charged_until);
        IDLE.store(IDLE.load(Relaxed) + halted, Relaxed);
        self.charged_until = now;
    }

    /// What a process has used until now, its threads that have ended included.
    pub fn usage_of(&mut self, slot: ProcessSlot) -> Usage {
        self.charge();
        let pages = self.resident_pages(slot);
        let process = &mut self.processes[slot];
        if process.memory.is_some() {
            process.resident = pages;
        }
        process.usage.peak = process.usage.peak.max(pages);
        process.usage.settled = process.usage.cpu;
        process.usage
    }

    /// What a process and the children that it has waited for have used.
    pub fn usage_with_children(&mut self, slot: ProcessSlot) -> Usage {
        let mut usage = self.usage_of(slot);
        usage.add(&self.processes[slot].children_usage);
        usage
    }

    /// CPU time of a process.
    pub fn times_of(&mut self, slot: ProcessSlot) -> Times {
        self.charge();
        self.processes[slot].usage.times()
    }

    /// What the current thread has used, as far as that is kept apart from its process's: CPU time.
    pub fn thread_usage(&mut self) -> Usage {
        let process = self.usage_of(self.current.process);
        let cpu = self.processes[self.current.thread].cpu;
        Usage {
            cpu,
            system: process.system.min(cpu),
            ..process
        }
    }

    /// CPU time of the current thread, in nanoseconds.
    pub fn thread_time(&mut self) -> u64 {
        self.charge();
        ticks_to_nanoseconds(self.processes[self.current.thread].cpu)
    }

    fn resident_pages(&self, slot: ProcessSlot) -> u32 {
        let memory = self.processes[slot].memory.as_ref();
        let pages = memory.map_or(0, |memory| memory.sizes().0);
        u32::try_from(pages).unwrap_or(u32::MAX)
    }

    /// A call, or a fault, of the process was measured: `passed` ticks, for all that were not.
    pub fn add_sample(&mut self, slot: ProcessSlot, passed: u64) {
        self.until_sample = SAMPLE as u32;
        let running = read_tsc().wrapping_sub(self.charged_until);
        if let Some(process) = self.processes.get_mut(slot) {
            let usage = &mut process.usage;
            let cpu = usage.cpu + running;
            let room = cpu.saturating_sub(usage.settled);
            let system = (passed * SAMPLE).min(room);
            usage.system += system;
            SYSTEM.store(SYSTEM.load(Relaxed) + system, Relaxed);
            usage.settled = cpu;
        }
    }
}
