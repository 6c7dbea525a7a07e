//! The index of an archive that is being written: `contract::archive_index` has its format.

use super::{
    COMPONENT_LIMIT, Entry, NAME_LIMIT, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT,
    S_IFREG,
};
use contract::archive_index::{
    FOOTER_SIZE, Footer, NAMES_LIMIT, NONE, RECORD_LIMIT, RECORD_SIZE, Record, Word, hash, set,
};
use contract::system_files::{PROC, SYSTEM_FILES};
use std::collections::HashMap;

/// Where name and data of an entry lie in the archive.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// First byte of the name.
    pub name: usize,
    /// First byte of the data.
    pub data: usize,
}

/// The index of entries, to lie at byte `at` up to the archive's end. `None` where only a reader can tell what the entries
/// come to, or that they are wrong: a name below no directory, or twice, or of a kind that there is not; or too many.
pub fn of(entries: &[Entry<'_>], positions: &[Position], at: usize) -> Option<Vec<u8>> {
    let tree = Tree::of(entries)?;
    let files = Files::of(entries, positions);
    let mut records = Vec::with_capacity(tree.order.len() * RECORD_SIZE);
    let mut chains: Vec<u32> = Vec::new();
    let mut nexts = vec![NONE; entries.len()];
    for &entry in &tree.order {
        let (name, mode) = (tree.names[entry], entries[entry].mode);
        let mut record: Record = [0; RECORD_SIZE];
        let mut put = |word, value: usize| {
            set(&mut record, word, u32::try_from(value).ok()?);
            Some(())
        };
        put(Word::Mode, mode as usize)?;
        put(Word::Modified, entries[entry].modified as usize)?;
        put(
            Word::NameAt,
            positions[entry].name + entries[entry].name.len() - name.len(),
        )?;
        put(Word::NameLength, name.len())?;
        put(Word::Hash, hash(name) as usize)?;
        put(Word::Next, nexts[entry] as usize)?;
        put(Word::Parent, tree.numbers[tree.parents[entry]])?;
        let file = files.of_entry(entry);
        put(Word::Inode, tree.numbers[file.first])?;
        put(Word::Links, file.links)?;
        match mode & S_IFMT {
            S_IFDIR => {
                let children = &tree.children[entry];
                put(Word::Start, tree.starts[entry])?;
                put(Word::Length, children.len())?;
                put(Word::Chains, chains.len())?;
                chain(children, &tree.names, &mut chains, &mut nexts);
                let is_directory = |child: &&usize| entries[**child].is_directory();
                put(
                    Word::Subdirectories,
                    children.iter().filter(is_directory).count(),
                )?;
            }
            S_IFREG | S_IFLNK => {
                put(Word::Start, file.data)?;
                put(Word::Length, file.size)?;
            }
            _ => {
                let (major, minor) = entries[entry].device;
                put(Word::Start, major as usize)?;
                put(Word::Length, minor as usize)?;
            }
        }
        records.extend_from_slice(&record);
    }
    let mut footer = Footer {
        length: 0,
        records: u32::try_from(tree.order.len()).ok()?,
        chains: u32::try_from(chains.len()).ok()?,
        files: u32::try_from(files.count()).ok()?,
        proc: tree.proc.map_or(NONE, |entry| tree.numbers[entry] as u32),
    };
    footer.length = at as u64 + footer.size() + FOOTER_SIZE as u64;
    // All places in the archive are words.
    u32::try_from(footer.length).ok()?;
    let mut index = records;
    index.extend(chains.iter().flat_map(|place| place.to_le_bytes()));
    index.extend_from_slice(&footer.to_bytes());
    Some(index)
}

/// Chains the names of a directory.
fn chain(children: &[usize], names: &[&[u8]], chains: &mut Vec<u32>, nexts: &mut [u32]) {
    if children.is_empty() {
        return;
    }
    let start = chains.len();
    let count = children.len().next_power_of_two();
    chains.resize(start + count, NONE);
    for (place, &child) in (0..).zip(children) {
        let first = &mut chains[start + hash(names[child]) as usize % count];
        nexts[child] = std::mem::replace(first, place);
    }
}

/// The entries as a tree. All vectors but `order` are by entry.
struct Tree<'a> {
    /// Names without directories.
    names: Vec<&'a [u8]>,
    parents: Vec<usize>,
    children: Vec<Vec<usize>>,
    /// Entries by number: the root, what is in it, what is in that.
    order: Vec<usize>,
    numbers: Vec<usize>,
    /// Number of the first child.
    starts: Vec<usize>,
    /// The entry of `/proc`, if all system files are there.
    proc: Option<usize>,
}

