//! The table of inodes. Those of an indexed archive have their numbers from the start, and come into being when somebody
//! first asks for one: most are never asked for.
use crate::PageStore;
use crate::index::Index;
use crate::inode::{Inode, Number};
use crate::slab::{self, Slab};
use alloc::boxed::Box;
use alloc::vec::Vec;
use contract::Errno;
use contract::archive_index::RECORD_LIMIT;
use core::cell::OnceCell;
use core::iter;

/// Inodes in a chunk of the table.
const CHUNK: usize = 128;
/// Inodes that there can be beside those of an index.
pub(crate) const INODE_LIMIT: u64 = (CHUNK * slab::CHUNKS) as u64;

/// An inode of the index, once somebody has asked for it.
type Place<P> = OnceCell<Box<Inode<P>>>;

/// Inodes with numbers next to each other, once somebody has asked for one of them.
type Chunk<P> = OnceCell<Box<[Place<P>; CHUNK]>>;

/// See the module.
pub(crate) struct Inodes<S: PageStore> {
    index: Option<&'static Index>,
    /// Those of the index, by number.
    indexed: Vec<Chunk<S::Page>>,
    /// How many of them there are.
    count: u32,
    /// Numbers from here on are not the index's.
    first_own: u32,
    own: Slab<Box<Inode<S::Page>>, CHUNK>,
}

const _: () = assert!(
    RECORD_LIMIT / CHUNK <= slab::CHUNKS,
    "the addresses of all chunks fit into a block of the heap"
);

impl<S: PageStore> Inodes<S> {
    pub(crate) const fn new() -> Self {
        Self {
            index: None,
            indexed: Vec::new(),
            count: 0,
            first_own: 0,
            own: Slab::new(),
        }
    }

    /// Those of an index. ENOMEM.
    pub(crate) fn of(index: &'static Index) -> Result<Self, Errno> {
        let chunks = (0..index.len().div_ceil(CHUNK as u32)).map(|_| OnceCell::new());
        Ok(Self {
            index: Some(index),
            indexed: boxed(chunks)?,
            count: index.files,
            first_own: index.len(),
            own: Slab::new(),
        })
    }

    /// What an index has in a directory of the root: what is there until something changes.
    pub(crate) fn indexed(&self, directory: &[u8], name: &[u8]) -> Option<Number> {
        self.index?.at(directory, name)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.own.len() + self.count as usize
    }

    /// ENOENT where there is none; ENOMEM where there is no memory for one to come into being.
    #[inline]
    pub(crate) fn get(&self, number: Number) -> Result<&Inode<S::Page>, Errno> {
        match self.in_memory(number) {
            Some(inode) => Ok(inode),
            None => self.bring(number),
        }
    }

    /// As [`Self::get`].
    #[inline]
    pub(crate) fn get_mut(&mut self, number: Number) -> Result<&mut Inode<S::Page>, Errno> {
        if let Some(own) = number.0.checked_sub(self.first_own) {
            let inode = self.own.get_mut(own);
            return inode.map(|inode| &mut **inode).ok_or(Errno::ENOENT);
        }
        let (chunk, place) = split(number);
        let chunk = self.indexed.get_mut(chunk).ok_or(Errno::ENOENT)?;
        if chunk.get().is_none() {
            bring_chunk(chunk)?;
        }
        let place = &mut chunk.get_mut().ok_or(Errno::ENOENT)?[place];
        if place.get().is_none() {
            bring::<S>(place, self.index, number)?;
        }
        place
            .get_mut()
            .map(|inode| &mut **inode)
            .ok_or(Errno::ENOENT)
    }

    #[inline(always)]
    pub(crate) fn in_memory(&self, number: Number) -> Option<&Inode<S::Page>> {
        match number.0.checked_sub(self.first_own) {
            Some(own) => self.own.get(own).map(|inode| &**inode),
            None => {
                let (chunk, place) = split(number);
                self.indexed.get(chunk)?.get()?[place]
                    .get()
                    .map(|inode| &**inode)
            }
        }
    }

