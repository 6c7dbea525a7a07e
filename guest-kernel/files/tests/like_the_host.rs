//! Random operations on names, here and on the file system of the Linux that the test runs on: the same answers.
mod machine;

use contract::Errno;
use linux_raw_sys::general as linux;
use machine::{Machine, Random};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Both sides work so deep below a root that no path of a test climbs out.
const DEPTH: usize = 16;

fn outcome<T>(result: io::Result<T>) -> Result<T, Errno> {
    result.map_err(|error| Errno(error.raw_os_error().unwrap_or(0) as u16))
}

/// A path of a few components; names are few, so that they meet.
fn path(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(4) {
        if !text.is_empty() {
            text.push('/');
        }
        text += ["a", "b", "c", "d", "e", "a", "b", ".", ".."][random.below(9)];
    }
    if random.below(8) == 0 {
        text.push('/');
    }
    text
}

/// What both can say of a file: type, links and size where they mean the same.
fn facts(mode: u32, links: u64, size: u64) -> (u32, u64, u64) {
    match mode & linux::S_IFMT {
        linux::S_IFDIR => (linux::S_IFDIR, 0, 0),
        kind => (kind, links, size),
    }
}

struct Host(PathBuf);

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn tree(directory: &Path, prefix: &str, all: &mut Vec<String>) {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in names {
        let path = directory.join(&name);
        all.push(format!("{prefix}{name}"));
        if path.symlink_metadata().unwrap().is_dir() {
            tree(&path, &format!("{prefix}{name}/"), all);
        }
    }
}

fn own_tree(m: &mut Machine, directory: &str, prefix: &str, all: &mut Vec<String>) {
    let mut names = m.list(directory, 300).unwrap();
    names.sort();
    for (name, kind) in names {
        if name == "." || name == ".." {
            continue;
        }
        all.push(format!("{prefix}{name}"));
        if u32::from(kind) == linux::DT_DIR {
            let below = format!("{directory}/{name}");
            own_tree(m, &below, &format!("{prefix}{name}/"), all);
        }
    }
}

#[test]
fn random_names() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let base = std::env::temp_dir().join(format!("files-{}-{seed}", std::process::id()));
        let host = Host(base.clone());
        let deep = "r/".repeat(DEPTH);
        let deep = deep.trim_end_matches('/');
        let there = base.join(deep);
        fs::create_dir_all(&there).unwrap();
        let mut m = Machine::new();
        let mut below = String::new();
        for _ in 0..DEPTH {
            below += "/r";
            m.mkdir(&below).unwrap();
        }
        let view = Machine::view(&m.processes);
        let cwd = m
            .files
            .lookup(&view, below.as_bytes(), files::LastLink::Follow)
            .unwrap();
        m.processes.cwd = m.files.share_directory(cwd);
        // Not `join`: that would drop the `.` and the slash at the end.
        let at = |path: &str| format!("{}/{path}", there.display());
        for step in 0..500 {
            let (one, two) = (path(&mut random), path(&mut random));
            let what = random.below(10);
            let context = format!("seed {seed} step {step}: {what} {one} {two}");
            let (own, others) = match what {
                0 => (m.mkdir(&one), outcome(fs::create_dir(at(&one)))),
                1 => (m.rmdir(&one), outcome(fs::remove_dir(at(&one)))),
                2 => (m.unlink(&one), outcome(fs::remove_file(at(&one)))),
                3 => {
                    let others = outcome(fs::hard_link(at(&one), at(&two)));
                    (m.link(&one, &two), others)
                }
                4 => {
                    let others = outcome(std::os::unix::fs::symlink(&one, at(&two)));
                    (m.symlink(&one, &two), others)
                }
                5 | 6 => {
                    let others = outcome(fs::rename(at(&one), at(&two)));
                    (m.rename(&one, &two, 0), others)
                }
                7 | 8 => {
                    let flags = [
                        linux::O_CREAT,
                        linux::O_CREAT | linux::O_EXCL,
                        linux::O_TRUNC,
                        linux::O_NOFOLLOW,
                        linux::O_DIRECTORY,
                        linux::O_DIRECTORY | linux::O_NOFOLLOW,
                        linux::O_PATH | linux::O_NOFOLLOW,
                        0,
                    ][random.below(8)];
                    // Rust adds the access mode itself; O_CREAT is passed as it is.
                    let access = if random.below(2) == 0 {
                        linux::O_RDONLY
                    } else {
                        linux::O_RDWR
                    };
                    let opened = fs::OpenOptions::new()
                        .read(true)
                        .write(access == linux::O_RDWR)
                        .custom_flags(flags as i32)
                        .open(at(&one));
                    let own = m.open(&one, flags | access).and_then(|fd| m.close(fd));
                    (own, outcome(opened.map(drop)))
                }
                _ => {
                    let stat = |stat: files::Attributes| facts(stat.mode, stat.nlink, stat.size);
                    let own = m.stat(&one).map(stat);
                    let others = outcome(fs::metadata(at(&one)))
                        .map(|stat| facts(stat.mode(), stat.nlink(), stat.size()));
                    assert_eq!(own, others, "{context}");
                    let own = m.lstat(&one).map(stat);
                    let others = outcome(fs::symlink_metadata(at(&one)))
                        .map(|stat| facts(stat.mode(), stat.nlink(), stat.size()));
                    assert_eq!(own, others, "{context}");
                    let others = outcome(fs::read_link(at(&one)))
                        .map(|path| path.into_os_string().into_string().unwrap());
                    assert_eq!(m.readlink(&one), others, "{context}");
                    continue;
                }
            };
            assert_eq!(own, others, "{context}");
        }
        let (mut own, mut others) = (Vec::new(), Vec::new());
        own_tree(&mut m, &below, "", &mut own);
        tree(&there, "", &mut others);
        assert_eq!(own, others);
        // Each directory counts its own subdirectories.
        for path in own.iter().map(|path| format!("{below}/{path}")) {
            let attributes = m.lstat(&path).unwrap();
            if attributes.is_directory() {
                let all = m.list(&path, 300).unwrap();
                let directories = all
                    .iter()
                    .filter(|(_, kind)| u32::from(*kind) == linux::DT_DIR);
                assert_eq!(attributes.nlink, directories.count() as u64);
                assert_eq!(m.path_of(&path), Ok(path));
            }
        }
        drop(host);
        m.finish();
    }
}
