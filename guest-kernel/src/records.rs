//! What the host reads from the kernel's memory; an ELF note of `boot/entry.rs` says where it is.
use contract::channel::Channel;
use contract::counters::CounterPage;
use contract::records::{CrashRecord, KernelLog};
use core::cell::UnsafeCell;

/// The counter page.
pub static COUNTERS: CounterPage = CounterPage::new();

/// The kernel's own messages; written by `log!`.
pub static LOG: KernelLog = KernelLog::new();

/// What is sent to the monitor; written by `channel`.
pub static CHANNEL: Channel = Channel::new();

/// Why the kernel stopped; written once, by `arch::crash`.
pub static CRASH: CrashCell = CrashCell(UnsafeCell::new(CrashRecord {
    valid: 0,
    vector: 0,
    error: 0,
    rip: 0,
    rsp: 0,
    rflags: 0,
    rbp: 0,
    cr2: 0,
    cr3: 0,
    general: [0; 14],
}));

/// The crash record, which the host may read at any time.
#[repr(transparent)]
pub struct CrashCell(UnsafeCell<CrashRecord>);

// SAFETY: there is one virtual CPU, and it writes the record with interrupts off.
unsafe impl Sync for CrashCell {}

impl CrashCell {
    /// Fills in the record, its `valid` last.
    pub fn store(&self, record: CrashRecord) {
        // SAFETY: one CPU, interrupts off; volatile because the host reads it.
        unsafe {
            self.0
                .get()
                .write_volatile(CrashRecord { valid: 0, ..record });
            (&raw mut (*self.0.get()).valid).write_volatile(1);
        }
    }
}
