//! How an entry of a table is encoded.
//!
//! ```text
//! table (levels 4 to 2), present
//!   63  62  56 55 54 53 52 51        12 11 10  9  8     6  5  4  3  2  1  0
//!  ┌──┬───┬──┬──┬──┬──┬──┬────────────┬──┬──┬──┬────────┬──┬─────┬──┬──┬──┐
//!  │ 0│ 0 │fS│fO│fX│fW│fR│   frame    │ 0│ C│ F│    0   │ A│  0  │ U│ W│ P│
//!  └──┴───┴──┴──┴──┴──┴──┴────────────┴──┴──┴──┴────────┴──┴─────┴──┴──┴──┘
//! page (level 1), present
//!  ┌──┬─────────┬──┬──┬──┬────────────┬──┬──┬──┬──┬──┬──┬──┬─────┬──┬──┬──┐
//!  │NX│    0    │mX│mW│mR│   frame    │ S│ C│ 0│ 0│ 0│ D│ A│  0  │ U│ W│ P│
//!  └──┴─────────┴──┴──┴──┴────────────┴──┴──┴──┴──┴──┴──┴──┴─────┴──┴──┴──┘
//! parked page (level 1): a page whose mapping allows nothing (PROT_NONE), not present
//!  ┌──┬─────────┬──┬──┬──┬────────────┬──┬──┬──┬──┬──────────────────────┬──┐
//!  │ 0│    0    │ 0│ 0│ 0│   frame    │ S│ C│ 0│ 1│           0          │ 0│
//!  └──┴─────────┴──┴──┴──┴────────────┴──┴──┴──┴──┴──────────────────────┴──┘
//! reserved (any level): a frame comes with the first access, not present
//!  ┌──┬───┬──┬──┬──┬──┬──┬────────────┬──┬──┬──┬──┬──────────────────────┬──┐
//!  │ 0│ 0 │oS│ O│mX│mW│mR│     0      │ 0│ 0│ 1│ 0│           0          │ 0│
//!  └──┴───┴──┴──┴──┴──┴──┴────────────┴──┴──┴──┴──┴──────────────────────┴──┘
//! hole (any level): nothing mapped, in a table whose empty entries say "reserved"; bit 7 alone
//! empty (any level): 0, what the table's own entry says by F: nothing mapped, or reserved
//! ```
//!
//! - `mR mW mX`: what the *mapping* allows, as PROT_READ, PROT_WRITE, PROT_EXEC. The hardware's `W` and `NX` say what
//!   may happen *now*: `W` is clear while the page, or anything above it, may be shared. The hardware reads whatever is
//!   present, so a mapping that may be written or executed may be read.
//! - `O` of reserved memory: the page is an object's (a file's, or of memory that processes share), and whoever keeps the
//!   list of objects has to bring it. Clear: it is private memory that reads as zeros. `oS`: of a shared mapping.
//! - `F`: the zero entries of the table below read as "reserved with `fR fW fX fO fS`". So one entry reserves 512 GiB, 1 GiB,
//!   2 MiB or 4 KiB alike, and to split it takes one store into an all-zero table, not 512. The bits
//!   of `F fX fW fR fO fS` are those of a reserved entry, so that one `and` turns a table's entry into what its empty entries mean.
//! - `C`: the entry counts in the frame's count. Set for each table; clear for a *borrowed* page, which lies in the
//!   kernel's image or the initramfs, is never freed and always copied before a write.
//! - `S`: a page of a shared mapping (MAP_SHARED): never copied on write, `W` stays.
//! - `A` is set from the start, and `D` with `W`, so that the CPU never writes to a table that spaces share.
//!
//! All bits used here beyond the hardware's own are ignored by it: 11:9 and 58:52 of a present entry, all but bit 0 of
//! one that is not (Intel SDM volume 3, 4.5; AMD APM volume 2, 5.3).
use core::fmt;

use bitflags::bitflags;
use x86_64::PhysAddr;
use x86_64::structures::paging::{PageTableFlags, PhysFrame};

