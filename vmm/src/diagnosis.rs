//! Why the guest could not execute a program, in more words than an errno: the host knows the file too.

use crate::command_line::Run;
use crate::image;
use crate::initramfs::{self, Found};
use crate::run::DEFAULT_PROGRAM;
use anyhow::{Result, bail, ensure};
use contract::Errno;
use contract::status::{NOT_EXECUTABLE, NOT_FOUND};
use elf::ElfBytes;
use elf::abi::{self, EM_X86_64, ET_DYN, ET_EXEC, PT_INTERP};
use elf::endian::AnyEndian;
use std::os::unix::ffi::OsStrExt;

/// Where programs are looked for: the guest's root, the working directory, and PATH for names without a slash.
pub struct Place<'a> {
    archive: &'a [u8],
    directory: Vec<u8>,
    path: Vec<u8>,
}

impl<'a> Place<'a> {
    /// The place that the options ask for.
    ///
    /// # Errors
    /// The working directory is not there.
    pub fn new(archive: &'a [u8], options: &Run, variables: &[Vec<u8>]) -> Result<Self> {
        let directory = options.workdir.as_bytes();
        ensure!(!directory.is_empty(), "--workdir: no directory is named");
        let path = variables
            .iter()
            .find_map(|variable| variable.strip_prefix(b"PATH="));
        if directory != b"/" {
            // The guest has these of its own.
            let is_own = [&b"/dev"[..], b"/proc"]
                .iter()
                .any(|own| directory.starts_with(own));
            match initramfs::find(archive, directory) {
                Some(Found::Directory) => {}
                None if is_own => {}
                None => bail!(
                    "--workdir {}: no such directory in the guest's root (add one with --add DIR:{0})",
                    options.workdir.display()
                ),
                Some(_) => bail!("--workdir {}: not a directory", options.workdir.display()),
            }
        }
        Ok(Self {
            archive,
            directory: directory.to_vec(),
            path: path.unwrap_or_default().to_vec(),
        })
    }

