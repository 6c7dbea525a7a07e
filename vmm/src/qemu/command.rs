//! QEMU's command line: a machine as much like the KVM engine's as there is, `microvm` with an I/O APIC, a 16550 and
//! the same memory layout.

use crate::memory::anonymous_file;
use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program, from Debian's qemu-system-x86.
pub const PROGRAM: &str = "qemu-system-x86_64";
/// Name of the console's character device.
pub const CONSOLE: &str = "console";

/// Whether the clock counts instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The host's.
    Host,
    /// One nanosecond an instruction, and a wait takes no time: runs repeat exactly.
    Instructions,
}

/// Files that QEMU inherits and opens by their number.
pub struct Files<'a> {
    /// Guest memory.
    pub memory: &'a File,
    /// The kernel's ELF.
    pub kernel: File,
    /// The initramfs.
    pub initramfs: File,
    /// QEMU's end of the monitor connection.
    pub monitor: RawFd,
}

/// Finds QEMU on the PATH.
///
/// # Errors
/// It is not there; what to install.
pub fn find() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(PROGRAM))
        .find(|candidate| nix::unistd::access(candidate, nix::unistd::AccessFlags::X_OK).is_ok());
    match found {
        Some(program) => Ok(program),
        None => bail!(
            "QEMU ({PROGRAM}) is not installed (Debian, Ubuntu: `sudo apt install qemu-system-x86`; \
             Fedora: `sudo dnf install qemu-system-x86`; Arch: `sudo pacman -S qemu-system-x86`)"
        ),
    }
}

/// A file in memory that holds these bytes.
///
/// # Errors
/// The host does not give it.
pub fn file_of(name: &std::ffi::CStr, bytes: &[u8]) -> Result<File> {
    let mut file = anonymous_file(name)?;
    file.write_all(bytes)
        .context("cannot fill a file in memory")?;
    Ok(file)
}

/// The whole command, ready to be started; its three standard descriptors are pipes.
#[must_use]
pub fn command(
    program: &OsStr,
    size: u64,
    files: &Files<'_>,
    command_line: OsString,
    clock: Clock,
) -> Command {
    let opened = |fd: RawFd| format!("/proc/self/fd/{fd}");
    let mut qemu = Command::new(program);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none"])
        .args(["-accel", "tcg", "-cpu", "max", "-smp", "1"])
        .args([
            "-M",
            "microvm,pit=off,pic=off,rtc=off,isa-serial=on,memory-backend=ram",
        ])
        .arg("-object")
        .arg(format!(
            "memory-backend-file,id=ram,size={size},share=on,mem-path={}",
            opened(files.memory.as_raw_fd())
        ))
        .args(["-m", &format!("{size}B")])
        // A reset (triple fault) stops the machine where it is, so that its registers can be asked for.
        .args(["-no-reboot", "-action", "shutdown=pause"])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
        .args(["-chardev", &format!("stdio,id={CONSOLE},signal=off")])
        .args(["-serial", &format!("chardev:{CONSOLE}")])
        .args([
            "-chardev",
            &format!("socket,id=monitor,fd={}", files.monitor),
        ])
        .args(["-mon", "chardev=monitor,mode=control"])
        .args(["-kernel", &opened(files.kernel.as_raw_fd())])
        .arg("-append")
        .arg(command_line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Keys that send signals are for the monitor alone.
        .process_group(0);
    if files
        .initramfs
        .metadata()
        .is_ok_and(|metadata| metadata.len() > 0)
    {
        qemu.args(["-initrd", &opened(files.initramfs.as_raw_fd())]);
    }
    if clock == Clock::Instructions {
        // Without sleep=off the clock also moves with the host's while the processor waits, from the firmware's
        // first wait on, and nothing repeats exactly.
        qemu.args(["-icount", "shift=0,sleep=off"]);
    }
    let inherited = [
        files.memory.as_raw_fd(),
        files.kernel.as_raw_fd(),
        files.initramfs.as_raw_fd(),
        files.monitor,
    ];
    let parent = std::process::id();
    let prepare = move || {
        for fd in inherited {
            // SAFETY: descriptors of this process; the call takes no pointer.
            if unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        // SAFETY: takes no pointer.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
        // SAFETY: takes nothing.
        let orphaned = u32::try_from(unsafe { libc::getppid() }) != Ok(parent);
        if orphaned {
            Err(std::io::ErrorKind::BrokenPipe.into())
        } else {
            Ok(())
        }
    };
    // SAFETY: between fork and exec it calls async-signal-safe functions alone and allocates nothing.
    unsafe { qemu.pre_exec(prepare) };
    qemu
}
