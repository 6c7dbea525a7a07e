//! Descriptor tables against a model, and descriptions shared by dup and fork.
mod machine;

use contract::Errno;
use files::{FdTable, OnExec};
use linux_raw_sys::general as linux;
use machine::{Machine, Random, file};
use std::collections::BTreeMap;

#[test]
fn random_operations_match_a_map() {
    for seed in 0..30 {
        let mut random = Random(seed);
        let mut m = Machine::with(&[file("f", b"x")]);
        // Descriptor to inode number and flag.
        let mut model: BTreeMap<u32, OnExec> = BTreeMap::new();
        let lowest = |model: &BTreeMap<u32, OnExec>, from: u32| {
            (from..4096)
                .find(|fd| !model.contains_key(fd))
                .ok_or(Errno::EMFILE)
        };
        let limit = [5, 64, 65, 1024, 1030, 4096][random.below(6)];
        m.table.set_limit(limit);
        for _ in 0..2000 {
            let fd = random.below(limit as usize + 3) as u32;
            let other = random.below(limit as usize + 3) as u32;
            let on_exec = [OnExec::Keep, OnExec::Close][random.below(2)];
            match random.below(7) {
                0 | 1 => {
                    let flags = if on_exec == OnExec::Close {
                        linux::O_CLOEXEC
                    } else {
                        0
                    };
                    let expected = lowest(&model, 0).and_then(|fd| {
                        if fd < limit {
                            Ok(fd)
                        } else {
                            Err(Errno::EMFILE)
                        }
                    });
                    assert_eq!(m.open("f", flags), expected);
                    if let Ok(fd) = expected {
                        model.insert(fd, on_exec);
                    }
                }
                2 => {
                    let expected = model.remove(&fd).map(drop).ok_or(Errno::EBADF);
                    assert_eq!(m.close(fd), expected);
                }
                3 => {
                    let expected = if !model.contains_key(&fd) {
                        Err(Errno::EBADF)
                    } else if other >= limit {
                        Err(Errno::EINVAL)
                    } else {
                        lowest(&model, other).and_then(|fd| {
                            if fd < limit {
                                Ok(fd)
                            } else {
                                Err(Errno::EMFILE)
                            }
                        })
                    };
                    assert_eq!(
                        m.files.duplicate(&mut m.table, fd, other, on_exec),
                        expected
                    );
                    if let Ok(fd) = expected {
                        model.insert(fd, on_exec);
                    }
                }
                4 => {
                    let expected = if fd == other {
                        Err(Errno::EINVAL)
                    } else if other >= limit || !model.contains_key(&fd) {
                        Err(Errno::EBADF)
                    } else {
                        model.insert(other, on_exec);
                        Ok(other)
                    };
                    let table = &mut m.table;
                    assert_eq!(
                        m.files.dup3(&mut m.pages, table, fd, other, on_exec),
                        expected
                    );
                }
                5 => {
                    let expected = match model.get_mut(&fd) {
                        Some(flag) => {
                            *flag = on_exec;
                            Ok(())
                        }
                        None => Err(Errno::EBADF),
                    };
                    assert_eq!(m.table.set_on_exec(fd, on_exec), expected);
                }
                _ if random.below(50) == 0 => {
                    m.files.close_on_exec(&mut m.pages, &mut m.table, 1);
                    model.retain(|_, flag| *flag == OnExec::Keep);
                }
                _ => {}
            }
            assert_eq!(
                m.table.on_exec(fd),
                model.get(&fd).copied().ok_or(Errno::EBADF)
            );
        }
        let mut open = Vec::new();
        let mut from = 0;
        while let Some(fd) = m.table.next_open(from) {
            open.push(fd);
            from = fd + 1;
        }
        assert!(open.iter().eq(model.keys()));
        m.finish();
    }
}

