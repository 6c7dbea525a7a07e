//! Directories that tell what becomes of their entries (F_NOTIFY in fcntl(2)).
use crate::description::{DescriptionId, Opened};
use crate::inode::{InodeId, Number};
use crate::notices::{Change, News, Wishes};
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// What a descriptor of a directory is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Watch {
    /// DN_* bits.
    pub(crate) events: u32,
    /// The descriptor that asked.
    pub(crate) descriptor: u32,
}

impl Watch {
    /// Whether it has told all that it was to tell, once it has told something.
    pub(crate) const fn is_for_once(self) -> bool {
        self.events & linux::DN_MULTISHOT == 0
    }
}

impl Wishes {
    /// What a change in a directory means to a description of it.
    pub(crate) fn of_directory<P>(&self, opened: &Opened<P>, change: Change) -> Option<News> {
        let (Change::Directory(directory, event), Some(watch)) = (change, self.watch) else {
            return None;
        };
        let is_there =
            matches!(opened, Opened::Directory(InodeId::Memory(number)) if *number == directory.0);
        (is_there && watch.events & event != 0).then_some(News::Message)
    }
}

impl<S: PageStore> Files<S> {
    /// F_NOTIFY: lets a descriptor tell of these events, too; without any, of none.
    ///
    /// # Errors
    /// EBADF; ENOTDIR.
    pub fn watch_directory(
        &mut self,
        id: DescriptionId,
        descriptor: u32,
        events: u32,
    ) -> Result<(), Errno> {
        let is_directory = matches!(self.description(id)?.opened, Opened::Directory(_));
        if events & !linux::DN_MULTISHOT == 0 {
            self.set_watch(id, None)
        } else if is_directory {
            let before = self.wishes(id)?.watch.map_or(0, |watch| watch.events);
            let events = before | events;
            self.set_watch(id, Some(Watch { events, descriptor }))
        } else {
            Err(Errno::ENOTDIR)
        }
    }

    /// Something has become of an entry of a directory.
    #[inline]
    pub(crate) fn note_in_directory(&mut self, directory: Number, event: u32) {
        if self.has_watches() {
            self.note(Change::Directory(directory, event));
        }
    }

    /// Something was done to an inode: the directory that it lies in tells of it, and itself, if it is one.
    #[inline]
    pub(crate) fn note_of_inode(&mut self, number: Number, event: u32) {
        if self.has_watches() {
            self.note_of_inode_twice(number, event);
        }
    }

    #[cold]
    fn note_of_inode_twice(&mut self, number: Number, event: u32) {
        let Ok(inode) = self.inode(number) else {
            return;
        };
        let (home, is_directory) = (inode.home, inode.is_directory());
        if let Some(home) = home {
            self.note(Change::Directory(home.directory, event));
        }
        if is_directory {
            self.note(Change::Directory(number, event));
        }
    }
}
