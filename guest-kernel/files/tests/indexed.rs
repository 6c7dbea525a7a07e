//! An archive with an index and the same archive read entry by entry are one tree, before and after any change.
#[path = "../../../vmm/src/archive/mod.rs"]
#[allow(dead_code, unused_imports, reason = "only the writer is used")]
mod archive;
mod machine;

use archive::{Entry, S_IFLNK, S_IFREG, system_entries};
use contract::Errno;
use contract::archive_index::{FOOTER_SIZE, Footer, NAMES_LIMIT, NONE};
use files::{Attributes, Files};
use linux_raw_sys::general as linux;
use machine::{Machine, RESERVE, Random};

fn file(name: &str, data: &[u8]) -> Entry<'static> {
    Entry {
        mode: S_IFREG | 0o640,
        modified: 1_700_000_000,
        data: data.to_vec().into(),
        ..Entry::directory(name.as_bytes())
    }
}

fn symlink(name: &str, target: &str) -> Entry<'static> {
    Entry {
        mode: S_IFLNK | 0o777,
        ..file(name, target.as_bytes())
    }
}

/// A tree of names that a test will meet again: each of a few names in each of a few directories, or not.
fn random_entries(random: &mut Random) -> Vec<Entry<'static>> {
    let mut entries: Vec<Entry> = system_entries().collect();
    let mut directories = vec![String::new()];
    for _ in 0..40 {
        let above = directories[random.below(directories.len())].clone();
        let name = above + ["a", "b", "c", "d", "e"][random.below(5)];
        if entries.iter().any(|entry| entry.name == name.as_bytes()) {
            continue;
        }
        let mut entry = match random.below(6) {
            0 | 1 => {
                directories.push(format!("{name}/"));
                Entry {
                    mode: linux::S_IFDIR | 0o1711,
                    ..Entry::directory(name.as_bytes())
                }
            }
            2 => symlink(&name, ["a", "/b/a", "../c", "nowhere"][random.below(4)]),
            _ => file(&name, &random.bytes(6000)),
        };
        if entry.mode & linux::S_IFMT == S_IFREG && random.below(3) == 0 {
            // Data with one of the names only, as cpio has it.
            entry.link_group = 7;
            entry.data = match entries.iter().any(|other| other.link_group == 7) {
                true => Vec::new().into(),
                false => entry.data,
            };
        }
        entries.push(entry);
    }
    entries
}

/// The tree of an archive, by its index if it has one, and read entry by entry.
fn both(bytes: Vec<u8>) -> [Machine; 2] {
    let bytes: &'static [u8] = bytes.leak();
    [true, false].map(|index| {
        let mut m = Machine::new();
        if index {
            m.files = Files::none();
            m.files.take_archive(&mut m.pages, bytes).unwrap();
        } else {
            m.files = Files::new();
            m.files.seed(&mut m.pages, bytes).unwrap();
        }
        m.files.populate(&mut m.pages).unwrap();
        m.processes.cwd = m.files.root();
        m
    })
}

/// All that a program can see of what is below a directory.
fn seen(m: &mut Machine, directory: &str, all: &mut Vec<(String, String)>) {
    for (name, kind) in m.list(&format!("{directory}/"), 300).unwrap() {
        let path = format!("{directory}/{name}");
        let stat = m.lstat(&path);
        let facts = |stat: Attributes| {
            (
                stat.mode,
                stat.nlink,
                stat.size,
                stat.rdev,
                stat.mtime.seconds,
            )
        };
        let content = match stat {
            Ok(stat) if stat.mode & linux::S_IFMT == S_IFREG => m.get(&path),
            _ => Ok(Vec::new()),
        };
        let stat = stat.map(facts);
        let link = m.readlink(&path);
        // A file with several names goes by any of them.
        let own = (u32::from(kind) == linux::DT_DIR).then(|| m.path_of(&path));
        all.push((
            path.clone(),
            format!("{kind} {stat:?} {link:?} {own:?} {content:?}"),
        ));
        if u32::from(kind) == linux::DT_DIR && name != "." && name != ".." && name != "proc" {
            seen(m, &path, all);
        }
    }
}

