//! The embedded kernel and initramfs as files.

use super::{Machine, scratch};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The directory with `kernel.elf` and `initramfs.cpio`, written by `cowbell export`.
pub fn directory() -> &'static PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = scratch::directory("exported");
        Machine::command(&["export"])
            .option([&directory])
            .run()
            .expect_status(0);
        directory
    })
}

/// The kernel's bytes.
pub fn kernel() -> Vec<u8> {
    std::fs::read(directory().join("kernel.elf")).expect("the exported kernel")
}

/// The initramfs's bytes.
pub fn initramfs() -> Vec<u8> {
    std::fs::read(directory().join("initramfs.cpio")).expect("the exported initramfs")
}

/// The kernel with an undefined instruction where a function begins whose name has that part in it, and the name.
pub fn broken_kernel(part: &str) -> (Vec<u8>, String) {
    let mut bytes = kernel();
    let (offset, name) = {
        let elf =
            elf::ElfBytes::<elf::endian::LittleEndian>::minimal_parse(&bytes).expect("an ELF");
        let (symbols, names) = elf
            .symbol_table()
            .expect("a symbol table")
            .expect("a symbol table");
        let symbol = symbols
            .iter()
            .filter(|symbol| symbol.st_symtype() == elf::abi::STT_FUNC)
            .find(|symbol| {
                names
                    .get(symbol.st_name as usize)
                    .is_ok_and(|name| name.contains(part))
            })
            .expect("a function of that name");
        let segment = elf
            .segments()
            .expect("segments")
            .iter()
            .find(|segment| {
                (segment.p_vaddr..segment.p_vaddr + segment.p_filesz).contains(&symbol.st_value)
            })
            .expect("a segment with the function");
        let name = names
            .get(symbol.st_name as usize)
            .expect("its name")
            .to_owned();
        (symbol.st_value - segment.p_vaddr + segment.p_offset, name)
    };
    let offset = usize::try_from(offset).expect("within the file");
    bytes[offset..offset + 2].copy_from_slice(&[0x0f, 0x0b]);
    let plain = format!("{:#}", rustc_demangle::demangle(&name));
    (
        bytes,
        plain.rsplit("::").next().unwrap_or(&plain).to_owned(),
    )
}
