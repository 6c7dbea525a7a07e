//! What a PVH kernel finds in memory when it starts (Xen's `docs/misc/pvh.pandoc` and `public/arch-x86/hvm/start_info.h`).
//!
//! ```text
//! 0x06000  hvm_start_info
//! 0x06100  module list: the initramfs
//! 0x07000  memory map
//! 0x20000  command line, up to 256 KiB
//! 1 MiB..  kernel, where its segments ask to be; initramfs at the top of the RAM below 3 GiB
//! ```

use crate::host_memory;
use crate::image;
use crate::initramfs::Initramfs;
use crate::kernel_image::KernelImage;
use crate::memory::{self, HOLE_START, Memory};
use crate::own_file::OwnFile;
use crate::quantities::show_size;
use crate::sealed_file::SealedFile;
use anyhow::{Context, Result, ensure};
use linux_loader::configurator::pvh::PvhBootConfigurator;
use linux_loader::configurator::{BootConfigurator, BootParams};
use linux_loader::loader::elf::start_info::{
    hvm_memmap_table_entry, hvm_modlist_entry, hvm_start_info,
};
use vm_memory::{Bytes, GuestAddress, GuestMemoryError};

const START_INFO: u64 = 0x6000;
const MODULES: u64 = 0x6100;
const MEMORY_MAP: u64 = 0x7000;
const COMMAND_LINE: u64 = 0x2_0000;
/// From here to 1 MiB lie the BIOS data areas of a PC; no RAM is announced there.
const LOW_MEMORY_END: u64 = 0x9_fc00;
const ONE_MIB: u64 = 0x10_0000;

/// XEN_HVM_START_MAGIC_VALUE.
const MAGIC: u32 = 0x336e_c578;
/// XEN_HVM_MEMMAP_TYPE_RAM, as in an e820 map.
const RAM: u32 = 1;

/// Frames a kernel needs beside its image and the initramfs to be worth starting.
const WORKING_MEMORY: u64 = 1 << 20;

/// Where the virtual CPU starts.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// EIP.
    pub address: u64,
    /// EBX.
    pub start_info: u64,
}

/// Checks that kernel and initramfs fit into a machine of that size.
///
/// # Errors
/// They do not; the least size that would do.
pub fn check_size(kernel: &KernelImage<'_>, initramfs: &[u8], size: u64) -> Result<()> {
    let usable = size - size % memory::SIZE_UNIT;
    let initramfs_size = (initramfs.len() as u64).next_multiple_of(4096);
    let least = (kernel
        .extent
        .end
        .next_multiple_of(4096)
        .saturating_add(initramfs_size))
    .saturating_add(WORKING_MEMORY);
    ensure!(
        kernel.extent.end <= HOLE_START - initramfs_size,
        "the kernel does not fit: it ends at {:#x}, and there is no RAM from {HOLE_START:#x} on",
        kernel.extent.end
    );
    if let Some(host) = memory::host_size() {
        ensure!(
            size <= host,
            "a machine of {} is more than this host has ({}); give it less (--mem)",
            show_size(size),
            show_size(host)
        );
    }
    ensure!(
        usable >= least,
        "a machine of {} is too small: this kernel and initramfs need {} or more (--mem)",
        show_size(size),
        show_size(least.next_multiple_of(1 << 20))
    );
    Ok(())
}

/// Puts bytes into memory but for the first, which are mapped there if there are any.
fn copy_rest(
    memory: &Memory,
    at: u64,
    bytes: &[u8],
    mapped: Option<usize>,
) -> Result<(), GuestMemoryError> {
    let mapped = mapped.unwrap_or(0);
    memory.write_slice(&bytes[mapped..], GuestAddress(at + mapped as u64))
}

/// Puts everything into memory, which is this process's own.
///
/// # Errors
/// Something does not fit.
pub fn load(
    memory: &Memory,
    size: u64,
    kernel: &KernelImage<'_>,
    initramfs: &Initramfs,
    command_line: &[u8],
) -> Result<Entry> {
    let own = OwnFile::open();
    let map = |at, bytes, file: Option<&SealedFile>| match file {
        Some(file) => file.map(memory, at, bytes),
        None => own.as_ref()?.map(memory, at, bytes),
    };
    for (at, bytes) in &kernel.segments {
        copy_rest(memory, *at, bytes, map(*at, bytes, kernel.file))
            .context("the kernel does not fit into the machine's memory")?;
    }

    let top = size.min(HOLE_START);
    let initramfs_at = (top - initramfs.len() as u64) & !0xfff;
    let mapped = map(initramfs_at, initramfs, initramfs.file());
    copy_rest(memory, initramfs_at, initramfs, mapped)
        .context("the initramfs does not fit into the machine's memory")?;

    let mut terminated = command_line.to_vec();
    terminated.push(0);
    memory
        .write_slice(&terminated, GuestAddress(COMMAND_LINE))
        .context("the command line does not fit into the machine's memory")?;

    let map = memory_map(size);
    let start_info = hvm_start_info {
        magic: MAGIC,
        version: 1,
        nr_modules: u32::from(!initramfs.is_empty()),
        modlist_paddr: MODULES,
        cmdline_paddr: COMMAND_LINE,
        memmap_paddr: MEMORY_MAP,
        memmap_entries: u32::try_from(map.len())?,
        ..Default::default()
    };
    let mut parameters = BootParams::new(&start_info, GuestAddress(START_INFO));
    parameters.set_sections(&map, GuestAddress(MEMORY_MAP));
    let module = hvm_modlist_entry {
        paddr: initramfs_at,
        size: initramfs.len() as u64,
        ..Default::default()
    };
    parameters.set_modules(&[module], GuestAddress(MODULES));
    PvhBootConfigurator::write_bootparams(&parameters, memory)
        .context("the boot structures do not fit into the machine's memory")?;
    // The guest has them now.
    if let Some(own) = &own {
        own.forget(image::kernel());
        own.forget(image::initramfs());
    }
    for file in [kernel.file, initramfs.file()].into_iter().flatten() {
        file.forget();
        host_memory::trim_heap();
    }
    Ok(Entry {
        address: kernel.entry.into(),
        start_info: START_INFO,
    })
}

fn memory_map(size: u64) -> Vec<hvm_memmap_table_entry> {
    let ram = |addr, size| hvm_memmap_table_entry {
        addr,
        size,
        type_: RAM,
        reserved: 0,
    };
    memory::layout(size)
        .into_iter()
        .flat_map(|(start, length)| match start {
            0 => vec![ram(0, LOW_MEMORY_END), ram(ONE_MIB, length - ONE_MIB)],
            _ => vec![ram(start, length)],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_map_leaves_out_the_holes() {
        let pieces = |size| -> Vec<(u64, u64)> {
            memory_map(size)
                .iter()
                .map(|entry| (entry.addr, entry.addr + entry.size))
                .collect()
        };
        assert_eq!(
            pieces(128 << 20),
            [(0, LOW_MEMORY_END), (ONE_MIB, 128 << 20)]
        );
        assert_eq!(
            pieces(4 << 30),
            [
                (0, LOW_MEMORY_END),
                (ONE_MIB, HOLE_START),
                (1 << 32, 5 << 30)
            ]
        );
    }
}
