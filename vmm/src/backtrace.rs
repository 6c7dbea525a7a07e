//! Registers and backtrace of a guest that has crashed. The stack is read through the guest's own page tables; they and
//! it may be damaged, so that every step may fail and none is believed.

use crate::kernel_image::KernelImage;
use crate::memory::Memory;
use crate::messages;
use crate::registers::Registers;
use std::fmt::Write;
use vm_memory::{Bytes, GuestAddress};

/// Frames shown at most.
const LIMIT: usize = 48;
/// Present bit of an entry (Intel SDM volume 3, 5.5 "4-Level Paging").
const PRESENT: u64 = 1 << 0;
/// The entry maps a large page.
const LARGE: u64 = 1 << 7;
/// Physical address bits of an entry.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Writes both to standard error.
pub fn print(memory: &Memory, kernel: &KernelImage<'_>, registers: &Registers) {
    let mut text = format!("cowbell: guest registers:\n{registers}\ncowbell: guest backtrace:\n");
    for (index, address) in addresses(memory, registers).enumerate() {
        // A return address is behind its call; the call is what people look for.
        let looked_up = if index == 0 {
            address
        } else {
            address.wrapping_sub(1)
        };
        let place = match kernel.symbolise(looked_up) {
            Some((name, offset)) => format!("{name}+{:#x}", offset + (address - looked_up)),
            None if address >> 47 == 0 => "(a program, or unmapped)".to_owned(),
            None => "?".to_owned(),
        };
        let _ = writeln!(text, "  {index:2}: {address:016x} {place}");
    }
    messages::write(&text);
}

/// RIP, and the return addresses along the chain of frame pointers.
fn addresses<'a>(memory: &'a Memory, registers: &'a Registers) -> impl Iterator<Item = u64> + 'a {
    let mut frame = registers.rbp();
    let chain = std::iter::from_fn(move || {
        if !frame.is_multiple_of(8) {
            return None;
        }
        let next = read(memory, registers, frame)?;
        let return_address = read(memory, registers, frame.checked_add(8)?)?;
        // Stacks grow down, so frames lie ever higher; anything else is damage, or the end.
        frame = if next > frame { next } else { 1 };
        (return_address != 0).then_some(return_address)
    });
    std::iter::once(registers.rip).chain(chain).take(LIMIT)
}

/// Eight bytes at a virtual address. The address is a multiple of eight, so they are on one page.
fn read(memory: &Memory, registers: &Registers, address: u64) -> Option<u64> {
    memory
        .read_obj(GuestAddress(translate(memory, registers, address)?))
        .ok()
}

/// The physical address behind a virtual one.
fn translate(memory: &Memory, registers: &Registers, address: u64) -> Option<u64> {
    if !registers.has_paging() {
        return Some(address);
    }
    let mut table = registers.cr3 & ADDRESS;
    for shift in [39, 30, 21, 12] {
        let index = address >> shift & 0x1ff;
        let entry: u64 = memory.read_obj(GuestAddress(table + index * 8)).ok()?;
        if entry & PRESENT == 0 {
            return None;
        }
        let offset = (1 << shift) - 1;
        if shift == 12 || (shift < 39 && entry & LARGE != 0) {
            return Some(entry & ADDRESS & !offset | address & offset);
        }
        table = entry & ADDRESS;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn the_chain_is_followed_through_page_tables() {
        let memory = memory::private(1 << 20).expect("memory");
        let put = |at: u64, value: u64| {
            memory
                .write_obj(value, GuestAddress(at))
                .expect("in memory")
        };
        // 0xffff_ffff_8000_0000 → physical 0, by one 2 MiB page.
        put(0x1000 + 511 * 8, 0x2000 | PRESENT);
        put(0x2000 + 510 * 8, 0x3000 | PRESENT);
        put(0x3000, PRESENT | LARGE);
        let high = 0xffff_ffff_8000_0000_u64;
        put(0x8000, high + 0x8100);
        put(0x8008, 0x1111);
        put(0x8100, high + 0x8000); // Downwards: the chain ends here.
        put(0x8108, 0x2222);
        let mut registers = Registers {
            rip: 0x42,
            cr0: 1 << 31,
            cr3: 0x1000,
            ..Default::default()
        };
        registers.general[6] = high + 0x8000;
        assert_eq!(
            addresses(&memory, &registers).collect::<Vec<_>>(),
            [0x42, 0x1111, 0x2222]
        );
        registers.general[6] = 0x1234_5678;
        assert_eq!(addresses(&memory, &registers).collect::<Vec<_>>(), [0x42]);
    }
}
