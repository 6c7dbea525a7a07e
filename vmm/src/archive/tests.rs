use super::*;

fn file(name: &str, data: &'static [u8]) -> Entry<'static> {
    Entry {
        mode: S_IFREG | 0o644,
        data: data.into(),
        ..Entry::directory(name.as_bytes())
    }
}

fn archive_of(entries: &[Entry<'_>]) -> Vec<u8> {
    write(entries)
}

#[test]
fn what_is_written_is_read() {
    let entries = [
        Entry::directory(b""),
        Entry::directory(b"d"),
        file("d/empty", b""),
        Entry {
            modified: 1_234_567_890,
            ..file("d/a", b"abc")
        },
        Entry {
            mode: S_IFLNK | 0o777,
            ..file("link", b"d/a")
        },
        Entry {
            device: (1, 3),
            mode: 0o020_666,
            ..Entry::directory(b"null")
        },
    ];
    assert_eq!(read(&archive_of(&entries)).as_deref(), Ok(&entries[..]));
}

#[test]
fn data_of_files_starts_on_a_page() {
    let names: Vec<String> = (0..40)
        .map(|n| format!("name{}", "x".repeat(n * 5)))
        .collect();
    let entries: Vec<Entry> = names.iter().map(|name| file(name, &[7; 5000])).collect();
    let archive = archive_of(&entries);
    let aligned = read(&archive)
        .expect("sound")
        .iter()
        .filter(|entry| {
            (entry.data.as_ptr() as usize - archive.as_ptr() as usize).is_multiple_of(PAGE)
        })
        .count();
    // A name padded beyond the limit is left as it is; that is rare.
    assert!(aligned >= entries.len() - 1, "{aligned}");
}

#[test]
fn hard_links_stay_together() {
    let linked = |name, data| Entry {
        link_group: 5,
        ..file(name, data)
    };
    let archive = archive_of(&[linked("a", b"x"), file("b", b""), linked("c", b"")]);
    let groups: Vec<u32> = read(&archive)
        .expect("sound")
        .iter()
        .map(|entry| entry.link_group)
        .collect();
    assert!(
        groups[0] != 0 && groups[0] == groups[2] && groups[1] == 0,
        "{groups:?}"
    );
}

#[test]
fn archives_one_after_another_are_one() {
    let mut archive = archive_of(&[file("a", b"1")]);
    archive.extend([0; 512]);
    archive.extend(archive_of(&[file("b", b"2")]));
    assert_eq!(read(&archive).map(|entries| entries.len()), Ok(2));
}

#[test]
fn every_cut_is_noticed() {
    let archive = archive_of(&[Entry::directory(b"d"), file("d/a", b"data")]);
    // The trailer's own padding may go.
    for length in 0..archive.len() - 4 {
        assert!(read(&archive[..length]).is_err(), "{length}");
    }
}

#[test]
fn damage_is_named() {
    let one = |name: &str| archive_of(&[file(name, b"")]);
    let dots = String::from("\"a/../b\"");
    let long = "n".repeat(COMPONENT_LIMIT + 1);
    let mut bad_digit = one("a");
    bad_digit[20] = b'x';
    let mut bad_magic = archive_of(&[file("a", b""), file("b", b"")]);
    let second = bad_magic
        .windows(6)
        .rposition(|window| window == MAGIC)
        .expect("there");
    bad_magic[second] = b'1';
    for (archive, problem) in [
        (vec![], Malformed::Empty),
        (
            vec![0x1f, 0x8b, 8, 0],
            Malformed::Compressed("gzip", "gunzip"),
        ),
        (b"070707000".to_vec(), Malformed::OtherFormat("odc")),
        (b"hello".to_vec(), Malformed::BadMagic(0)),
        (bad_magic, Malformed::BadMagic(second)),
        (bad_digit, Malformed::BadHeader(0)),
        (one("a/../b"), Malformed::NotInside(dots)),
        (
            one(&long),
            Malformed::NameTooLong(format!("\"{}\"", "n".repeat(32))),
        ),
        (
            archive_of(&[file("a", b""), file("./a", b"")]),
            Malformed::Duplicate("\"a\"".to_owned()),
        ),
        (
            archive_of(&[file("a", b""), file("a/b", b"")]),
            Malformed::NotADirectory("\"a/b\"".to_owned()),
        ),
    ] {
        assert_eq!(read(&archive), Err(problem));
    }
    let deep = ["d"; 2100].join("/");
    assert!(matches!(
        normal_name(deep.as_bytes()),
        Err(Malformed::NameTooLong(_))
    ));
}

/// Any bytes give an answer.
#[test]
fn random_damage_never_panics() {
    let archive = archive_of(&[
        Entry::directory(b"d"),
        file("d/a", b"data"),
        file("b", &[1; 200]),
    ]);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut damaged = archive.clone();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = state as usize % damaged.len();
            damaged[at] = (state >> 32) as u8;
        }
        let _ = read(&damaged);
    }
}