    /// What the guest found, or would have: as a shell, a name without a slash is looked for along PATH.
    fn find_program(&self, program: &[u8]) -> Option<Found<'a>> {
        if program.contains(&b'/') {
            return self.find(program);
        }
        self.path
            .split(|byte| *byte == b':')
            .find_map(|directory| self.find(&[directory, b"/", program].concat()))
    }

    fn find(&self, program: &[u8]) -> Option<Found<'a>> {
        if program.starts_with(b"/") {
            initramfs::find(self.archive, program)
        } else {
            initramfs::find(
                self.archive,
                &[&self.directory, &b"/"[..], program].concat(),
            )
        }
    }

    /// What is wrong with a program that is there and cannot run, before it is tried: the exit status, and why.
    #[must_use]
    pub fn refuse(&self, program: &[u8]) -> Option<(u8, String)> {
        if program.is_empty() {
            return Some((NOT_FOUND, "No such file or directory".to_owned()));
        }
        // In PATH there may be another one, which can be executed; and a script's interpreter is the kernel's to find.
        // The programs that are embedded were built for it.
        if !program.contains(&b'/') || std::ptr::eq(self.archive, image::initramfs()) {
            return None;
        }
        let Some(Found::File { mode, data }) = self.find(program) else {
            return None;
        };
        if mode & 0o111 == 0 || data.starts_with(b"#!") {
            return None;
        }
        let why = what_is_wrong(&data)?;
        Some((NOT_EXECUTABLE, format!("cannot be executed: {why}")))
    }

    /// The reason, for a message after the program's name.
    #[must_use]
    pub fn why_not_executed(&self, program: &[u8], errno: u16) -> String {
        match (Errno(errno), self.find_program(program)) {
            (Errno::ENOENT, None) if program == DEFAULT_PROGRAM.as_bytes() => {
                "No such file or directory; name a program after `--`".to_owned()
            }
            (Errno::ENOENT, None) => {
                format!("No such file or directory{}", self.suggestion(program))
            }
            (Errno::EACCES, Some(Found::Directory)) => "Is a directory".to_owned(),
            (Errno::EACCES, Some(Found::File { mode, .. })) if mode & 0o111 == 0 => {
                format!(
                    "Permission denied: its mode is {:04o}, nobody may execute it (chmod +x)",
                    mode & 0o7777
                )
            }
            (Errno::EACCES, Some(Found::Other)) => {
                "Permission denied: not a regular file".to_owned()
            }
            (
                Errno::ENOENT | Errno::ENOEXEC | Errno::EINVAL | Errno::EACCES,
                Some(Found::File { data, .. }),
            ) => {
                let why = self.interpreter(&data).or_else(|| what_is_wrong(&data));
                let why = why.unwrap_or_else(|| {
                    "its ELF has segments that overlap, or lie where a program may not have memory"
                        .to_owned()
                });
                format!("cannot be executed: {why}")
            }
            (errno, _) => plain(errno),
        }
    }

    /// The exit status for it, as a shell's: 127 where the program is not there, 126 where it is and cannot be executed
    /// (its interpreter may be what is not there).
    #[must_use]
    pub fn status_of_not_executed(&self, program: &[u8], errno: u16) -> u8 {
        let missing = matches!(Errno(errno), Errno::ENOENT | Errno::ENOTDIR);
        if missing && self.find_program(program).is_none() {
            NOT_FOUND
        } else {
            NOT_EXECUTABLE
        }
    }

    /// Where the program may be instead.
    fn suggestion(&self, program: &[u8]) -> String {
        let directories = ["/bin", "/usr/bin", "/sbin", "/usr/sbin", ""];
        let path = |directory: &&str| [directory.as_bytes(), b"/", program].concat();
        let found = |path: &Vec<u8>| matches!(self.find(path), Some(Found::File { .. }));
        match directories.iter().map(path).find(found) {
            Some(path) if !program.contains(&b'/') => {
                format!(" (there is {})", path.escape_ascii())
            }
            _ if program.starts_with(b"/") => {
                let name = program.escape_ascii();
                format!("; if it is a program of this host, add it: --add FILE:{name}")
            }
            _ => String::new(),
        }
    }

    /// What is wrong with a script's interpreter.
    fn interpreter(&self, data: &[u8]) -> Option<String> {
        let rest = data.strip_prefix(b"#!")?;
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.trim_ascii_start();
        let path = line
            .split(|byte| matches!(byte, b' ' | b'\t'))
            .next()
            .unwrap_or_default();
        let shown = path.escape_ascii();
        if path.is_empty() {
            return Some("its #! line names no interpreter".to_owned());
        }
        if path.ends_with(b"\r") {
            return Some(format!(
                "its interpreter `{shown}` is not there: the lines of the script end as on Windows (dos2unix takes the \\r out)"
            ));
        }
        Some(match self.find(path) {
            None => format!("its interpreter `{shown}` is not there; add it: --add FILE:{shown}"),
            Some(Found::File { mode, .. }) if mode & 0o111 == 0 => {
                format!("its interpreter `{shown}` has mode {:04o}", mode & 0o7777)
            }
            Some(Found::File { data, .. }) => {
                let why = what_is_wrong(&data).unwrap_or_else(|| "it cannot run".to_owned());
                format!("its interpreter `{shown}`: {why}")
            }
            Some(_) => format!("its interpreter `{shown}` is no file"),
        })
    }
}

