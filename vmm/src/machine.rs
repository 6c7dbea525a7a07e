//! A machine to run: what goes in and what comes out, whichever engine runs it.

use crate::ending::Ending;
use crate::initramfs::Initramfs;
use crate::kernel_image::KernelImage;
use crate::memory::Memory;
use crate::phases::Phases;
use crate::registers::Registers;
use crate::sealed_file::SealedFile;
use std::collections::BTreeMap;
use std::time::Duration;

/// What goes in.
pub struct Machine<'a> {
    /// Bytes of RAM.
    pub memory_size: u64,
    /// The kernel, checked.
    pub kernel: &'a KernelImage<'a>,
    /// The initramfs, checked.
    pub initramfs: &'a Initramfs,
    /// The kernel's command line, but for what only the engine knows.
    pub command_line: Vec<u8>,
    /// Where the console's other end is.
    pub attachment: Attachment,
    /// Whether figures are wanted at the end.
    pub measure: Measure,
}

impl<'a> Machine<'a> {
    /// The files in memory of which pages are mapped into the guest's.
    pub fn files(&self) -> impl Iterator<Item = &'a SealedFile> {
        [self.kernel.file, self.initramfs.file()]
            .into_iter()
            .flatten()
    }
}

/// Where the console's other end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// Standard input and output.
    Standard,
    /// Nothing: no input, and output is thrown away.
    Nowhere,
}

/// Whether figures are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// No: leave out what costs time.
    Nothing,
    /// Yes.
    Everything,
}

/// What comes out.
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// The guest's memory as it was at the end.
    pub memory: Memory,
    /// The virtual CPU at the end, where the engine can tell.
    pub registers: Option<Registers>,
    /// When the steps of the start were reached.
    pub phases: Phases,
    /// Exits from the guest by reason.
    pub exits: BTreeMap<&'static str, ExitFigures>,
    /// The engine's own figures by name; or why there are none.
    pub engine_figures: Result<Vec<(String, u64)>, String>,
    /// Hardware cycles and instructions in the guest; or why not.
    pub hardware: Result<Hardware, String>,
    /// Bytes of guest memory that are backed by the host; or why that is not known.
    pub memory_touched: Result<u64, String>,
    /// Resident bytes of the monitor beside guest memory; or why that is not known.
    pub monitor_memory: Result<u64, String>,
}

/// Exits for one reason: how many, and the time from the exit to the next entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitFigures {
    /// How many.
    pub count: u64,
    /// All of them together.
    pub sum: Duration,
    /// The shortest.
    pub minimum: Duration,
    /// The longest.
    pub maximum: Duration,
}

impl ExitFigures {
    /// Adds one exit.
    pub fn add(figures: &mut BTreeMap<&'static str, Self>, reason: &'static str, time: Duration) {
        figures
            .entry(reason)
            .and_modify(|all| {
                all.count += 1;
                all.sum += time;
                all.minimum = all.minimum.min(time);
                all.maximum = all.maximum.max(time);
            })
            .or_insert(Self {
                count: 1,
                sum: time,
                minimum: time,
                maximum: time,
            });
    }
}

/// Hardware counters, guest only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// CPU cycles.
    pub cycles: u64,
    /// Instructions retired.
    pub instructions: u64,
}