const PRESENT: u64 = PageTableFlags::PRESENT.bits();
const WRITABLE: u64 = PageTableFlags::WRITABLE.bits();
const USER: u64 = PageTableFlags::USER_ACCESSIBLE.bits();
const ACCESSED: u64 = PageTableFlags::ACCESSED.bits();
const DIRTY: u64 = PageTableFlags::DIRTY.bits();
const NO_EXECUTE: u64 = PageTableFlags::NO_EXECUTE.bits();
/// In an entry that is not present: nothing is mapped, whatever the table's empty entries mean.
const HOLE: u64 = 1 << 7;
/// In an entry that is not present: a page without permissions.
const PARKED: u64 = 1 << 8;
/// Not present: reserved memory. Present table: its empty entries are reserved memory.
const RESERVED: u64 = 1 << 9;
/// The entry counts in its frame's count.
const COUNTED: u64 = 1 << 10;
/// A page of a shared mapping.
const SHARED: u64 = 1 << 11;
/// Reserved memory, or what a table's empty entries reserve: of an object.
const OBJECT: u64 = 1 << 55;
/// With [`OBJECT`]: of a shared mapping.
const OBJECT_SHARED: u64 = 1 << 56;
/// What says how memory is reserved: of a reserved entry all there is, of a table's what its empty entries mean.
const RESERVATION: u64 = RESERVED | OBJECT | OBJECT_SHARED | PROTECTION;
const FRAME: u64 = 0x000f_ffff_ffff_f000;
const PROTECTION_SHIFT: u32 = 52;
const PROTECTION: u64 = 0b111 << PROTECTION_SHIFT;

bitflags! {
    /// What a mapping allows: PROT_READ, PROT_WRITE and PROT_EXEC of mmap(2), by their numbers. Empty is PROT_NONE.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Protection: u8 {
        /// PROT_READ.
        const READ = 1;
        /// PROT_WRITE; the hardware then lets it be read too.
        const WRITE = 2;
        /// PROT_EXEC; the hardware then lets it be read too.
        const EXECUTE = 4;
    }
}

/// Whether writes to a mapping are seen by others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// No (MAP_PRIVATE).
    Private,
    /// Yes (MAP_SHARED).
    Shared,
}

/// Whose the frame of a mapped page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ownership {
    /// Counted: the mapping takes over one count of the frame; copied before a write while its count is above one.
    Counted,
    /// Not counted and never freed (it lies in the kernel's image or the initramfs); always copied before a write.
    Borrowed,
    /// Of a shared mapping: takes over one count of the frame, and is written by all who have it, never copied.
    Shared,
}

/// One of the 512 entries of a table. The module's head draws the bits.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Entry(u64);

impl Entry {
    /// All zeros: what the table's own entry says, which is nothing mapped unless it says otherwise.
    pub const EMPTY: Self = Self(0);
    pub(crate) const HOLE: Self = Self(HOLE);

    /// The entry as the hardware reads it.
    #[inline]
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// An entry read back from a table.
    #[inline]
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// Private zeros, not yet there.
    #[inline]
    pub(crate) const fn reserved(protection: Protection) -> Self {
        Self(RESERVED | (protection.bits() as u64) << PROTECTION_SHIFT)
    }

    /// A page of an object, not yet brought.
    #[inline]
    pub(crate) const fn of_object(protection: Protection, sharing: Sharing) -> Self {
        let shared = match sharing {
            Sharing::Private => 0,
            Sharing::Shared => OBJECT_SHARED,
        };
        Self(Self::reserved(protection).0 | OBJECT | shared)
    }

    /// The same reserved memory under another protection.
    #[inline]
    pub(crate) const fn reserved_with(self, protection: Protection) -> Self {
        Self(self.0 & !PROTECTION | (protection.bits() as u64) << PROTECTION_SHIFT)
    }

