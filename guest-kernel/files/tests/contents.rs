//! Contents of regular files against a vector of bytes, and with no frame to be had.
mod machine;

use contract::Errno;
use files::Transfer;
use linux_raw_sys::general as linux;
use machine::{Machine, Random, file};

const BOTH: u32 = linux::O_RDWR | linux::O_CREAT;

#[test]
fn random_operations_match_a_vector() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut model: Vec<u8> = (0..random.below(20_000)).map(|n| n as u8 | 1).collect();
        let data = model.clone();
        let mut m = Machine::with(&[file("f", &data)]);
        let fd = m.open("f", BOTH).unwrap();
        let id = m.table.get(fd).unwrap();
        for step in 0..300 {
            let offset = random.below(40_000);
            match random.below(6) {
                0 | 1 => {
                    let bytes = random.bytes(10_000);
                    assert_eq!(
                        m.seek(fd, offset as i64, linux::SEEK_SET),
                        Ok(offset as u64)
                    );
                    assert_eq!(m.write(fd, &bytes), Ok(bytes.len()));
                    if !bytes.is_empty() {
                        model.resize(model.len().max(offset + bytes.len()), 0);
                        model[offset..offset + bytes.len()].copy_from_slice(&bytes);
                    }
                }
                2 => {
                    model.resize(offset, 0);
                    assert_eq!(m.files.ftruncate(&mut m.pages, id, offset as u64), Ok(()));
                }
                3 => {
                    let length = random.below(10_000);
                    let mut transfer = Transfer::at(length, offset as u64);
                    let mut buffer = vec![9; length];
                    let count =
                        machine::done(m.files.read(&mut m.pages, id, &mut transfer, &mut buffer))
                            .unwrap();
                    let expected = model.get(offset..).unwrap_or(&[]);
                    let expected = &expected[..expected.len().min(length)];
                    assert_eq!(&buffer[..count], expected, "seed {seed} step {step}");
                }
                4 => {
                    assert_eq!(m.seek(fd, 0, linux::SEEK_END), Ok(model.len() as u64));
                    let bytes = random.bytes(300);
                    assert_eq!(m.write(fd, &bytes), Ok(bytes.len()));
                    model.extend(bytes);
                }
                _ => assert_eq!(m.get("f").unwrap(), model, "seed {seed} step {step}"),
            }
            assert_eq!(m.stat("f").unwrap().size, model.len() as u64);
        }
        assert_eq!(m.get("f").unwrap(), model);
        m.unlink("f").unwrap();
        m.close(fd).unwrap();
        assert_eq!(m.pages.out, 0);
    }
}

