//! A directory: names to inodes, with a place per entry that does not move while the entry lives.
//!
//! The place is what getdents64(2) counts by, so that a reader sees each entry that stays exactly once, whatever is
//! added or removed meanwhile. A table of hash chains leads from a name to its place.
//!
//! A directory of an indexed archive is as the index has it until it is first changed; then it gets entries of its own,
//! at the same places.
use crate::index::Names;
use crate::inode::Number;
use crate::slab::Slab;
use crate::words::hash;
use alloc::boxed::Box;
use alloc::vec::Vec;
use contract::Errno;

/// Greatest length of a name in bytes (`NAME_MAX`).
pub const NAME_MAX: usize = 255;
/// Hash chains of the largest table: one frame of them.
const MAX_CHAINS: usize = 1024;
/// Of the smallest: as many as the smallest block of the heap has room for.
const FIRST_CHAINS: usize = 16;
const NONE: u32 = u32::MAX;

/// A name: in the archive where it came from there, else in the heap.
#[derive(Debug)]
pub(crate) enum Name {
    Archived(&'static [u8]),
    Owned(Box<[u8]>),
}

impl Name {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Archived(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// What a directory says of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) inode: Number,
}

#[derive(Debug)]
struct Entry {
    name: Name,
    inode: Number,
    hash: u32,
    next: u32,
}

impl Entry {
    fn listed(&self) -> Listed<'_> {
        Listed {
            name: self.name.bytes(),
            inode: self.inode,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Directory {
    entries: Entries,
    /// How many entries are directories: each links back by its `..`.
    pub(crate) subdirectories: u32,
}

#[derive(Debug)]
enum Entries {
    /// As an archive's index has them.
    Indexed(Names),
    Own(Table),
}

impl Directory {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Entries::Own(Table::new()),
            subdirectories: 0,
        }
    }

    pub(crate) const fn indexed(names: Names, subdirectories: u32) -> Self {
        Self {
            entries: Entries::Indexed(names),
            subdirectories,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.entries {
            Entries::Indexed(names) => names.len(),
            Entries::Own(table) => table.entries.len(),
        }
    }

    /// The place of a name.
    pub(crate) fn place(&self, name: &[u8]) -> Option<u32> {
        self.place_hashed(name, hash(name))
    }

    /// As [`Self::place`], by one who has the name's hash.
    #[inline]
    pub(crate) fn place_hashed(&self, name: &[u8], hash: u32) -> Option<u32> {
        match &self.entries {
            Entries::Indexed(names) => names.place(name, hash),
            Entries::Own(table) => table.place(name, hash),
        }
    }

    #[inline]
    pub(crate) fn get(&self, name: &[u8]) -> Option<Number> {
        let hash = hash(name);
        match &self.entries {
            Entries::Indexed(names) => names.get(name, hash),
            Entries::Own(table) => {
                let place = table.place(name, hash)?;
                Some(table.entries.get(place)?.inode)
            }
        }
    }

    pub(crate) fn entry(&self, place: u32) -> Option<Listed<'_>> {
        match &self.entries {
            Entries::Indexed(names) => names.entry(place),
            Entries::Own(table) => table.entries.get(place).map(Entry::listed),
        }
    }

    /// The entry with the least place that is at least `from`.
    pub(crate) fn next_from(&self, from: u32) -> Option<(u32, Listed<'_>)> {
        match &self.entries {
            Entries::Indexed(names) => Some((from, names.entry(from)?)),
            Entries::Own(table) => {
                let (place, entry) = table.entries.next_from(from)?;
                Some((place, entry.listed()))
            }
        }
    }

    /// Whether it has entries of its own.
    #[inline]
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self.entries, Entries::Own(_))
    }

    /// Gives it entries of its own, so that it can be changed. ENOSPC.
    #[cold]
    pub(crate) fn make_own(&mut self) -> Result<(), Errno> {
        self.table().map(|_| ())
    }

    #[inline]
    fn table(&mut self) -> Result<&mut Table, Errno> {
        if let Entries::Indexed(names) = &self.entries {
            self.entries = Entries::Own(Table::of(names)?);
        }
        match &mut self.entries {
            Entries::Own(table) => Ok(table),
            Entries::Indexed(_) => Err(Errno::ENOSPC),
        }
    }

    /// Adds an entry whose name is not there yet, and returns its place. ENOSPC when the directory is full.
    pub(crate) fn insert(&mut self, name: Name, inode: Number) -> Result<u32, Errno> {
        let hash = hash(name.bytes());
        self.insert_hashed(name, hash, inode)
    }

    /// The place that the next entry will have.
    pub(crate) fn next_place(&self) -> u32 {
        match &self.entries {
            Entries::Indexed(names) => names.len() as u32,
            Entries::Own(table) => table.entries.next_number(),
        }
    }

