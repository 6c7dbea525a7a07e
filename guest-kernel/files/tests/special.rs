//! `/dev` and `/proc`.
mod machine;

use contract::Errno;
use files::{KernelDevice, Step, Transfer};
use linux_raw_sys::general as linux;
use machine::{Machine, file};

#[test]
fn devices() {
    let mut m = Machine::new();
    let names = m.list("/dev", 300).unwrap();
    for (name, number) in [
        ("null", 0x103),
        ("zero", 0x105),
        ("full", 0x107),
        ("random", 0x108),
        ("urandom", 0x109),
        ("tty", 0x500),
        ("console", 0x501),
    ] {
        assert!(names.contains(&(name.into(), linux::DT_CHR as u8)));
        let attributes = m.stat(&format!("/dev/{name}")).unwrap();
        assert_eq!(attributes.rdev, number);
        assert_eq!(attributes.mode & linux::S_IFMT, linux::S_IFCHR);
        assert_eq!(attributes.size, 0);
    }
    let zero = m.open("/dev/zero", linux::O_RDWR).unwrap();
    assert_eq!(m.read(zero, 5000), Ok(vec![0; 5000]));
    assert_eq!(m.write(zero, b"abc"), Ok(3));
    let full = m.open("/dev/full", linux::O_RDWR).unwrap();
    assert_eq!(m.read(full, 5), Ok(vec![0; 5]));
    assert_eq!(m.write(full, b"abc"), Err(Errno::ENOSPC));
    assert_eq!(m.seek(zero, 5, linux::SEEK_SET), Ok(0));
    let console = m.open("/dev/console", linux::O_RDWR).unwrap();
    assert_eq!(
        m.read_pieces(console, 5, 5),
        Step::Device(KernelDevice::Console)
    );
    let step = m.write_pieces(console, b"x", 1, &mut Transfer::new(1));
    assert_eq!(step, Step::Device(KernelDevice::Console));
    assert_eq!(m.seek(console, 0, linux::SEEK_SET), Err(Errno::ESPIPE));
    let id = m.table.get(console).unwrap();
    assert_eq!(m.files.kernel_device(id), Ok(Some(KernelDevice::Console)));
    let random = m.open("/dev/urandom", 0).unwrap();
    assert_eq!(
        m.read_pieces(random, 5, 5),
        Step::Device(KernelDevice::Random)
    );
    // The devices' directory is an ordinary one.
    m.put("/dev/note", b"1").unwrap();
    m.unlink("/dev/note").unwrap();
    m.finish();
}

#[test]
fn processes() {
    let mut m = Machine::new();
    let names: Vec<String> = m
        .list("/proc", 100)
        .unwrap()
        .into_iter()
        .map(|e| e.0)
        .collect();
    assert_eq!(
        names,
        [
            ".",
            "..",
            "cowbell",
            "cpuinfo",
            "filesystems",
            "loadavg",
            "meminfo",
            "stat",
            "uptime",
            "version",
            "self",
            "thread-self",
            "mounts",
            "sys",
            "1",
            "7"
        ]
    );
    let names: Vec<String> = m
        .list("/proc/7", 60)
        .unwrap()
        .into_iter()
        .map(|e| e.0)
        .collect();
    assert_eq!(
        names,
        [
            ".", "..", "cmdline", "comm", "environ", "limits", "maps", "mounts", "pagemap", "stat",
            "statm", "status", "cwd", "exe", "root", "fd", "fdinfo", "task"
        ]
    );
    assert_eq!(m.readlink("/proc/self").as_deref(), Ok("1"));
    assert_eq!(m.readlink("/proc/mounts").as_deref(), Ok("self/mounts"));
    assert_eq!(m.readlink("/proc/thread-self").as_deref(), Ok("1/task/1"));
    assert_eq!(
        m.get("/proc/7/task/7/comm"),
        Ok(b"Thread(7, 7, Comm)\n".to_vec())
    );
    assert_eq!(
        m.get("/proc/sys/kernel/random/uuid"),
        Ok(b"Sys(Uuid)\n".to_vec())
    );
    assert_eq!(m.path_of("/proc/sys/vm/..").as_deref(), Ok("/proc/sys"));
    assert_eq!(m.readlink("/proc/7/exe").as_deref(), Ok("/bin/echo"));
    assert_eq!(m.readlink("/proc/7/cwd").as_deref(), Ok("/"));
    assert_eq!(m.path_of("/proc/self/fd").as_deref(), Ok("/proc/1/fd"));
    assert_eq!(m.path_of("/proc/7/..").as_deref(), Ok("/proc"));
    assert_eq!(m.path_of("/proc/..").as_deref(), Ok("/"));
    assert_eq!(m.path_of("/proc/7/root/dev").as_deref(), Ok("/dev"));
    for path in [
        "/proc/2",
        "/proc/01",
        "/proc/7/none",
        "/proc/none",
        "/proc/7/fd/0",
    ] {
        assert_eq!(m.stat(path).err(), Some(Errno::ENOENT), "{path}");
    }
    assert_eq!(m.get("/proc/7/comm"), Ok(b"Process(7, Comm)\n".to_vec()));
    let uptime = m.stat("/proc/uptime").unwrap();
    assert_eq!((uptime.mode, uptime.size), (0o100_444, 0));
    let mut inodes: Vec<u64> = Vec::new();
    for directory in [
        "/proc",
        "/proc/1",
        "/proc/7",
        "/proc/7/task",
        "/proc/7/task/7",
        "/proc/sys",
        "/proc/sys/kernel",
    ] {
        for (name, _) in m.list(directory, 500).unwrap() {
            if !name.starts_with('.') {
                inodes.push(m.lstat(&format!("{directory}/{name}")).unwrap().ino);
            }
        }
    }
    let count = inodes.len();
    inodes.sort_unstable();
    inodes.dedup();
    assert_eq!(inodes.len(), count);
    m.finish();
}

