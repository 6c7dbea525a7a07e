//! Names: resolution, creation, removal, and the errors in Linux's order.
mod machine;

use contract::Errno;
use linux_raw_sys::general as linux;
use machine::{Machine, directory, file, symlink};

const CREATE: u32 = linux::O_CREAT | linux::O_WRONLY;

#[test]
fn seeded_tree() {
    let mut machine = Machine::with(&[
        directory("."),
        directory("bin"),
        file("bin/echo", b"program"),
        file("./etc/deep/er/motd", b"hello\n"),
        symlink("bin/sh", "echo"),
    ]);
    assert_eq!(machine.get("/bin/sh"), Ok(b"program".to_vec()));
    assert_eq!(machine.get("/etc/deep/er/motd"), Ok(b"hello\n".to_vec()));
    assert_eq!(machine.readlink("bin/sh").as_deref(), Ok("echo"));
    assert_eq!(
        machine.path_of("/etc/deep/../deep/er").as_deref(),
        Ok("/etc/deep/er")
    );
    let echo = machine.stat("/bin/echo").unwrap();
    assert_eq!(
        (echo.mode, echo.size, echo.nlink, echo.blocks),
        (0o100_755, 7, 1, 8)
    );
    assert_eq!(
        (echo.uid, echo.gid, echo.mtime.seconds),
        (1000, 100, 1_700_000_000)
    );
    let bin = machine.stat("/bin").unwrap();
    assert_eq!((bin.mode, bin.nlink), (0o040_755, 2));
    let root = machine.stat("/").unwrap();
    // bin, etc, dev, tmp, proc.
    assert_eq!((root.nlink, root.ino), (2 + 5, 1));
    assert_eq!(machine.lstat("/bin/sh").unwrap().size, 4);
    machine.finish();
}

#[test]
fn a_program_has_one_path_however_it_is_found() {
    let machine = Machine::with(&[
        file("bin/echo", b"program"),
        symlink("bin/sh", "echo"),
        symlink("usr", "/"),
    ]);
    for path in [
        "/bin/echo",
        "bin/echo",
        "//bin/echo",
        "/bin//echo",
        "/bin/./echo",
        "/bin/../bin/echo",
        "/bin/sh",
        "/usr/bin/echo",
        "/proc/7/root/bin/echo",
        "/proc/self/cwd/bin/echo",
        "/proc/7/exe",
    ] {
        assert_eq!(machine.program(path).as_deref(), Ok("/bin/echo"), "{path}");
    }
    assert_eq!(machine.program("/bin/none"), Err(Errno::ENOENT));
    assert_eq!(machine.program("/bin"), Err(Errno::EACCES));
    machine.finish();
}