fn everything(m: &mut Machine) -> Vec<(String, String)> {
    let mut all = Vec::new();
    seen(m, "", &mut all);
    all
}

fn change(m: &mut Machine, what: usize, one: &str, two: &str) -> machine::Result<()> {
    match what {
        0 => m.mkdir(one),
        1 => m.rmdir(one),
        2 => m.unlink(one),
        3 => m.link(one, two),
        4 => m.symlink(two, one),
        5 => m.rename(one, two, 0),
        6 => m.rename(one, two, linux::RENAME_EXCHANGE),
        7 => m.rename(one, two, linux::RENAME_NOREPLACE),
        8 => m.put(one, two.as_bytes()),
        _ => m.lstat(one).map(|_| ()),
    }
}

/// Directories and inodes that come into being on the way of a change that then lacks memory leave no trace.
#[test]
fn want_of_memory_changes_nothing() {
    let names = [
        "a",
        "b",
        "c",
        "d",
        "e",
        "a/a",
        "a/b",
        "b/c",
        "c/a",
        "etc",
        "etc/passwd",
    ];
    let mut wanting = 0;
    for seed in 0..200 {
        let mut random = Random(seed);
        let [mut indexed, mut read] = both(archive::write(&random_entries(&mut random)));
        for step in 0..20 {
            let mut path = || format!("/{}", names[random.below(names.len())]);
            let (one, two) = (path(), path());
            let what = random.below(8);
            RESERVE.set(random.below(6));
            let changed = change(&mut indexed, what, &one, &two);
            RESERVE.set(usize::MAX);
            if changed == Err(Errno::ENOMEM) {
                wanting += 1;
                continue;
            }
            let expected = change(&mut read, what, &one, &two);
            assert_eq!(
                changed, expected,
                "seed {seed} step {step}: {what} {one} {two}"
            );
        }
        assert_eq!(
            everything(&mut indexed),
            everything(&mut read),
            "seed {seed}"
        );
    }
    assert!(wanting > 100, "{wanting}");
}

#[test]
fn one_tree() {
    for seed in 0..60 {
        let mut random = Random(seed);
        let bytes = archive::write(&random_entries(&mut random));
        assert!(Footer::of(&bytes).is_some_and(|footer| footer.proc != NONE));
        let [mut indexed, mut read] = both(bytes);
        // Half of the time nothing has been looked at before the first change.
        if seed % 2 == 0 {
            assert_eq!(
                everything(&mut indexed),
                everything(&mut read),
                "seed {seed}"
            );
        }
        for step in 0..200 {
            let mut path = || {
                let names = ["a", "b", "c", "d", "e", "dev", "etc/passwd", ".."];
                let mut path = String::new();
                for _ in 0..1 + random.below(3) {
                    path = path + "/" + names[random.below(names.len())];
                }
                path
            };
            let (one, two) = (path(), path());
            let what = random.below(10);
            assert_eq!(
                change(&mut indexed, what, &one, &two),
                change(&mut read, what, &one, &two),
                "seed {seed} step {step}: {what} {one} {two}"
            );
            if step % 50 == 0 {
                assert_eq!(
                    everything(&mut indexed),
                    everything(&mut read),
                    "seed {seed}"
                );
            }
        }
        assert_eq!(
            everything(&mut indexed),
            everything(&mut read),
            "seed {seed}"
        );
        assert_eq!(indexed.files.inodes()[0], read.files.inodes()[0]);
        indexed.finish();
        read.finish();
    }
}

