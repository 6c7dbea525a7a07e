//! The nodes of `/proc`: names, numbers, what lies in what.
use super::{ProcContent, ProcSource, ProcessFile, ProcessLink, SystemFile};
use crate::description::DescriptionId;
use crate::inode::InodeId;
use crate::path::View;
use alloc::vec::Vec;
use contract::Errno;
use linux_raw_sys::general as linux;

/// A node of `/proc`. Numbers are process ids and descriptors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcNode {
    /// `/proc` itself.
    Root,
    /// `self`, a link to the caller's directory.
    SelfLink,
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
}

/// Name of the directory of descriptors.
const FD: &[u8] = b"fd";

impl ProcNode {
    /// `st_mode`.
    pub(crate) const fn mode(self) -> u32 {
        match self {
            Self::Root | Self::Process(_) => linux::S_IFDIR | 0o555,
            Self::Descriptors(_) => linux::S_IFDIR | 0o500,
            Self::SelfLink | Self::ProcessLink(..) => linux::S_IFLNK | 0o777,
            Self::Descriptor(..) => linux::S_IFLNK | 0o700,
            Self::ProcessFile(_, ProcessFile::Environ) => linux::S_IFREG | 0o400,
            Self::System(_) | Self::ProcessFile(..) => linux::S_IFREG | 0o444,
        }
    }

    pub(crate) const fn is_directory(self) -> bool {
        self.mode() & linux::S_IFMT == linux::S_IFDIR
    }

    pub(crate) const fn is_link(self) -> bool {
        self.mode() & linux::S_IFMT == linux::S_IFLNK
    }

    /// `st_ino`: the process id above 16 bits, and below them what it is.
    pub(crate) const fn number(self) -> u64 {
        const fn of(process: u32, rest: u64) -> u64 {
            (process as u64) << 16 | rest
        }
        match self {
            Self::Root => 1,
            Self::SelfLink => 2,
            Self::System(file) => 16 + file as u64,
            Self::Process(process) => of(process, 1),
            Self::Descriptors(process) => of(process, 2),
            Self::ProcessFile(process, file) => of(process, 16 + file as u64),
            Self::ProcessLink(process, link) => of(process, 64 + link as u64),
            Self::Descriptor(process, fd) => of(process, 0x8000 + fd as u64),
        }
    }

    /// Its parent; `None` for `/proc` itself, which lies in a directory in memory.
    pub(crate) const fn parent(self) -> Option<Self> {
        match self {
            Self::Root => None,
            Self::SelfLink | Self::System(_) | Self::Process(_) => Some(Self::Root),
            Self::ProcessFile(process, _)
            | Self::ProcessLink(process, _)
            | Self::Descriptors(process) => Some(Self::Process(process)),
            Self::Descriptor(process, _) => Some(Self::Descriptors(process)),
        }
    }

    /// The node of this name in a directory of `/proc`.
    pub(crate) fn child(self, source: &dyn ProcSource, name: &[u8]) -> Option<Self> {
        match self {
            Self::Root => {
                if name == b"self" {
                    return Some(Self::SelfLink);
                }
                if let Some(file) = SystemFile::with_name(name) {
                    return source
                        .has(ProcContent::System(file))
                        .then_some(Self::System(file));
                }
                let process = decimal(name)?;
                (source.next_process(process) == Some(process)).then_some(Self::Process(process))
            }
            Self::Process(process) => {
                if source.next_process(process) != Some(process) {
                    return None;
                }
                if name == FD {
                    return Some(Self::Descriptors(process));
                }
                if let Some(link) = ProcessLink::with_name(name) {
                    return Some(Self::ProcessLink(process, link));
                }
                let file = ProcessFile::with_name(name)?;
                source
                    .has(ProcContent::Process(process, file))
                    .then_some(Self::ProcessFile(process, file))
            }
            Self::Descriptors(process) => {
                let fd = decimal(name)?;
                source.descriptor(process, fd)?;
                Some(Self::Descriptor(process, fd))
            }
            _ => None,
        }
    }

