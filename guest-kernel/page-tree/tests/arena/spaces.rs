//! Spaces of a few pages, and what a program does with them.
use page_tree::{Access, PageRange, Protection, Resolution, Space};
use x86_64::VirtAddr;

use super::Arena;

pub const MIB: u64 = 1 << 20;
pub const GIB: u64 = 1 << 30;
pub const READ_WRITE: Protection = Protection::READ.union(Protection::WRITE);

pub fn range(start: u64, length: u64) -> PageRange {
    PageRange::new(start, length).unwrap()
}

pub fn write(space: &mut Space, arena: &mut Arena, address: u64, value: u64) -> Resolution {
    let address = VirtAddr::new(address);
    let resolution = space.fault(arena, address, Access::Write).unwrap();
    let page = space.resolve_for_write(arena, address).unwrap();
    arena.write(page, value);
    resolution
}

pub fn read(space: &mut Space, arena: &mut Arena, address: u64) -> u64 {
    let page = space
        .resolve_for_read(arena, VirtAddr::new(address))
        .unwrap();
    arena.read(page)
}

pub fn space_of(arena: &mut Arena, start: u64, length: u64) -> Space {
    let mut space = Space::new(arena).unwrap();
    let reserved = range(start, length);
    space.reserve(arena, reserved, READ_WRITE).unwrap();
    space
}