#[test]
fn numbers_stay() {
    let entries = [
        system_entries().collect(),
        vec![Entry::directory(b"d"), file("d/a", b"1"), file("d/b", b"2")],
    ]
    .concat();
    let [mut m, _] = both(archive::write(&entries));
    let number = |m: &Machine, path| m.stat(path).unwrap().ino;
    let before = ["d", "d/a", "d/b", "/dev/null"].map(|path| number(&m, path));
    let listed = m.list("d", 300).unwrap();
    m.put("d/c", b"3").unwrap();
    m.unlink("d/a").unwrap();
    m.put("d/d", b"4").unwrap();
    for (path, number_before) in ["d", "d/b", "/dev/null"].into_iter().zip([0, 2, 3]) {
        assert_eq!(number(&m, path), before[number_before], "{path}");
    }
    assert!(!before.contains(&number(&m, "d/c")) && !before.contains(&number(&m, "d/d")));
    let after = m.list("d", 300).unwrap();
    assert_eq!(
        after.iter().find(|(name, _)| name == "b"),
        listed.iter().find(|(name, _)| name == "b")
    );
}

#[test]
fn no_index_where_only_a_reader_can_tell() {
    let root = || Entry::directory(b"");
    for entries in [
        vec![file("a", b"")],
        vec![root(), file("a/b", b"")],
        vec![root(), file("a", b""), file("a/b", b"")],
        vec![root(), file("a", b""), file("a", b"")],
        vec![root(), file("..", b"")],
        vec![root(), symlink("a", &"x".repeat(5000))],
        vec![
            root(),
            Entry {
                mode: 0o140_755,
                ..file("socket", b"")
            },
        ],
        (0..=NAMES_LIMIT)
            .map(|n| file(&format!("{n}"), b""))
            .chain([root()])
            .collect(),
    ] {
        assert_eq!(Footer::of(&archive::write(&entries)), None);
    }
}

#[test]
fn an_index_is_of_one_archive() {
    let entries: Vec<Entry> = system_entries().chain([file("a", b"first")]).collect();
    let whole = archive::write(&entries);
    let replaced = Entry {
        name: b"a".to_vec(),
        ..file("a", b"second")
    };
    // Another one behind it replaces what it gave.
    let mut two = whole.clone();
    two.extend(archive::write(&[replaced]));
    let [mut m, _] = both(two);
    assert_eq!(m.get("a"), Ok(b"second".to_vec()));
    // Its end alone says nothing.
    let end = whole[whole.len() - FOOTER_SIZE..].to_vec();
    assert_eq!(Footer::of(&end), None);
    let mut m = Machine::new();
    m.files = Files::none();
    assert!(m.files.take_archive(&mut m.pages, end.leak()).is_err());
}

#[test]
fn a_damaged_index_never_panics() {
    for seed in 0..400 {
        let mut random = Random(seed);
        let mut bytes = archive::write(&random_entries(&mut Random(seed % 7)));
        let index = Footer::of(&bytes).unwrap().size() as usize + FOOTER_SIZE;
        let start = bytes.len() - index;
        for _ in 0..4 {
            bytes[start + random.below(index)] = [0, 1, 0x7f, 0xff][random.below(4)];
        }
        let mut m = Machine::new();
        m.files = Files::none();
        if m.files.take_archive(&mut m.pages, bytes.leak()).is_err()
            || m.files.populate(&mut m.pages).is_err()
        {
            continue;
        }
        m.processes.cwd = m.files.root();
        for name in [
            "a",
            "b",
            "a/b",
            "c/d/e",
            "/dev/null",
            "/etc/passwd",
            "/proc/1/stat",
        ] {
            let _ = m.get(name);
            let _ = m.list(name, 300);
            let _ = m.readlink(name);
            let _ = m.path_of(name);
            let _ = m.put(name, b"x");
            let _ = m.rename(name, "/new", 0);
        }
    }
}

#[test]
fn the_console_is_where_it_is() {
    let own: Vec<Entry> = system_entries().collect();
    let mut linked = own.clone();
    linked.retain(|entry| entry.name != b"dev/console"[..]);
    linked.push(symlink("dev/console", "null"));
    for (entries, expected) in [
        (own, "/dev/console"),
        (vec![file("a", b"")], "/dev/console"),
        (linked, "/dev/null"),
    ] {
        for mut m in both(archive::write(&entries)) {
            let view = Machine::view(&m.processes);
            let console = m.files.open_console(&mut m.pages, &view).unwrap();
            let name = m.files.description_name(console);
            assert_eq!(name, Ok(expected.as_bytes().to_vec()));
        }
    }
}
