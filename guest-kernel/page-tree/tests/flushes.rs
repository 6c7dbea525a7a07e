//! What the TLB may know, and what is flushed when that changes.
mod arena;

use std::cell::Cell;

use arena::Arena;
use arena::spaces::{GIB, MIB, READ_WRITE, range, space_of, write};
use page_tree::{Left, PAGE, Protection, Resolution, Space, UserPage};
use x86_64::VirtAddr;

#[test]
fn fork_flushes_only_what_the_tlb_may_know() {
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, GIB, MIB);
    write(&mut parent, &mut arena, GIB, 1);
    let before = arena.flushes;
    let first = parent.fork(&mut arena).unwrap();
    assert_eq!(arena.flushes, before + 1);
    // Nothing was written in between: no write bit was given back.
    let second = parent.fork(&mut arena).unwrap();
    assert_eq!(arena.flushes, before + 1);
    write(&mut parent, &mut arena, GIB, 2);
    let before = arena.flushes;
    let third = parent.fork(&mut arena).unwrap();
    assert_eq!(arena.flushes, before + 1);
    for space in [parent, first, second, third] {
        space.release(&mut arena);
    }
}

/// A parent that has written two pages, and its child.
fn parent_and_child(arena: &mut Arena) -> (Space, Space) {
    arena.tlb_hears = true;
    let mut parent = space_of(arena, GIB, MIB);
    write(&mut parent, arena, GIB, 1);
    write(&mut parent, arena, GIB + PAGE, 2);
    let child = parent.fork(arena).unwrap();
    (parent, child)
}

#[test]
fn a_page_that_moves_is_flushed() {
    let mut arena = Arena::new();
    let (parent, mut child) = parent_and_child(&mut arena);
    write(&mut child, &mut arena, GIB, 3);
    // The child has the tables, and not yet the second page.
    arena.tlb_load(&child, GIB);
    arena.tlb_load(&child, GIB + PAGE);
    let tables = arena.tables_copied;
    write(&mut child, &mut arena, GIB + PAGE, 4);
    assert_eq!(arena.tables_copied, tables);
    arena.tlb_audit(&child);
    child.release(&mut arena);
    parent.release(&mut arena);
}

#[test]
fn a_page_that_moves_is_flushed_where_all_tables_stay() {
    let mut arena = Arena::new();
    let (mut parent, mut child) = parent_and_child(&mut arena);
    // It leaves the tables to the child, but for the second page.
    write(&mut parent, &mut arena, GIB, 3);
    arena.tlb_load(&child, GIB + PAGE);
    let tables = arena.tables_copied;
    let moved = write(&mut child, &mut arena, GIB + PAGE, 4);
    assert_eq!((moved, arena.tables_copied), (Resolution::Copied, tables));
    arena.tlb_audit(&child);
    child.release(&mut arena);
    parent.release(&mut arena);
}

#[test]
fn a_page_that_is_copied_ahead_is_flushed() {
    let [written, ahead] = [GIB, GIB + PAGE];
    let mut arena = Arena::new();
    arena.tlb_hears = true;
    let mut parent = space_of(&mut arena, GIB, GIB);
    for address in [written, ahead] {
        write(&mut parent, &mut arena, address, 1);
    }
    let child = parent.fork(&mut arena).unwrap();
    arena.tlb_load(&parent, ahead);
    let page = Cell::new(UserPage::containing(VirtAddr::new(ahead)).unwrap());
    let copied = parent.own_for_write(&mut arena, VirtAddr::new(written), &[page]);
    assert_eq!(copied.unwrap().1, Resolution::Copied);
    arena.tlb_audit(&parent);
    child.release(&mut arena);
    parent.release(&mut arena);
}

#[test]
fn losing_a_permission_is_flushed_and_gaining_one_is_not() {
    let all = Protection::all();
    let read_execute = Protection::READ | Protection::EXECUTE;
    for (from, to, flushes) in [
        (Protection::READ, READ_WRITE, 0),
        (READ_WRITE, all, 0),
        (Protection::empty(), all, 0),
        (all, READ_WRITE, 1),
        (all, read_execute, 1),
        (read_execute, Protection::READ, 1),
        (Protection::READ, Protection::empty(), 1),
    ] {
        let mut arena = Arena::new();
        let mut space = Space::new(&mut arena).unwrap();
        let page = range(GIB, PAGE);
        space.reserve(&mut arena, page, READ_WRITE).unwrap();
        write(&mut space, &mut arena, GIB, 1);
        space.protect(&mut arena, page, from).unwrap();
        let before = arena.flushes;
        space.protect(&mut arena, page, to).unwrap();
        assert_eq!(arena.flushes - before, flushes, "{from:?} to {to:?}");
        space.release(&mut arena);
    }
}

#[test]
fn few_pages_are_flushed_one_by_one_and_many_at_once() {
    let mut arena = Arena::new();
    arena.tlb_hears = true;
    let mut space = Space::new(&mut arena).unwrap();
    for (pages, most) in [(1, 1), (15, 15), (16, 16), (17, 17), (2000, 17)] {
        let reserved = range(GIB, pages * PAGE);
        space.reserve(&mut arena, reserved, READ_WRITE).unwrap();
        for page in 0..pages {
            write(&mut space, &mut arena, GIB + page * PAGE, 1);
            arena.tlb_load(&space, GIB + page * PAGE);
        }
        let before = arena.flushes;
        space
            .protect(&mut arena, reserved, Protection::READ)
            .unwrap();
        assert!(arena.flushes - before <= most);
        arena.tlb_audit(&space);
        space.unmap(&mut arena, reserved).unwrap();
    }
    space.release(&mut arena);
}

#[test]
fn what_is_moved_away_or_discarded_is_flushed() {
    const PAGES: u64 = 3;
    let mut arena = Arena::new();
    arena.tlb_hears = true;
    let mut space = space_of(&mut arena, GIB, PAGES * PAGE);
    let fill = |space: &mut Space, arena: &mut Arena, start| {
        for page in 0..PAGES {
            write(space, arena, start + page * PAGE, 1);
            arena.tlb_load(space, start + page * PAGE);
        }
    };
    let (mut from, mut to) = (GIB, 2 * GIB);
    for left in [Left::Nothing, Left::Zeros] {
        fill(&mut space, &mut arena, from);
        let here = range(from, PAGES * PAGE);
        space
            .relocate(&mut arena, here, VirtAddr::new(to), left)
            .unwrap();
        arena.tlb_audit(&space);
        (from, to) = (to, to + GIB);
    }
    fill(&mut space, &mut arena, from);
    // Some pages of a page table, and one that is all alike.
    for discarded in [range(from, PAGES * PAGE), range(4 * GIB, 2 * MIB)] {
        space
            .reserve(&mut arena, range(4 * GIB, 2 * MIB), READ_WRITE)
            .unwrap();
        fill(&mut space, &mut arena, 4 * GIB);
        space.discard(&mut arena, discarded).unwrap();
        arena.tlb_audit(&space);
    }
    space.release(&mut arena);
}

#[test]
fn a_table_that_goes_is_flushed_though_no_page_was_in_it() {
    let mut arena = Arena::new();
    arena.tlb_hears = true;
    let mut space = space_of(&mut arena, GIB, 2 * PAGE);
    let before = arena.frames_in_use();
    arena.tlb_load(&space, GIB);
    space.unmap(&mut arena, range(GIB, 2 * PAGE)).unwrap();
    assert_eq!(arena.frames_in_use(), before - 3);
    arena.tlb_audit(&space);
    space.release(&mut arena);
}
