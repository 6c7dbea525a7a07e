//! Archives: what is accepted, and what is refused with which words.
mod machine;

use files::{ArchiveError, ArchiveFault, Compression, Files};
use linux_raw_sys::general as linux;
use machine::{Entry, Machine, Pages, archive, directory, file, put_entry, symlink};

fn seed(bytes: Vec<u8>) -> Result<Files<Pages>, ArchiveError> {
    let mut files = Files::new();
    let mut pages = Pages { out: 0, left: 0 };
    files.seed(&mut pages, bytes.leak()).map(|()| files)
}

fn fault(bytes: Vec<u8>) -> ArchiveFault {
    seed(bytes).err().unwrap().fault
}

#[test]
fn refused() {
    let entry = archive(&[file("a", b"123")]);
    assert_eq!(
        fault(b"\x1f\x8b\x08\0\0\0".to_vec()),
        ArchiveFault::Compressed(Compression::Gzip)
    );
    assert_eq!(
        fault(vec![0x1f, 0x8b]),
        ArchiveFault::Compressed(Compression::Gzip)
    );
    assert_eq!(
        fault([&b"\x28\xb5\x2f\xfd"[..], &[7; 200]].concat()),
        ArchiveFault::Compressed(Compression::Zstd)
    );
    assert_eq!(fault(b"070707000".to_vec()), ArchiveFault::OldFormat);
    assert_eq!(fault(b"nonsense".to_vec()), ArchiveFault::NotAnArchive);
    assert_eq!(fault(vec![b'x'; 500]), ArchiveFault::NotAnArchive);
    assert_eq!(fault(vec![]), ArchiveFault::CutShort);
    assert_eq!(fault(vec![0; 512]), ArchiveFault::NotAnArchive);
    let mut bad = entry.clone();
    bad[60] = b'g';
    assert_eq!(fault(bad), ArchiveFault::BadNumber);
    for (names, expected) in [
        (&["../a"][..], ArchiveFault::ParentReference),
        (&["a/../b"], ArchiveFault::ParentReference),
        (&["a/.."], ArchiveFault::ParentReference),
        (&[""], ArchiveFault::BadName),
        (&["a", "a"], ArchiveFault::Duplicate),
        (&["a", "./a"], ArchiveFault::Duplicate),
        (&["d/a", "/d//a"], ArchiveFault::Duplicate),
        (&["d/a", "d"], ArchiveFault::Duplicate),
        (&["a", "a/b"], ArchiveFault::NotADirectory),
    ] {
        let entries: Vec<_> = names.iter().map(|name| file(name, b"1")).collect();
        assert_eq!(fault(archive(&entries)), expected, "{names:?}");
    }
    assert_eq!(
        fault(archive(&[directory("d"), directory("d")])),
        ArchiveFault::Duplicate
    );
    assert_eq!(
        fault(archive(&[directory("."), directory("./")])),
        ArchiveFault::Duplicate
    );
    let long = "n".repeat(256);
    assert_eq!(
        fault(archive(&[file(&long, b"")])),
        ArchiveFault::NameTooLong
    );
    let deep = "d/".repeat(2048) + "x";
    assert_eq!(
        fault(archive(&[file(&deep, b"")])),
        ArchiveFault::NameTooLong
    );
    let socket = Entry {
        mode: 0o140_755,
        ..file("s", b"")
    };
    assert_eq!(
        fault(archive(&[socket])),
        ArchiveFault::UnknownType(0o140_755)
    );
    let mut unterminated = Vec::new();
    put_entry(&mut unterminated, &file("abc", b""), 3);
    assert_eq!(fault(unterminated), ArchiveFault::BadName);
    // Sizes that would wrap.
    let mut huge = entry;
    huge[54..62].copy_from_slice(b"FFFFFFFF");
    huge[94..102].copy_from_slice(b"FFFFFFFF");
    assert_eq!(fault(huge), ArchiveFault::CutShort);
}

#[test]
fn cut_anywhere_is_an_error_and_never_a_panic() {
    let whole = archive(&[
        directory("d"),
        file("d/f", &[1; 50]),
        symlink("d/l", "f"),
        file("g", b""),
    ]);
    let name_of_trailer = whole.len() - 2;
    for length in 0..name_of_trailer {
        assert_eq!(
            fault(whole[..length].to_vec()),
            ArchiveFault::CutShort,
            "{length}"
        );
    }
    assert!(seed(whole[..name_of_trailer].to_vec()).is_err());
    assert!(seed(whole).is_ok());
}

