//! A table of values by small number, in heap blocks of bounded size.
//!
//! The kernel's heap has no block above a frame, so a growing `Vec` would one day fail for good. Here a value lies in one
//! of up to [`CHUNKS`] chunks of `N`: two loads lead to it, and numbers stay what they are until freed.
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Chunks of a table: their addresses fill one frame.
pub(crate) const CHUNKS: usize = 512;
const NONE: u32 = u32::MAX;

#[derive(Debug)]
enum Slot<T> {
    /// The next free slot, or [`NONE`].
    Free(u32),
    Used(T),
}

/// See the module. `N` is a power of two.
#[derive(Debug)]
pub(crate) struct Slab<T, const N: usize> {
    chunks: Vec<Box<[Slot<T>; N]>>,
    free: u32,
    used: u32,
}

impl<T, const N: usize> Slab<T, N> {
    pub(crate) const fn new() -> Self {
        const { assert!(N.is_power_of_two()) };
        Self {
            chunks: Vec::new(),
            free: NONE,
            used: 0,
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.used as usize
    }

    /// The number that the next value will have.
    pub(crate) fn next_number(&self) -> u32 {
        if self.free == NONE {
            (self.chunks.len() * N) as u32
        } else {
            self.free
        }
    }

    /// Puts a value in and returns its number; hands the value back when the table is full or the heap empty.
    pub(crate) fn insert(&mut self, value: T) -> Result<u32, T> {
        if self.free == NONE && !self.grow() {
            return Err(value);
        }
        let number = self.free;
        let Some(slot) = self.slot_mut(number) else {
            return Err(value);
        };
        let Slot::Free(next) = *slot else {
            return Err(value);
        };
        *slot = Slot::Used(value);
        self.free = next;
        self.used += 1;
        Ok(number)
    }

    /// Takes a value out; its number may be given to another one.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let free = self.free;
        let slot = self.slot_mut(number)?;
        if let Slot::Free(_) = slot {
            return None;
        }
        let Slot::Used(value) = core::mem::replace(slot, Slot::Free(free)) else {
            return None;
        };
        self.free = number;
        self.used -= 1;
        Some(value)
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        match self.chunks.get(number / N)?.get(number % N)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        match self.slot_mut(number)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// The value with the least number that is at least `from`.
    pub(crate) fn next_from(&self, from: u32) -> Option<(u32, &T)> {
        let end = (self.chunks.len() * N) as u32;
        (from..end).find_map(|number| Some((number, self.get(number)?)))
    }

    #[inline]
    fn slot_mut(&mut self, number: u32) -> Option<&mut Slot<T>> {
        let number = number as usize;
        self.chunks.get_mut(number / N)?.get_mut(number % N)
    }

    /// Adds a chunk; whether that could be done.
    fn grow(&mut self) -> bool {
        if self.chunks.len() == CHUNKS || self.chunks.try_reserve(1).is_err() {
            return false;
        }
        let first = (self.chunks.len() * N) as u32;
        let mut slots = Vec::new();
        if slots.try_reserve_exact(N).is_err() {
            return false;
        }
        slots.extend((first..first + N as u32).map(|number| Slot::Free(number + 1)));
        if let Some(last) = slots.last_mut() {
            *last = Slot::Free(NONE);
        }
        let Ok(chunk) = slots.into_boxed_slice().try_into() else {
            return false;
        };
        self.chunks.push(chunk);
        self.free = first;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_come_back() {
        let mut slab = Slab::<u32, 4>::new();
        let numbers: Vec<u32> = (0..100)
            .map(|value| slab.insert(value).unwrap_or(NONE))
            .collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        assert_eq!(slab.remove(7), Some(7));
        assert_eq!(slab.remove(7), None);
        assert_eq!(slab.get(7), None);
        assert_eq!(slab.next_from(7).map(|(number, _)| number), Some(8));
        assert_eq!(slab.insert(700), Ok(7));
        assert_eq!(slab.get_mut(7), Some(&mut 700));
        assert_eq!(slab.len(), 100);
        assert_eq!(slab.next_from(100).map(|(number, _)| number), None);
    }

    #[test]
    fn full_table_hands_the_value_back() {
        let mut slab = Slab::<u16, 2>::new();
        for value in 0..1024 {
            assert_eq!(slab.insert(value), Ok(u32::from(value)));
        }
        assert_eq!(slab.insert(9999), Err(9999));
    }
}