#[test]
fn open_errors() {
    let mut m = Machine::with(&[
        file("file", b"x"),
        directory("dir"),
        symlink("link", "file"),
        symlink("dangling", "made"),
        symlink("loop", "loop"),
        symlink("dirlink", "dir"),
    ]);
    let long = "n".repeat(256);
    for (path, flags, expected) in [
        ("", 0, Errno::ENOENT),
        ("none", 0, Errno::ENOENT),
        ("none/x", CREATE, Errno::ENOENT),
        ("file/x", 0, Errno::ENOTDIR),
        ("file/", 0, Errno::ENOTDIR),
        ("file/.", 0, Errno::ENOTDIR),
        ("link/", 0, Errno::ENOTDIR),
        ("new/", CREATE, Errno::EISDIR),
        ("dir/", CREATE, Errno::EISDIR),
        ("dir", linux::O_WRONLY, Errno::EISDIR),
        ("dir", linux::O_TRUNC, Errno::EISDIR),
        ("dir", linux::O_CREAT, Errno::EISDIR),
        (".", linux::O_CREAT, Errno::EISDIR),
        ("dir", CREATE | linux::O_EXCL, Errno::EEXIST),
        ("dangling", CREATE | linux::O_EXCL, Errno::EEXIST),
        ("link", linux::O_NOFOLLOW, Errno::ELOOP),
        (
            "dirlink",
            linux::O_NOFOLLOW | linux::O_DIRECTORY,
            Errno::ENOTDIR,
        ),
        ("file", linux::O_DIRECTORY, Errno::ENOTDIR),
        ("file", linux::O_DIRECTORY | linux::O_CREAT, Errno::EINVAL),
        ("loop", 0, Errno::ELOOP),
        ("loop/x", 0, Errno::ELOOP),
        (&long, 0, Errno::ENAMETOOLONG),
        (&format!("file/{long}"), 0, Errno::ENOTDIR),
        (&"x/".repeat(2048), 0, Errno::ENAMETOOLONG),
        (&"/".repeat(4096), 0, Errno::ENAMETOOLONG),
        ("/proc/none", CREATE, Errno::ENOENT),
        ("/proc/uptime", linux::O_WRONLY, Errno::EACCES),
    ] {
        assert_eq!(m.open(path, flags), Err(expected), "{path} {flags:o}");
    }
    assert_eq!(m.open(&"/".repeat(4095), 0), Ok(0));
    // Through a link that dangles, the file is made where the link leads.
    assert_eq!(m.put("dangling", b"now"), Ok(()));
    assert_eq!(m.get("made"), Ok(b"now".to_vec()));
    assert_eq!(m.open("dirlink/", linux::O_NOFOLLOW), Ok(1));
    assert_eq!(m.open("link", linux::O_PATH | linux::O_NOFOLLOW), Ok(2));
    assert_eq!(m.read(2, 1), Err(Errno::EBADF));
    m.finish();
}

#[test]
fn forty_links_and_one() {
    let mut m = Machine::new();
    m.put("l0", b"end").unwrap();
    for n in 1..=41 {
        m.symlink(&format!("l{}", n - 1), &format!("l{n}")).unwrap();
    }
    assert_eq!(m.get("l40"), Ok(b"end".to_vec()));
    assert_eq!(m.get("l41"), Err(Errno::ELOOP));
}

#[test]
fn create_and_remove() {
    let mut m = Machine::new();
    assert_eq!(m.mkdir("a"), Ok(()));
    assert_eq!(m.mkdir("a/b/"), Ok(()));
    assert_eq!(m.mkdir("a"), Err(Errno::EEXIST));
    assert_eq!(m.mkdir("/"), Err(Errno::EEXIST));
    assert_eq!(m.mkdir("a/.."), Err(Errno::EEXIST));
    assert_eq!(m.mkdir("x/y"), Err(Errno::ENOENT));
    assert_eq!(m.stat("a").unwrap().nlink, 3);
    assert_eq!(m.stat("a").unwrap().mode, 0o040_755);
    assert_eq!(m.rmdir("a"), Err(Errno::ENOTEMPTY));
    assert_eq!(m.rmdir("a/."), Err(Errno::EINVAL));
    assert_eq!(m.rmdir("a/.."), Err(Errno::ENOTEMPTY));
    assert_eq!(m.rmdir("/"), Err(Errno::EBUSY));
    assert_eq!(m.rmdir("/proc"), Err(Errno::EBUSY));
    assert_eq!(m.rmdir("/dev/null"), Err(Errno::ENOTDIR));
    assert_eq!(m.rmdir("none"), Err(Errno::ENOENT));
    m.put("a/f", b"1234").unwrap();
    assert_eq!(m.unlink("a"), Err(Errno::EISDIR));
    assert_eq!(m.unlink("a/f/"), Err(Errno::ENOTDIR));
    assert_eq!(m.unlink("a/none"), Err(Errno::ENOENT));
    assert_eq!(m.unlink("/proc/uptime"), Err(Errno::EPERM));
    assert_eq!(m.symlink("", "s"), Err(Errno::ENOENT));
    assert_eq!(m.symlink("x", "a/f"), Err(Errno::EEXIST));
    assert_eq!(m.symlink("x", "s/"), Err(Errno::ENOENT));
    // A file that is open outlives its name.
    let fd = m.open("a/f", linux::O_RDWR).unwrap();
    assert_eq!(m.unlink("a/f"), Ok(()));
    assert_eq!(m.read(fd, 10), Ok(b"1234".to_vec()));
    assert_eq!(m.pages.out, 1);
    m.close(fd).unwrap();
    assert_eq!(m.pages.out, 0);
    assert_eq!(m.rmdir("a/b"), Ok(()));
    assert_eq!(m.stat("a").unwrap().nlink, 2);
    assert_eq!(m.rmdir("a/"), Ok(()));
    assert_eq!(m.stat("a"), Err(Errno::ENOENT));
    m.finish();
}

