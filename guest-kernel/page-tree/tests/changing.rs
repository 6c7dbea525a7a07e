//! Reserve, unmap, protect and map: what they leave, frame by frame.
mod arena;

use arena::Arena;
use page_tree::{
    Access, OutOfFrames, PAGE, PageRange, ProtectError, Protection, Refusal, Resolution, Space,
    Whole,
};
use x86_64::VirtAddr;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const READ_WRITE: Protection = Protection::READ.union(Protection::WRITE);

fn range(start: u64, length: u64) -> PageRange {
    PageRange::new(start, length).unwrap()
}

fn touch(space: &mut Space, arena: &mut Arena, address: u64) {
    space
        .fault(arena, VirtAddr::new(address), Access::Write)
        .unwrap();
}

fn regions(space: &Space, arena: &Arena) -> Vec<(u64, u64, Protection)> {
    let region = |region: page_tree::Region| {
        let (start, end) = (region.range.start().as_u64(), region.range.end().as_u64());
        (start, end, region.protection)
    };
    space.regions(arena).map(region).collect()
}

#[test]
fn reserving_takes_tables_for_the_two_ends_alone() {
    for (start, length, tables) in [
        // Whole entries of the root, of a table of 1 GiB entries, of one of 2 MiB entries.
        (512 * GIB, 1024 * GIB, 0),
        (512 * GIB, 64 * GIB, 1),
        (GIB, 100 * MIB, 2),
        // One page, and one page more than a whole number of entries.
        (GIB, PAGE, 3),
        (GIB, GIB + PAGE, 3),
        // Both ends in the midst of a page table.
        (GIB - PAGE, GIB + 2 * PAGE, 1 + 2 + 2),
        (512 * GIB - PAGE, 1024 * GIB + 2 * PAGE, 3 + 3),
    ] {
        let mut arena = Arena::new();
        let mut space = Space::new(&mut arena).unwrap();
        let reserved = range(start, length);
        space.reserve(&mut arena, reserved, READ_WRITE).unwrap();
        assert_eq!(arena.frames_in_use(), 1 + tables, "{reserved:x?}");
        assert_eq!(
            regions(&space, &arena),
            [(start, start + length, READ_WRITE)]
        );
        space.unmap(&mut arena, reserved).unwrap();
        assert_eq!(arena.frames_in_use(), 1, "{reserved:x?}");
        space.release(&mut arena);
    }
}

