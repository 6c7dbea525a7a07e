//! The kernel's state, and what it does about a trap.
use crate::arch::context;
use crate::arch::registers::read_tsc;
use crate::arch::trap::{Goes, Trap as Entry, vector};
use crate::boot::command_line::AtEnd;
use crate::console::Console;
use crate::host_names::HostNames;
use crate::log;
use crate::memory::pages::Pages;
use crate::one_cpu::OneCpu;
use crate::process::accounting::SAMPLE;
use crate::process::exit::Ends;
use crate::process::futex::Futexes;
use crate::process::layout::Layout;
use crate::process::queue::Queue;
use crate::process::scheduler::{Alarm, Next};
use crate::process::signal::{Info, Trap};
use crate::process::template::Templates;
use crate::process::{Current, Pid, ProcessSlot, ProcessTable, State, Status, ThreadSlot, signal};
use crate::records::COUNTERS;
use crate::system_calls::{self, Outcome};
use crate::trace;
use alloc::collections::BTreeSet;
use contract::counters::Counter;
use files::Files;
use linux_raw_sys::general as linux;
use page_tree::{Access, Refusal, Resolution};

/// The one kernel.
static KERNEL: OneCpu<Kernel> = OneCpu::new(Kernel::new());

static PROCESSES: OneCpu<ProcessTable> = OneCpu::new(ProcessTable::new());

/// Everything that outlives a trap, but for frames and heap, which have statics of their own.
pub struct Kernel {
    pub processes: &'static mut ProcessTable,
    /// What the CPU runs, or ran last.
    pub current: Current,
    /// Of a call that is asked again: the bytes it has done.
    pub progress: usize,
    pub ready: Queue,
    pub alarm: Alarm,
    /// Who sleeps, by when to wake.
    pub sleepers: BTreeSet<(u64, ThreadSlot)>,
    /// The real timers that are set, by when to ring.
    pub alarms: BTreeSet<(u64, ProcessSlot)>,
    /// Until when the CPU's time is accounted for, by the time-stamp counter.
    pub charged_until: u64,
    /// Calls and page faults until the next one that is measured.
    pub until_sample: u32,
    /// How many processes are stopped.
    pub stopped: u32,
    pub futexes: Futexes,
    /// How many of those wait to be given a lock.
    pub lock_waiters: u32,
    pub ends: Ends,
    pub files: Files<Pages>,
    pub pages: Pages,
    pub console: Console,
    pub templates: Templates,
    pub layout: Layout,
    /// What is done when the machine ends.
    pub at_end: AtEnd,
    /// Pieces of shared memory made so far.
    pub shared_memories: u64,
    pub names: HostNames,
}

/// Lets `prepare` make the first process, and starts that. Does not come back.
pub fn start(prepare: impl FnOnce(&mut Kernel)) -> ! {
    KERNEL.with(|kernel| {
        prepare(kernel);
        kernel.schedule();
    });
    COUNTERS.set(Counter::TscAtFirstUser, crate::arch::registers::read_tsc());
    context::enter()
}

/// The current process makes a system call. Unless that only returns, [`finish_system_call`] follows.
#[inline]
pub fn on_system_call(number: u64, arguments: [u64; 5]) -> Outcome {
    KERNEL.with(|kernel| system_calls::enter(kernel, number, arguments))
}

/// What a system call comes to that does more than return. What is current afterwards goes on.
pub fn finish_system_call(outcome: Outcome) {
    KERNEL.with(|kernel| system_calls::finish(kernel, outcome));
}

/// The current process had a page fault at `address`; `error` is the processor's (present 1, write 2,
/// user 4, fetch 16).
#[inline]
pub fn on_page_fault(address: u64, error: u64) -> Goes {
    KERNEL.with(|kernel| kernel.page_fault(address, error))
}

/// A program was interrupted otherwise. What is current afterwards goes on.
pub fn on_trap(trap: Entry) {
    KERNEL.with(|kernel| kernel.handle(trap));
}

