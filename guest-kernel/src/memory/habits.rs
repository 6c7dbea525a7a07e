//! Pages copied ahead of the write that always comes after a fork.
//!
//! A program does much the same after each fork: the child sets up the thread library's data and a few
//! pages more, the parent goes on with its stack. Each such page costs a fault to copy. So the processes
//! that came of each other by forks keep a common [`Record`] of which pages are copied first, on either
//! side. Once two forks running have agreed, a parent's pages are copied at the end of the fork, and a
//! child's with the first of them that it writes. Now and then the record begins anew, so that what is no
//! longer written is forgotten.
use alloc::rc::Rc;
use core::cell::{Cell, OnceCell};
use page_tree::UserPage;

/// Pages that are remembered on either side, and copies after a fork that are looked at.
const PAGES: usize = 4;
/// Forks from one beginning of the record to the next.
const AGE: u8 = 64;

/// Which side of its last fork a space is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Parent,
    Child,
}

/// What one space knows of its last fork.
pub struct Habits {
    record: OnceCell<Rc<Record>>,
    side: Cell<Side>,
    /// Copies that are still to be looked at since that fork.
    watched: Cell<u8>,
}

/// What is known of the forks of a program.
struct Record {
    /// Forks since its beginning.
    forks: Cell<u8>,
    /// Copies that are worth a look after the next fork, in the parent and in the child.
    parent_watches: Cell<u8>,
    child_watches: Cell<u8>,
    parent: List,
    child: List,
}

/// Pages of one side.
#[derive(Default)]
struct List {
    pages: [Cell<UserPage>; PAGES],
    /// How many there are.
    known: Cell<u8>,
    /// The first so many of them two forks agree on.
    confirmed: Cell<u8>,
}

impl Habits {
    /// Of a space that does not come of a fork, or is not a process's.
    pub const fn none() -> Self {
        Self {
            record: OnceCell::new(),
            side: Cell::new(Side::Parent),
            watched: Cell::new(0),
        }
    }

    /// The space has been forked: what the child's knows. It allocates, the first time.
    #[inline]
    pub fn fork(&self) -> Self {
        let record = self.record.get_or_init(Record::new);
        record.count_fork();
        self.side.set(Side::Parent);
        self.watched.set(record.parent_watches.get());
        Self {
            record: OnceCell::from(Rc::clone(record)),
            side: Cell::new(Side::Child),
            watched: Cell::new(record.child_watches.get()),
        }
    }

    /// Whether the next copy of a page says something, or brings others.
    #[inline]
    pub const fn are_watched(&self) -> bool {
        self.watched.get() != 0
    }

    /// The pages that a parent is known to write after a fork.
    #[inline]
    pub fn parents_pages(&self) -> &[Cell<UserPage>] {
        match self.record.get() {
            Some(record) if record.is_used() => record.parent.sure(),
            _ => &[],
        }
    }

    /// The pages that are to be copied with the first one; `None` where that is still to be found out.
    #[inline]
    pub fn pages_ahead(&self) -> Option<&[Cell<UserPage>]> {
        let record = self.record.get()?;
        record.is_used().then(|| self.list(record).sure())
    }

    /// A page has been copied, and what was known of others with it.
    #[inline]
    pub fn used(&self) {
        self.watched.set(0);
    }

    /// A page has been copied, for it was written.
    #[inline(never)]
    pub fn learn(&self, page: UserPage) {
        if let Some(record) = self.record.get() {
            self.watched.set(self.watched.get() - 1);
            self.list(record).learn(record.forks.get(), page);
        }
    }

    #[inline]
    fn list<'a>(&self, record: &'a Record) -> &'a List {
        match self.side.get() {
            Side::Parent => &record.parent,
            Side::Child => &record.child,
        }
    }
}

impl Record {
    #[cold]
    fn new() -> Rc<Self> {
        Rc::new(Self {
            // The fork that it is made for is its first.
            forks: Cell::new(AGE - 1),
            parent_watches: Cell::new(0),
            child_watches: Cell::new(0),
            parent: List::default(),
            child: List::default(),
        })
    }

    /// Whether it is complete: two forks have been looked at.
    #[inline]
    fn is_used(&self) -> bool {
        self.forks.get() >= 2
    }

    #[inline]
    fn count_fork(&self) {
        let forks = self.forks.get() + 1;
        self.forks.set(forks);
        if forks == AGE {
            self.begin();
        } else if forks == 2 {
            self.use_now();
        }
    }

    /// From the third fork on the parent's pages come with the fork, and the child's with the first of them, if that is not
    /// the only one.
    #[cold]
    fn use_now(&self) {
        self.parent_watches.set(0);
        self.child_watches
            .set(u8::from(self.child.confirmed.get() > 1));
    }

    #[cold]
    fn begin(&self) {
        self.forks.set(0);
        self.parent_watches.set(PAGES as u8);
        self.child_watches.set(PAGES as u8);
        for list in [&self.parent, &self.child] {
            list.known.set(0);
            list.confirmed.set(0);
        }
    }
}

impl List {
    /// What two forks agree on.
    #[inline]
    fn sure(&self) -> &[Cell<UserPage>] {
        self.pages
            .get(..usize::from(self.confirmed.get()))
            .unwrap_or_default()
    }

    /// In the first fork what is copied is remembered; in the second what is copied again is confirmed.
    #[inline]
    fn learn(&self, forks: u8, page: UserPage) {
        let (known, confirmed) = (self.known.get(), self.confirmed.get());
        if forks == 0 {
            if let Some(free) = self.pages.get(usize::from(known)) {
                free.set(page);
                self.known.set(known + 1);
            }
            return;
        }
        let (sure, rest) = self.pages.split_at(usize::from(confirmed));
        let rest = &rest[..usize::from(known) - sure.len()];
        if let Some(again) = rest.iter().find(|known| known.get() == page) {
            rest[0].swap(again);
            self.confirmed.set(confirmed + 1);
        }
    }
}
