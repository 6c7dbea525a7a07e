//! What a listing of a directory of `/proc` shows.
use super::tree::{FD, FDINFO, ProcNode, RootLink, TASK};
use super::{ProcName, ProcSource, ProcessFile, ProcessLink, SysDirectory, SysFile, SystemFile};

/// An entry of a listing: the node, its name, and the cursor behind it.
type Listed = (ProcNode, ProcName, u64);

impl ProcNode {
    /// The first entry at or after `cursor` in a listing, with its name and the cursor behind it. Entries count from 0,
    /// without `.` and `..`.
    pub(crate) fn entry(self, source: &dyn ProcSource, cursor: u64) -> Option<Listed> {
        match self {
            Self::Root => {
                if let Some(listed) = self.fixed_entry(source, cursor) {
                    return Some(listed);
                }
                let fixed = Self::ROOT_ENTRIES;
                let process =
                    source.next_process(u32::try_from(cursor.max(fixed) - fixed).ok()?)?;
                let next = u64::from(process) + fixed + 1;
                Some((Self::Process(process), ProcName::Number(process), next))
            }
            Self::Descriptors(process) | Self::DescriptorTexts(process) => {
                let fd = source.next_descriptor(process, u32::try_from(cursor).ok()?)?;
                let node = self.of_descriptor(process, fd);
                Some((node, ProcName::Number(fd), u64::from(fd) + 1))
            }
            Self::Threads(process) => {
                let thread = source.next_thread(process, u32::try_from(cursor).ok()?)?;
                let node = Self::Thread(process, thread);
                Some((node, ProcName::Number(thread), u64::from(thread) + 1))
            }
            _ => self.fixed_entry(source, cursor),
        }
    }

    /// Entries of `/proc` that are not processes.
    const ROOT_ENTRIES: u64 = (SystemFile::ALL.len() + RootLink::ALL.len() + 1) as u64;

    /// As [`Self::entry`], of those with a name that is always the same.
    fn fixed_entry(self, source: &dyn ProcSource, cursor: u64) -> Option<Listed> {
        let mut at = usize::try_from(cursor).ok()?;
        loop {
            let (node, name) = self.fixed(at)?;
            at += 1;
            let there = match node {
                Self::Process(process) | Self::ProcessFile(process, _)
                    if source.next_process(process) != Some(process) =>
                {
                    return None;
                }
                node => node.exists(source),
            };
            if there {
                return Some((node, ProcName::Fixed(name), at as u64));
            }
        }
    }

    /// The entry at an index, of those with a name that is always the same.
    fn fixed(self, index: usize) -> Option<(Self, &'static str)> {
        let files = ProcessFile::ALL;
        match self {
            Self::Root => {
                if let Some(&file) = SystemFile::ALL.get(index) {
                    return Some((Self::System(file), file.name()));
                }
                match RootLink::ALL.get(index - SystemFile::ALL.len()) {
                    Some(&link) => Some((Self::RootLink(link), link.name())),
                    None if (index as u64) < Self::ROOT_ENTRIES => {
                        let sys = SysDirectory::Sys;
                        Some((Self::SysDirectory(sys), sys.name()))
                    }
                    None => None,
                }
            }
            Self::Process(process) => {
                if let Some(&file) = files.get(index) {
                    return Some((Self::ProcessFile(process, file), file.name()));
                }
                let index = index - files.len();
                if let Some(&link) = ProcessLink::ALL.get(index) {
                    return Some((Self::ProcessLink(process, link), link.name()));
                }
                match index - ProcessLink::ALL.len() {
                    0 => Some((Self::Descriptors(process), FD)),
                    1 => Some((Self::DescriptorTexts(process), FDINFO)),
                    2 => Some((Self::Threads(process), TASK)),
                    _ => None,
                }
            }
            Self::Thread(process, thread) => {
                let &file = files.get(index)?;
                Some((Self::ThreadFile(process, thread, file), file.name()))
            }
            Self::SysDirectory(here) => {
                let directories = SysDirectory::ALL.iter().copied();
                let files = SysFile::ALL.iter().copied();
                directories
                    .filter(|directory| directory.parent() == Some(here))
                    .map(|directory| (Self::SysDirectory(directory), directory.name()))
                    .chain(
                        files
                            .filter(|file| file.parent() == here)
                            .map(|file| (Self::SysFile(file), file.name())),
                    )
                    .nth(index)
            }
            _ => None,
        }
    }
}
