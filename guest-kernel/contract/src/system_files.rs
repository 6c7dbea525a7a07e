//! What every system has: the kernel makes it where the archive leaves it out. Who writes an archive puts it in, for then
//! the kernel has nothing to make.

/// What a system file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A character device: major and minor number (Linux's devices.txt).
    Device(u32, u32),
    /// A symbolic link, and where it leads.
    Link(&'static str),
    /// A regular file, and what is in it.
    File(&'static str),
}

/// A system file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SystemFile {
    /// The directory in the root that it is in; empty for the root itself.
    pub directory: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// The low twelve bits of its mode.
    pub permissions: u16,
    /// What it is.
    pub kind: Kind,
}

/// The directory on which `/proc` is.
pub const PROC: &str = "proc";

/// All of them, each directory before what is in it.
pub const SYSTEM_FILES: [SystemFile; 18] = [
    directory("", "dev", 0o755),
    directory("", "etc", 0o755),
    directory("", PROC, 0o555),
    directory("", "tmp", 0o1777),
    device("null", 0o666, 1, 3),
    device("zero", 0o666, 1, 5),
    device("full", 0o666, 1, 7),
    device("random", 0o666, 1, 8),
    device("urandom", 0o666, 1, 9),
    device("tty", 0o666, 5, 0),
    device("console", 0o600, 5, 1),
    link("fd", "/proc/self/fd"),
    link("stdin", "/proc/self/fd/0"),
    link("stdout", "/proc/self/fd/1"),
    link("stderr", "/proc/self/fd/2"),
    directory("dev", "shm", 0o1777),
    setting("passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    setting("group", "root:x:0:\n"),
];

const fn directory(directory: &'static str, name: &'static str, permissions: u16) -> SystemFile {
    SystemFile {
        directory,
        name,
        permissions,
        kind: Kind::Directory,
    }
}

const fn device(name: &'static str, permissions: u16, major: u32, minor: u32) -> SystemFile {
    SystemFile {
        directory: "dev",
        name,
        permissions,
        kind: Kind::Device(major, minor),
    }
}

const fn link(name: &'static str, target: &'static str) -> SystemFile {
    SystemFile {
        directory: "dev",
        name,
        permissions: 0o777,
        kind: Kind::Link(target),
    }
}

/// A file that says who root is.
const fn setting(name: &'static str, contents: &'static str) -> SystemFile {
    SystemFile {
        directory: "etc",
        name,
        permissions: 0o644,
        kind: Kind::File(contents),
    }
}