    /// A table reached through this entry alone, whose empty entries mean `fill` (empty, or reserved memory).
    #[inline]
    pub(crate) fn table(frame: PhysFrame, fill: Self) -> Self {
        Self(
            frame.start_address().as_u64()
                | fill.0
                | PRESENT
                | WRITABLE
                | USER
                | ACCESSED
                | COUNTED,
        )
    }

    /// A page, not hardware-writable unless it is of a shared mapping.
    #[inline]
    pub(crate) fn page(frame: PhysFrame, protection: Protection, ownership: Ownership) -> Self {
        let ownership = match ownership {
            Ownership::Counted => COUNTED,
            Ownership::Borrowed => 0,
            Ownership::Shared => COUNTED | SHARED,
        };
        Self(frame.start_address().as_u64() | ownership).with_protection(protection)
    }

    /// The same page under another protection, not hardware-writable unless it is of a shared mapping.
    #[inline]
    pub(crate) fn with_protection(self, protection: Protection) -> Self {
        let page = self.0 & (FRAME | COUNTED | SHARED);
        if protection.is_empty() {
            return Self(page | PARKED);
        }
        let mut raw =
            page | PRESENT | USER | ACCESSED | u64::from(protection.bits()) << PROTECTION_SHIFT;
        if !protection.contains(Protection::EXECUTE) {
            raw |= NO_EXECUTE;
        }
        if protection.contains(Protection::WRITE) && self.0 & SHARED != 0 {
            raw |= WRITABLE | DIRTY;
        }
        Self(raw)
    }

    /// The same page, which the hardware may write; the caller knows that it is reached through this entry alone.
    #[inline]
    pub(crate) const fn writable_page(self) -> Self {
        Self(self.0 | WRITABLE | DIRTY)
    }

    /// The same mapping with another frame, counted, which the hardware may write.
    #[inline]
    pub(crate) fn with_page(self, frame: PhysFrame) -> Self {
        Self(self.0 & !FRAME | frame.start_address().as_u64() | COUNTED).writable_page()
    }

    /// As [`Self::with_page`], not counted yet: an entry that is nowhere but in a copy that is being made.
    #[inline]
    pub(crate) fn with_new_page(self, frame: PhysFrame) -> Self {
        Self(self.with_page(frame).0 & !COUNTED)
    }

    /// Whether it is that of [`Self::with_new_page`]: no page that is there may be written and is not counted.
    #[inline]
    pub(crate) const fn is_new_page(self) -> bool {
        self.0 & (WRITABLE | COUNTED) == WRITABLE
    }

    /// The same page, counted.
    #[inline]
    pub(crate) const fn counted(self) -> Self {
        Self(self.0 | COUNTED)
    }

    /// Whether it is a private page that may be written, and is counted: copied before a write if others have it too.
    #[inline]
    pub(crate) const fn is_copied_before_write(self) -> bool {
        const LIKE: u64 = PRESENT | COUNTED | (Protection::WRITE.bits() as u64) << PROTECTION_SHIFT;
        self.0 & (LIKE | SHARED) == LIKE
    }

    /// The same table, which is reached through this entry alone.
    #[inline]
    pub(crate) const fn writable_table(self) -> Self {
        Self(self.0 | WRITABLE)
    }

    /// The same table in another frame, reached through this entry alone.
    #[inline]
    pub(crate) fn with_table(self, frame: PhysFrame) -> Self {
        Self(self.0 & !FRAME | frame.start_address().as_u64() | WRITABLE)
    }

    /// The same table with another meaning of its empty entries.
    #[inline]
    pub(crate) const fn with_fill(self, fill: Self) -> Self {
        Self(self.0 & !RESERVATION | fill.0)
    }

    /// The entry without its write bit, as it goes when what it points to gets another entry: a page of a shared mapping
    /// keeps it.
    #[inline]
    pub(crate) const fn narrowed(self) -> Self {
        // Without a branch, for a table may have many.
        const APART: u32 = SHARED.trailing_zeros() - WRITABLE.trailing_zeros();
        Self(self.0 & !WRITABLE | self.0 >> APART & WRITABLE)
    }

