//! Pages that are copied ahead of their own write.
mod arena;

use std::cell::Cell;

use arena::Arena;
use arena::spaces::{GIB, read, space_of, write};
use page_tree::{Access, PAGE, Resolution, UserPage};
use x86_64::VirtAddr;

#[test]
fn pages_are_copied_ahead_with_one_that_is_written() {
    let near = [GIB + PAGE, GIB + 3 * PAGE];
    let far = [5 * GIB, 5 * GIB + PAGE];
    let never_written = GIB + 2 * PAGE;
    let all: Vec<u64> = [GIB].into_iter().chain(near).chain(far).collect();
    let ahead: Vec<Cell<UserPage>> = near
        .into_iter()
        .chain([never_written])
        .chain(far)
        .map(|address| Cell::new(UserPage::containing(VirtAddr::new(address)).unwrap()))
        .collect();
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, 0, 8 * GIB);
    for &address in &all {
        write(&mut parent, &mut arena, address, address);
    }
    let address = VirtAddr::new(GIB);
    let before = arena.frames_in_use();
    let nothing = parent.own_for_write(&mut arena, address, &ahead);
    assert_eq!(nothing.unwrap().1, Resolution::Spurious);
    assert_eq!(arena.frames_in_use(), before);
    let mut child = parent.fork(&mut arena).unwrap();
    let copied = child.own_for_write(&mut arena, address, &ahead);
    assert_eq!(copied.unwrap().1, Resolution::Copied);
    // The root, three tables and two more for what is far away, and the pages that are there.
    assert_eq!(arena.frames_in_use(), before + 1 + 3 + 2 + 5);
    arena.audit([&parent, &child].into_iter(), &[]);
    let stores = arena.stores;
    for &at in &all {
        let address = VirtAddr::new(at);
        let childs = child.fault(&mut arena, address, Access::Write);
        assert_eq!(childs, Ok(Resolution::Spurious));
        assert_eq!(read(&mut child, &mut arena, at), at);
        // The first gets the tables back, but the page never lost its write bit.
        let parents = parent.fault(&mut arena, address, Access::Write);
        let nothing_lost = at != GIB && at != far[0];
        assert_eq!(
            parents,
            Ok(if nothing_lost {
                Resolution::Spurious
            } else {
                Resolution::Kept
            })
        );
    }
    assert_eq!(arena.stores, stores + 2);
    arena.audit([&parent, &child].into_iter(), &[]);
    child.release(&mut arena);
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}

#[test]
fn without_frames_a_page_waits_for_its_write() {
    let pages = [GIB, GIB + PAGE, GIB + 2 * PAGE, 5 * GIB];
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, 0, 8 * GIB);
    for address in pages {
        write(&mut parent, &mut arena, address, address);
    }
    let ahead = pages.map(|address| {
        let page = UserPage::containing(VirtAddr::new(address)).unwrap();
        Cell::new(page)
    });
    let mut child = parent.fork(&mut arena).unwrap();
    let before = arena.frames_in_use();
    // Three tables, the page that is written, and one of the others.
    arena.left = Some(5);
    let copied = child.own_for_write(&mut arena, VirtAddr::new(GIB), &ahead);
    assert_eq!(copied.unwrap().1, Resolution::Copied);
    assert_eq!(arena.frames_in_use(), before + 5);
    arena.audit([&parent, &child].into_iter(), &[]);
    arena.left = None;
    for address in pages {
        assert_eq!(read(&mut child, &mut arena, address), address);
        write(&mut child, &mut arena, address, 1);
        assert_eq!(read(&mut parent, &mut arena, address), address);
    }
}

#[test]
fn a_page_elsewhere_is_no_business_of_its_likes_in_other_tables() {
    // At the same place in its page table as the page ahead is in another one.
    let bystander = GIB + 7 * PAGE;
    let far = 5 * GIB + 7 * PAGE;
    let mut arena = Arena::new();
    let mut parent = space_of(&mut arena, 0, 8 * GIB);
    for address in [GIB, bystander, far] {
        write(&mut parent, &mut arena, address, address);
    }
    let mut child = parent.fork(&mut arena).unwrap();
    let before = arena.frames_in_use();
    let page = Cell::new(UserPage::containing(VirtAddr::new(far)).unwrap());
    let copied = child.own_for_write(&mut arena, VirtAddr::new(GIB), &[page]);
    assert_eq!(copied.unwrap().1, Resolution::Copied);
    // Three tables and two for what is far away, and two pages.
    assert_eq!(arena.frames_in_use(), before + 3 + 2 + 2);
    arena.audit([&parent, &child].into_iter(), &[]);
    assert_eq!(
        write(&mut child, &mut arena, bystander, 1),
        Resolution::Copied
    );
    assert_eq!(read(&mut parent, &mut arena, bystander), bystander);
    child.release(&mut arena);
    parent.release(&mut arena);
    assert_eq!(arena.frames_in_use(), 0);
}
