//! Why the guest could not execute a program, in more words than an errno: the host knows the file too.

use crate::initramfs::{self, Found};
use crate::run::DEFAULT_PROGRAM;
use contract::Errno;
use contract::status::{NOT_EXECUTABLE, NOT_FOUND};
use elf::ElfBytes;
use elf::abi::{EM_X86_64, ET_DYN, ET_EXEC, PT_INTERP};
use elf::endian::AnyEndian;

/// The reason, for a message after the program's name.
#[must_use]
pub fn why_not_executed(archive: &[u8], program: &[u8], errno: u16) -> String {
    let found = initramfs::find(archive, program);
    match (Errno(errno), found) {
        (Errno::ENOENT, None) if program == DEFAULT_PROGRAM.as_bytes() => {
            "No such file or directory; name a program after `--`".to_owned()
        }
        (Errno::ENOENT, None) => {
            format!("No such file or directory{}", suggestion(archive, program))
        }
        (Errno::EACCES, Some(Found::Directory)) => "Is a directory".to_owned(),
        (Errno::EACCES, Some(Found::File { mode, .. })) if mode & 0o111 == 0 => {
            format!(
                "Permission denied: its mode is {:04o}, nobody may execute it (chmod +x)",
                mode & 0o7777
            )
        }
        (Errno::EACCES, Some(Found::Other)) => "Permission denied: not a regular file".to_owned(),
        (
            Errno::ENOENT | Errno::ENOEXEC | Errno::EINVAL | Errno::EACCES,
            Some(Found::File { data, .. }),
        ) => {
            format!("cannot be executed: {}", what_is_wrong(&data))
        }
        (errno, _) => plain(errno),
    }
}

/// The exit status for it, as a shell's: 127 where the program is not there, 126 where it is and cannot be executed
/// (its interpreter may be what is not there).
#[must_use]
pub fn status_of_not_executed(archive: &[u8], program: &[u8], errno: u16) -> u8 {
    let missing = matches!(Errno(errno), Errno::ENOENT | Errno::ENOTDIR);
    if missing && initramfs::find(archive, program).is_none() {
        NOT_FOUND
    } else {
        NOT_EXECUTABLE
    }
}

/// Where the program may be instead.
fn suggestion(archive: &[u8], program: &[u8]) -> String {
    let directories = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];
    let path = |directory: &&str| [directory.as_bytes(), b"/", program].concat();
    let found = |path: &Vec<u8>| matches!(initramfs::find(archive, path), Some(Found::File { .. }));
    match directories.iter().map(path).find(found) {
        Some(path) if !program.contains(&b'/') => format!(" (there is {})", path.escape_ascii()),
        _ => String::new(),
    }
}

/// What an executable file lacks.
fn what_is_wrong(data: &[u8]) -> String {
    if let Some(rest) = data.strip_prefix(b"#!") {
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        return format!(
            "its interpreter `{}` is not there",
            line.trim_ascii().escape_ascii()
        );
    }
    if data.is_empty() {
        return "it is empty".to_owned();
    }
    if !data.starts_with(b"\x7fELF") {
        return "it is neither an ELF program nor a script with a #! line".to_owned();
    }
    if data.get(4) == Some(&1) {
        return "it is a 32-bit program; build it for x86-64 (gcc -m64 -static)".to_owned();
    }
    let Ok(elf) = ElfBytes::<AnyEndian>::minimal_parse(data) else {
        return "its ELF is cut short or damaged".to_owned();
    };
    if elf.ehdr.e_machine != EM_X86_64 {
        return format!(
            "it is for another machine (ELF machine {}), not x86-64",
            elf.ehdr.e_machine
        );
    }
    if elf.ehdr.e_type != ET_EXEC && elf.ehdr.e_type != ET_DYN {
        return "it is an ELF, but not a program (an object file or a core dump)".to_owned();
    }
    let Some(segments) = elf.segments() else {
        return "its ELF has no segments".to_owned();
    };
    for segment in segments.iter() {
        if elf.segment_data(&segment).is_err() {
            return "its ELF is cut short: the file ends before its segments do".to_owned();
        }
    }
    if segments.iter().any(|segment| segment.p_type == PT_INTERP) {
        return "it is dynamically linked; link it statically (gcc -static; Rust: -C target-feature=+crt-static)".to_owned();
    }
    "its ELF has segments that overlap, or lie where a program may not have memory".to_owned()
}

fn plain(errno: Errno) -> String {
    let text = match errno {
        Errno::ENOENT => "No such file or directory",
        Errno::ENOTDIR => "Not a directory",
        Errno::EACCES => "Permission denied",
        Errno::EISDIR => "Is a directory",
        Errno::ENOEXEC => "Exec format error",
        Errno::ELOOP => "Too many levels of symbolic links",
        Errno::ENOMEM => "Cannot allocate memory: give the machine more (--mem)",
        Errno::E2BIG => "Argument list too long",
        Errno::ENAMETOOLONG => "File name too long",
        Errno(number) => return format!("cannot be executed ({}, errno {number})", errno.name()),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{self, Entry, S_IFREG};

    #[test]
    fn reasons_are_told_apart() {
        let file = |name: &str, mode, data: &'static [u8]| Entry {
            name: name.as_bytes().to_vec(),
            mode: S_IFREG | mode,
            data: data.into(),
            ..Entry::directory(b"")
        };
        let archive = archive::write(&[
            Entry::directory(b"bin"),
            file("bin/tool", 0o755, b"x"),
            file("plain", 0o644, b"x"),
            file("text", 0o755, b"x"),
            file("short", 0o755, b"\x7fELF\x02\x01"),
            file("old", 0o755, b"\x7fELF\x01\x01"),
            file("script", 0o755, b"#!/bin/none\n"),
        ]);
        for (program, errno, part) in [
            ("/none", Errno::ENOENT, "No such file"),
            ("tool", Errno::ENOENT, "there is /bin/tool"),
            ("/bin", Errno::EACCES, "Is a directory"),
            ("/plain", Errno::EACCES, "0644"),
            ("/text", Errno::ENOEXEC, "neither an ELF"),
            ("/short", Errno::ENOEXEC, "cut short"),
            ("/old", Errno::ENOEXEC, "32-bit"),
            ("/script", Errno::ENOENT, "/bin/none"),
            ("/plain/x", Errno::ENOTDIR, "Not a directory"),
        ] {
            let is_there =
                errno != Errno::ENOTDIR && !part.contains("No such") && !part.contains("there is");
            let status = status_of_not_executed(&archive, program.as_bytes(), errno.0);
            assert_eq!(
                status,
                if is_there { NOT_EXECUTABLE } else { NOT_FOUND },
                "{program}"
            );
            let why = why_not_executed(&archive, program.as_bytes(), errno.0);
            assert!(why.contains(part), "{program}: {why}");
        }
    }
}