#[test]
fn offsets_are_shared_and_tables_are_not() {
    let mut m = Machine::with(&[file("f", b"foobar")]);
    let fd = m.open("f", 0).unwrap();
    assert_eq!(m.read(fd, 2), Ok(b"fo".to_vec()));
    let child = m.files.fork_descriptors(&m.table);
    let parent = std::mem::replace(&mut m.table, child);
    assert_eq!(m.read(fd, 2), Ok(b"ob".to_vec()));
    let copy = m
        .files
        .duplicate(&mut m.table, fd, 0, OnExec::Keep)
        .unwrap();
    assert_eq!(m.read(copy, 1), Ok(b"a".to_vec()));
    m.close(fd).unwrap();
    assert_eq!(m.read(fd, 1), Err(Errno::EBADF));
    let mut child = std::mem::replace(&mut m.table, parent);
    m.files.close_all(&mut m.pages, &mut child);
    assert_eq!(m.read(fd, 9), Ok(b"r".to_vec()));
    // The same file opened anew has an offset of its own.
    let again = m.open("f", 0).unwrap();
    assert_eq!(m.read(again, 9), Ok(b"foobar".to_vec()));
    m.finish();
}

#[test]
fn limits() {
    let mut m = Machine::new();
    assert_eq!(m.table.get(u32::MAX), Err(Errno::EBADF));
    assert_eq!(m.open("/dev/null", 0), Ok(0));
    m.table.set_limit(3);
    let pipe = m.files.pipe2(&mut m.pages, &mut m.table, 0);
    assert_eq!(pipe, Ok([1, 2]));
    m.close(2).unwrap();
    // One free descriptor is not enough for a pipe, and is still free after.
    let pipe = m.files.pipe2(&mut m.pages, &mut m.table, 0);
    assert_eq!(pipe, Err(Errno::EMFILE));
    assert_eq!(m.table.lowest_free(0), Ok(2));
    let mut dup = |old, new| {
        m.files
            .dup3(&mut m.pages, &mut m.table, old, new, OnExec::Keep)
    };
    assert_eq!(dup(0, 3), Err(Errno::EBADF));
    assert_eq!(dup(9, 1), Err(Errno::EBADF));
    assert_eq!(dup(0, 0), Err(Errno::EINVAL));
    assert_eq!(dup(0, 2), Ok(2));
    // At the limit, a file is not even created.
    assert_eq!(m.open("new", linux::O_CREAT), Err(Errno::EMFILE));
    assert_eq!(m.stat("new"), Err(Errno::ENOENT));
    m.finish();
}

#[test]
fn too_many_descriptions_in_the_system() {
    let mut m = Machine::new();
    let mut tables = Vec::new();
    let refused = 'full: loop {
        for _ in 0..1024 {
            if let Err(errno) = m.open("/dev/null", 0) {
                break 'full errno;
            }
        }
        tables.push(std::mem::replace(&mut m.table, FdTable::new()));
    };
    assert_eq!(refused, Errno::ENFILE);
    assert_eq!(m.open("new", linux::O_CREAT), Err(Errno::ENFILE));
    assert_eq!(m.stat("new"), Err(Errno::ENOENT));
    let pipe = m.files.pipe2(&mut m.pages, &mut m.table, 0);
    assert_eq!(pipe, Err(Errno::ENFILE));
    for mut table in tables {
        m.files.close_all(&mut m.pages, &mut table);
    }
    m.finish();
}

#[test]
fn status_flags() {
    let mut m = Machine::new();
    let fd = m.open("f", linux::O_RDWR | linux::O_CREAT).unwrap();
    let id = m.table.get(fd).unwrap();
    m.files
        .set_status_flags(id, linux::O_APPEND | linux::O_WRONLY | linux::O_CREAT)
        .unwrap();
    assert_eq!(
        m.files.status_flags(id),
        Ok(linux::O_RDWR | linux::O_APPEND | linux::O_LARGEFILE)
    );
    m.finish();
}
