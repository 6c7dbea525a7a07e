//! Fork, and what follows from it: what is shared, what is copied, who keeps what.
mod arena;

use arena::Arena;
use arena::spaces::{GIB, MIB, READ_WRITE, range, read, space_of, write};
use page_tree::{
    Access, FrameStore, Ownership, PAGE, PageRange, Refusal, Resolution, Space, UserPage,
};
use x86_64::VirtAddr;

#[test]
fn fork_takes_one_frame_and_as_many_stores_whatever_the_size() {
    let mut costs = Vec::new();
    for pages in [1, 16, 5000] {
        let mut arena = Arena::new();
        let mut space = space_of(&mut arena, GIB, pages * PAGE);
        for page in 0..pages {
            write(&mut space, &mut arena, GIB + page * PAGE, page);
        }
        let before = (arena.frames_in_use(), arena.stores);
        let child = space.fork(&mut arena).unwrap();
        assert_eq!(arena.frames_in_use(), before.0 + 1);
        costs.push(arena.stores - before.1);
        arena.audit([&space, &child].into_iter(), &[]);
    }
    assert_eq!(costs, [2, 2, 2]);
}

#[test]
fn a_write_copies_what_is_shared_on_its_own_path_alone() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, 0, 1024 * GIB);
    let places = [
        // Address, and the tables that a write there copies once those before it have been done.
        (GIB, 3),
        (GIB + PAGE, 0),
        (GIB + 2 * MIB, 1),
        (2 * GIB, 2),
        (2 * GIB + 7 * PAGE, 0),
        (512 * GIB, 3),
        (513 * GIB, 2),
    ];
    for (n, (address, _)) in (0..).zip(places) {
        write(&mut parent, &mut arena, address, n);
    }
    let mut child = parent.fork(&mut arena).unwrap();
    for (address, tables) in places {
        let before = arena.tables_copied;
        let resolution = write(&mut child, &mut arena, address, 100);
        assert_eq!(resolution, Resolution::Copied);
        assert_eq!(arena.tables_copied - before, tables, "{address:#x}");
        arena.audit([&parent, &child].into_iter(), &[]);
    }
    for (n, (address, _)) in (0..).zip(places) {
        assert_eq!(read(&mut parent, &mut arena, address), n);
        // The child has left all of it to the parent by now.
        let before = arena.allocations;
        let resolution = write(&mut parent, &mut arena, address, n);
        assert_eq!(resolution, Resolution::Kept);
        assert_eq!(arena.allocations, before);
    }
    let before = arena.tables_copied;
    write(&mut parent, &mut arena, GIB, 1);
    assert_eq!(arena.tables_copied, before);
    child.release(&mut arena);
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn a_path_is_copied_whole_or_not_at_all() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, 4 * PAGE);
    write(&mut parent, &mut arena, GIB, 1);
    let child = parent.fork(&mut arena).unwrap();
    let before = arena.frames_in_use();
    let address = VirtAddr::new(GIB);
    for left in 0..4 {
        arena.left = Some(left);
        let refused = parent.fault(&mut arena, address, Access::Write);
        assert_eq!(refused, Err(Refusal::OutOfFrames));
        assert_eq!(
            arena.frames_in_use(),
            before,
            "{left} of three tables and a page"
        );
        arena.audit([&parent, &child].into_iter(), &[]);
    }
    arena.left = Some(4);
    let copied = parent.fault(&mut arena, address, Access::Write);
    assert_eq!(copied, Ok(Resolution::Copied));
    arena.audit([&parent, &child].into_iter(), &[]);
}

#[test]
fn who_is_left_with_the_old_path_has_little_to_do() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, 4 * PAGE);
    write(&mut parent, &mut arena, GIB, 1);
    let mut child = parent.fork(&mut arena).unwrap();
    write(&mut parent, &mut arena, GIB, 2);
    let (copied, stores) = (arena.tables_copied, arena.stores);
    assert_eq!(write(&mut child, &mut arena, GIB, 3), Resolution::Kept);
    assert_eq!(arena.tables_copied, copied);
    // The root's entry: neither the tables below nor the page ever lost their write bit.
    assert_eq!(arena.stores, stores + 1);
    arena.audit([&parent, &child].into_iter(), &[]);
}

