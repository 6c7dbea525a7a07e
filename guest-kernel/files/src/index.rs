//! An archive's index (`contract::archive_index`): the tree without reading the archive.
//!
//! The index is believed where it says that it is of this archive, for who put the archive into memory wrote it. It is
//! made of claims all the same: what leads out of the archive is not there.
use crate::PageStore;
use crate::device::{Device, DeviceNumber};
use crate::directory::{Directory, Listed, Name};
use crate::inode::{Home, Inode, Kind, Number, Stamp};
use crate::mapped::Regular;
use alloc::boxed::Box;
use contract::Errno;
use contract::archive_index::{
    FOOTER_SIZE, Footer, NONE, RECORD_LIMIT, RECORD_SIZE, Record, Word, get, hash,
};
use linux_raw_sys::general as linux;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index {
    archive: &'static [u8],
    records: &'static [Record],
    chains: &'static [[u8; 4]],
    /// How many inodes it has.
    pub(crate) files: u32,
    /// What `/proc` is on, where all system files are in the archive.
    pub(crate) proc: Option<Number>,
}

impl Index {
    /// The index of an archive that has one.
    pub(crate) fn of(archive: &'static [u8]) -> Option<Self> {
        let footer = Footer::of(archive)?;
        let size = usize::try_from(footer.size()).ok()?;
        let end = archive.len() - FOOTER_SIZE;
        let index = archive.get(end.checked_sub(size)?..end)?;
        let (records, chains) = index.split_at_checked(footer.records as usize * RECORD_SIZE)?;
        let index = Self {
            archive,
            records: records.as_chunks().0,
            chains: chains.as_chunks().0,
            files: footer.files,
            proc: (footer.proc != NONE).then_some(Number(footer.proc)),
        };
        let has_root = file_type(index.records.first()?) == linux::S_IFDIR;
        (has_root && index.records.len() <= RECORD_LIMIT).then_some(index)
    }

    /// How many records it has: numbers of inodes lie below.
    pub(crate) fn len(&self) -> u32 {
        self.records.len() as u32
    }

    /// `S_IFMT` of the inode with a number.
    pub(crate) fn file_type(&self, number: u32) -> Option<u32> {
        self.records.get(number as usize).map(file_type)
    }

    /// What is in a directory of the root.
    pub(crate) fn at(&'static self, directory: &[u8], name: &[u8]) -> Option<Number> {
        let inside = |number: u32, name| {
            let record = self.records.get(number as usize)?;
            let names =
                (file_type(record) == linux::S_IFDIR).then(|| Names::of(self, record))??;
            names.get(name, hash(name))
        };
        inside(inside(0, directory)?.0, name)
    }

    /// The inode with a number, as the archive has it. ENOENT where there is no such one, EIO where it is damaged, ENOMEM.
    #[inline]
    pub(crate) fn inode<S: PageStore>(
        &'static self,
        number: u32,
    ) -> Result<Box<Inode<S::Page>>, Errno> {
        let record = self.records.get(number as usize).ok_or(Errno::ENOENT)?;
        let word = |word| get(record, word);
        let data = || {
            let start = word(Word::Start) as usize;
            let end = start + word(Word::Length) as usize;
            self.archive.get(start..end).ok_or(Errno::EIO)
        };
        let device = DeviceNumber {
            major: word(Word::Start),
            minor: word(Word::Length),
        };
        let kind = match file_type(record) {
            linux::S_IFREG => Kind::Regular(Regular::new(data()?)),
            linux::S_IFDIR => {
                let names = Names::of(self, record).ok_or(Errno::EIO)?;
                Kind::Directory(Directory::indexed(names, word(Word::Subdirectories)))
            }
            linux::S_IFLNK => Kind::Symlink(Name::Archived(data()?)),
            linux::S_IFCHR => Kind::Device(Device::with_number(device), device),
            linux::S_IFBLK => Kind::Block(device),
            linux::S_IFIFO => Kind::Fifo(None),
            _ => return Err(Errno::EIO),
        };
        let mut home = None;
        if number != 0 {
            let directory = word(Word::Parent);
            // Directories come before what is in them: so each way up ends at the root.
            let above = self.records.get(..number as usize).unwrap_or_default();
            let parent = above.get(directory as usize).ok_or(Errno::EIO)?;
            let place = number.wrapping_sub(get(parent, Word::Start));
            home = Some(Home::new(Number(directory), place));
        }
        let time = Stamp::from_seconds(word(Word::Modified));
        let room = S::room()?;
        // It is made where it stays.
        let inode = Inode {
            serial: number + 1,
            links: word(Word::Links),
            home,
            ..Inode::new(kind, word(Word::Mode) as u16, time)
        };
        Ok(Box::write(room, inode))
    }
}

fn file_type(record: &Record) -> u32 {
    get(record, Word::Mode) & linux::S_IFMT
}

/// The names of one directory, as the archive has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    index: &'static Index,
    first: u32,
    count: u32,
    chains: u32,
    /// How many chains there are, less one.
    mask: u32,
}

impl Names {
    /// Those of a directory. `None` where there are no such records.
    fn of(index: &'static Index, directory: &Record) -> Option<Self> {
        let (first, count) = (get(directory, Word::Start), get(directory, Word::Length));
        (first.checked_add(count)? <= index.len()).then(|| Self {
            index,
            first,
            count,
            chains: get(directory, Word::Chains),
            mask: count.next_power_of_two() - 1,
        })
    }

    pub(crate) const fn len(&self) -> usize {
        self.count as usize
    }

    fn record(&self, place: u32) -> Option<&'static Record> {
        let places = self.first..self.first + self.count;
        let number = self.first.checked_add(place)?;
        let record = places.contains(&number).then_some(number)?;
        self.index.records.get(record as usize)
    }

    #[inline]
    fn name(&self, record: &Record) -> Option<&'static [u8]> {
        let at = get(record, Word::NameAt) as usize;
        let end = at + get(record, Word::NameLength) as usize;
        self.index.archive.get(at..end)
    }

    /// The place of a name.
    pub(crate) fn place(&self, name: &[u8], hash: u32) -> Option<u32> {
        self.find(name, hash).map(|(place, _)| place)
    }

    /// What a name leads to.
    #[inline]
    pub(crate) fn get(&self, name: &[u8], hash: u32) -> Option<Number> {
        let (_, record) = self.find(name, hash)?;
        Some(Number(get(record, Word::Inode)))
    }

    #[inline]
    fn find(&self, name: &[u8], hash: u32) -> Option<(u32, &'static Record)> {
        let chain = self.chains as usize + (hash & self.mask) as usize;
        let mut place = u32::from_le_bytes(*self.index.chains.get(chain)?);
        // Chained names come one before the other: whatever an index says, there is an end.
        let mut end = self.count;
        while place < end {
            let record = self.index.records.get((self.first + place) as usize)?;
            if get(record, Word::Hash) == hash && self.name(record)? == name {
                return Some((place, record));
            }
            end = place;
            place = get(record, Word::Next);
        }
        None
    }

    /// What is at a place.
    #[inline]
    pub(crate) fn entry(&self, place: u32) -> Option<Listed<'static>> {
        let record = self.record(place)?;
        Some(Listed {
            name: self.name(record)?,
            inode: Number(get(record, Word::Inode)),
        })
    }

    /// All of them by place, each with its name's hash.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Listed<'static>, u32)> + '_ {
        (0..self.count).map_while(|place| {
            let hash = get(self.record(place)?, Word::Hash);
            Some((self.entry(place)?, hash))
        })
    }
}
