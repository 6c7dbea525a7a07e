//! Slots: where processes and threads stand, by number. One is free again as soon as what stood there has gone.
use alloc::boxed::Box;
use core::cmp::Ordering;
use core::marker::PhantomData;
use core::num::NonZeroU16;

/// Where a process or a thread stands in the table: valid as long as that is.
pub struct Slot<T>(NonZeroU16, PhantomData<fn() -> T>);

impl<T> Slot<T> {
    pub const FIRST: Self = Self(NonZeroU16::MIN, PhantomData);

    const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number, PhantomData)),
            None => None,
        }
    }

    /// As a number, for queues that are kept elsewhere.
    pub const fn number(self) -> u32 {
        self.0.get() as u32
    }

    /// As a short number, which is never zero.
    #[inline]
    pub const fn short(self) -> NonZeroU16 {
        self.0
    }

    /// The reverse of [`short`](Self::short).
    #[inline]
    pub const fn from_short(number: NonZeroU16) -> Self {
        Self(number, PhantomData)
    }

    /// The reverse of [`number`](Self::number).
    pub const fn from_number(number: u32) -> Self {
        match Self::new(number as u16) {
            Some(slot) => slot,
            None => Self::FIRST,
        }
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slot<T> {}

impl<T> PartialEq for Slot<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Slot<T> {}

impl<T> PartialOrd for Slot<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Slot<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> core::fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "slot {}", self.0)
    }
}

/// What stands in slots 1 to `LIMIT`. All zeros when empty.
pub struct Places<T, const LIMIT: usize> {
    /// By slot; the last slot is at 0.
    boxes: [Option<Box<T>>; LIMIT],
    /// Free slots, a chain through `next_free` that begins here, then those never used.
    first_free: Option<Slot<T>>,
    used: u16,
    next_free: [Option<Slot<T>>; LIMIT],
    pub count: usize,
}

impl<T, const LIMIT: usize> Places<T, LIMIT> {
    /// Nothing.
    pub const EMPTY: Self = {
        assert!(LIMIT < u16::MAX as usize && LIMIT.is_power_of_two());
        Self {
            boxes: [const { None }; LIMIT],
            first_free: None,
            used: 0,
            next_free: [const { None }; LIMIT],
            count: 0,
        }
    };

    /// Every slot is at most the limit: to say so by a mask is cheaper than a check.
    #[inline]
    const fn place(slot: Slot<T>) -> usize {
        slot.0.get() as usize % LIMIT
    }

    /// Where the next would go.
    #[inline]
    pub fn vacancy(&self) -> Option<Slot<T>> {
        match self.first_free {
            None if (self.used as usize) < LIMIT => Slot::new(self.used + 1),
            first => first,
        }
    }

    /// Puts something where [`vacancy`](Self::vacancy) said.
    #[inline]
    pub fn insert(&mut self, slot: Slot<T>, value: Box<T>) {
        if self.first_free == Some(slot) {
            self.first_free = self.next_free[Self::place(slot)];
        } else {
            self.used += 1;
        }
        // The place is vacant: to say so spares the drop of what was there.
        self.boxes[Self::place(slot)].get_or_insert(value);
        self.count += 1;
    }

    /// Takes out what stands there.
    #[inline]
    pub fn remove(&mut self, slot: Slot<T>) -> Option<Box<T>> {
        let value = self.boxes[Self::place(slot)].take()?;
        self.next_free[Self::place(slot)] = self.first_free;
        self.first_free = Some(slot);
        self.count -= 1;
        Some(value)
    }

    /// What stands in a slot, if something does.
    #[inline]
    pub fn get(&self, slot: Slot<T>) -> Option<&T> {
        self.boxes[Self::place(slot)].as_deref()
    }

    /// As [`get`](Self::get), to be changed.
    #[inline]
    pub fn get_mut(&mut self, slot: Slot<T>) -> Option<&mut T> {
        self.boxes[Self::place(slot)].as_deref_mut()
    }

    /// All slots where something stands.
    pub fn slots(&self) -> impl Iterator<Item = Slot<T>> + '_ {
        (1..=self.used)
            .filter_map(Slot::new)
            .filter(|&slot| self.get(slot).is_some())
    }
}