#[test]
fn sparse_files() {
    let mut m = Machine::with(&[file("a", &[5; 6000])]);
    let fd = m.open("a", BOTH).unwrap();
    let id = m.table.get(fd).unwrap();
    assert_eq!(m.stat("a").unwrap().blocks, 16);
    assert_eq!(m.seek(fd, 1 << 40, linux::SEEK_SET), Ok(1 << 40));
    assert_eq!(m.write(fd, b"far"), Ok(3));
    let far = m.stat("a").unwrap();
    assert_eq!((far.size, far.blocks), ((1 << 40) + 3, 24));
    assert_eq!(m.pages.out, 1);
    assert_eq!(m.seek(fd, 0, linux::SEEK_HOLE), Ok(8192));
    assert_eq!(m.seek(fd, 9000, linux::SEEK_HOLE), Ok(9000));
    assert_eq!(m.seek(fd, 9000, linux::SEEK_DATA), Ok(1 << 40));
    assert_eq!(m.seek(fd, 1 << 41, linux::SEEK_DATA), Err(Errno::ENXIO));
    assert_eq!(m.seek(fd, 1 << 40, linux::SEEK_HOLE), Ok((1 << 40) + 3));
    assert_eq!(m.seek(fd, -1, linux::SEEK_SET), Err(Errno::EINVAL));
    assert_eq!(m.seek(fd, 0, 9), Err(Errno::EINVAL));
    assert_eq!(m.seek(fd, i64::MAX, linux::SEEK_SET), Ok(i64::MAX as u64));
    assert_eq!(m.seek(fd, 1, linux::SEEK_CUR), Err(Errno::EINVAL));
    assert_eq!(m.write(fd, b"x"), Err(Errno::EFBIG));
    assert_eq!(m.read(fd, 1), Ok(vec![]));
    assert_eq!(
        m.seek(fd, i64::MAX - 1, linux::SEEK_SET),
        Ok(i64::MAX as u64 - 1)
    );
    assert_eq!(m.write(fd, b"xy"), Ok(1));
    assert_eq!(
        m.files.ftruncate(&mut m.pages, id, u64::MAX),
        Err(Errno::EFBIG)
    );
    assert_eq!(m.files.ftruncate(&mut m.pages, id, 3), Ok(()));
    assert_eq!(m.pages.out, 0);
    let inode = m.files.inode_of(id).unwrap().unwrap();
    assert_eq!(m.files.content_in_place(inode), Some(&[5u8; 3][..]));
    assert_eq!(m.files.ftruncate(&mut m.pages, id, 8), Ok(()));
    assert_eq!(m.files.content_in_place(inode), None);
    assert_eq!(m.get("a"), Ok(vec![5, 5, 5, 0, 0, 0, 0, 0]));
    m.finish();
}

#[test]
fn append_and_truncate_at_open() {
    let mut m = Machine::new();
    m.put("f", b"one").unwrap();
    let fd = m.open("f", linux::O_WRONLY | linux::O_APPEND).unwrap();
    assert_eq!(m.seek(fd, 0, linux::SEEK_SET), Ok(0));
    assert_eq!(m.write(fd, b"two"), Ok(3));
    assert_eq!(m.seek(fd, 0, linux::SEEK_CUR), Ok(6));
    assert_eq!(m.read(fd, 1), Err(Errno::EBADF));
    let reader = m.open("f", 0).unwrap();
    assert_eq!(m.write(reader, b"x"), Err(Errno::EBADF));
    assert_eq!(m.get("f"), Ok(b"onetwo".to_vec()));
    // Linux, too, truncates for a reader.
    m.open("f", linux::O_TRUNC).unwrap();
    assert_eq!(m.get("f"), Ok(vec![]));
    let dir = m.open("/", 0).unwrap();
    assert_eq!(m.read(dir, 1), Err(Errno::EISDIR));
    assert_eq!(m.write(fd, b"after"), Ok(5));
    assert_eq!(m.get("f"), Ok(b"after".to_vec()));
    let status = m.files.status_flags(m.table.get(fd).unwrap()).unwrap();
    assert_eq!(
        status,
        linux::O_WRONLY | linux::O_APPEND | linux::O_LARGEFILE
    );
    m.finish();
}

#[test]
fn without_frames_nothing_changes() {
    let data = [3; 10_000];
    for left in 0..4 {
        let mut m = Machine::with(&[file("f", &data)]);
        m.pages.left = left;
        let fd = m.open("f", linux::O_RDWR).unwrap();
        m.seek(fd, 100, linux::SEEK_SET).unwrap();
        let written = m.write(fd, &[8; 12_000]);
        let mut expected = data.to_vec();
        let taken = match left {
            0 => {
                assert_eq!(written, Err(Errno::ENOSPC));
                0
            }
            1..3 => left * 4096 - 100,
            _ => 12_000,
        };
        if left != 0 {
            assert_eq!(written, Ok(taken));
        }
        expected.resize(expected.len().max(100 + taken), 0);
        expected[100..100 + taken].fill(8);
        assert_eq!(m.get("f").unwrap(), expected);
        assert_eq!(m.seek(fd, 0, linux::SEEK_CUR), Ok(100 + taken as u64));
        m.finish();
    }
}