#[test]
fn shared_from_any_level_down_is_copied_from_there() {
    // Tables that were copied already, from the root down, when the write comes: the other write was that far away.
    for (distance, copies) in [(PAGE, 0), (4 * MIB, 1), (2 * GIB, 2), (1024 * GIB, 3)] {
        let mut arena = Arena::new();
        let mut parent = Space::new(&mut arena).unwrap();
        for start in [GIB, GIB + distance] {
            parent
                .reserve(&mut arena, range(start, PAGE), READ_WRITE)
                .unwrap();
            write(&mut parent, &mut arena, start, start);
        }
        let mut child = parent.fork(&mut arena).unwrap();
        let grandchild = child.fork(&mut arena).unwrap();
        write(&mut parent, &mut arena, GIB, 1);
        arena.audit([&parent, &child, &grandchild].into_iter(), &[]);
        let before = arena.tables_copied;
        write(&mut parent, &mut arena, GIB + distance, 2);
        assert_eq!(arena.tables_copied, before + copies, "{distance:#x}");
        arena.audit([&parent, &child, &grandchild].into_iter(), &[]);
        assert_eq!(read(&mut child, &mut arena, GIB), GIB);
        assert_eq!(read(&mut child, &mut arena, GIB + distance), GIB + distance);
    }
}

#[test]
fn a_write_bit_below_shared_tables_is_no_leave_to_write() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, MIB);
    write(&mut parent, &mut arena, GIB, 1);
    let mut child = parent.fork(&mut arena).unwrap();
    let mut other = parent.fork(&mut arena).unwrap();
    // It leaves the tables, and the page with its write bit, to the two others.
    write(&mut child, &mut arena, GIB, 2);
    let address = VirtAddr::new(GIB);
    let page = parent.resolve_for_write(&mut arena, address).unwrap();
    arena.write(page, 3);
    assert_eq!(read(&mut other, &mut arena, GIB), 1);
    arena.audit([&parent, &child, &other].into_iter(), &[]);
    for space in [parent, child, other] {
        space.release(&mut arena);
    }
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn copying_a_nearly_empty_table_touches_few_entries() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, MIB);
    write(&mut parent, &mut arena, GIB, 1);
    let mut child = parent.fork(&mut arena).unwrap();
    let before = arena.stores;
    write(&mut child, &mut arena, GIB, 2);
    assert_eq!(arena.tables_copied, 3);
    // 256 reserved entries in the page table, and two stores for each entry that points to something.
    assert!(arena.stores - before < 270, "{}", arena.stores - before);
    child.release(&mut arena);

    // Reserved at a higher level, the rest of the page table needs no entries at all.
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, GIB);
    write(&mut parent, &mut arena, GIB, 1);
    let mut child = parent.fork(&mut arena).unwrap();
    let before = arena.stores;
    write(&mut child, &mut arena, GIB, 2);
    assert!(arena.stores - before < 20, "{}", arena.stores - before);
    child.release(&mut arena);
}

#[test]
fn the_last_owner_keeps_its_page() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, MIB);
    write(&mut parent, &mut arena, GIB, 7);
    let child = parent.fork(&mut arena).unwrap();
    child.release(&mut arena);
    let before = arena.allocations;
    assert_eq!(write(&mut parent, &mut arena, GIB, 8), Resolution::Kept);
    assert_eq!(arena.allocations, before);

    let mut child = parent.fork(&mut arena).unwrap();
    parent.release(&mut arena);
    let before = arena.allocations;
    assert_eq!(write(&mut child, &mut arena, GIB, 9), Resolution::Kept);
    assert_eq!(arena.allocations, before);
    child.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn forks_of_forks_end_with_no_frame_in_any_order() {
    fn orders(rest: &[usize]) -> Vec<Vec<usize>> {
        if rest.is_empty() {
            return vec![vec![]];
        }
        let with_first = |n: usize| {
            let others: Vec<_> = rest.iter().copied().filter(|m| *m != n).collect();
            orders(&others)
                .into_iter()
                .map(move |order| [vec![n], order].concat())
        };
        rest.iter().flat_map(|n| with_first(*n)).collect()
    }
    for order in orders(&[0, 1, 2, 3, 4]) {
        let mut arena = Arena::new();
        let mut spaces = vec![Some(space_of(&mut arena, 0, 1024 * GIB))];
        let places = [GIB, GIB + PAGE, GIB + 4 * MIB, 3 * GIB, 600 * GIB];
        for (generation, place) in (0..).zip(places) {
            let space = spaces[generation as usize].as_mut().unwrap();
            for place in places {
                write(space, &mut arena, place, generation);
            }
            let mut child = space.fork(&mut arena).unwrap();
            write(&mut child, &mut arena, place, 10 + generation);
            spaces.push(Some(child));
        }
        for n in order.iter().chain(&[5]) {
            let left = spaces.iter().flatten();
            arena.audit(left, &[]);
            spaces[*n].take().unwrap().release(&mut arena);
        }
        assert_eq!(arena.frames_in_use(), 0, "{order:?}");
    }
}