#[test]
fn links_count() {
    let mut m = Machine::new();
    m.put("one", b"1").unwrap();
    m.mkdir("d").unwrap();
    assert_eq!(m.link("one", "d/two"), Ok(()));
    assert_eq!(m.link("d", "e"), Err(Errno::EPERM));
    assert_eq!(m.link("one", "d/two"), Err(Errno::EEXIST));
    assert_eq!(m.link("/proc/uptime", "u"), Err(Errno::EXDEV));
    assert_eq!(m.stat("one").unwrap().nlink, 2);
    assert_eq!(m.stat("one").unwrap().ino, m.stat("d/two").unwrap().ino);
    m.unlink("one").unwrap();
    assert_eq!(m.get("d/two"), Ok(b"1".to_vec()));
    assert_eq!(m.stat("d/two").unwrap().nlink, 1);
    m.unlink("d/two").unwrap();
    assert_eq!(m.pages.out, 0);
    m.finish();
}

#[test]
fn rename_rules() {
    let mut m = Machine::new();
    for path in ["a", "a/b", "a/b/c", "empty", "full", "full/x"] {
        m.mkdir(path).unwrap();
    }
    m.put("f", b"f").unwrap();
    m.put("g", b"g").unwrap();
    assert_eq!(m.rename("a", "a/b/d", 0), Err(Errno::EINVAL));
    assert_eq!(m.rename("a/b/c", "a", 0), Err(Errno::ENOTEMPTY));
    assert_eq!(m.rename("a/..", "x", 0), Err(Errno::EBUSY));
    assert_eq!(m.rename("f", "a/.", 0), Err(Errno::EBUSY));
    assert_eq!(m.rename("f", "empty", 0), Err(Errno::EISDIR));
    assert_eq!(m.rename("empty", "f", 0), Err(Errno::ENOTDIR));
    assert_eq!(m.rename("a", "full", 0), Err(Errno::ENOTEMPTY));
    assert_eq!(m.rename("none", "x", 0), Err(Errno::ENOENT));
    assert_eq!(m.rename("f", "x/", 0), Err(Errno::ENOTDIR));
    assert_eq!(m.rename("f/", "x", 0), Err(Errno::ENOTDIR));
    assert_eq!(m.rename("/proc/uptime", "x", 0), Err(Errno::EXDEV));
    assert_eq!(
        m.rename("f", "g", linux::RENAME_NOREPLACE),
        Err(Errno::EEXIST)
    );
    assert_eq!(
        m.rename("f", "x", linux::RENAME_EXCHANGE),
        Err(Errno::ENOENT)
    );
    assert_eq!(
        m.rename("f", "x", linux::RENAME_WHITEOUT),
        Err(Errno::EINVAL)
    );
    assert_eq!(m.rename("f", "f", 0), Ok(()));
    assert_eq!(m.rename("f", "g", 0), Ok(()));
    assert_eq!(m.get("g"), Ok(b"f".to_vec()));
    assert_eq!(m.stat("f"), Err(Errno::ENOENT));
    assert_eq!(m.pages.out, 1);
    let root = m.stat("/").unwrap().nlink;
    assert_eq!(m.rename("a/b", "empty", 0), Ok(()));
    assert_eq!(m.path_of("empty/c").as_deref(), Ok("/empty/c"));
    assert_eq!(m.stat("a").unwrap().nlink, 2);
    assert_eq!(m.stat("empty").unwrap().nlink, 3);
    assert_eq!(m.stat("/").unwrap().nlink, root);
    assert_eq!(m.rename("full/x", "moved", 0), Ok(()));
    assert_eq!(m.stat("/").unwrap().nlink, root + 1);
    assert_eq!(m.path_of("moved/..").as_deref(), Ok("/"));
    assert_eq!(m.rename("g", "empty/c", linux::RENAME_EXCHANGE), Ok(()));
    assert_eq!(m.get("empty/c"), Ok(b"f".to_vec()));
    assert_eq!(m.path_of("g").as_deref(), Ok("/g"));
    assert_eq!(m.stat("/").unwrap().nlink, root + 2);
    assert_eq!(m.stat("empty").unwrap().nlink, 2);
    m.finish();
}

