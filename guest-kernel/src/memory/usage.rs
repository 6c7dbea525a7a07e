//! How much memory a process has, as `/proc` tells it (proc(5)).
use super::mappings::Advice;
use super::pages::Tables;
use super::space::{AddressSpace, USER_END, page_range};
use contract::PAGE;
use core::fmt;
use core::ops::Range;
use files::Output;
use page_tree::PageRange;

/// Pages of a space.
pub struct Usage {
    pub mapped: u64,
    pub resident: u64,
    /// Of files: in the archive, or in shared mappings.
    pub shared: u64,
    /// Of the program's code.
    pub text: u64,
    /// Private ones that may be written, the stack too.
    pub data: u64,
    pub stack: u64,
    pub locked: u64,
    pub tables: u64,
}

/// Addresses that `/proc/PID/stat` tells.
#[derive(Default)]
pub struct ShownPlaces {
    pub code: u64,
    pub code_end: u64,
    pub data: u64,
    pub data_end: u64,
    pub heap: u64,
    /// The bottom of the stack: its highest word in use at the start.
    pub stack: u64,
    pub arguments: Range<u64>,
    pub environment: Range<u64>,
}

impl AddressSpace {
    /// Where its parts are.
    pub fn shown_places(&self) -> ShownPlaces {
        let places = self.places();
        ShownPlaces {
            code: places.code.0,
            code_end: places.code.1,
            data: places.data.0,
            data_end: places.data.1,
            heap: places.break_start,
            stack: self.arguments().start,
            arguments: self.arguments(),
            environment: self.environment(),
        }
    }

    /// How much it has.
    pub fn usage(&self) -> Usage {
        let places = self.places();
        let all = self.statistics(PageRange::ALL);
        let stack = self.stack_start()..places.stack_end;
        Usage {
            mapped: all.mapped,
            resident: all.resident,
            shared: all.borrowed + all.shared,
            text: pages_of(&(places.code.0..places.code.1)),
            data: all.data,
            stack: pages_of(&stack),
            locked: self.locked_pages(0..USER_END),
            tables: self.inner.borrow().tree.tables(&Tables),
        }
    }

    /// Pages of a range that are locked (mlock(2)).
    pub fn locked_pages(&self, within: Range<u64>) -> u64 {
        let inner = self.inner.borrow();
        let locked = inner.mappings.advice.over(within.clone());
        locked
            .filter(|(_, advice)| advice.contains(Advice::LOCKED))
            .map(|(range, _)| range.start.max(within.start)..range.end.min(within.end))
            .filter_map(|range| page_range(&range))
            .map(|range| inner.tree.statistics(&Tables, range).mapped)
            .sum()
    }

    /// What `/proc/PID/statm` says.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_statm(&self, out: &mut dyn Output) -> fmt::Result {
        let usage = self.usage();
        writeln!(
            out,
            "{} {} {} {} 0 {} 0",
            usage.mapped, usage.resident, usage.shared, usage.text, usage.data
        )
    }

    /// The lines of `/proc/PID/status` on memory. What was most is what is: nobody counts while it changes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_status(&self, out: &mut dyn Output) -> fmt::Result {
        let usage = self.usage();
        let anonymous = usage.resident.saturating_sub(usage.shared);
        for (name, pages) in [
            ("VmPeak", usage.mapped),
            ("VmSize", usage.mapped),
            ("VmLck", usage.locked),
            ("VmPin", 0),
            ("VmHWM", usage.resident),
            ("VmRSS", usage.resident),
            ("RssAnon", anonymous),
            ("RssFile", usage.shared),
            ("RssShmem", 0),
            ("VmData", usage.data.saturating_sub(usage.stack)),
            ("VmStk", usage.stack),
            ("VmExe", usage.text),
            ("VmLib", 0),
            ("VmPTE", usage.tables),
            ("VmSwap", 0),
        ] {
            writeln!(out, "{name}:\t{:8} kB", pages * PAGE / 1024)?;
        }
        Ok(())
    }
}

/// The pages that bytes touch.
const fn pages_of(range: &Range<u64>) -> u64 {
    if range.start >= range.end {
        return 0;
    }
    range.end.div_ceil(PAGE) - range.start / PAGE
}