impl<'a> Tree<'a> {
    fn of(entries: &'a [Entry<'_>]) -> Option<Self> {
        let mut by_name = HashMap::with_capacity(entries.len());
        for (place, entry) in entries.iter().enumerate() {
            if by_name.insert(entry.name.as_slice(), place).is_some() || !is_sound(entry) {
                return None;
            }
        }
        let root = *by_name.get(&b""[..])?;
        let directory = |name: &[u8]| {
            let place: usize = *by_name.get(name)?;
            entries[place].is_directory().then_some(place)
        };
        directory(b"")?;
        let mut names: Vec<&[u8]> = vec![b""; entries.len()];
        let mut parents = vec![root; entries.len()];
        let mut children = vec![Vec::new(); entries.len()];
        for (place, entry) in entries
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != root)
        {
            let (above, name) = match entry.name.iter().rposition(|&byte| byte == b'/') {
                Some(slash) => (&entry.name[..slash], &entry.name[slash + 1..]),
                None => (&b""[..], entry.name.as_slice()),
            };
            if matches!(name, b"" | b"." | b"..") || name.len() > COMPONENT_LIMIT {
                return None;
            }
            names[place] = name;
            parents[place] = directory(above)?;
            children[parents[place]].push(place);
        }
        let mut order = vec![root];
        let mut numbers = vec![0; entries.len()];
        let mut starts = vec![0; entries.len()];
        let mut next = 0;
        while let Some(&above) = order.get(next) {
            starts[above] = order.len();
            for &child in &children[above] {
                numbers[child] = order.len();
                order.push(child);
            }
            next += 1;
        }
        let fits =
            order.len() <= RECORD_LIMIT && children.iter().all(|names| names.len() <= NAMES_LIMIT);
        let has_all = SYSTEM_FILES.iter().all(|file| match file.directory {
            "" => directory(file.name.as_bytes()).is_some(),
            above => by_name.contains_key(format!("{above}/{}", file.name).as_bytes()),
        });
        fits.then(|| Self {
            proc: by_name.get(PROC.as_bytes()).copied().filter(|_| has_all),
            names,
            parents,
            children,
            order,
            numbers,
            starts,
        })
    }
}

/// Whether the kernel would take it.
fn is_sound(entry: &Entry<'_>) -> bool {
    entry.name.len() < NAME_LIMIT
        && match entry.mode & S_IFMT {
            S_IFLNK => entry.data.len() < NAME_LIMIT,
            S_IFREG | S_IFDIR | S_IFCHR | S_IFBLK | S_IFIFO => true,
            _ => false,
        }
}

/// What the names of one file share.
#[derive(Clone, Copy)]
struct File {
    /// The first entry that names it.
    first: usize,
    links: usize,
    /// Where its data lie: with one of its names.
    data: usize,
    size: usize,
}

/// The files of the entries.
struct Files<'a> {
    entries: &'a [Entry<'a>],
    positions: &'a [Position],
    /// Files with a link group, by that.
    linked: HashMap<u32, File>,
}

impl<'a> Files<'a> {
    fn of(entries: &'a [Entry<'_>], positions: &'a [Position]) -> Self {
        let mut files = Self {
            entries,
            positions,
            linked: HashMap::new(),
        };
        for (place, entry) in entries.iter().enumerate() {
            if !is_linked(entry) {
                continue;
            }
            let own = files.alone(place);
            let file = files
                .linked
                .entry(entry.link_group)
                .or_insert(File { links: 0, ..own });
            file.links += 1;
            if own.size != 0 {
                (file.data, file.size) = (own.data, own.size);
            }
        }
        files
    }

    /// The file of an entry that has no other name.
    fn alone(&self, entry: usize) -> File {
        File {
            first: entry,
            // No name leads to the root.
            links: usize::from(!self.entries[entry].name.is_empty()),
            data: self.positions[entry].data,
            size: self.entries[entry].size() as usize,
        }
    }

    fn of_entry(&self, entry: usize) -> File {
        if is_linked(&self.entries[entry]) {
            self.linked[&self.entries[entry].link_group]
        } else {
            self.alone(entry)
        }
    }

    /// How many there are.
    fn count(&self) -> usize {
        let names: usize = self.linked.values().map(|file| file.links).sum();
        self.entries.len() - names + self.linked.len()
    }
}

/// Whether it may have other names.
fn is_linked(entry: &Entry<'_>) -> bool {
    entry.link_group != 0 && entry.mode & S_IFMT == S_IFREG
}