    /// Lets an inode of the index come into being.
    #[cold]
    #[inline(never)]
    fn bring(&self, number: Number) -> Result<&Inode<S::Page>, Errno> {
        let (chunk, place) = split(number);
        let chunk = self.indexed.get(chunk).ok_or(Errno::ENOENT)?;
        let chunk = match chunk.get() {
            Some(chunk) => chunk,
            None => bring_chunk(chunk)?,
        };
        bring::<S>(&chunk[place], self.index, number)
    }

    /// `st_ino` of an inode, which need not come into being for it.
    pub(crate) fn serial(&self, number: Number) -> u32 {
        if number.0 < self.first_own {
            return number.0 + 1;
        }
        self.get(number).map_or(0, |inode| inode.serial)
    }

    /// `S_IFMT` of an inode, which need not come into being for it.
    pub(crate) fn file_type(&self, number: Number) -> u32 {
        match self.index {
            Some(index) if number.0 < self.first_own => index.file_type(number.0),
            _ => self.get(number).ok().map(Inode::file_type),
        }
        .unwrap_or(0)
    }

    /// Hands the inode back where the table is full or the heap empty.
    pub(crate) fn insert(
        &mut self,
        inode: Box<Inode<S::Page>>,
    ) -> Result<Number, Box<Inode<S::Page>>> {
        let own = self.own.insert(inode)?;
        Ok(Number(own + self.first_own))
    }

    /// Nobody asks for it again, who would let one of the index come into being anew: its last name and holder are gone.
    pub(crate) fn remove(&mut self, number: Number) {
        let (chunk, place) = split(number);
        if let Some(own) = number.0.checked_sub(self.first_own) {
            self.own.remove(own);
        } else if let Some(chunk) = self.indexed.get_mut(chunk).and_then(OnceCell::get_mut) {
            chunk[place].take();
            self.count = self.count.saturating_sub(1);
        }
    }

    /// All that are in memory.
    pub(crate) fn all_in_memory(&self) -> impl Iterator<Item = &Inode<S::Page>> {
        let chunks = self.indexed.iter().filter_map(OnceCell::get);
        let places = chunks.flat_map(|chunk| chunk.iter());
        let indexed = places.filter_map(|place| place.get().map(|inode| &**inode));
        let mut from = 0;
        let own = iter::from_fn(move || {
            let (number, inode) = self.own.next_from(from)?;
            from = number + 1;
            Some(&**inode)
        });
        indexed.chain(own)
    }
}

#[inline]
const fn split(number: Number) -> (usize, usize) {
    (number.0 as usize / CHUNK, number.0 as usize % CHUNK)
}

/// Lets a chunk come into being. ENOMEM.
#[cold]
#[inline(never)]
fn bring_chunk<P>(chunk: &Chunk<P>) -> Result<&[Place<P>; CHUNK], Errno> {
    let places = boxed((0..CHUNK).map(|_| OnceCell::new()))?.into_boxed_slice();
    let places = places.try_into().map_err(|_| Errno::ENOMEM)?;
    Ok(chunk.get_or_init(|| places))
}

/// Lets an inode of the index come into being. ENOENT where there is no such one, ENOMEM.
#[cold]
#[inline(never)]
fn bring<'a, S: PageStore>(
    place: &'a Place<S::Page>,
    index: Option<&'static Index>,
    number: Number,
) -> Result<&'a Inode<S::Page>, Errno> {
    let inode = index.ok_or(Errno::ENOENT)?.inode::<S>(number.0)?;
    Ok(place.get_or_init(|| inode))
}

/// Values in a block of the heap that has just room for them. ENOMEM.
fn boxed<T>(values: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>, Errno> {
    let mut vector = Vec::new();
    vector
        .try_reserve_exact(values.len())
        .map_err(|_| Errno::ENOMEM)?;
    vector.extend(values);
    Ok(vector)
}