/// What a file lacks to be executed, in words that say what to do; `None` where nothing is plainly wrong.
#[must_use]
pub fn what_is_wrong(data: &[u8]) -> Option<String> {
    let wrong = |text: &str| Some(text.to_owned());
    if data.is_empty() {
        return wrong("it is empty");
    }
    if data.starts_with(b"#!") {
        return None;
    }
    if !data.starts_with(b"\x7fELF") {
        let is_text = data
            .iter()
            .take(512)
            .all(|byte| matches!(byte, b'\t'..=b'\r' | b' '..));
        return wrong(if is_text {
            "it is a text file without a #! line; begin it with `#!/bin/sh`, or give it to its interpreter"
        } else {
            "it is neither an ELF program nor a script with a #! line"
        });
    }
    let is_32_bit = data.get(4) == Some(&1);
    if let Some(&[low, high]) = data.get(18..20) {
        match u16::from_le_bytes([low, high]) {
            EM_X86_64 if is_32_bit => {
                return wrong(
                    "it is a 32-bit program (x32); build it for x86-64: gcc -m64 -static",
                );
            }
            EM_X86_64 => {}
            machine => return Some(for_another_machine(machine)),
        }
    }
    let Ok(elf) = ElfBytes::<AnyEndian>::minimal_parse(data) else {
        return wrong("its ELF is cut short or damaged");
    };
    if elf.ehdr.e_type != ET_EXEC && elf.ehdr.e_type != ET_DYN {
        return wrong("it is an ELF, but not a program (an object file or a core dump)");
    }
    let Some(segments) = elf.segments() else {
        return wrong("its ELF has no segments");
    };
    for segment in segments.iter() {
        if elf.segment_data(&segment).is_err() {
            return wrong("its ELF is cut short: the file ends before its segments do");
        }
    }
    let interpreter = segments
        .iter()
        .find(|segment| segment.p_type == PT_INTERP)?;
    let name = elf.segment_data(&interpreter).unwrap_or_default();
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(format!(
        "it is dynamically linked and wants the interpreter {}, which cannot run here; link it statically \
         (gcc -static; Rust: -C target-feature=+crt-static)",
        name.escape_ascii()
    ))
}

fn for_another_machine(machine: u16) -> String {
    let name = match machine {
        abi::EM_386 => {
            return "it is a 32-bit program (i386); build it for x86-64: gcc -m64 -static"
                .to_owned();
        }
        abi::EM_AARCH64 => "aarch64".to_owned(),
        abi::EM_ARM => "32-bit ARM".to_owned(),
        abi::EM_RISCV => "RISC-V".to_owned(),
        abi::EM_PPC64 => "ppc64".to_owned(),
        number => format!("number {number}"),
    };
    format!(
        "it is for another machine ({name}); build it for x86-64: x86_64-linux-gnu-gcc -static \
         (Rust: --target x86_64-unknown-linux-musl)"
    )
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
            file("noise", 0o755, b"\0x"),
            file("dos", 0o755, b"#!/bin/sh\r\n"),
            file("short", 0o755, b"\x7fELF\x02\x01"),
            file("script", 0o755, b"#!/bin/none\n"),
        ]);
        let place = Place {
            archive: &archive,
            directory: b"/".to_vec(),
            path: b"/usr/bin:/sbin".to_vec(),
        };
        for (program, errno, part) in [
            ("/none", Errno::ENOENT, "No such file"),
            ("tool", Errno::ENOENT, "there is /bin/tool"),
            ("text", Errno::ENOENT, "there is /text"),
            ("/bin", Errno::EACCES, "Is a directory"),
            ("/plain", Errno::EACCES, "0644"),
            ("/text", Errno::ENOEXEC, "without a #! line"),
            ("/noise", Errno::ENOEXEC, "neither an ELF"),
            ("/short", Errno::ENOEXEC, "cut short"),
            ("/script", Errno::ENOENT, "/bin/none"),
            ("/dos", Errno::ENOENT, "Windows"),
            ("/plain/x", Errno::ENOTDIR, "Not a directory"),
        ] {
            let is_there =
                errno != Errno::ENOTDIR && !part.contains("No such") && !part.contains("there is");
            let status = place.status_of_not_executed(program.as_bytes(), errno.0);
            assert_eq!(
                status,
                if is_there { NOT_EXECUTABLE } else { NOT_FOUND },
                "{program}"
            );
            let why = place.why_not_executed(program.as_bytes(), errno.0);
            assert!(why.contains(part), "{program}: {why}");
        }
    }
}