#[test]
fn touching_a_great_reservation_costs_a_table_a_level() {
    let mut arena = Arena::new();
    let mut space = Space::new(&mut arena).unwrap();
    let all = range(0, 1024 * GIB);
    space.reserve(&mut arena, all, READ_WRITE).unwrap();
    let before = arena.stores;
    touch(&mut space, &mut arena, 700 * GIB + 5 * PAGE);
    assert_eq!(arena.frames_in_use(), 1 + 3 + 1);
    assert_eq!(arena.stores - before, 4);
    let statistics = space.statistics(&arena, PageRange::ALL);
    assert_eq!(statistics.mapped, all.pages());
    assert_eq!(statistics.resident, 1);
    space.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn unmapping_gives_tables_back_page_by_page_and_at_once() {
    let mut arena = Arena::new();
    for length in [16 * PAGE, 2 * MIB, 2 * MIB + PAGE] {
        let mut space = Space::new(&mut arena).unwrap();
        let reserved = range(GIB, length);
        for backwards in 0..2 {
            space.reserve(&mut arena, reserved, READ_WRITE).unwrap();
            for page in (0..length).step_by(5 * PAGE as usize) {
                touch(&mut space, &mut arena, GIB + page);
            }
            for page in 0..reserved.pages() {
                let page = if backwards == 0 {
                    page
                } else {
                    reserved.pages() - 1 - page
                };
                let page = range(GIB + page * PAGE, PAGE);
                space.unmap(&mut arena, page).unwrap();
            }
            arena.audit([&space].into_iter(), &[]);
            assert_eq!(arena.frames_in_use(), 1, "{length:#x}");
        }
        space.reserve(&mut arena, reserved, READ_WRITE).unwrap();
        touch(&mut space, &mut arena, GIB + 3 * PAGE);
        space.unmap(&mut arena, PageRange::ALL).unwrap();
        assert_eq!(arena.frames_in_use(), 1);
        space.release(&mut arena);
    }
}

#[test]
fn dropping_the_contents_of_a_reservation_gives_its_tables_back() {
    let mut arena = Arena::new();
    let mut space = Space::new(&mut arena).unwrap();
    let all = range(0, 512 * GIB);
    space.reserve(&mut arena, all, READ_WRITE).unwrap();
    touch(&mut space, &mut arena, GIB);
    let page = range(GIB, PAGE);
    space.reserve(&mut arena, page, READ_WRITE).unwrap();
    assert_eq!(arena.frames_in_use(), 1);
    space.release(&mut arena);
}

#[test]
fn unmapping_in_a_fork_leaves_the_other_as_it_is() {
    let mut arena = Arena::new();
    let mut parent = Space::new(&mut arena).unwrap();
    let reserved = range(GIB, 8 * MIB);
    parent.reserve(&mut arena, reserved, READ_WRITE).unwrap();
    for page in 0..20 {
        touch(&mut parent, &mut arena, GIB + page * MIB / 4);
    }
    let before = regions(&parent, &arena);
    let mut child = parent.fork(&mut arena).unwrap();
    child.unmap(&mut arena, range(GIB + PAGE, PAGE)).unwrap();
    assert_eq!(arena.tables_copied, 3);
    child.unmap(&mut arena, range(GIB, 2 * MIB)).unwrap();
    child.unmap(&mut arena, range(GIB + MIB, 3 * MIB)).unwrap();
    arena.audit([&parent, &child].into_iter(), &[]);
    assert_eq!(regions(&parent, &arena), before);
    assert_eq!(
        regions(&child, &arena),
        [(GIB + 4 * MIB, GIB + 8 * MIB, READ_WRITE)]
    );
    assert_eq!(parent.statistics(&arena, PageRange::ALL).resident, 20);
    // Whole subtrees that both have go from one of them without a copy.
    let before = arena.allocations;
    child.unmap(&mut arena, PageRange::ALL).unwrap();
    assert_eq!(arena.allocations, before);
    child.release(&mut arena);
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn a_change_that_runs_out_of_frames_leaves_no_tables() {
    for needed in 0..6 {
        let mut arena = Arena::new();
        let mut space = Space::new(&mut arena).unwrap();
        arena.left = Some(needed);
        let reserved = range(512 * GIB - PAGE, 2 * PAGE);
        let result = space.reserve(&mut arena, reserved, READ_WRITE);
        assert_eq!(result, Err(OutOfFrames));
        assert_eq!(arena.frames_in_use(), 1);
        let first = arena.page(0);
        arena.left = Some(needed);
        let result = space.map_run(&mut arena, reserved, first, Protection::READ);
        assert_eq!(result, Err(OutOfFrames));
        assert_eq!(arena.frames_in_use(), 2);
        arena.audit([&space].into_iter(), &[first]);
        space.release(&mut arena);
    }
}

#[test]
fn protection_follows_linux() {
    let mut arena = Arena::new();
    let mut space = Space::new(&mut arena).unwrap();
    space
        .reserve(&mut arena, range(GIB, 4 * PAGE), READ_WRITE)
        .unwrap();
    space
        .reserve(&mut arena, range(GIB + 5 * PAGE, PAGE), READ_WRITE)
        .unwrap();
    touch(&mut space, &mut arena, GIB);
    let page = VirtAddr::new(GIB);
    let frame = space.resolve_for_write(&mut arena, page).unwrap();
    arena.write(frame, 42);

    // Up to the hole, and an error; nothing at all if it begins with the hole.
    let all = range(GIB, 6 * PAGE);
    assert_eq!(
        space.protect(&mut arena, all, Protection::empty()),
        Err(ProtectError::NotMapped)
    );
    let rest = range(GIB + 4 * PAGE, 2 * PAGE);
    assert_eq!(
        space.protect(&mut arena, rest, Protection::empty()),
        Err(ProtectError::NotMapped)
    );
    assert_eq!(
        regions(&space, &arena),
        [
            (GIB, GIB + 4 * PAGE, Protection::empty()),
            (GIB + 5 * PAGE, GIB + 6 * PAGE, READ_WRITE)
        ]
    );
    for address in [GIB, GIB + PAGE] {
        let refused = space.fault(&mut arena, VirtAddr::new(address), Access::Read);
        assert_eq!(refused, Err(Refusal::NotAllowed));
    }
    // What was there is there again.
    let first = range(GIB, PAGE);
    space.protect(&mut arena, first, Protection::READ).unwrap();
    let found = space.resolve_for_read(&mut arena, page).unwrap();
    assert_eq!((found, arena.read(found)), (frame, 42));
    let refused = space.fault(&mut arena, page, Access::Write);
    assert_eq!(refused, Err(Refusal::NotAllowed));
    let refused = space.fault(&mut arena, page, Access::Execute);
    assert_eq!(refused, Err(Refusal::NotAllowed));
    // Nobody else has the page: it may be written at once, with no fault.
    space.protect(&mut arena, first, READ_WRITE).unwrap();
    let allowed = space.fault(&mut arena, page, Access::Write);
    assert_eq!(allowed, Ok(Resolution::Spurious));
    space.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn protecting_what_is_so_already_copies_nothing() {
    let mut arena = Arena::new();
    let mut parent = Space::new(&mut arena).unwrap();
    let reserved = range(GIB, 4 * PAGE);
    parent.reserve(&mut arena, reserved, READ_WRITE).unwrap();
    touch(&mut parent, &mut arena, GIB);
    let mut child = parent.fork(&mut arena).unwrap();
    child.protect(&mut arena, reserved, READ_WRITE).unwrap();
    assert_eq!(arena.tables_copied, 0);
    // A part of a greater reservation, and a hole: no table is needed to leave them as they are.
    arena.left = Some(0);
    let hole = range(5 * GIB + PAGE, 3 * MIB);
    child.unmap(&mut arena, hole).unwrap();
    child.unmap(&mut arena, range(5 * GIB, PAGE)).unwrap();
    arena.left = None;
    let great = range(8 * GIB, GIB);
    child.reserve(&mut arena, great, READ_WRITE).unwrap();
    arena.left = Some(0);
    for part in [range(8 * GIB + PAGE, PAGE), range(8 * GIB + PAGE, 3 * MIB)] {
        child.reserve(&mut arena, part, READ_WRITE).unwrap();
        // The root's table for this GiB is the child's own: it was made after the fork.
        child.protect(&mut arena, part, READ_WRITE).unwrap();
    }
    child.release(&mut arena);
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn page_tables_that_are_all_alike_are_discarded_whole() {
    let mut arena = Arena::new();
    let mut parent = Space::new(&mut arena).unwrap();
    let reserved = range(GIB - PAGE, 4 * MIB + 2 * PAGE);
    parent.reserve(&mut arena, reserved, READ_WRITE).unwrap();
    for page in 0..reserved.pages() {
        touch(&mut parent, &mut arena, GIB - PAGE + page * PAGE);
    }
    // The second of the two whole ones is not alike.
    let other = range(GIB + 3 * MIB, PAGE);
    parent.protect(&mut arena, other, Protection::READ).unwrap();
    let mut child = parent.fork(&mut arena).unwrap();
    let (tables, before) = (arena.tables_copied, regions(&child, &arena));
    let whole = child.discard(&mut arena, reserved);
    assert_eq!(whole, Ok(Whole::Mapped));
    // The pointer table, two directories, the page tables at the two ends, and the one that stays.
    assert_eq!(arena.tables_copied - tables, 1 + 2 + 2 + 1);
    assert_eq!(regions(&child, &arena), before);
    for at in [GIB - PAGE, GIB, GIB + 3 * MIB, GIB + 4 * MIB] {
        assert_eq!(child.translate(&arena, VirtAddr::new(at)), None);
        assert!(parent.translate(&arena, VirtAddr::new(at)).is_some());
    }
    arena.audit([&parent, &child].into_iter(), &[]);
    child.release(&mut arena);
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn a_gap_is_found_from_above() {
    let mut arena = Arena::new();
    let mut space = Space::new(&mut arena).unwrap();
    let find = |space: &Space, arena: &Arena, length, alignment| {
        let (below, floor) = (VirtAddr::new(4 * GIB), VirtAddr::new(0x1_0000));
        space
            .find_gap(arena, length, alignment, below, floor)
            .map(VirtAddr::as_u64)
    };
    assert_eq!(find(&space, &arena, 1, PAGE), Some(4 * GIB - PAGE));
    assert_eq!(find(&space, &arena, 0, PAGE), None);
    assert_eq!(find(&space, &arena, 4 * GIB, PAGE), None);
    assert_eq!(find(&space, &arena, u64::MAX, PAGE), None);
    let mapped = range(4 * GIB - 4 * PAGE, 3 * PAGE);
    space.reserve(&mut arena, mapped, READ_WRITE).unwrap();
    assert_eq!(find(&space, &arena, PAGE, PAGE), Some(4 * GIB - PAGE));
    assert_eq!(
        find(&space, &arena, 2 * PAGE, PAGE),
        Some(4 * GIB - 6 * PAGE)
    );
    assert_eq!(find(&space, &arena, PAGE, 2 * MIB), Some(4 * GIB - 2 * MIB));
    assert_eq!(
        find(&space, &arena, 4 * GIB - 4 * PAGE - 0x1_0000, PAGE),
        Some(0x1_0000)
    );
    space.release(&mut arena);
}