impl Kernel {
    /// Before there are files and processes.
    const fn new() -> Self {
        Self {
            // SAFETY: this is the one place that takes it, for the one kernel.
            processes: unsafe { PROCESSES.take() },
            current: Current::NONE,
            progress: 0,
            ready: Queue::new(),
            alarm: Alarm::Off,
            sleepers: BTreeSet::new(),
            alarms: BTreeSet::new(),
            charged_until: 0,
            until_sample: SAMPLE as u32,
            stopped: 0,
            futexes: Futexes::new(),
            lock_waiters: 0,
            ends: Ends::None,
            files: Files::none(),
            pages: Pages,
            console: Console::new(),
            templates: Templates::new(),
            layout: Layout::Random,
            at_end: AtEnd::Stop,
            shared_memories: 0,
            names: HostNames::new(),
        }
    }

    #[inline]
    fn handle(&mut self, trap: Entry) {
        let next = match trap {
            Entry::Exception { vector, error } => self.exception(vector, error),
            Entry::Timer => self.tick(),
            Entry::Serial => {
                self.take_console_input();
                self.whether_running()
            }
        };
        trace::notice(self);
        self.go_on(next);
    }

    /// Lets the current thread go on, with the handlers of the signals that have come for it, or another.
    pub fn go_on(&mut self, next: Next) {
        if next == Next::Other || self.deliver_signals() == Next::Other {
            self.schedule();
        }
    }

    /// Whether the current thread can go on: what was just done may have ended it.
    pub fn whether_running(&self) -> Next {
        let running = self
            .processes
            .thread(self.current.thread)
            .is_some_and(|thread| matches!(thread.state, State::Running));
        if running { Next::Same } else { Next::Other }
    }

    #[inline]
    fn page_fault(&mut self, address: u64, error: u64) -> Goes {
        if self.is_sample() {
            return self.page_fault_measured(address, error);
        }
        self.resolve(address, error)
    }

    /// One page fault of many is measured: what is known of the kernel's own time.
    #[cold]
    #[inline(never)]
    fn page_fault_measured(&mut self, address: u64, error: u64) -> Goes {
        let process = self.current.process;
        let start = read_tsc();
        let goes = self.resolve(address, error);
        self.add_sample(process, read_tsc().wrapping_sub(start));
        goes
    }

    #[inline(always)]
    fn resolve(&mut self, address: u64, error: u64) -> Goes {
        const WRITE: u64 = 1 << 1;
        const FETCH: u64 = 1 << 4;
        let access = match error {
            error if error & FETCH != 0 => Access::Execute,
            error if error & WRITE != 0 => Access::Write,
            _ => Access::Read,
        };
        let process = &mut self.processes[self.current.process];
        process.usage.faults = process.usage.faults.wrapping_add(1);
        let counter = match process.space().fault(address, access) {
            Ok(Resolution::DemandZero) => {
                process.resident += 1;
                Counter::FaultsDemandZero
            }
            Ok(Resolution::CopiedBorrowed) => Counter::FaultsFile,
            Ok(Resolution::Copied) => Counter::FaultsCopied,
            Ok(Resolution::Kept) => Counter::FaultsKept,
            Ok(Resolution::Spurious) => {
                crate::arch::tlb::flush_page(address);
                Counter::FaultsSpurious
            }
            Err(refusal) => return self.unresolved_fault(refusal, address, access, error),
        };
        COUNTERS.add(counter, 1);
        Goes::Straight
    }

