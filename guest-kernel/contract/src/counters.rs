//! The counters: one page of `u64` in the kernel image, read by the host at any time.
//!
//! ```text
//! word 0        MAGIC
//! word 1        Exit::encode, zero while the machine runs
//! word 2..64    the counters below, in the order of the enum; unused words are zero
//! word 64..512  system calls 0..448 by number: bits 0–62 how often, bit 63 set once ENOSYS was answered
//! ```
//!
//! The same names stand in `cowbell --stats` (table, JSON, Prometheus) and in the guest's `/proc/cowbell`,
//! where a line is a name, a space and the value, and system calls are `system_call_NAME`.
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Word 0: "cowbell1", little-endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"cowbell1");
/// Words in the page.
pub const WORDS: usize = 512;
/// Word of the encoded [`crate::status::Exit`].
pub const EXIT_WORD: usize = 1;
/// First word of a [`Counter`].
pub const FIRST_COUNTER: usize = 2;
/// First word of the system calls by number.
pub const FIRST_SYSTEM_CALL: usize = 64;
/// System calls that have a word of their own.
pub const SYSTEM_CALLS: usize = WORDS - FIRST_SYSTEM_CALL;
/// Set in a system call's word once the kernel has answered ENOSYS to it.
pub const MISSING: u64 = 1 << 63;

