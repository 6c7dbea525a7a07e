//! `hvm_start_info`: what a PVH monitor tells (Xen's public `arch-x86/hvm/start_info.h`).
//!
//! Every address and size in it is a claim: each is checked against the RAM that is mapped when it is
//! read, the first GiB.
use super::command_line::Options;
use crate::arch::layout::{DIRECT_MAP_SIZE, direct_map, image};
use contract::command_line::LIMIT;
use core::fmt;
use core::ops::Range;
use x86_64::PhysAddr;

/// First bytes of the structure.
const MAGIC: u32 = 0x336e_c578;
/// RAM, in the memory map.
const USABLE: u32 = 1;
/// Entries of a memory map that are read; firmware has far fewer.
const MAP_LIMIT: u32 = 128;
/// Physical memory mapped at this stage.
const MAPPED: u64 = 1 << 30;
/// Largest initramfs, in bytes.
const INITRAMFS_LIMIT: u64 = 1 << 36;

#[repr(C)]
#[derive(Clone, Copy)]
struct RawStartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_map_entries: u32,
    reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct RawModule {
    address: u64,
    size: u64,
    command_line: u64,
    reserved: u64,
}

/// Packed, for it may lie at any address.
#[repr(C, packed)]
struct RawMemoryMapEntry {
    address: u64,
    size: u64,
    kind: u32,
    reserved: u32,
}

/// What is wrong with what the monitor gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The named structure is not in the first GiB.
    OutOfReach(&'static str),
    /// The magic number is another.
    Magic(u32),
    /// Version 0 has no memory map.
    NoMemoryMap,
    /// The command line has no end within the limit.
    CommandLineTooLong,
    /// The initramfs does not lie in RAM.
    Initramfs,
    /// The kernel image does not lie in RAM.
    Image,
    /// There is no RAM left for the direct map's tables.
    NoMemoryForTables,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::OutOfReach(what) => write!(f, "{what} is not in the first GiB of memory"),
            Self::Magic(found) => {
                write!(f, "hvm_start_info begins with {found:#x}, not {MAGIC:#x}")
            }
            Self::NoMemoryMap => f.write_str("hvm_start_info has no memory map"),
            Self::CommandLineTooLong => write!(f, "the command line is longer than {LIMIT} bytes"),
            Self::Initramfs => f.write_str("the initramfs is not in RAM"),
            Self::Image => f.write_str("the kernel image is not in RAM"),
            Self::NoMemoryForTables => f.write_str("no RAM is left for page tables"),
        }
    }
}

/// The checked claims.
pub struct StartInfo {
    map: &'static [RawMemoryMapEntry],
    /// Physical bytes of the initramfs, in RAM; empty without one.
    initramfs: Range<u64>,
    /// The options of the command line.
    pub options: Options,
    /// The structures themselves: start_info, module list, memory map, command line.
    structures: [Range<u64>; 4],
}

impl StartInfo {
    /// Before it is read.
    pub const NONE: Self = Self {
        map: &[],
        initramfs: 0..0,
        options: Options::NONE,
        structures: [const { 0..0 }; 4],
    };

    /// Reads what the monitor left at `address`.
    pub fn read(&mut self, address: PhysAddr) -> Result<(), Error> {
        let start = address.as_u64();
        // Version 0 of the structure ends before the memory map.
        let head: RawStartInfo = read(start, "hvm_start_info")?;
        if head.magic != MAGIC {
            return Err(Error::Magic(head.magic));
        }
        if head.version == 0 || head.memory_map == 0 || head.memory_map_entries == 0 {
            return Err(Error::NoMemoryMap);
        }
        let count = u64::from(head.memory_map_entries.min(MAP_LIMIT));
        let map_size = count * size_of::<RawMemoryMapEntry>() as u64;
        let map = range(head.memory_map, map_size, "the memory map")?;
        let first = direct_map(PhysAddr::new_truncate(map.start)).cast();
        // SAFETY: the first GiB is mapped, an entry is made of integers, and nobody is given the frames of these.
        self.map = unsafe { core::slice::from_raw_parts(first, count as usize) };
        self.structures[0] = start..start + size_of::<RawStartInfo>() as u64;
        self.structures[2] = map;
        if head.command_line != 0 {
            self.structures[3] = read_command_line(head.command_line, &mut self.options)?;
        }
        if head.modules > 0 {
            let module: RawModule = read(head.module_list, "the module list")?;
            self.structures[1] = head.module_list..head.module_list + size_of::<RawModule>() as u64;
            let end = module
                .address
                .checked_add(module.size)
                .ok_or(Error::Initramfs)?;
            if module.size > INITRAMFS_LIMIT || !self.is_ram(&(module.address..end)) {
                return Err(Error::Initramfs);
            }
            self.initramfs = module.address..end;
        }
        if image().iter().all(|part| self.is_ram(part)) {
            Ok(())
        } else {
            Err(Error::Image)
        }
    }

    /// The RAM that the direct map has room for, in the order of the monitor's map: physical bytes, not rounded, not
    /// checked for overlaps.
    pub fn ram(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.map.iter().filter_map(|entry| {
            let end = entry.address.checked_add(entry.size)?.min(DIRECT_MAP_SIZE);
            (entry.kind == USABLE && entry.address < end).then_some(entry.address..end)
        })
    }

    /// The initramfs, once the direct map covers all RAM.
    pub fn initramfs(&self) -> Option<&'static [u8]> {
        let length = (self.initramfs.end - self.initramfs.start) as usize;
        let start = direct_map(PhysAddr::new_truncate(self.initramfs.start));
        // SAFETY: it lies in RAM, which is mapped, and nobody is given these frames.
        (length > 0).then(|| unsafe { core::slice::from_raw_parts(start, length) })
    }

    /// Physical bytes in use by what the monitor gave and by the image.
    pub fn reserved(&self) -> [Range<u64>; 7] {
        let [low, high] = image();
        let [a, b, c, d] = self.structures.clone();
        [low, high, self.initramfs.clone(), a, b, c, d]
    }

    fn is_ram(&self, wanted: &Range<u64>) -> bool {
        self.ram()
            .any(|ram| ram.start <= wanted.start && wanted.end <= ram.end)
    }
}

fn range(start: u64, size: u64, what: &'static str) -> Result<Range<u64>, Error> {
    match start.checked_add(size) {
        Some(end) if end <= MAPPED => Ok(start..end),
        _ => Err(Error::OutOfReach(what)),
    }
}

/// Copies a structure out of physical memory.
fn read<T: Copy>(start: u64, what: &'static str) -> Result<T, Error> {
    let place = range(start, size_of::<T>() as u64, what)?;
    // SAFETY: the first GiB is mapped, and each `T` here is made of integers: any bytes will do.
    Ok(unsafe {
        direct_map(PhysAddr::new_truncate(place.start))
            .cast::<T>()
            .read_unaligned()
    })
}

/// Reads the options of the command line, and answers where it is.
fn read_command_line(start: u64, options: &mut Options) -> Result<Range<u64>, Error> {
    let most = MAPPED.saturating_sub(start).min(LIMIT as u64 + 1);
    let place = range(start, most, "the command line")?;
    let first = direct_map(PhysAddr::new_truncate(place.start));
    // SAFETY: the first GiB is mapped, and nobody is given the frames of the command line.
    let bytes = unsafe { core::slice::from_raw_parts(first, most as usize) };
    let length = options.read(bytes).ok_or(Error::CommandLineTooLong)?;
    Ok(start..start + length as u64 + 1)
}
