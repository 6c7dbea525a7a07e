//! Who is told of a file by a signal: O_ASYNC, F_SETOWN and F_SETSIG of fcntl(2), and leases. Directories have a file of
//! their own.
//!
//! What has changed is noted by the queue of those who would wait for it; when a call is over the kernel asks whom to
//! tell ([`Files::take_notice`]).
use crate::description::{Description, DescriptionId, Opened};
use crate::directory_notices::Watch;
use crate::inode::Number;
use crate::pipe::End;
use crate::wait_queue::WaitFor;
use crate::{Files, KernelDevice, PageStore};
use alloc::boxed::Box;
use alloc::vec::Vec;
use contract::Errno;
use linux_raw_sys::general as linux;

/// What an [`Addressee`] is (F_SETOWN_EX).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddresseeKind {
    /// A thread.
    Thread,
    /// A process.
    Process,
    /// A process group.
    Group,
}

/// Who is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Addressee {
    /// What that is.
    pub kind: AddresseeKind,
    /// Its id; 0 for nobody.
    pub id: u32,
    /// Real and effective user of who said so.
    pub users: [u32; 2],
}

impl Addressee {
    /// Nobody.
    pub const NOBODY: Self = Self {
        kind: AddresseeKind::Thread,
        id: 0,
        users: [0; 2],
    };
}

/// What is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// Something can be read.
    Input,
    /// Something can be written.
    Output,
    /// The other end of a socket has gone.
    HangUp,
    /// Something has become of an entry of a directory.
    Message,
}

impl News {
    /// `si_code` and `si_band` (sigaction(2)).
    #[must_use]
    pub const fn code_and_band(self) -> (u32, u32) {
        const IN: u32 = linux::POLLIN | linux::POLLRDNORM;
        match self {
            Self::Input => (1, IN),
            Self::Output => (2, linux::POLLOUT | linux::POLLWRNORM | linux::POLLWRBAND),
            Self::Message => (3, IN | linux::POLLMSG),
            Self::HangUp => (6, linux::POLLHUP | linux::POLLERR),
        }
    }
}

/// That somebody is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Who.
    pub to: Addressee,
    /// By which signal; 0 for SIGIO, with nothing said.
    pub signal: u8,
    /// The descriptor that asked for it.
    pub descriptor: u32,
    /// What.
    pub news: News,
}

/// What a description has of this, once something was asked for.
#[derive(Debug)]
pub(crate) struct Wishes {
    to: Addressee,
    signal: u8,
    /// The descriptor by which O_ASYNC was set, while it is.
    asked_by: Option<u32>,
    /// What is told of a directory.
    pub(crate) watch: Option<Watch>,
}

/// What has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// What this queue waits for.
    Queue(WaitFor),
    /// An entry of a directory, as this DN_* bit says.
    Directory(Number, u32),
}

/// What is noted.
#[derive(Debug)]
pub(crate) struct Notices {
    /// Descriptions with O_ASYNC, and directories that tell of their entries.
    asked: u32,
    watches: u32,
    /// What has changed and not been told, the first so far as to the description `next`.
    changed: Vec<Change>,
    next: u32,
}

impl Notices {
    pub(crate) const fn new() -> Self {
        Self {
            asked: 0,
            watches: 0,
            changed: Vec::new(),
            next: 0,
        }
    }
}

impl<P> Description<P> {
    /// What a change of this queue means to it.
    fn news(&self, queue: WaitFor) -> Option<News> {
        let (reads, writes) = (self.may_read(), self.may_write());
        match (&self.opened, queue) {
            (Opened::PipeRead(own), WaitFor::PipeReadable(pipe))
            | (Opened::Packets(End::Read, own), WaitFor::PipeReadable(pipe)) => {
                (*own == pipe).then_some(News::Input)
            }
            (Opened::PipeWrite(own), WaitFor::PipeWritable(pipe))
            | (Opened::Packets(End::Write, own), WaitFor::PipeWritable(pipe)) => {
                (*own == pipe).then_some(News::Output)
            }
            (Opened::Fifo(_, own), WaitFor::PipeReadable(pipe)) => {
                (*own == pipe && reads).then_some(News::Input)
            }
            (Opened::Fifo(_, own), WaitFor::PipeWritable(pipe)) => {
                (*own == pipe && writes).then_some(News::Output)
            }
            // Of room only a socket that was found full is told, on Linux: none is, here.
            (Opened::Socket(socket), WaitFor::PipeReadable(pipe)) => {
                (socket.receive == Some(pipe)).then_some(News::Input)
            }
            (Opened::Device(_, device), WaitFor::ConsoleInput) => {
                let console = Some(KernelDevice::Console);
                (device.kernel_device() == console).then_some(News::Input)
            }
            _ => None,
        }
    }
}

impl<S: PageStore> Files<S> {
    pub(crate) fn wishes(&mut self, id: DescriptionId) -> Result<&mut Wishes, Errno> {
        // The kernel has seen to room on the heap.
        Ok(self.description_mut(id)?.wishes.get_or_insert_with(|| {
            Box::new(Wishes {
                to: Addressee::NOBODY,
                signal: 0,
                asked_by: None,
                watch: None,
            })
        }))
    }

    /// Who is told (F_GETOWN).
    ///
    /// # Errors
    /// EBADF.
    pub fn addressee(&self, id: DescriptionId) -> Result<Addressee, Errno> {
        let wishes = &self.description(id)?.wishes;
        Ok(wishes
            .as_ref()
            .map_or(Addressee::NOBODY, |wishes| wishes.to))
    }

    /// Sets who is told (F_SETOWN).
    ///
    /// # Errors
    /// EBADF.
    pub fn set_addressee(&mut self, id: DescriptionId, to: Addressee) -> Result<(), Errno> {
        self.wishes(id)?.to = to;
        Ok(())
    }

