//! Which entries of a table are worth a look: bits that stand for groups of entries.
//!
//! A group of eight is *live* if one of its entries may be something else than zero. Of a page table, a group of sixteen is
//! *counted* if one of its pages may be counted: the rest is text and data that lie in the initramfs, or reserved memory,
//! and is copied as plain memory. Both may say too much, never too little.
use x86_64::structures::paging::PageTableIndex;

/// The group of eight of an index, as a bit.
#[inline]
pub(crate) fn group(index: PageTableIndex) -> u64 {
    1 << (u16::from(index) / 8)
}

/// The groups of eight of a range of indices, its last one included.
#[inline]
pub(crate) fn groups_of(first: PageTableIndex, last: PageTableIndex) -> u64 {
    u64::MAX >> (63 - u16::from(last) / 8) & u64::MAX << (u16::from(first) / 8)
}

/// Calls `f` for each index in groups of eight.
#[inline]
pub(crate) fn for_each_index(groups: u64, mut f: impl FnMut(PageTableIndex)) {
    let mut rest = groups;
    while rest != 0 {
        let first = rest.trailing_zeros() as u16 * 8;
        rest &= rest - 1;
        for index in first..first + 8 {
            f(PageTableIndex::new_truncate(index));
        }
    }
}

/// One of the entries of a table, by its group of eight: for loops over whole groups, whose addresses are then those of the
/// groups and constants.
#[derive(Clone, Copy)]
pub struct Place {
    /// The group of eight, below 64.
    pub group: u32,
    /// The entry in it, below 8.
    pub at: u32,
}

impl Place {
    /// The index in the table.
    #[inline]
    #[must_use]
    pub fn index(self) -> PageTableIndex {
        PageTableIndex::new_truncate((self.group * 8 + self.at) as u16)
    }
}

/// Calls `f` for each place in groups of eight that are in one of these groups of sixteen.
#[inline(always)]
pub(crate) fn for_each_counted(eights: u64, sixteens: u32, mut f: impl FnMut(Place)) {
    let mut rest = sixteens;
    while rest != 0 {
        let group = rest.trailing_zeros() * 2;
        rest &= rest - 1;
        let halves = eights >> group;
        if halves & 0b01 != 0 {
            for at in 0..8 {
                f(Place { group, at });
            }
        }
        if halves & 0b10 != 0 {
            for at in 0..8 {
                f(Place {
                    group: group + 1,
                    at,
                });
            }
        }
    }
}

/// The bit of an index modulo 32: see [`for_each_live`].
#[inline]
pub(crate) fn column(index: PageTableIndex) -> u32 {
    1 << (u16::from(index) % 32)
}

/// The bits of a range of indices, its last one included.
#[inline]
pub(crate) fn columns_of(first: PageTableIndex, last: PageTableIndex) -> u32 {
    let count = u32::from(u16::from(last) - u16::from(first)) + 1;
    match count {
        0..32 => ((1 << count) - 1_u32).rotate_left(u32::from(u16::from(first))),
        _ => u32::MAX,
    }
}

/// Calls `f` for each place that is in one of these groups of eight and in one of these columns: its index modulo 32. Tables
/// above the page tables mostly have a few entries, and this finds those without a look at their neighbours.
#[inline]
pub(crate) fn for_each_live(groups: u64, columns: u32, mut f: impl FnMut(Place)) {
    let mut rest = groups;
    while rest != 0 {
        let group = rest.trailing_zeros();
        rest &= rest - 1;
        let mut places = columns >> (group % 4 * 8) & 0xff;
        while places != 0 {
            let at = places.trailing_zeros();
            places &= places - 1;
            f(Place { group, at });
        }
    }
}

/// Calls `f` with the first group and the length of each run of groups.
#[inline]
pub(crate) fn for_each_run(groups: u64, mut f: impl FnMut(u32, u32)) {
    let mut rest = groups;
    while rest != 0 {
        let first = rest.trailing_zeros();
        f(first, (rest >> first).trailing_ones());
        // The lowest bit, added, carries through its run.
        rest &= rest.wrapping_add(rest & rest.wrapping_neg());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_each_place_in_both_kinds_of_groups() {
        let visited = |eights, sixteens| {
            let mut found = std::vec::Vec::new();
            for_each_counted(eights, sixteens, |place| {
                found.push(u16::from(place.index()));
            });
            found
        };
        assert!(visited(0, u32::MAX).is_empty());
        assert!(visited(u64::MAX, 0).is_empty());
        assert!(visited(0b1100, 0b1).is_empty());
        let expected: std::vec::Vec<u16> = (8..16).chain(496..504).collect();
        assert_eq!(visited(0b10 | 1 << 62, 1 << 31 | 1), expected);
        assert_eq!(visited(u64::MAX, u32::MAX).len(), 512);
    }

    #[test]
    fn finds_each_run() {
        let runs = |groups| {
            let mut found = std::vec::Vec::new();
            for_each_run(groups, |first, count| found.push((first, count)));
            found
        };
        assert_eq!(runs(0), []);
        assert_eq!(runs(u64::MAX), [(0, 64)]);
        assert_eq!(runs(0b1011_0001), [(0, 1), (4, 2), (7, 1)]);
        assert_eq!(runs(0b11 << 62 | 1), [(0, 1), (62, 2)]);
    }

    #[test]
    fn visits_each_place_of_a_column() {
        let index = PageTableIndex::new_truncate;
        let mut found = std::vec::Vec::new();
        let columns = column(index(2)) | columns_of(index(508), index(511));
        for_each_live(1 << 63 | 1, columns, |place| {
            found.push(u16::from(place.index()));
        });
        assert_eq!(found, [2, 508, 509, 510, 511]);
        assert_eq!(columns_of(index(30), index(33)), 0b11 | 0b11 << 30);
        assert_eq!(columns_of(index(7), index(38)), u32::MAX);
        assert_eq!(columns_of(index(0), index(511)), u32::MAX);
    }

    #[test]
    fn visits_each_index() {
        let mut found = std::vec::Vec::new();
        for_each_index(1 << 63 | 1, |index| found.push(u16::from(index)));
        let expected: std::vec::Vec<u16> = (0..8).chain(504..512).collect();
        assert_eq!(found, expected);
    }
}