    /// The first entry at or after `cursor` in a listing, with its name and the cursor behind it. Entries count from 0,
    /// without `.` and `..`.
    pub(crate) fn entry(
        self,
        source: &dyn ProcSource,
        cursor: u64,
    ) -> Option<(Self, ProcName, u64)> {
        let cursor = u32::try_from(cursor).ok()?;
        match self {
            Self::Root => {
                let files = SystemFile::ALL.len() as u32;
                for index in cursor..files {
                    let file = SystemFile::ALL[index as usize];
                    if source.has(ProcContent::System(file)) {
                        let name = ProcName::Fixed(file.name());
                        return Some((Self::System(file), name, u64::from(index) + 1));
                    }
                }
                if cursor <= files {
                    return Some((
                        Self::SelfLink,
                        ProcName::Fixed("self"),
                        u64::from(files) + 1,
                    ));
                }
                let process = source.next_process(cursor - files - 1)?;
                let next = u64::from(process) + u64::from(files) + 2;
                Some((Self::Process(process), ProcName::Number(process), next))
            }
            Self::Process(process) => {
                source
                    .next_process(process)
                    .filter(|found| *found == process)?;
                let files = ProcessFile::ALL.len() as u32;
                let links = ProcessLink::ALL.len() as u32;
                for index in cursor..files {
                    let file = ProcessFile::ALL[index as usize];
                    if source.has(ProcContent::Process(process, file)) {
                        let name = ProcName::Fixed(file.name());
                        return Some((
                            Self::ProcessFile(process, file),
                            name,
                            u64::from(index) + 1,
                        ));
                    }
                }
                let cursor = cursor.max(files);
                let (node, name) = if cursor < files + links {
                    let link = ProcessLink::ALL[(cursor - files) as usize];
                    (Self::ProcessLink(process, link), link.name())
                } else if cursor == files + links {
                    (Self::Descriptors(process), "fd")
                } else {
                    return None;
                };
                Some((node, ProcName::Fixed(name), u64::from(cursor) + 1))
            }
            Self::Descriptors(process) => {
                let fd = source.next_descriptor(process, cursor)?;
                Some((
                    Self::Descriptor(process, fd),
                    ProcName::Number(fd),
                    u64::from(fd) + 1,
                ))
            }
            _ => None,
        }
    }

    /// What is to be generated for it, if it is a file.
    pub(crate) const fn content(self) -> Option<ProcContent> {
        match self {
            Self::System(file) => Some(ProcContent::System(file)),
            Self::ProcessFile(process, file) => Some(ProcContent::Process(process, file)),
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
            Self::SelfLink => {
                let mut text = Vec::new();
                ProcName::Number(view.process).push_to(&mut text);
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
            Self::SelfLink => ProcName::Fixed("self"),
            Self::System(file) => ProcName::Fixed(file.name()),
            Self::ProcessFile(_, file) => ProcName::Fixed(file.name()),
            Self::ProcessLink(_, link) => ProcName::Fixed(link.name()),
            Self::Descriptors(_) => ProcName::Fixed("fd"),
            Self::Process(number) | Self::Descriptor(_, number) => ProcName::Number(number),
        })
    }
}

/// Name of an entry of `/proc`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProcName {
    Fixed(&'static str),
    Number(u32),
}

impl ProcName {
    /// Its bytes, in `buffer` where they must be made.
    pub(crate) fn bytes(self, buffer: &mut [u8; 10]) -> &[u8] {
        match self {
            Self::Fixed(name) => name.as_bytes(),
            Self::Number(number) => digits(number, buffer),
        }
    }

    /// Appends it.
    pub(crate) fn push_to(self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.bytes(&mut [0; 10]));
    }
}

fn digits(mut number: u32, buffer: &mut [u8; 10]) -> &[u8] {
    let mut start = buffer.len();
    loop {
        start -= 1;
        buffer[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[start..];
        }
    }
}

/// A number as `/proc` names it: no sign, no leading zero.
fn decimal(name: &[u8]) -> Option<u32> {
    if name.is_empty() || (name[0] == b'0' && name.len() > 1) {
        return None;
    }
    name.iter().try_fold(0u32, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"4294967295"), Some(u32::MAX));
        for bad in [&b""[..], b"01", b"4294967296", b"+1", b"1a", b"/"] {
            assert_eq!(decimal(bad), None);
        }
        assert_eq!(digits(0, &mut [0; 10]), b"0");
        assert_eq!(digits(u32::MAX, &mut [0; 10]), b"4294967295");
    }
}
