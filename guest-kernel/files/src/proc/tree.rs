//! The nodes of `/proc`: names, numbers, what lies in what.
use super::name::{ProcName, decimal};
use super::{ProcContent, ProcSource, ProcessFile, ProcessLink, SysDirectory, SysFile, SystemFile};
use crate::description::DescriptionId;
use crate::inode::InodeId;
use crate::path::View;
use alloc::vec::Vec;
use contract::Errno;
use linux_raw_sys::general as linux;

/// A node of `/proc`. Numbers are process ids, thread ids and descriptors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcNode {
    /// `/proc` itself.
    Root,
    /// A link directly in it.
    RootLink(RootLink),
    /// A file directly in it.
    System(SystemFile),
    /// The directory of a process.
    Process(u32),
    /// A file in that.
    ProcessFile(u32, ProcessFile),
    /// A link in that.
    ProcessLink(u32, ProcessLink),
    /// `fd`, the directory of its descriptors.
    Descriptors(u32),
    /// A link in that.
    Descriptor(u32, u32),
    /// `fdinfo`, the directory of what there is to say of them.
    DescriptorTexts(u32),
    /// A file in that.
    DescriptorText(u32, u32),
    /// `task`, the directory of its threads.
    Threads(u32),
    /// The directory of a thread, in that.
    Thread(u32, u32),
    /// A file in that.
    ThreadFile(u32, u32, ProcessFile),
    /// `sys`, or a directory below it.
    SysDirectory(SysDirectory),
    /// A file in one of those.
    SysFile(SysFile),
}

/// A link directly in `/proc`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootLink {
    /// `self`, to the directory of the process that asks.
    Process,
    /// `thread-self`, to that of the thread.
    Thread,
    /// `mounts`, to what the process that asks has mounted.
    Mounts,
}

impl RootLink {
    pub(super) const ALL: [Self; 3] = [Self::Process, Self::Thread, Self::Mounts];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Process => "self",
            Self::Thread => "thread-self",
            Self::Mounts => "mounts",
        }
    }
}

pub(super) const FD: &str = "fd";
pub(super) const FDINFO: &str = "fdinfo";
pub(super) const TASK: &str = "task";

/// The one of this name.
fn named<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &[u8]) -> Option<T> {
    all.iter().copied().find(|&one| {
        let own = name_of(one).as_bytes();
        // Most differ in these.
        own.len() == name.len() && own.first() == name.first() && own == name
    })
}

impl ProcNode {
    /// `st_mode`.
    pub(crate) const fn mode(self) -> u32 {
        match self {
            Self::Root
            | Self::Process(_)
            | Self::Threads(_)
            | Self::Thread(..)
            | Self::SysDirectory(_) => linux::S_IFDIR | 0o555,
            Self::Descriptors(_) | Self::DescriptorTexts(_) => linux::S_IFDIR | 0o500,
            Self::DescriptorText(..) => linux::S_IFREG | 0o400,
            Self::RootLink(_) | Self::ProcessLink(..) => linux::S_IFLNK | 0o777,
            Self::Descriptor(..) => linux::S_IFLNK | 0o700,
            Self::ProcessFile(_, ProcessFile::Environ | ProcessFile::PageMap)
            | Self::ThreadFile(_, _, ProcessFile::Environ | ProcessFile::PageMap) => {
                linux::S_IFREG | 0o400
            }
            Self::SysFile(file) if file.is_writable() => linux::S_IFREG | 0o644,
            Self::System(_) | Self::ProcessFile(..) | Self::ThreadFile(..) | Self::SysFile(_) => {
                linux::S_IFREG | 0o444
            }
        }
    }

    pub(crate) const fn is_directory(self) -> bool {
        self.mode() & linux::S_IFMT == linux::S_IFDIR
    }

    pub(crate) const fn is_link(self) -> bool {
        self.mode() & linux::S_IFMT == linux::S_IFLNK
    }

