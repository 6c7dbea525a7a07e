//! The kernel's ELF: checked before anything is started, and read for its notes and symbols.
//!
//! Formats: the System V ABI's ELF-64; Xen's `docs/misc/pvh.pandoc` for the entry note.

use crate::sealed_file::SealedFile;
use anyhow::{Context, Result, bail, ensure};
use contract::records::{NOTE_NAME, NOTE_TYPE, Records};
use elf::ElfBytes;
use elf::abi::{EM_X86_64, ET_EXEC, PT_LOAD, PT_NOTE, STT_FUNC, STT_NOTYPE};
use elf::endian::LittleEndian;
use elf::note::Note;
use std::ffi::CStr;
use std::ops::Range;
use std::sync::OnceLock;

/// What its file in memory is called.
pub const NAME: &CStr = c"cowbell-kernel";

/// Type of the note that holds the 32-bit physical entry point (XEN_ELFNOTE_PHYS32_ENTRY).
const PVH_ENTRY: u64 = 18;
/// Below it lie the boot structures; a kernel must not.
pub const LOWEST_LOAD_ADDRESS: u64 = 0x10_0000;

/// A kernel that has been checked.
pub struct KernelImage<'a> {
    /// The ELF file.
    pub bytes: &'a [u8],
    /// What holds it where it is not the embedded one.
    pub file: Option<&'a SealedFile>,
    /// Guest-physical addresses that its segments take.
    pub extent: Range<u64>,
    /// What is loaded: where to, and the bytes. What a segment has beyond them is zero.
    pub segments: Vec<(u64, &'a [u8])>,
    /// Physical address of the PVH entry.
    pub entry: u32,
    /// Where its records are, if it is cowbell's kernel.
    pub records: Option<Records>,
    /// Functions by address, sorted; read when the first is asked for.
    symbols: OnceLock<Vec<Symbol<'a>>>,
}

struct Symbol<'a> {
    address: u64,
    size: u64,
    name: &'a str,
}

impl<'a> KernelImage<'a> {
    /// Checks an ELF file.
    ///
    /// # Errors
    /// What keeps it from being booted.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        ensure!(!bytes.is_empty(), "it is empty");
        match bytes {
            [0x7f, b'E', b'L', b'F', ..] => {}
            [0x1f, 0x8b, ..] => bail!("it is gzip-compressed; decompress it first (gunzip)"),
            _ if bytes.get(0x202..0x206) == Some(b"HdrS") => {
                bail!("it is a Linux bzImage, not an ELF; take the vmlinux of that kernel")
            }
            _ => bail!("it is not an ELF file"),
        }
        ensure!(
            bytes.len() >= 64,
            "it is cut short: {} bytes, not even an ELF header",
            bytes.len()
        );
        ensure!(bytes[4] == 2, "it is a 32-bit ELF; a 64-bit one is needed");
        ensure!(
            bytes[5] == 1,
            "it is a big-endian ELF; x86-64 is little-endian"
        );
        let elf = ElfBytes::<LittleEndian>::minimal_parse(bytes)
            .map_err(|error| anyhow::anyhow!("it is cut short or damaged: {error}"))?;
        ensure!(
            elf.ehdr.e_machine == EM_X86_64,
            "it is for another machine (ELF machine {}), not x86-64",
            elf.ehdr.e_machine
        );
        ensure!(
            elf.ehdr.e_type == ET_EXEC || elf.ehdr.e_type == elf::abi::ET_DYN,
            "it is not an executable ELF (type {})",
            elf.ehdr.e_type
        );
        let segments = elf.segments().context("it has no program headers")?;
        let mut extent: Option<Range<u64>> = None;
        let mut loaded = Vec::new();
        let mut entry = None;
        let mut records = None;
        for segment in segments.iter() {
            match segment.p_type {
                PT_LOAD => {
                    let data = elf.segment_data(&segment).ok().context(
                        "it is cut short: the file ends before the segments its header names",
                    )?;
                    loaded.push((segment.p_paddr, data));
                    ensure!(
                        segment.p_filesz <= segment.p_memsz,
                        "a segment has more bytes in the file than in memory"
                    );
                    let end = segment
                        .p_paddr
                        .checked_add(segment.p_memsz)
                        .context("a segment wraps around the end of memory")?;
                    let all = extent.get_or_insert(segment.p_paddr..end);
                    *all = all.start.min(segment.p_paddr)..all.end.max(end);
                }
                PT_NOTE => {
                    let notes = elf
                        .segment_data_as_notes(&segment)
                        .ok()
                        .context("it is cut short: the file ends before its notes")?;
                    for note in notes {
                        let Note::Unknown(note) = note else { continue };
                        if note.name == b"Xen\0" && note.n_type == PVH_ENTRY {
                            let address = note.desc.first_chunk();
                            entry = Some(address.context("its PVH entry note is damaged")?);
                        }
                        if note.name == NOTE_NAME && note.n_type == u64::from(NOTE_TYPE) {
                            records = parse_records(note.desc);
                        }
                    }
                }
                _ => {}
            }
        }
        let extent = extent.context("it has nothing to load (no PT_LOAD segment)")?;
        let entry = entry.context(
            "it has no PVH entry note (XEN_ELFNOTE_PHYS32_ENTRY), so there is no way to start it",
        )?;
        ensure!(
            extent.start >= LOWEST_LOAD_ADDRESS,
            "it wants to be loaded at {:#x}, below 1 MiB",
            extent.start
        );
        Ok(Self {
            bytes,
            file: None,
            extent,
            segments: loaded,
            entry: u32::from_le_bytes(*entry),
            records,
            symbols: OnceLock::new(),
        })
    }

    /// The function that an address lies in and how far in, demangled.
    #[must_use]
    pub fn symbolise(&self, address: u64) -> Option<(String, u64)> {
        let symbols = self.symbols();
        let index = symbols.partition_point(|symbol| symbol.address <= address);
        let symbol = symbols.get(index.checked_sub(1)?)?;
        let offset = address - symbol.address;
        let next = symbols.get(index).map_or(u64::MAX, |next| next.address);
        // Labels of assembly have no size: they last until the next one.
        let inside = if symbol.size == 0 {
            address < next && offset < 0x1_0000
        } else {
            offset < symbol.size
        };
        inside.then(|| {
            (
                format!("{:#}", rustc_demangle::demangle(symbol.name)),
                offset,
            )
        })
    }

    fn symbols(&self) -> &[Symbol<'a>] {
        self.symbols.get_or_init(|| {
            ElfBytes::minimal_parse(self.bytes)
                .map_or_else(|_| Vec::new(), |elf| read_symbols(&elf))
        })
    }
}