    #[cold]
    fn unresolved_fault(
        &mut self,
        refusal: Refusal,
        address: u64,
        access: Access,
        error: u64,
    ) -> Goes {
        let space = self.processes[self.current].space();
        let Err(refusal) = space.amend(refusal, address, access) else {
            // Tried again, the access may ask for more, as the first write to a page of a file does.
            COUNTERS.add(Counter::FaultsFile, 1);
            return Goes::Straight;
        };
        let (signal, code) = match refusal {
            Refusal::NotMapped | Refusal::NotThere => (signal::SIGSEGV, linux::SEGV_MAPERR),
            Refusal::NotAllowed => (signal::SIGSEGV, linux::SEGV_ACCERR),
            Refusal::BeyondEnd => (signal::SIGBUS, linux::BUS_ADRERR),
            // What the kernel keeps for speed goes, and the program tries again.
            Refusal::OutOfFrames if self.templates.drop_all() > 0 => return Goes::Straight,
            Refusal::OutOfFrames => {
                let next = self.out_of_memory();
                self.go_on(next);
                return Goes::Elsewhere;
            }
        };
        COUNTERS.add(Counter::FaultsFatal, 1);
        let trap = Trap {
            vector: vector::PAGE_FAULT,
            error: error as u32,
        };
        let info = Info::Fault {
            code,
            address,
            trap,
        };
        let next = self.force_signal(signal, info);
        trace::notice(self);
        self.go_on(next);
        Goes::Elsewhere
    }

    /// Any exception but a page fault.
    #[cold]
    fn exception(&mut self, vector: u8, error: u64) -> Next {
        let address = self.processes[self.current.thread].context.registers.rip;
        let (signal, code) = signal_of(vector);
        let trap = Trap {
            vector,
            error: error as u32,
        };
        let info = Info::Fault {
            code,
            address,
            trap,
        };
        self.force_signal(signal, info)
    }

    /// No frame is left for what the current process touches: it is killed, and said so. With pid 1 the
    /// machine would end: for it another process is killed while there is one, and it tries again.
    #[cold]
    pub fn out_of_memory(&mut self) -> Next {
        let victim = match self.processes[self.current.process].pid {
            Pid(1) => self.largest_but_init().unwrap_or(self.current.process),
            _ => self.current.process,
        };
        let process = &self.processes[victim];
        let name = core::str::from_utf8(self.processes.name_of(victim)).unwrap_or("?");
        log!("out of memory: killed process {} ({name})", process.pid.0);
        COUNTERS.add(Counter::OutOfMemoryKills, 1);
        self.end_process(
            victim,
            Status::Killed {
                signal: signal::SIGKILL,
                core: false,
            },
        );
        self.whether_running()
    }

    /// The process with the most pages, the youngest of those, pid 1 apart.
    fn largest_but_init(&self) -> Option<ProcessSlot> {
        let living = self.processes.slots().filter(|&slot| {
            let process = &self.processes[slot];
            process.pid != Pid(1) && process.memory.is_some()
        });
        living.max_by_key(|&slot| {
            let process = &self.processes[slot];
            (process.space().sizes().0, process.started)
        })
    }

    /// After the last process: gives back what the kernel keeps for speed, and says so if a frame is missing.
    pub fn check_frames(&mut self) {
        self.templates.drop_all();
        let tables = COUNTERS.get(Counter::FramesTables);
        let pages = COUNTERS.get(Counter::FramesPages);
        let in_files = self.pages.held();
        if tables != 0 || pages != in_files {
            log!(
                "after the last process {tables} page tables and {pages} pages are in use, \
                 {in_files} of them by files"
            );
        }
    }
}

/// The signal that an exception becomes, and its `si_code`, 0 for one without an address (sigaction(2);
/// Intel SDM volume 3, table 6-1).
const fn signal_of(vector: u8) -> (u8, u32) {
    match vector {
        0 => (signal::SIGFPE, linux::FPE_INTDIV),
        16 | 19 => (signal::SIGFPE, linux::FPE_FLTINV),
        1 => (signal::SIGTRAP, linux::TRAP_TRACE),
        3 => (signal::SIGTRAP, 0),
        6 => (signal::SIGILL, linux::ILL_ILLOPN),
        17 => (signal::SIGBUS, linux::BUS_ADRALN),
        11 | 12 => (signal::SIGBUS, 0),
        _ => (signal::SIGSEGV, 0),
    }
}