    /// `st_ino`: the process or thread id above 16 bits, and below them what it is.
    pub(crate) const fn number(self) -> u64 {
        const fn of(id: u32, rest: u64) -> u64 {
            (id as u64) << 16 | rest
        }
        match self {
            Self::Root => 1,
            Self::RootLink(link) => 2 + link as u64,
            Self::System(file) => 16 + file as u64,
            Self::SysDirectory(directory) => 64 + directory as u64,
            Self::SysFile(file) => 128 + file as u64,
            Self::Process(process) => of(process, 1),
            Self::Descriptors(process) => of(process, 2),
            Self::Threads(process) => of(process, 3),
            Self::ProcessFile(process, file) => of(process, 16 + file as u64),
            Self::ProcessLink(process, link) => of(process, 64 + link as u64),
            Self::Thread(_, thread) => of(thread, 128),
            Self::ThreadFile(_, thread, file) => of(thread, 129 + file as u64),
            Self::Descriptor(process, fd) => of(process, 0x8000 + fd as u64),
            Self::DescriptorTexts(process) => of(process, 4),
            Self::DescriptorText(process, fd) => of(process, 0x4000 + fd as u64),
        }
    }

    /// The process whose `pagemap` it is.
    pub(crate) const fn page_map(self) -> Option<u32> {
        match self {
            Self::ProcessFile(process, ProcessFile::PageMap)
            | Self::ThreadFile(process, _, ProcessFile::PageMap) => Some(process),
            _ => None,
        }
    }

    /// Its parent; `None` for `/proc` itself, which lies in a directory in memory.
    pub(crate) const fn parent(self) -> Option<Self> {
        match self {
            Self::Root => None,
            Self::RootLink(_) | Self::System(_) | Self::Process(_) => Some(Self::Root),
            Self::ProcessFile(process, _)
            | Self::ProcessLink(process, _)
            | Self::Descriptors(process)
            | Self::DescriptorTexts(process)
            | Self::Threads(process) => Some(Self::Process(process)),
            Self::Descriptor(process, _) => Some(Self::Descriptors(process)),
            Self::DescriptorText(process, _) => Some(Self::DescriptorTexts(process)),
            Self::Thread(process, _) => Some(Self::Threads(process)),
            Self::ThreadFile(process, thread, _) => Some(Self::Thread(process, thread)),
            Self::SysDirectory(directory) => Some(match directory.parent() {
                Some(parent) => Self::SysDirectory(parent),
                None => Self::Root,
            }),
            Self::SysFile(file) => Some(Self::SysDirectory(file.parent())),
        }
    }

    /// What stands for a descriptor in this directory of descriptors.
    pub(super) const fn of_descriptor(self, process: u32, fd: u32) -> Self {
        match self {
            Self::DescriptorTexts(_) => Self::DescriptorText(process, fd),
            _ => Self::Descriptor(process, fd),
        }
    }

    /// The node of this name in a directory of `/proc`.
    pub(crate) fn child(self, source: &dyn ProcSource, name: &[u8]) -> Option<Self> {
        match self {
            // Numbers are looked up, the rest is a short list.
            Self::Root if name.first().is_some_and(u8::is_ascii_digit) => {
                let process = decimal(name)?;
                (source.next_process(process) == Some(process)).then_some(Self::Process(process))
            }
            Self::Descriptors(process) | Self::DescriptorTexts(process) => {
                let fd = decimal(name)?;
                source.descriptor(process, fd)?;
                Some(self.of_descriptor(process, fd))
            }
            Self::Threads(process) => {
                let thread = decimal(name)?;
                (source.next_thread(process, thread) == Some(thread))
                    .then_some(Self::Thread(process, thread))
            }
            Self::Root => {
                let node = match named(&RootLink::ALL, RootLink::name, name) {
                    Some(link) => Self::RootLink(link),
                    None => match named(SystemFile::ALL, SystemFile::name, name) {
                        Some(file) => Self::System(file),
                        None if name == SysDirectory::Sys.name().as_bytes() => {
                            Self::SysDirectory(SysDirectory::Sys)
                        }
                        None => return None,
                    },
                };
                node.exists(source).then_some(node)
            }
            Self::Process(process) => {
                let node = if let Some(link) = named(ProcessLink::ALL, ProcessLink::name, name) {
                    Self::ProcessLink(process, link)
                } else if name == FD.as_bytes() {
                    Self::Descriptors(process)
                } else if name == FDINFO.as_bytes() {
                    Self::DescriptorTexts(process)
                } else if name == TASK.as_bytes() {
                    Self::Threads(process)
                } else {
                    Self::ProcessFile(process, named(ProcessFile::ALL, ProcessFile::name, name)?)
                };
                let lives = source.next_process(process) == Some(process);
                (lives && node.exists(source)).then_some(node)
            }
            Self::Thread(process, thread) => {
                let file = named(ProcessFile::ALL, ProcessFile::name, name)?;
                let node = Self::ThreadFile(process, thread, file);
                node.exists(source).then_some(node)
            }
            Self::SysDirectory(here) => {
                let directory = named(SysDirectory::ALL, SysDirectory::name, name)
                    .filter(|directory| directory.parent() == Some(here));
                match directory {
                    Some(directory) => Some(Self::SysDirectory(directory)),
                    None => named(SysFile::ALL, SysFile::name, name)
                        .filter(|file| file.parent() == here)
                        .map(Self::SysFile),
                }
            }
            _ => None,
        }
    }

