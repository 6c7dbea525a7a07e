//! What a program's ELF headers ask for (elf(5), System V ABI chapter 5), checked once, here.
use crate::memory::space::{LOWEST_ADDRESS, USER_END};
use contract::{Errno, PAGE, PAGE_SIZE};
use core::ops::Range;
use elf::abi::{EM_X86_64, ET_DYN, ET_EXEC, PF_R, PF_W, PF_X, PT_INTERP, PT_LOAD, PT_PHDR};
use elf::endian::LittleEndian;
use elf::file::{Class, FileHeader, parse_ident};
use elf::segment::SegmentTable;
use page_tree::Protection;

/// Loadable segments a program may have.
pub const MAX_SEGMENTS: usize = 16;
/// Program headers a program may have: they must lie in the file's first page, as linkers put them.
pub const HEADER_BYTES: usize = PAGE_SIZE;

/// A loadable segment, at its final address. Ranges do not wrap, and are in the user half.
#[derive(Clone, Copy)]
pub struct Segment {
    pub address: u64,
    pub file_offset: u64,
    pub file_size: u64,
    pub memory_size: u64,
    pub protection: Protection,
}

impl Segment {
    /// The whole pages it touches.
    pub const fn pages(&self) -> Range<u64> {
        let mask = PAGE - 1;
        self.address & !mask..(self.address + self.memory_size + mask) & !mask
    }
}

/// What there is to load.
pub struct ElfImage {
    pub entry: u64,
    /// Where the program headers are in memory (AT_PHDR), 0 where no segment holds them.
    pub header_address: u64,
    pub header_count: u64,
    pub header_size: u64,
    segments: [Segment; MAX_SEGMENTS],
    segment_count: usize,
}

impl ElfImage {
    /// Nothing to load, until headers are read.
    pub const fn nothing() -> Self {
        const NONE: Segment = Segment {
            address: 0,
            file_offset: 0,
            file_size: 0,
            memory_size: 0,
            protection: Protection::empty(),
        };
        Self {
            entry: 0,
            header_address: 0,
            header_count: 0,
            header_size: 0,
            segments: [NONE; MAX_SEGMENTS],
            segment_count: 0,
        }
    }

    /// Reads the headers from the first [`HEADER_BYTES`] bytes of a file of `file_size` bytes. A program that can lie
    /// anywhere (static PIE) is put at `base`.
    ///
    /// # Errors
    /// ENOEXEC for anything but a whole static x86-64 program whose segments are in order, disjoint, inside
    /// the file and in the user half.
    pub fn read(&mut self, start: &[u8], file_size: u64, base: u64) -> Result<(), Errno> {
        let header = file_header(start)?;
        let base = match header.e_type {
            ET_EXEC => 0,
            ET_DYN => base,
            _ => return Err(Errno::ENOEXEC),
        };
        let table_start = usize::try_from(header.e_phoff).map_err(|_| Errno::ENOEXEC)?;
        let table_size = usize::from(header.e_phnum) * usize::from(header.e_phentsize);
        let table = table_start
            .checked_add(table_size)
            .and_then(|end| start.get(table_start..end))
            .ok_or(Errno::ENOEXEC)?;
        self.entry = header.e_entry.wrapping_add(base);
        self.header_count = u64::from(header.e_phnum);
        self.header_size = u64::from(header.e_phentsize);
        for program_header in SegmentTable::new(LittleEndian, Class::ELF64, table).iter() {
            match program_header.p_type {
                PT_INTERP => return Err(Errno::ENOEXEC),
                PT_PHDR => self.header_address = program_header.p_vaddr.wrapping_add(base),
                PT_LOAD if program_header.p_memsz > 0 => {
                    let segment = Segment {
                        address: program_header.p_vaddr.wrapping_add(base),
                        file_offset: program_header.p_offset,
                        file_size: program_header.p_filesz,
                        memory_size: program_header.p_memsz,
                        protection: protection(program_header.p_flags),
                    };
                    self.add(segment, file_size).ok_or(Errno::ENOEXEC)?;
                    let in_file = segment.file_offset..segment.file_offset + segment.file_size;
                    if self.header_address == 0 && in_file.contains(&header.e_phoff) {
                        self.header_address =
                            segment.address + (header.e_phoff - segment.file_offset);
                    }
                }
                _ => {}
            }
        }
        let entered = self.segments().iter().any(|segment| {
            segment.protection.contains(Protection::EXECUTE)
                && (segment.address..segment.address + segment.memory_size).contains(&self.entry)
        });
        if entered { Ok(()) } else { Err(Errno::ENOEXEC) }
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments[..self.segment_count]
    }

    /// From where to where its code goes, and its data, as `/proc/PID/stat` tells it.
    pub fn code_and_data(&self) -> ((u64, u64), (u64, u64)) {
        let extent = |of: Protection| {
            let mut found = self
                .segments()
                .iter()
                .filter(|segment| segment.protection.contains(of));
            let Some(first) = found.next() else {
                return (0, 0);
            };
            let last = found.next_back().unwrap_or(first);
            (first.address, last.address + last.file_size)
        };
        (extent(Protection::EXECUTE), extent(Protection::WRITE))
    }

    /// First address past the last segment.
    pub fn end(&self) -> u64 {
        self.segments()
            .last()
            .map_or(LOWEST_ADDRESS, |segment| segment.pages().end)
    }

    /// Adds a segment; `None` where it is not acceptable.
    fn add(&mut self, segment: Segment, file_size: u64) -> Option<()> {
        let end = segment.address.checked_add(segment.memory_size)?;
        let previous_end = match self.segments().last() {
            Some(previous) => previous.address + previous.memory_size,
            None => LOWEST_ADDRESS,
        };
        let congruent = segment.address % PAGE == segment.file_offset % PAGE;
        let acceptable = segment.address >= previous_end
            && end <= USER_END - PAGE
            && segment.file_size <= segment.memory_size
            && segment.file_offset.checked_add(segment.file_size)? <= file_size
            && (congruent || segment.file_size == 0);
        *self
            .segments
            .get_mut(self.segment_count)
            .filter(|_| acceptable)? = segment;
        self.segment_count += 1;
        Some(())
    }
}

fn file_header(start: &[u8]) -> Result<FileHeader<LittleEndian>, Errno> {
    const IDENT_BYTES: usize = 16;
    const HEADER_END: usize = 64;
    const PROGRAM_HEADER_BYTES: u16 = 56;
    let ident = parse_ident::<LittleEndian>(start.get(..IDENT_BYTES).ok_or(Errno::ENOEXEC)?)
        .map_err(|_| Errno::ENOEXEC)?;
    if ident.1 != Class::ELF64 {
        return Err(Errno::ENOEXEC);
    }
    let tail = start.get(IDENT_BYTES..HEADER_END).ok_or(Errno::ENOEXEC)?;
    let header = FileHeader::parse_tail(ident, tail).map_err(|_| Errno::ENOEXEC)?;
    if header.e_machine == EM_X86_64 && header.e_phentsize == PROGRAM_HEADER_BYTES {
        Ok(header)
    } else {
        Err(Errno::ENOEXEC)
    }
}

fn protection(flags: u32) -> Protection {
    [
        (PF_R, Protection::READ),
        (PF_W, Protection::WRITE),
        (PF_X, Protection::EXECUTE),
    ]
    .into_iter()
    .filter(|(flag, _)| flags & flag != 0)
    .fold(Protection::empty(), |sum, (_, allowed)| sum | allowed)
}
