//! `--export`: files out of the guest when the machine ends; and `--root`: files into it.

use crate::machine::pty::Session;
use crate::machine::{End, Machine, engines, packages, scratch};
use contract::status::{ENDED_BY_USER, TIMEOUT};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

fn mode(path: &Path) -> u32 {
    let metadata = fs::symlink_metadata(path).expect("a file");
    metadata.permissions().mode() & 0o7777
}

#[test]
fn a_tree_comes_out_as_it_was() {
    let script = "mkdir -p /out/sub && cd /out && printf 'some text' >a && ln a b && ln -s a link && mkfifo fifo && \
                  chmod 640 a && touch -d @1000000000 a && chmod 750 sub && seq 100000 >sub/long && mknod sub/null c 1 3 && exit 7";
    for &engine in engines() {
        let host = scratch::directory(&format!("files_out/{}", engine.name()));
        let export = |guest: &str| format!("{guest}:{}", host.display());
        Machine::command(&["shell", "--accel", engine.name(), "--busybox"])
            .option([packages::busybox()])
            .option(["--export".to_owned(), export("/out")])
            .option(["--export".to_owned(), export("/etc/passwd")])
            .option(["--export".to_owned(), export("/nowhere")])
            .program(["-c", script])
            .run()
            // The program's own, although not all could be exported.
            .expect_status(7)
            .expect_said(&[
                "--export /nowhere",
                "No such file or directory",
                "left out 1",
            ]);
        let out = host.join("out");
        assert_eq!(fs::read(out.join("b")).expect("a file"), b"some text");
        let metadata = fs::metadata(out.join("a")).expect("a file");
        assert_eq!((metadata.nlink(), metadata.mtime()), (2, 1_000_000_000));
        assert_eq!(
            fs::read_link(out.join("link")).expect("a link"),
            Path::new("a")
        );
        assert_eq!(
            (mode(&out.join("a")), mode(&out.join("sub"))),
            (0o640, 0o750)
        );
        let fifo = fs::symlink_metadata(out.join("fifo")).expect("a FIFO");
        assert!(fifo.file_type().is_fifo());
        let long = fs::read_to_string(out.join("sub/long")).expect("a file");
        assert_eq!(
            (long.lines().count(), long.ends_with("\n100000\n")),
            (100_000, true)
        );
        assert!(!out.join("sub/null").exists());
        let passwd = fs::read_to_string(host.join("passwd")).expect("a file");
        assert!(passwd.starts_with("root:"), "{passwd}");
    }
}

/// A machine that is ended from outside, with programs that never would: by then one computes, or all sleep.
#[test]
fn files_come_out_of_a_machine_that_is_ended() {
    for &engine in engines() {
        let host = scratch::directory(&format!("files_out/ended.{}", engine.name()));
        for (name, forever) in [
            ("computes", "while :; do :; done"),
            ("sleeps", "sleep 1000"),
        ] {
            let script = format!("seq 3000 >/{name}; echo ready >/ready; {forever}");
            Machine::command(&["shell", "--accel", engine.name(), "--busybox"])
                .option([packages::busybox()])
                .option(["--timeout", "8s"])
                .option(["--export".to_owned(), format!("/{name}:{}", host.display())])
                .program(["-c", &script])
                .run()
                .expect_status(TIMEOUT)
                .expect_said(&["--timeout"]);
            let text = fs::read_to_string(host.join(name)).expect("a file");
            assert!(text.ends_with("\n3000\n"), "{text}");
        }
        let machine = Machine::command(&["shell", "--accel", engine.name(), "--busybox"])
            .option([packages::busybox()])
            .option(["--export".to_owned(), format!("/typed:{}", host.display())]);
        let mut session = Session::start(&machine);
        session.expect("# ");
        session.type_keys(b"echo kept >/typed; echo do''ne\r");
        session.expect("\r\ndone");
        session.type_keys(b"\x01x");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(ENDED_BY_USER.into()), "{screen}");
        let text = fs::read_to_string(host.join("typed")).expect("a file");
        assert_eq!(text, "kept\n");
    }
}

#[test]
fn a_directory_of_the_host_goes_in_whole() {
    let root = scratch::directory("files_out/root");
    fs::create_dir_all(root.join("bin")).expect("a directory");
    fs::create_dir_all(root.join("data/private")).expect("a directory");
    fs::copy(packages::busybox(), root.join("bin/busybox")).expect("busybox");
    symlink("busybox", root.join("bin/sh")).expect("a link");
    fs::write(root.join("data/file"), "text").expect("a file");
    let old = UNIX_EPOCH + Duration::from_secs(981_173_106);
    let file = fs::File::open(root.join("data/file")).expect("own");
    file.set_modified(old).expect("own");
    fs::set_permissions(root.join("data/file"), fs::Permissions::from_mode(0o4751)).expect("own");
    fs::set_permissions(
        root.join("data/private"),
        fs::Permissions::from_mode(0o1730),
    )
    .expect("own");
    fs::hard_link(root.join("data/file"), root.join("data/same")).expect("a link");
    symlink("../data/file", root.join("data/link")).expect("a link");
    nix::unistd::mkfifo(
        &root.join("data/fifo"),
        nix::sys::stat::Mode::from_bits_truncate(0o600),
    )
    .expect("a FIFO");
    let _socket =
        std::os::unix::net::UnixListener::bind(root.join("data/socket")).expect("a socket");
    let script = "cd /data; busybox stat -c '%n %f %h' *; busybox stat -c %Y same; busybox readlink link; read x <link; echo $x";
    for &engine in engines() {
        Machine::on(engine)
            .option(["--root"])
            .option([&root])
            .option(["--env", "PATH=/bin"])
            .program(["/bin/sh", "-c", script])
            .run()
            .expect_status(0)
            .expect_output(
                "fifo 1180 1\nfile 89e9 2\nlink a1ff 1\nprivate 43d8 2\nsame 89e9 2\n981173106\n../data/file\ntext\n",
            )
            .expect_said(&["left out", "socket"]);
    }
    fs::remove_file(root.join("data/socket")).expect("own");
}