#[test]
fn errors_say_where() {
    let mut bytes = archive(&[file("first", b"x"), file("second", b"y")]);
    bytes.truncate(110 + 8 + 4 + 110 + 8);
    let error = seed(bytes).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the archive is cut short (byte 120, entry \"second\")"
    );
    let error = seed(b"\x1f\x8b".to_vec()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the initramfs is compressed (gzip): unpack it first (byte 0)"
    );
}

#[test]
fn padded_names_keep_data_in_place() {
    let mut bytes = Vec::new();
    // The data begins where the header and the padded name end.
    put_entry(&mut bytes, &file("bin/aligned", &[7; 5000]), 4096 - 110);
    put_entry(&mut bytes, &file("TRAILER!!!", b""), 11);
    let bytes: &'static [u8] = bytes.leak();
    let mut files = Files::new();
    let mut pages = Pages { out: 0, left: 0 };
    files.seed(&mut pages, bytes).unwrap();
    let processes = files::NoProcesses;
    let view = files::View {
        start: files.root(),
        process: 0,
        umask: 0,
        owner: files::Owner::ROOT,
        processes: &processes,
    };
    let id = files.program(&view, b"/bin/aligned").unwrap().inode;
    let content = files.content_in_place(id).unwrap();
    assert_eq!(content.as_ptr(), bytes[4096..].as_ptr());
    assert_eq!(content, [7; 5000]);
    assert_eq!(files.content_version(id), 0);
}

#[test]
fn archives_one_after_the_other() {
    let mut bytes = archive(&[
        directory("d"),
        file("d/kept", b"1"),
        file("d/replaced", b"old"),
        symlink("link", "d"),
    ]);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes.extend(archive(&[
        Entry {
            mode: 0o040_700,
            ..directory("d")
        },
        file("d/replaced", b"new!"),
        file("link/through", b"3"),
    ]));
    bytes.resize(bytes.len() + 37, 0);
    let mut m = Machine::new();
    m.files.seed(&mut m.pages, bytes.clone().leak()).unwrap();
    assert_eq!(m.get("d/kept"), Ok(b"1".to_vec()));
    assert_eq!(m.get("d/replaced"), Ok(b"new!".to_vec()));
    assert_eq!(m.get("d/through"), Ok(b"3".to_vec()));
    assert_eq!(m.stat("d").unwrap().mode, 0o040_700);
    bytes.push(b'x');
    assert_eq!(fault(bytes), ArchiveFault::NotAnArchive);
}

#[test]
fn hard_links_and_devices() {
    let linked = |name, data| Entry {
        inode: 42,
        links: 3,
        ..file(name, data)
    };
    let device = |name, mode, major, minor| Entry {
        mode,
        device: (major, minor),
        ..file(name, b"")
    };
    let mut m = Machine::with(&[
        // GNU cpio gives the data to the last name only.
        linked("one", b""),
        linked("two", b""),
        linked("three", b"data"),
        device("dev/null", 0o020_600, 1, 3),
        device("dev/odd", 0o020_644, 240, 300),
        device("dev/sda", 0o060_644, 8, 0),
        device("fifo", 0o010_644, 0, 0),
    ]);
    for name in ["one", "two", "three"] {
        assert_eq!(m.get(name), Ok(b"data".to_vec()));
        assert_eq!(m.stat(name).unwrap().nlink, 3);
    }
    let null = m.stat("/dev/null").unwrap();
    assert_eq!((null.mode, null.rdev), (0o020_600, 0x103));
    assert_eq!(m.stat("/dev/odd").unwrap().rdev, 0x10_f02c);
    assert_eq!(m.open("/dev/odd", 0), Err(contract::Errno::ENXIO));
    assert_eq!(m.open("/dev/sda", 0), Err(contract::Errno::ENXIO));
    assert_eq!(m.stat("/dev/sda").unwrap().mode, 0o060_644);
    assert_eq!(m.stat("fifo").unwrap().mode, 0o010_644);
    assert_eq!(m.open("/dev/null", linux::O_RDWR), Ok(0));
    assert_eq!(m.write(0, b"gone"), Ok(4));
    assert_eq!(m.read(0, 4), Ok(vec![]));
}

#[test]
fn random_damage_never_panics() {
    let whole = archive(&[
        directory("d"),
        file("d/f", &[1; 50]),
        symlink("d/l", "f"),
        file("g", b"x"),
    ]);
    let mut random = 1u64;
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (random >> 33) as usize % bytes.len();
            bytes[at] = if random & 1 << 20 == 0 {
                (random >> 24) as u8
            } else {
                b"0123456789abcdef"[(random >> 24) as usize % 16]
            };
        }
        let _ = seed(bytes);
    }
}