#[test]
fn removed_working_directory() {
    let mut m = Machine::new();
    m.mkdir("d").unwrap();
    let view = Machine::view(&m.processes);
    let d = m
        .files
        .lookup(&view, b"d", files::LastLink::Follow)
        .unwrap();
    m.processes.cwd = m.files.share_directory(d);
    m.rmdir("/d").unwrap();
    assert_eq!(m.files.path_of(d), Err(Errno::ENOENT));
    assert_eq!(m.open("x", CREATE), Err(Errno::ENOENT));
    assert_eq!(m.mkdir("x"), Err(Errno::ENOENT));
    assert_eq!(m.stat(".").unwrap().nlink, 0);
    assert_eq!(m.stat(".."), Err(Errno::ENOENT));
    m.processes.cwd = m.files.root();
    m.files.release_directory(&mut m.pages, d);
    assert_eq!(m.files.attributes(d), Err(Errno::ENOENT));
    m.finish();
}

#[test]
fn the_root_stays_when_the_last_process_leaves_it() {
    let mut m = Machine::new();
    m.mkdir("d").unwrap();
    let held = m.files.share_directory(m.files.root());
    m.files.release_directory(&mut m.pages, held);
    assert!(m.stat("/d/..").unwrap().is_directory());
    m.finish();
}

#[test]
fn listing_is_stable_while_names_go_and_come() {
    let mut m = Machine::new();
    m.mkdir("d").unwrap();
    for n in 0..100 {
        m.put(&format!("d/{n}"), b"").unwrap();
    }
    let names = m.list("d", 64).unwrap();
    assert_eq!(names.len(), 102);
    assert_eq!(names[0], (".".into(), linux::DT_DIR as u8));
    assert_eq!(names[2], ("0".into(), linux::DT_REG as u8));
    // Remove each as it is listed, as rm -r does.
    let fd = m.open("d", linux::O_DIRECTORY).unwrap();
    let id = m.table.get(fd).unwrap();
    let mut seen = 0;
    loop {
        let mut buffer = [0; 200];
        let count = m
            .files
            .read_directory(id, &m.processes, files::Listing::Wide, &mut buffer)
            .unwrap();
        if count == 0 {
            break;
        }
        for (name, ..) in machine::entries(&buffer[..count]) {
            if !name.starts_with('.') {
                m.unlink(&format!("d/{name}")).unwrap();
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 100);
    assert_eq!(
        m.files
            .read_directory(id, &m.processes, files::Listing::Wide, &mut []),
        Ok(0)
    );
    assert_eq!(m.seek(fd, 0, linux::SEEK_SET), Ok(0));
    assert_eq!(
        m.files
            .read_directory(id, &m.processes, files::Listing::Wide, &mut [0; 8]),
        Err(Errno::EINVAL)
    );
    m.rmdir("d").unwrap();
    assert_eq!(
        m.files
            .read_directory(id, &m.processes, files::Listing::Wide, &mut [0; 100]),
        Err(Errno::ENOENT)
    );
    m.finish();
}
