//! What a space's page tree does not say: which object a range shows, what was advised about it, and where things are.
//! A space and its copies have one list of it, until one of them changes its own.
use super::frames::FRAMES;
use super::heap;
use super::pages::{Page, Pages};
use alloc::boxed::Box;
use alloc::rc::Rc;
use bitflags::bitflags;
use contract::{Errno, PAGE};
use core::ops::Range;
use files::MappedFile;
use page_tree::{RangeMap, Sharing, Slide};

/// Ranges a list may have (vm.max_map_count of Linux).
const MOST: usize = 65530;

/// A file, or memory that processes share, as mappings show it.
pub struct Object {
    file: Option<MappedFile<Page>>,
    /// As `/proc/PID/maps` has it.
    pub name: Box<[u8]>,
    /// `st_dev` and `st_ino`.
    pub device: u64,
    pub inode: u64,
}

impl Object {
    pub fn new(file: MappedFile<Page>, name: Box<[u8]>, device: u64, inode: u64) -> Rc<Self> {
        Rc::new(Self {
            file: Some(file),
            name,
            device,
            inode,
        })
    }

    /// The contents.
    pub fn file(&self) -> &MappedFile<Page> {
        match &self.file {
            Some(file) => file,
            None => unreachable!("it goes with the object"),
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            file.release(&mut Pages);
        }
    }
}

/// What a mapping was made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// exec: a program keeps its pages when its file is cut.
    Program,
    /// mmap, of a file or memory that may be written through it.
    Writable,
    /// mmap with MAP_SHARED of a file that is not open for writing.
    ReadOnly,
}

/// What a range shows of an object.
#[derive(Clone)]
pub struct Mapping {
    pub object: Rc<Object>,
    /// The page of the object that the range begins with.
    pub first: u64,
    pub sharing: Sharing,
    pub purpose: Purpose,
}

impl Slide for Mapping {
    fn slide(&self, bytes: u64) -> Self {
        Self {
            first: self.first + bytes / PAGE,
            ..self.clone()
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.object.file().is(other.object.file())
            && self.first == other.first
            && self.sharing == other.sharing
            && self.purpose == other.purpose
    }
}

bitflags! {
    /// What has been said of a range with madvise(2), mlock(2) and mmap(2).
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct Advice: u8 {
        /// MADV_DONTFORK.
        const DONT_FORK = 1;
        /// MADV_WIPEONFORK.
        const WIPE_ON_FORK = 2;
        /// mlock.
        const LOCKED = 4;
        /// MAP_GROWSDOWN.
        const GROWS_DOWN = 8;
    }
}

impl Slide for Advice {
    fn slide(&self, _bytes: u64) -> Self {
        *self
    }

    fn is(&self, other: &Self) -> bool {
        self == other
    }
}

/// Where the parts of a space are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Where mmap begins to look, downwards.
    pub map_top: u64,
    /// Above the stack.
    pub stack_end: u64,
    /// How far below its end the stack may reach (RLIMIT_STACK).
    pub stack_limit: u64,
    /// Where the heap begins.
    pub break_start: u64,
    /// The program's code, and its data.
    pub code: (u64, u64),
    pub data: (u64, u64),
    /// personality(2).
    pub personality: u32,
    /// Whether what is mapped from now on is locked (MCL_FUTURE of mlockall(2)).
    pub locks_future: bool,
}

/// See the module.
#[derive(Clone)]
pub struct Mappings {
    pub objects: RangeMap<Mapping>,
    pub advice: RangeMap<Advice>,
    pub places: Places,
    /// Whether a mapping here is, or ever was, one that others share.
    pub had_shared: bool,
}

impl Mappings {
    pub const fn new(places: Places) -> Self {
        Self {
            objects: RangeMap::new(),
            advice: RangeMap::new(),
            places,
            had_shared: false,
        }
    }

    /// Whether anything is known of a range.
    pub fn touch(&self, range: &Range<u64>) -> bool {
        self.objects.over(range.clone()).next().is_some()
            || self.advice.over(range.clone()).next().is_some()
    }

    /// Forgets what is known of a range.
    pub fn remove(&mut self, range: Range<u64>) {
        self.objects.remove(range.clone());
        self.advice.remove(range);
    }

    /// Changes the advice about a range.
    pub fn advise(&mut self, range: Range<u64>, change: impl Fn(Advice) -> Advice) {
        let mut at = range.start;
        while at < range.end {
            let (piece, old) = match self.advice.from(at) {
                Some((known, advice)) if known.start <= at => (at..known.end, *advice),
                Some((known, _)) => (at..known.start, Advice::empty()),
                None => (at..range.end, Advice::empty()),
            };
            let piece = piece.start..piece.end.min(range.end);
            at = piece.end;
            let new = change(old);
            if new.is_empty() {
                self.advice.remove(piece);
            } else if new != old {
                self.advice.insert(piece, new);
            }
        }
    }

    /// Moves what is known of a range to another place.
    pub fn relocate(&mut self, from: Range<u64>, to: u64) {
        let moved = |range: Range<u64>| {
            let start = range.start - from.start + to;
            start..start + (range.end - range.start)
        };
        while let Some((range, mapping)) = self.objects.take_first(from.clone()) {
            self.objects.insert(moved(range), mapping);
        }
        while let Some((range, advice)) = self.advice.take_first(from.clone()) {
            self.advice.insert(moved(range), advice);
        }
    }
}

/// The list of a space, to be changed: one of its own, and room for a few ranges more.
///
/// # Errors
/// ENOMEM, and nothing has changed.
pub fn own(list: &mut Rc<Mappings>) -> Result<&mut Mappings, Errno> {
    /// Ranges that fill a frame, at the least, in a tree of maps.
    const RANGES_A_FRAME: u64 = 16;
    heap::require_reserve()?;
    let ranges = list.objects.len() + list.advice.len();
    if ranges >= MOST {
        return Err(Errno::ENOMEM);
    }
    if Rc::strong_count(list) > 1 {
        let frames = ranges as u64 / RANGES_A_FRAME;
        if FRAMES.with(|free| free.available()) < frames {
            return Err(Errno::ENOMEM);
        }
    }
    Ok(Rc::make_mut(list))
}