#[test]
fn long_text_is_a_snapshot_until_the_start_is_sought() {
    let mut m = Machine::new();
    m.processes.text = vec![b'a'; 10_000];
    let fd = m.open("/proc/meminfo", 0).unwrap();
    let first = m.read(fd, 5000).unwrap();
    assert!(first.starts_with(b"System(Meminfo)\naaa"));
    m.processes.text = vec![b'b'; 3];
    assert_eq!(m.read(fd, 9000).unwrap().len(), 10_016 - 5000);
    assert_eq!(m.read(fd, 10), Ok(vec![]));
    assert_eq!(m.pages.out, 3);
    assert_eq!(m.seek(fd, 0, linux::SEEK_SET), Ok(0));
    assert_eq!(m.read(fd, 99), Ok(b"System(Meminfo)\nbbb".to_vec()));
    assert_eq!(m.write(fd, b"x"), Err(Errno::EBADF));
    m.close(fd).unwrap();
    assert_eq!(m.pages.out, 0);
    m.finish();
}

#[test]
fn text_without_frames() {
    for left in 0..3 {
        let mut m = Machine::new();
        m.processes.text = vec![b'a'; 10_000];
        m.pages.left = left;
        let fd = m.open("/proc/meminfo", 0).unwrap();
        assert_eq!(m.read(fd, 5000), Err(Errno::ENOMEM));
        assert_eq!(m.pages.out, 0);
        m.finish();
    }
}

#[test]
fn descriptors_as_files() {
    let mut m = Machine::with(&[file("f", b"content")]);
    let fd = m.open("f", linux::O_RDWR).unwrap();
    let [reader, writer] = m.files.pipe2(&mut m.pages, &mut m.table, 0).unwrap();
    m.publish();
    let names = m.list("/proc/self/fd", 100).unwrap();
    assert_eq!(names.len(), 2 + 3);
    assert_eq!(names[2], ("0".into(), linux::DT_LNK as u8));
    assert_eq!(m.readlink("/dev/stdin").as_deref(), Ok("/proc/self/fd/0"));
    assert_eq!(m.readlink("/proc/self/fd/0").as_deref(), Ok("/f"));
    assert_eq!(m.readlink("/dev/fd/1").as_deref(), Ok("pipe:[1]"));
    assert_eq!(m.read(fd, 3), Ok(b"con".to_vec()));
    // Opened anew, with an offset of its own; even after the name is gone.
    m.unlink("f").unwrap();
    assert_eq!(m.get("/dev/stdin"), Ok(b"content".to_vec()));
    assert_eq!(m.stat("/dev/stdin").unwrap().size, 7);
    assert_eq!(m.stat("/dev/fd/1").unwrap().mode, linux::S_IFIFO | 0o600);
    let again = m.open("/dev/fd/2", linux::O_WRONLY).unwrap();
    m.close(writer).unwrap();
    m.write(again, b"through").unwrap();
    assert_eq!(m.read(reader, 9), Ok(b"through".to_vec()));
    assert_eq!(m.open("/proc/self/fd/1/x", 0), Err(Errno::ENOTDIR));
    m.finish();
}