    /// Whether there is such a file, where it is one.
    pub(super) fn exists(self, source: &dyn ProcSource) -> bool {
        self.content().is_none_or(|content| source.has(content))
    }

    /// What is to be generated for it, if it is a file.
    pub(crate) const fn content(self) -> Option<ProcContent> {
        match self {
            Self::System(file) => Some(ProcContent::System(file)),
            Self::ProcessFile(process, file) => Some(ProcContent::Process(process, file)),
            Self::ThreadFile(process, thread, file) => {
                Some(ProcContent::Thread(process, thread, file))
            }
            Self::SysFile(file) => Some(ProcContent::Sys(file)),
            _ => None,
        }
    }
}

/// Where a link of `/proc` leads.
pub(crate) enum ProcLinkTarget {
    Text(Vec<u8>),
    Root,
    Inode(InodeId),
    Description(DescriptionId),
}

impl ProcNode {
    /// Where it leads, if it is a link. ENOENT where the process has gone.
    pub(crate) fn link_target(self, view: &View<'_>) -> Result<Option<ProcLinkTarget>, Errno> {
        let source = view.processes;
        Ok(Some(match self {
            Self::RootLink(link) => {
                let mut text = Vec::new();
                match link {
                    RootLink::Process => ProcName::Number(view.process).push_to(&mut text),
                    RootLink::Mounts => text.extend_from_slice(b"self/mounts"),
                    RootLink::Thread => {
                        ProcName::Number(view.process).push_to(&mut text);
                        text.extend_from_slice(b"/task/");
                        ProcName::Number(source.asking_thread()).push_to(&mut text);
                    }
                }
                ProcLinkTarget::Text(text)
            }
            Self::ProcessLink(process, ProcessLink::Exe) => {
                let path = source.executable(process).ok_or(Errno::ENOENT)?;
                let mut text = Vec::new();
                text.try_reserve_exact(path.len())
                    .map_err(|_| Errno::ENOMEM)?;
                text.extend_from_slice(path);
                ProcLinkTarget::Text(text)
            }
            Self::ProcessLink(process, ProcessLink::Cwd) => {
                ProcLinkTarget::Inode(source.working_directory(process).ok_or(Errno::ENOENT)?)
            }
            Self::ProcessLink(_, ProcessLink::Root) => ProcLinkTarget::Root,
            Self::Descriptor(process, fd) => {
                ProcLinkTarget::Description(source.descriptor(process, fd).ok_or(Errno::ENOENT)?)
            }
            _ => return Ok(None),
        }))
    }

    /// Its name in its directory; `None` for `/proc` itself.
    pub(crate) const fn own_name(self) -> Option<ProcName> {
        Some(match self {
            Self::Root => return None,
            Self::RootLink(link) => ProcName::Fixed(link.name()),
            Self::System(file) => ProcName::Fixed(file.name()),
            Self::ProcessFile(_, file) | Self::ThreadFile(_, _, file) => {
                ProcName::Fixed(file.name())
            }
            Self::SysFile(file) => ProcName::Fixed(file.name()),
            Self::SysDirectory(directory) => ProcName::Fixed(directory.name()),
            Self::Threads(_) => ProcName::Fixed(TASK),
            Self::ProcessLink(_, link) => ProcName::Fixed(link.name()),
            Self::Descriptors(_) => ProcName::Fixed(FD),
            Self::DescriptorTexts(_) => ProcName::Fixed(FDINFO),
            Self::Process(number)
            | Self::Descriptor(_, number)
            | Self::DescriptorText(_, number)
            | Self::Thread(_, number) => ProcName::Number(number),
        })
    }
}
