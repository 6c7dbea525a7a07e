//! Files that are mapped: who maps one and who has it open see the same pages.
mod machine;

use contract::Errno;
use files::{Mappable, MappedFile, NoPage, PageContent, PageStore, Purpose};
use linux_raw_sys::general as linux;
use machine::{Machine, Page, Pages};

const RW: u32 = linux::O_RDWR | linux::O_CREAT;

fn first_byte(pages: &Pages, content: PageContent<'_, Page>) -> u8 {
    match content {
        PageContent::Page(page) => pages.bytes(page)[0],
        PageContent::Archived(bytes) => bytes[0],
        PageContent::Hole => panic!("a hole is not shown"),
    }
}

fn map(m: &mut Machine, fd: u32) -> MappedFile<Page> {
    let id = m.table.get(fd).unwrap();
    match m.files.mappable(id) {
        Ok(Mappable::File(file, _)) => file,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mapping_sees_what_is_written_and_outlives_the_file() {
    let mut m = Machine::new();
    let fd = m.open("f", RW).unwrap();
    assert_eq!(m.write(fd, &[1; 5000]), Ok(5000));
    let file = map(&mut m, fd);
    assert!(file.is(&map(&mut m, fd)));
    let see = |m: &mut Machine, index| file.page(&mut m.pages, index, Purpose::Shared, first_byte);
    assert_eq!(see(&mut m, 0), Ok(1));
    m.seek(fd, 0, linux::SEEK_SET).unwrap();
    assert_eq!(m.write(fd, &[2]), Ok(1));
    assert_eq!(see(&mut m, 0), Ok(2));
    assert_eq!(see(&mut m, 1), Ok(1));
    assert_eq!(see(&mut m, 2), Err(NoPage::BeyondEnd));
    m.unlink("f").unwrap();
    assert!(file.is_unlinked());
    m.close(fd).unwrap();
    assert_eq!(see(&mut m, 1), Ok(1));
    assert_eq!(m.pages.out, 2);
    file.release(&mut m.pages);
    assert_eq!(m.pages.out, 0);
    m.finish();
}

#[test]
fn a_cut_file_has_lost_pages() {
    let mut m = Machine::new();
    let fd = m.open("f", RW).unwrap();
    assert_eq!(m.write(fd, &[1; 9000]), Ok(9000));
    let id = m.table.get(fd).unwrap();
    let file = map(&mut m, fd);
    m.files.ftruncate(&mut m.pages, id, 8192).unwrap();
    let lost = m.files.take_lost_pages().unwrap();
    assert!(lost.is(&file) && m.files.take_lost_pages().is_none());
    lost.release(&mut m.pages);
    assert_eq!(file.lost(), Some(2..3));
    m.files.ftruncate(&mut m.pages, id, 10).unwrap();
    assert_eq!(file.lost(), Some(1..3));
    file.forget_lost();
    assert_eq!(file.lost(), None);
    m.files.take_lost_pages().unwrap().release(&mut m.pages);
    // Growing loses nothing, and shows zeros.
    m.files.ftruncate(&mut m.pages, id, 8192).unwrap();
    assert!(m.files.take_lost_pages().is_none());
    assert!(!file.has_page(1));
    let see = |m: &mut Machine, index| file.page(&mut m.pages, index, Purpose::Private, first_byte);
    assert_eq!(see(&mut m, 1), Ok(0));
    file.release(&mut m.pages);
    m.close(fd).unwrap();
    m.unlink("f").unwrap();
    m.finish();
}

#[test]
fn memory_that_no_file_has() {
    let mut m = Machine::new();
    let memory = MappedFile::zeros(8192);
    let see =
        |m: &mut Machine, index| memory.page(&mut m.pages, index, Purpose::Shared, first_byte);
    assert_eq!(see(&mut m, 1), Ok(0));
    assert_eq!(see(&mut m, 2), Err(NoPage::BeyondEnd));
    m.pages.left = 0;
    assert_eq!(see(&mut m, 0), Err(NoPage::OutOfFrames));
    assert_eq!(see(&mut m, 1), Ok(0));
    let second = memory.clone();
    memory.release(&mut m.pages);
    assert_eq!(m.pages.out, 1);
    second.release(&mut m.pages);
    m.finish();
}

#[test]
fn what_has_no_pages_cannot_be_mapped() {
    let mut m = Machine::new();
    for (path, expected) in [
        ("/", Errno::ENODEV),
        ("/dev/null", Errno::ENODEV),
        ("/proc/uptime", Errno::ENODEV),
    ] {
        let fd = m.open(path, 0).unwrap();
        let id = m.table.get(fd).unwrap();
        assert_eq!(m.files.mappable(id).map(|_| ()).err(), Some(expected));
        m.close(fd).unwrap();
    }
    let fd = m.open("/dev/zero", linux::O_RDWR).unwrap();
    let id = m.table.get(fd).unwrap();
    assert!(matches!(m.files.mappable(id), Ok(Mappable::Zeros)));
    assert_eq!(m.files.mapping_rights(id), Ok((true, true)));
    m.close(fd).unwrap();
    m.finish();
}