    /// Of a table's entry: what the empty entries of the table mean.
    #[inline]
    pub(crate) const fn fill(self) -> Self {
        Self(self.0 & RESERVATION)
    }

    /// What this entry means in a table whose empty entries mean `fill`.
    #[inline]
    pub(crate) const fn within(self, fill: Self) -> Self {
        if self.0 == 0 { fill } else { self }
    }

    /// How to write this meaning (empty for nothing mapped) in a table whose empty entries mean `fill`.
    #[inline]
    pub(crate) const fn under(self, fill: Self) -> Self {
        if self.0 & !HOLE == fill.0 {
            Self::EMPTY
        } else if self.0 == 0 {
            Self::HOLE
        } else {
            self
        }
    }

    /// Whether nothing is mapped here.
    #[inline]
    pub(crate) const fn is_vacant(self) -> bool {
        self.0 & !HOLE == 0
    }

    /// Of what is neither empty nor a table: whether both say the same of their pages, but for the frames and what the hardware
    /// may do with them now.
    #[inline]
    pub(crate) const fn is_alike(self, other: Self) -> bool {
        (self.0 ^ other.0) & !(FRAME | WRITABLE | ACCESSED | DIRTY) == 0
    }

    /// Whether two meanings are the same.
    #[inline]
    pub(crate) const fn says(self, other: Self) -> bool {
        self.0 & !HOLE == other.0 & !HOLE
    }

    /// Whether all 64 bits are zero.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// A table or a page that the hardware may reach.
    #[inline]
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    /// Memory that is not there yet.
    #[inline]
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.0 & (RESERVED | PRESENT) == RESERVED
    }

    /// Of reserved memory: whether an object has its pages.
    #[inline]
    #[must_use]
    pub const fn is_of_object(self) -> bool {
        self.0 & OBJECT != 0
    }

    /// Whether the entry holds a frame: a table, a page, or a page without permissions.
    #[inline]
    #[must_use]
    pub const fn has_frame(self) -> bool {
        self.0 & (PRESENT | PARKED) != 0
    }

    /// Whether the entry counts in its frame's count.
    #[inline]
    #[must_use]
    pub const fn is_counted(self) -> bool {
        self.0 & COUNTED != 0
    }

    /// Whether this is a page of a shared mapping.
    #[inline]
    #[must_use]
    pub const fn is_shared(self) -> bool {
        self.0 & SHARED != 0
    }

    /// Of a page, or of reserved memory: whether writes to it are seen by others.
    #[inline]
    #[must_use]
    pub const fn sharing(self) -> Sharing {
        if self.0 & (SHARED | OBJECT_SHARED) == 0 {
            Sharing::Private
        } else {
            Sharing::Shared
        }
    }

    /// The hardware's W bit. On a table or a private page it says that nothing else points to it.
    #[inline]
    #[must_use]
    pub const fn is_hardware_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// Whether the hardware may do with this page all that it may with another: a TLB that knows the other one knows
    /// nothing that is not so.
    #[inline]
    pub(crate) const fn allows_all_of(self, other: Self) -> bool {
        let lost = other.0 & !self.0 & (PRESENT | WRITABLE);
        let forbidden = self.0 & !other.0 & NO_EXECUTE;
        lost | forbidden == 0
    }

    /// The frame that the entry points to; meaningless where [`Self::has_frame`] is false.
    #[inline]
    #[must_use]
    pub fn frame(self) -> PhysFrame {
        PhysFrame::containing_address(PhysAddr::new_truncate(self.0 & FRAME))
    }

    /// What the mapping allows. Of a table's entry: what its empty entries allow.
    #[inline]
    #[must_use]
    pub const fn protection(self) -> Protection {
        Protection::from_bits_truncate((self.0 >> PROTECTION_SHIFT) as u8)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:#018x})", self.0)
    }
}