    /// By which signal (F_GETSIG); 0 for SIGIO.
    ///
    /// # Errors
    /// EBADF.
    pub fn notice_signal(&self, id: DescriptionId) -> Result<u8, Errno> {
        let wishes = &self.description(id)?.wishes;
        Ok(wishes.as_ref().map_or(0, |wishes| wishes.signal))
    }

    /// Sets by which signal (F_SETSIG).
    ///
    /// # Errors
    /// EBADF.
    pub fn set_notice_signal(&mut self, id: DescriptionId, signal: u8) -> Result<(), Errno> {
        self.wishes(id)?.signal = signal;
        Ok(())
    }

    /// Whether a description can have O_ASYNC.
    ///
    /// # Errors
    /// EBADF.
    pub fn can_tell(&self, id: DescriptionId) -> Result<bool, Errno> {
        Ok(match self.description(id)?.opened {
            Opened::PipeRead(_)
            | Opened::PipeWrite(_)
            | Opened::Packets(..)
            | Opened::Fifo(..)
            | Opened::Socket(_) => true,
            Opened::Device(_, device) => device.kernel_device() == Some(KernelDevice::Console),
            _ => false,
        })
    }

    /// Sets O_ASYNC by a descriptor, or with none takes it away.
    ///
    /// # Errors
    /// EBADF.
    pub fn set_asynchronous(
        &mut self,
        id: DescriptionId,
        descriptor: Option<u32>,
    ) -> Result<(), Errno> {
        let description = self.description_mut(id)?;
        if (description.status & linux::FASYNC != 0) == descriptor.is_some() {
            return Ok(());
        }
        description.status ^= linux::FASYNC;
        let before = core::mem::replace(&mut self.wishes(id)?.asked_by, descriptor);
        self.notices.asked += u32::from(descriptor.is_some());
        self.notices.asked -= u32::from(before.is_some());
        self.wakeups.watched = true;
        self.note_whether_asked();
        Ok(())
    }

    /// Sets what is told of a directory.
    pub(crate) fn set_watch(
        &mut self,
        id: DescriptionId,
        watch: Option<Watch>,
    ) -> Result<(), Errno> {
        let before = core::mem::replace(&mut self.wishes(id)?.watch, watch);
        self.notices.watches += u32::from(watch.is_some());
        self.notices.watches -= u32::from(before.is_some());
        self.note_whether_asked();
        Ok(())
    }

    /// Whether anybody is to be told of anything, so that this is to be asked after each call.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.notices.asked != 0 || self.has_watches()
    }

    /// Whether any directory tells of its entries.
    #[inline]
    pub(crate) fn has_watches(&self) -> bool {
        self.notices.watches != 0
    }

    /// A description has been closed.
    pub(crate) fn forget_wishes(&mut self, wishes: &Wishes) {
        self.notices.asked -= u32::from(wishes.asked_by.is_some());
        self.notices.watches -= u32::from(wishes.watch.is_some());
        self.note_whether_asked();
    }

    fn note_whether_asked(&mut self) {
        if !self.tells() {
            self.notices = Notices::new();
        }
        self.note_who_minds_ends();
    }

    /// Something became readable or writable, and somebody may want to know.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_news(&mut self, queue: WaitFor) {
        self.wakeups.readiness_changed();
        if self.notices.asked == 0 {
            self.wakeups.watched = !self.wakeups.readiness.is_empty();
        } else {
            self.note(Change::Queue(queue));
        }
    }

    /// Notes what is to be told, once.
    pub(crate) fn note(&mut self, change: Change) {
        let Notices { changed, next, .. } = &mut self.notices;
        let begun = usize::from(*next != 0);
        let noted = changed
            .get(begun..)
            .is_some_and(|rest| rest.contains(&change));
        if !noted && changed.try_reserve(1).is_ok() {
            changed.push(change);
        }
    }

    /// The console has input.
    pub fn note_console_input(&mut self) {
        if self.notices.asked != 0 {
            self.note_news(WaitFor::ConsoleInput);
        }
    }

    /// Whom to tell next, of all that has changed.
    pub fn take_notice(&mut self) -> Option<Notice> {
        while let Some(&change) = self.notices.changed.first() {
            while let Some((number, description)) = self.descriptions.next_from(self.notices.next) {
                self.notices.next = number + 1;
                let Some(wishes) = description.wishes.as_deref() else {
                    continue;
                };
                let (to, signal) = (wishes.to, wishes.signal);
                let told = match change {
                    Change::Queue(queue) => {
                        wishes.asked_by.zip(self.news_of_queue(description, queue))
                    }
                    Change::Directory(..) => wishes
                        .watch
                        .map(|watch| watch.descriptor)
                        .zip(wishes.of_directory(&description.opened, change)),
                };
                let Some((descriptor, news)) = told else {
                    continue;
                };
                if wishes.watch.is_some_and(Watch::is_for_once) && news == News::Message {
                    // It is there.
                    let _ = self.set_watch(DescriptionId(number as u16), None);
                }
                return Some(Notice {
                    to,
                    signal,
                    descriptor,
                    news,
                });
            }
            self.notices.changed.remove(0);
            self.notices.next = 0;
        }
        None
    }

    fn news_of_queue(&self, description: &Description<S::Page>, queue: WaitFor) -> Option<News> {
        let news = description.news(queue)?;
        match queue {
            WaitFor::PipeReadable(pipe)
                if matches!(description.opened, Opened::Socket(_))
                    && self.pipe(pipe).is_ok_and(|pipe| pipe.writers == 0) =>
            {
                Some(News::HangUp)
            }
            _ => Some(news),
        }
    }
}