macro_rules! counters {
    ($($variant:ident $name:literal $kind:ident $help:literal,)*) => {
        /// A counter or gauge of the kernel.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(usize)]
        pub enum Counter { $(#[doc = $help] $variant,)* }

        impl Counter {
            /// All of them, in the order of the page.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
            /// Name in every report; the unit is in it where it is not plainly a number of things.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name,)* } }
            /// One line that says what is counted.
            #[must_use]
            pub const fn help(self) -> &'static str { match self { $(Self::$variant => $help,)* } }
            /// Whether it can fall.
            #[must_use]
            pub const fn kind(self) -> Kind { match self { $(Self::$variant => Kind::$kind,)* } }
        }
    };
}

/// What Prometheus calls the type of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// A present value, or one found once.
    Gauge,
}

counters! {
    Forks "forks" Counter "Processes created by fork, or by clone without a shared address space",
    Vforks "vforks" Counter "Processes created by vfork, or by clone with CLONE_VFORK",
    Threads "threads" Counter "Tasks created by clone that share an address space and go on beside their parent",
    Execs "execs" Counter "execve calls that replaced the program",
    ExecTemplates "exec_templates" Counter "Programs whose pristine address space was built; later execs fork it",
    Exits "exits" Counter "Processes that ended",
    Waits "waits" Counter "Zombies taken by wait4 or waitid",
    Signals "signals" Counter "Signals sent",
    SystemCalls "system_calls" Counter "System calls, all",
    SystemCallsMissing "system_calls_missing" Counter "System calls answered with ENOSYS",
    ContextSwitches "context_switches" Counter "Times the CPU went from one thread to another",
    Preemptions "preemptions" Counter "Context switches forced by the timer",
    TimerTicks "timer_ticks" Counter "Local APIC timer interrupts",
    IdleHalts "idle_halts" Counter "Times the CPU was halted for want of a runnable thread",
    FaultsDemandZero "page_faults_demand_zero" Counter "Page faults that gave a zeroed page",
    FaultsFile "page_faults_file" Counter "Page faults that mapped or copied a page of a file",
    FaultsCopied "page_faults_cow_copied" Counter "Write faults that copied a page shared with somebody else",
    FaultsKept "page_faults_cow_kept" Counter "Write faults that kept a page because nobody else had it any more",
    FaultsSpurious "page_faults_spurious" Counter "Page faults that found nothing to do",
    FaultsFatal "page_faults_fatal" Counter "Page faults that ended in SIGSEGV or SIGBUS",
    TablesCopied "tables_copied" Counter "Page tables copied on the way to a write",
    PagesCopied "pages_copied" Counter "Pages copied, by faults and by the kernel's own writes",
    PagesZeroed "pages_zeroed" Counter "Pages zeroed before a program saw them",
    TlbFlushesAll "tlb_flushes_all" Counter "Flushes of all of the user's TLB entries other than by a context switch",
    TlbFlushesPage "tlb_flushes_page" Counter "Flushes of a single page's TLB entry",
    FramesTotal "frames_total" Gauge "Frames of 4 KiB that the kernel hands out",
    FramesFree "frames_free" Gauge "Frames not in use",
    FramesTables "frames_tables" Gauge "Frames in use as page tables of processes",
    FramesPages "frames_pages" Gauge "Frames in use as pages of processes and of files",
    FramesKernel "frames_kernel" Gauge "Frames in use for the kernel's own structures",
    FramesUsedPeak "frames_used_peak" Gauge "Most frames ever in use at once",
    LastForkFrames "last_fork_frames" Gauge "Frames that the most recent fork took, page tables and kernel structures together; what it copied ahead for the parent counts as copied",
    LastForkTableFrames "last_fork_table_frames" Gauge "Frames for page tables that the most recent fork took, likewise",
    Processes "processes" Gauge "Processes now, zombies included",
    ProcessesPeak "processes_peak" Gauge "Most processes ever at once",
    OutOfMemoryKills "out_of_memory_kills" Counter "Processes killed because no frame was left",
    ConsoleOutputBytes "console_output_bytes" Counter "Bytes written to the console",
    ConsoleInputBytes "console_input_bytes" Counter "Bytes read from the console's UART",
    TscAtEntry "tsc_at_entry_ticks" Gauge "Time-stamp counter at the kernel's first instructions",
    TscAtFirstUser "tsc_at_first_user_ticks" Gauge "Time-stamp counter when the first process was entered",
    TscFrequency "tsc_frequency_hertz" Gauge "Frequency of the time-stamp counter as the kernel knows it, 0 if it had no need to",
    SystemCallByFault "system_call_entry_by_fault" Gauge "1 where the syscall instruction enters the kernel through a page fault",
    SimdState "simd_state_kind" Gauge "How SIMD registers are saved: 1 fxsave64, 2 xsave64, 3 xsave64 in ring 3",
}

/// The page itself.
#[repr(C, align(4096))]
pub struct CounterPage {
    /// See the module's map.
    pub words: [AtomicU64; WORDS],
}

impl CounterPage {
    /// All zeros but for the magic.
    #[must_use]
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "an initialiser, copied into each element"
    )]
    pub const fn new() -> Self {
        const ZERO: AtomicU64 = AtomicU64::new(0);
        let mut words = [ZERO; WORDS];
        words[0] = AtomicU64::new(MAGIC);
        Self { words }
    }

    /// Adds to a counter. There is one writer, the one virtual CPU: no locked instruction is needed.
    #[inline]
    pub fn add(&self, counter: Counter, n: u64) {
        let word = &self.words[FIRST_COUNTER + counter as usize];
        word.store(word.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Takes from a gauge.
    #[inline]
    pub fn subtract(&self, counter: Counter, n: u64) {
        self.add(counter, n.wrapping_neg());
    }

    /// Sets a gauge.
    #[inline]
    pub fn set(&self, counter: Counter, value: u64) {
        self.words[FIRST_COUNTER + counter as usize].store(value, Relaxed);
    }

    /// Reads a counter.
    #[inline]
    pub fn get(&self, counter: Counter) -> u64 {
        self.words[FIRST_COUNTER + counter as usize].load(Relaxed)
    }

    /// Counts a system call by number; those beyond the table are in the total alone.
    #[inline]
    pub fn count_system_call(&self, number: u64) {
        self.add(Counter::SystemCalls, 1);
        if let Some(word) = self.system_call_word(number) {
            word.store(word.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }

    /// Notes that a system call was answered with ENOSYS.
    pub fn mark_missing(&self, number: u64) {
        self.add(Counter::SystemCallsMissing, 1);
        if let Some(word) = self.system_call_word(number) {
            word.store(word.load(Relaxed) | MISSING, Relaxed);
        }
    }

    #[inline]
    fn system_call_word(&self, number: u64) -> Option<&AtomicU64> {
        self.words[FIRST_SYSTEM_CALL..].get(usize::try_from(number).ok()?)
    }
}

impl Default for CounterPage {
    fn default() -> Self {
        Self::new()
    }
}

const _: () = assert!(FIRST_COUNTER + Counter::ALL.len() <= FIRST_SYSTEM_CALL);