#[test]
fn more_sharers_than_sixteen_bits_count() {
    const SHARERS: usize = 70_000;
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, MIB);
    write(&mut parent, &mut arena, GIB, 1);
    let mut children = Vec::new();
    for _ in 0..SHARERS {
        children.push(parent.fork(&mut arena).unwrap());
    }
    assert_eq!(arena.frames_in_use(), 1 + 3 + 1 + SHARERS);
    let mut last = children.pop().unwrap();
    assert_eq!(write(&mut last, &mut arena, GIB, 2), Resolution::Copied);
    arena.audit(children.iter().chain([&parent, &last]), &[]);
    for child in children {
        child.release(&mut arena);
    }
    let before = arena.allocations;
    assert_eq!(write(&mut parent, &mut arena, GIB, 3), Resolution::Kept);
    assert_eq!(arena.allocations, before);
    assert_eq!(read(&mut last, &mut arena, GIB), 2);
    last.release(&mut arena);
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn a_frame_mapped_twice_is_copied_at_the_first_write_and_kept_at_the_second() {
    let mut arena = Arena::new();
    let mut space = Space::new(&mut arena).unwrap();
    let frame = arena.page(5);
    arena.share(frame);
    for address in [GIB, 2 * GIB] {
        let page = UserPage::containing(VirtAddr::new(address)).unwrap();
        space
            .map_page(&mut arena, page, frame, READ_WRITE, Ownership::Counted)
            .unwrap();
    }
    arena.audit([&space].into_iter(), &[]);
    assert_eq!(write(&mut space, &mut arena, GIB, 6), Resolution::Copied);
    assert_eq!(write(&mut space, &mut arena, 2 * GIB, 7), Resolution::Kept);
    assert_eq!(read(&mut space, &mut arena, GIB), 6);
    space.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn a_shared_page_is_everybodys_and_a_borrowed_one_nobodys() {
    let mut arena = Arena::new();
    let mut parent = Space::new(&mut arena).unwrap();
    let (shared, borrowed) = (arena.page(1), arena.page(2));
    let map = |address, space: &mut Space, arena: &mut Arena, frame, ownership| {
        let page = UserPage::containing(VirtAddr::new(address)).unwrap();
        space
            .map_page(arena, page, frame, READ_WRITE, ownership)
            .unwrap();
    };
    map(GIB, &mut parent, &mut arena, shared, Ownership::Shared);
    map(
        GIB + PAGE,
        &mut parent,
        &mut arena,
        borrowed,
        Ownership::Borrowed,
    );
    let mut child = parent.fork(&mut arena).unwrap();
    assert_eq!(write(&mut child, &mut arena, GIB, 10), Resolution::Kept);
    assert_eq!(read(&mut parent, &mut arena, GIB), 10);
    let resolution = write(&mut child, &mut arena, GIB + PAGE, 20);
    assert_eq!(resolution, Resolution::CopiedBorrowed);
    assert_eq!(read(&mut parent, &mut arena, GIB + PAGE), 2);
    // The shared page kept its write bit: once the tables are the parent's own again, there is nothing to do.
    write(&mut parent, &mut arena, GIB + PAGE, 30);
    assert_eq!(
        write(&mut parent, &mut arena, GIB, 10),
        Resolution::Spurious
    );
    arena.audit([&parent, &child].into_iter(), &[borrowed]);
    parent.release(&mut arena);
    assert_eq!(read(&mut child, &mut arena, GIB), 10);
    child.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 1);
}

#[test]
fn fork_without_a_frame_changes_nothing() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, MIB);
    write(&mut parent, &mut arena, GIB, 1);
    let stores = arena.stores;
    arena.left = Some(0);
    assert!(parent.fork(&mut arena).is_err());
    assert_eq!(arena.stores, stores);
    let again = parent.fault(&mut arena, VirtAddr::new(GIB), Access::Write);
    assert_eq!(again, Ok(Resolution::Spurious));
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn the_kernels_half_is_not_mapped_for_a_user() {
    let mut arena = Arena::new();
    let mut space = space_of(&mut arena, GIB, MIB);
    for address in [0xffff_8000_0000_0000, u64::MAX, 0x7fff_ffff_f000] {
        let address = VirtAddr::new(address);
        for access in [Access::Read, Access::Write, Access::Execute] {
            let refused = space.fault(&mut arena, address, access);
            assert_eq!(refused, Err(Refusal::NotMapped));
        }
        assert!(space.resolve_for_read(&mut arena, address).is_err());
        assert!(space.resolve_for_write(&mut arena, address).is_err());
        assert!(space.translate(&arena, address).is_none());
        assert!(UserPage::containing(address).is_none());
    }
    assert!(PageRange::new(0x7fff_ffff_e000, PAGE).is_some());
    assert!(PageRange::new(0x7fff_ffff_e000, PAGE + 1).is_none());
    assert!(PageRange::new(u64::MAX - PAGE + 1, PAGE).is_none());
    assert!(PageRange::new(0, u64::MAX).is_none());
    assert!(PageRange::new(PAGE, 0).is_none());
    assert!(PageRange::new(1, PAGE).is_none());
    space.release(&mut arena);
}