fn parse_records(description: &[u8]) -> Option<Records> {
    let word = |index: usize| {
        let bytes = description.get(index * 8..index * 8 + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    Some(Records {
        counters: word(0)?,
        log: word(1)?,
        crash: word(2)?,
        channel: word(3)?,
    })
}

fn read_symbols<'a>(elf: &ElfBytes<'a, LittleEndian>) -> Vec<Symbol<'a>> {
    // A stripped or damaged symbol table costs the names in a backtrace, no more.
    let Ok(Some((table, names))) = elf.symbol_table() else {
        return Vec::new();
    };
    let mut symbols: Vec<Symbol> = table
        .iter()
        .filter(|symbol| {
            !symbol.is_undefined()
                && (symbol.st_symtype() == STT_FUNC || symbol.st_symtype() == STT_NOTYPE)
                && symbol.st_value != 0
        })
        .filter_map(|symbol| {
            let name = names.get(symbol.st_name as usize).ok()?;
            (!name.is_empty()).then_some(Symbol {
                address: symbol.st_value,
                size: symbol.st_size,
                name,
            })
        })
        .collect();
    symbols.sort_by_key(|symbol| (symbol.address, symbol.size));
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initramfs::Initramfs;
    use crate::{boot, image, memory};

    const SIZE: u64 = 64 << 20;

    #[test]
    fn the_embedded_kernel_is_sound() {
        let kernel = KernelImage::parse(image::kernel()).expect("it was just built");
        assert!(kernel.records.is_some());
        let entry = kernel
            .symbols()
            .iter()
            .find(|symbol| symbol.size > 8)
            .expect("it has functions");
        let (name, offset) = kernel.symbolise(entry.address + 4).expect("inside");
        assert!(!name.is_empty() && offset == 4);
    }

    #[test]
    fn every_cut_is_noticed() {
        let bytes = image::kernel();
        let kernel = KernelImage::parse(bytes).expect("it was just built");
        let elf = ElfBytes::<LittleEndian>::minimal_parse(bytes).expect("an ELF");
        let loaded = elf
            .segments()
            .expect("segments")
            .iter()
            .filter(|segment| segment.p_type == PT_LOAD);
        let end = loaded
            .map(|segment| segment.p_offset + segment.p_filesz)
            .max()
            .expect("some");
        for length in (0..end as usize).step_by(997) {
            assert!(
                KernelImage::parse(&bytes[..length]).is_err(),
                "{length} of {}",
                kernel.bytes.len()
            );
        }
    }

    /// Damage in the headers gives an error or a kernel that can be loaded, and never a panic.
    #[test]
    fn random_damage_never_panics() {
        let good = image::kernel();
        let memory = memory::private(SIZE).expect("memory");
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut damaged = good.to_vec();
        for _ in 0..3000 {
            damaged[..1024].copy_from_slice(&good[..1024]);
            for _ in 0..2 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                damaged[state as usize % 640] = (state >> 32) as u8;
            }
            if let Ok(kernel) = KernelImage::parse(&damaged)
                && boot::check_size(&kernel, &Initramfs::Embedded, SIZE).is_ok()
            {
                let _ = boot::load(&memory, SIZE, &kernel, &Initramfs::Embedded, b"");
            }
        }
    }
}
