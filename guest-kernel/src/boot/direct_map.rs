//! Extends the direct map to the RAM there is.
//!
//! The assembler's tables map the first GiB, in 2 MiB pages. Boot maps RAM beyond it: in pages of 1 GiB
//! where the processor has them, else by a table for each GiB, taken from the RAM of the first. A monitor's
//! memory may be sparse: a GiB without RAM gets nothing.
use super::start_info::{Error, StartInfo};
use crate::arch::control::{GIB_PAGES, has};
use crate::arch::layout::{RawTable, direct_map, direct_map_pdpt};
use contract::PAGE;
use core::ops::Range;
use x86_64::PhysAddr;
use x86_64::structures::paging::PageTableFlags as Flags;

const GIB: u64 = 1 << 30;
const LARGE_PAGE: u64 = 2 << 20;

const TABLE: u64 = Flags::PRESENT
    .union(Flags::WRITABLE)
    .union(Flags::ACCESSED)
    .bits();
const LARGE: u64 = TABLE
    | Flags::DIRTY
        .union(Flags::HUGE_PAGE)
        .union(Flags::GLOBAL)
        .union(Flags::NO_EXECUTE)
        .bits();

/// Maps all RAM and returns the physical bytes of the tables that took.
pub fn cover(info: &StartInfo) -> Result<Range<u64>, Error> {
    // SAFETY: boot runs once, on the one CPU, and nobody else changes this table.
    let pdpt = unsafe { &mut *direct_map_pdpt() };
    let end = info.ram().map(|ram| ram.end).max().unwrap_or(0);
    let mut tables = Tables::for_gibs(info, gibs_with_ram(info, end).count() as u64)?;
    for number in gibs_with_ram(info, end) {
        let gib = number * GIB..(number + 1) * GIB;
        pdpt[number as usize] = if has(GIB_PAGES) {
            gib.start | LARGE
        } else {
            let (address, table) = tables.take();
            fill(table, info, &gib);
            address | TABLE
        };
    }
    Ok(tables.taken)
}

/// Numbers of the GiBs above the first that have RAM.
fn gibs_with_ram(info: &StartInfo, end: u64) -> impl Iterator<Item = u64> + '_ {
    (1..end.div_ceil(GIB)).filter(|number| {
        info.ram()
            .any(|ram| ram.start < (number + 1) * GIB && number * GIB < ram.end)
    })
}

/// A table whose 2 MiB pages are those with RAM in `gib`.
fn fill(table: &mut RawTable, info: &StartInfo, gib: &Range<u64>) {
    if !info
        .ram()
        .any(|ram| ram.start <= gib.start && gib.end <= ram.end)
    {
        table.fill(0);
    }
    for ram in info.ram() {
        let (start, end) = (ram.start.max(gib.start), ram.end.min(gib.end));
        if start < end {
            let first = (start - gib.start) / LARGE_PAGE;
            let end = (end - gib.start).div_ceil(LARGE_PAGE);
            let mut entry = (gib.start + first * LARGE_PAGE) | LARGE;
            let mut put = |place: &mut u64| {
                *place = entry;
                entry += LARGE_PAGE;
            };
            // Eight to a turn of the loop: there may be hundreds of tables.
            let (eights, rest) = table[first as usize..end as usize].as_chunks_mut::<8>();
            eights
                .iter_mut()
                .for_each(|eight| eight.iter_mut().for_each(&mut put));
            rest.iter_mut().for_each(put);
        }
    }
}

/// Frames for tables, one after the other.
struct Tables {
    taken: Range<u64>,
    next: u64,
}

impl Tables {
    fn for_gibs(info: &StartInfo, gibs: u64) -> Result<Self, Error> {
        if gibs == 0 || has(GIB_PAGES) {
            return Ok(Self {
                taken: 0..0,
                next: 0,
            });
        }
        let start = find_free(info, gibs * PAGE).ok_or(Error::NoMemoryForTables)?;
        Ok(Self {
            taken: start..start + gibs * PAGE,
            next: start,
        })
    }

    fn take(&mut self) -> (u64, &'static mut RawTable) {
        let address = self.next;
        self.next += PAGE;
        // SAFETY: free RAM of the first GiB, which is mapped, one frame for each call.
        (address, unsafe {
            &mut *direct_map(PhysAddr::new_truncate(address)).cast()
        })
    }
}

/// Finds `size` bytes of RAM in the first GiB that nothing of the monitor's or the image's is in.
fn find_free(info: &StartInfo, size: u64) -> Option<u64> {
    info.ram().filter(|ram| ram.start < GIB).find_map(|ram| {
        let mut start = ram.start.max(PAGE).next_multiple_of(PAGE);
        // Each time something is in the way, go on behind it.
        while let Some(blocking) = info
            .reserved()
            .iter()
            .find(|taken| taken.start < start + size && start < taken.end)
        {
            start = blocking.end.next_multiple_of(PAGE);
        }
        (start + size <= ram.end.min(GIB)).then_some(start)
    })
}
