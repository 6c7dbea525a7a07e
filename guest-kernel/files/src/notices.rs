//! Who is told of a file by a signal: O_ASYNC, F_SETOWN and F_SETSIG of fcntl(2), and leases.
//!
//! What has changed is noted by the queue of those who would wait for it; when a call is over the kernel asks whom to
//! tell ([`Files::take_notice`]).
use crate::description::{Description, DescriptionId, Opened};
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
    /// A lease is in somebody's way.
    Lease,
}

impl News {
    /// `si_code` and `si_band` (sigaction(2)).
    #[must_use]
    pub const fn code_and_band(self) -> (u32, u32) {
        const IN: u32 = linux::POLLIN | linux::POLLRDNORM;
        match self {
            Self::Input => (1, IN),
            Self::Output => (2, linux::POLLOUT | linux::POLLWRNORM | linux::POLLWRBAND),
            Self::Lease => (3, IN | linux::POLLMSG),
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
}

/// What is noted.
#[derive(Debug)]
pub(crate) struct Notices {
    /// Descriptions with O_ASYNC.
    asked: u32,
    /// What has changed and not been told, the first so far as to the description `next`.
    changed: Vec<WaitFor>,
    next: u32,
}

impl Notices {
    pub(crate) const fn new() -> Self {
        Self {
            asked: 0,
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
    fn wishes(&mut self, id: DescriptionId) -> Result<&mut Wishes, Errno> {
        // The kernel has seen to room on the heap.
        Ok(self.description_mut(id)?.wishes.get_or_insert_with(|| {
            Box::new(Wishes {
                to: Addressee::NOBODY,
                signal: 0,
                asked_by: None,
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
        if before.is_some() {
            self.no_longer_asked();
        }
        self.wakeups.watched = true;
        self.note_who_minds_ends();
        Ok(())
    }

    /// Whether any description has O_ASYNC, so that after each call is to be asked whom to tell.
    #[must_use]
    pub fn has_asynchronous(&self) -> bool {
        self.notices.asked != 0
    }

    /// A description has been closed.
    pub(crate) fn forget_wishes(&mut self, wishes: &Wishes) {
        if wishes.asked_by.is_some() {
            self.no_longer_asked();
            self.note_who_minds_ends();
        }
    }

    fn no_longer_asked(&mut self) {
        self.notices.asked -= 1;
        if self.notices.asked == 0 {
            self.notices = Notices::new();
        }
    }

    /// Something became readable or writable, and somebody may want to know.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_news(&mut self, queue: WaitFor) {
        self.wakeups.readiness_changed();
        let Notices {
            asked,
            changed,
            next,
        } = &mut self.notices;
        if *asked == 0 {
            self.wakeups.watched = !self.wakeups.readiness.is_empty();
            return;
        }
        let begun = usize::from(*next != 0);
        let noted = changed
            .get(begun..)
            .is_some_and(|rest| rest.contains(&queue));
        if !noted && changed.try_reserve(1).is_ok() {
            changed.push(queue);
        }
    }

    /// The console has input.
    pub fn note_console_input(&mut self) {
        if self.has_asynchronous() {
            self.note_news(WaitFor::ConsoleInput);
        }
    }

    /// Whom to tell next, of all that has changed.
    pub fn take_notice(&mut self) -> Option<Notice> {
        while let Some(&queue) = self.notices.changed.first() {
            while let Some((number, description)) = self.descriptions.next_from(self.notices.next) {
                self.notices.next = number + 1;
                let Some(Wishes {
                    to,
                    signal,
                    asked_by: Some(descriptor),
                }) = description.wishes.as_deref()
                else {
                    continue;
                };
                if let Some(news) = description.news(queue) {
                    return Some(Notice {
                        to: *to,
                        signal: *signal,
                        descriptor: *descriptor,
                        news: match queue {
                            WaitFor::PipeReadable(pipe)
                                if matches!(description.opened, Opened::Socket(_))
                                    && self.pipe(pipe).is_ok_and(|pipe| pipe.writers == 0) =>
                            {
                                News::HangUp
                            }
                            _ => news,
                        },
                    });
                }
            }
            self.notices.changed.remove(0);
            self.notices.next = 0;
        }
        None
    }
}