    /// As [`Self::insert`], by one who has the name's hash.
    pub(crate) fn insert_hashed(
        &mut self,
        name: Name,
        hash: u32,
        inode: Number,
    ) -> Result<u32, Errno> {
        self.table()?.insert(name, hash, inode)
    }

    /// Lets the entry at `place` name another inode; returns the one before. ENOSPC; ENOENT where there is none.
    pub(crate) fn replace(&mut self, place: u32, inode: Number) -> Result<Number, Errno> {
        let entry = self.table()?.entries.get_mut(place);
        let entry = entry.ok_or(Errno::ENOENT)?;
        Ok(core::mem::replace(&mut entry.inode, inode))
    }

    /// Removes the entry at `place`. ENOSPC; ENOENT where there is none.
    pub(crate) fn remove(&mut self, place: u32) -> Result<Number, Errno> {
        self.table()?.remove(place).ok_or(Errno::ENOENT)
    }
}

/// Entries of a directory's own.
#[derive(Debug)]
struct Table {
    entries: Slab<Entry, 32>,
    /// First place of each chain, or [`NONE`]; a power of two of them once there is an entry.
    chains: Vec<u32>,
}

impl Table {
    const fn new() -> Self {
        Self {
            entries: Slab::new(),
            chains: Vec::new(),
        }
    }

    /// What an index has.
    #[cold]
    fn of(names: &Names) -> Result<Self, Errno> {
        let mut table = Self::new();
        table.spread(names.len().next_power_of_two())?;
        for (listed, hash) in names.iter() {
            table.insert(Name::Archived(listed.name), hash, listed.inode)?;
        }
        Ok(table)
    }

    fn chain(&self, hash: u32) -> usize {
        hash as usize & (self.chains.len().wrapping_sub(1))
    }

    #[inline]
    fn place(&self, name: &[u8], hash: u32) -> Option<u32> {
        let mut place = *self.chains.get(self.chain(hash))?;
        while place != NONE {
            let entry = self.entries.get(place)?;
            if entry.hash == hash && entry.name.bytes() == name {
                return Some(place);
            }
            place = entry.next;
        }
        None
    }

    fn insert(&mut self, name: Name, hash: u32, inode: Number) -> Result<u32, Errno> {
        if self.entries.len() >= self.chains.len() {
            self.spread(self.chains.len() * 4)?;
        }
        let chain = self.chain(hash);
        let next = self.chains.get(chain).copied().unwrap_or(NONE);
        let place = self
            .entries
            .insert(Entry {
                name,
                inode,
                hash,
                next,
            })
            .map_err(|_| Errno::ENOSPC)?;
        if let Some(first) = self.chains.get_mut(chain) {
            *first = place;
        }
        Ok(place)
    }

    fn remove(&mut self, place: u32) -> Option<Number> {
        let entry = self.entries.remove(place)?;
        let chain = self.chain(entry.hash);
        let first = self.chains.get_mut(chain)?;
        if *first == place {
            *first = entry.next;
            return Some(entry.inode);
        }
        let mut before = *first;
        while let Some(link) = self.entries.get_mut(before) {
            if link.next == place {
                link.next = entry.next;
                break;
            }
            before = link.next;
        }
        Some(entry.inode)
    }

    /// Makes more chains, a power of two, up to [`MAX_CHAINS`].
    fn spread(&mut self, wanted: usize) -> Result<(), Errno> {
        let wanted = wanted.clamp(FIRST_CHAINS, MAX_CHAINS);
        if wanted == self.chains.len() {
            return Ok(());
        }
        let mut chains = Vec::new();
        chains
            .try_reserve_exact(wanted)
            .map_err(|_| Errno::ENOSPC)?;
        chains.resize(wanted, NONE);
        self.chains = chains;
        let mut from = 0;
        while let Some((place, entry)) = self.entries.next_from(from) {
            let chain = self.chain(entry.hash);
            let next = core::mem::replace(&mut self.chains[chain], place);
            if let Some(entry) = self.entries.get_mut(place) {
                entry.next = next;
            }
            from = place + 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn names_come_and_go() {
        let mut directory = Directory::new();
        let name = |n: u32| format!("file{n}").into_bytes();
        for n in 0..3000 {
            let place = directory.insert(Name::Owned(name(n).into()), Number(n));
            assert_eq!(place, Ok(n));
        }
        for n in (0..3000).filter(|n| n % 3 != 0) {
            let place = directory.place(&name(n));
            assert_eq!(place, Some(n));
            assert_eq!(directory.remove(n), Ok(Number(n)));
        }
        for n in 0..3000 {
            assert_eq!(
                directory.get(&name(n)),
                (n % 3 == 0).then_some(Number(n)),
                "{n}"
            );
        }
        assert_eq!(directory.len(), 1000);
        assert_eq!(directory.next_from(1).map(|(place, _)| place), Some(3));
    }
}
