//! What the measures are taken on.

use super::files::Files;
use crate::qemu;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Memory of each machine: room for a parent of 256 MiB.
const MEMORY: &str = "1024M";
/// Memory of a machine that runs `/bin/true`: as much as `cowbell run` gives it.
const LITTLE_MEMORY: &str = "128M";
/// QEMU's machine with nothing in it that this kernel does not use.
const MICROVM: &str = "microvm,pit=off,pic=off,rtc=off,isa-serial=on";
/// What a PC is since 2009.
const Q35: &str = "q35";

/// A kernel and what runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// cowbell's own monitor on KVM.
    CowbellKvm,
    /// cowbell's kernel in QEMU, translated.
    CowbellTcg,
    /// cowbell's kernel in QEMU on KVM, in a machine like cowbell's own.
    CowbellQemuKvm,
    /// cowbell's kernel in QEMU on KVM, in a PC.
    CowbellQ35Kvm,
    /// Linux in QEMU, translated.
    LinuxTcg,
    /// Linux in QEMU on KVM.
    LinuxKvm,
    /// The programs on the host's own Linux.
    Host,
    /// cowbell's kernel in QEMU, translated, instructions counted.
    CowbellIcount,
    /// Linux in QEMU, translated, instructions counted.
    LinuxIcount,
}

/// What a sample counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Time.
    Nanoseconds,
    /// Guest instructions.
    Instructions,
    /// Memory.
    Bytes,
}

impl Unit {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "nanoseconds",
            Self::Instructions => "instructions",
            Self::Bytes => "bytes",
        }
    }
}

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// cowbell's.
    Cowbell,
    /// Linux as a guest.
    Linux,
    /// Linux of the host.
    Host,
}

impl Engine {
    /// All of them, in the order of the table's columns and of a round.
    pub const ALL: [Self; 9] = [
        Self::CowbellKvm,
        Self::CowbellTcg,
        Self::CowbellQemuKvm,
        Self::CowbellQ35Kvm,
        Self::LinuxTcg,
        Self::LinuxKvm,
        Self::Host,
        Self::CowbellIcount,
        Self::LinuxIcount,
    ];

    /// Its name in options and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CowbellKvm => "kvm",
            Self::CowbellTcg => "tcg",
            Self::CowbellQemuKvm => "qemu-kvm",
            Self::CowbellQ35Kvm => "q35-kvm",
            Self::LinuxTcg => "linux-tcg",
            Self::LinuxKvm => "linux-kvm",
            Self::Host => "host",
            Self::CowbellIcount => "icount",
            Self::LinuxIcount => "linux-icount",
        }
    }

    /// Its name in plots, where the unit is known.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::CowbellKvm => "cowbell",
            Self::CowbellTcg => "cowbell, TCG",
            Self::CowbellQemuKvm => "cowbell, QEMU",
            Self::CowbellQ35Kvm => "cowbell, q35",
            Self::LinuxTcg => "Linux, TCG",
            Self::LinuxKvm => "Linux, KVM",
            Self::Host => "Linux, the host",
            Self::CowbellIcount => "cowbell",
            Self::LinuxIcount => "Linux",
        }
    }

    /// One line that says what it is.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::CowbellKvm => "cowbell's kernel on KVM, in cowbell's own monitor",
            Self::CowbellTcg => "the same kernel and initramfs in QEMU TCG, microvm",
            Self::CowbellQemuKvm => "the same kernel and initramfs in QEMU on KVM, microvm",
            Self::CowbellQ35Kvm => "the same kernel and initramfs in QEMU on KVM, q35",
            Self::LinuxTcg => "Linux with the same programs in QEMU TCG, q35",
            Self::LinuxKvm => "Linux with the same programs in QEMU on KVM, q35",
            Self::Host => "the same programs on this host's Linux, no machine around them",
            Self::CowbellIcount => {
                "cowbell's kernel in QEMU TCG, microvm, counting guest instructions"
            }
            Self::LinuxIcount => "Linux in QEMU TCG, q35, counting guest instructions",
        }
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(self) -> Kernel {
        match self {
            Self::LinuxTcg | Self::LinuxKvm | Self::LinuxIcount => Kernel::Linux,
            Self::Host => Kernel::Host,
            _ => Kernel::Cowbell,
        }
    }

    /// Whether it needs KVM.
    #[must_use]
    pub fn on_kvm(self) -> bool {
        matches!(
            self,
            Self::CowbellKvm | Self::CowbellQemuKvm | Self::CowbellQ35Kvm | Self::LinuxKvm
        )
    }

    /// Whether it needs QEMU.
    #[must_use]
    pub fn in_qemu(self) -> bool {
        !matches!(self, Self::CowbellKvm | Self::Host)
    }

    /// Whether it counts instructions in place of time.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::CowbellIcount | Self::LinuxIcount)
    }

    /// What its clock counts.
    #[must_use]
    pub fn unit(self) -> Unit {
        if self.counts() {
            Unit::Instructions
        } else {
            Unit::Nanoseconds
        }
    }

    /// The command of a whole run of a program, as a user would run it.
    ///
    /// # Errors
    /// As [`command`](Self::command).
    pub fn plain_command(
        self,
        files: &Files,
        linux: Option<&Path>,
        program: &[String],
    ) -> Result<Command> {
        match self {
            Self::CowbellKvm => {
                let mut command = cowbell()?;
                command.args(["run", "--accel", "kvm", "--"]).args(program);
                Ok(command)
            }
            Self::Host => self.command(files, linux, program),
            _ => self.in_qemu_command(files, linux, program, LITTLE_MEMORY),
        }
    }

    /// The command that runs a program on it, alone on a machine of its own, where it has machines.
    ///
    /// # Errors
    /// QEMU, or this executable, is not found.
    pub fn command(
        self,
        files: &Files,
        linux: Option<&Path>,
        program: &[String],
    ) -> Result<Command> {
        match self {
            Self::CowbellKvm => {
                let mut command = cowbell()?;
                command
                    .args(["run", "--accel", "kvm", "--mem", MEMORY, "--initrd"])
                    .arg(&files.initramfs)
                    .arg("--")
                    .args(program);
                Ok(command)
            }
            Self::Host => {
                let (name, arguments) = program.split_first().context("no program")?;
                let mut command = Command::new(files.on_host(name));
                command.args(arguments);
                Ok(command)
            }
            _ => self.in_qemu_command(files, linux, program, MEMORY),
        }
    }

    fn in_qemu_command(
        self,
        files: &Files,
        linux: Option<&Path>,
        program: &[String],
        memory: &str,
    ) -> Result<Command> {
        let machine = match self {
            Self::CowbellTcg | Self::CowbellQemuKvm | Self::CowbellIcount => MICROVM,
            _ => Q35,
        };
        let mut command = Command::new(qemu::find()?);
        command
            .args(["-nodefaults", "-no-user-config", "-display", "none"])
            .args(["-no-reboot", "-smp", "1", "-m", memory, "-M", machine]);
        if self.on_kvm() {
            // KVM without hardware help refuses to set that bit.
            command.args(["-accel", "kvm", "-cpu", "host,-arch-capabilities"]);
        } else {
            command.args(["-accel", "tcg", "-cpu", "max"]);
        }
        if self.counts() {
            // Without sleep=off the count also moves with the host's clock while the processor waits.
            command.args(["-icount", "shift=0,sleep=off"]);
        }
        command
            .args(["-serial", "stdio"])
            .arg("-initrd")
            .arg(&files.initramfs);
        match self.kernel() {
            Kernel::Linux => {
                let kernel = linux.context("there is no Linux kernel")?;
                command.arg("-kernel").arg(kernel);
            }
            _ => {
                command
                    .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
                    .arg("-kernel")
                    .arg(&files.kernel);
            }
        }
        command.arg("-append").arg(self.kernel_line(program));
        Ok(command)
    }

    /// The kernel's command line. Where instructions are counted programs lie at fixed addresses, so that counts repeat.
    fn kernel_line(self, program: &[String]) -> String {
        if self.kernel() == Kernel::Linux {
            let fixed = if self.counts() { " norandmaps" } else { "" };
            let (init, arguments) = program
                .split_first()
                .map_or(("", &[][..]), |(init, arguments)| {
                    (init.as_str(), arguments)
                });
            format!(
                "console=ttyS0 panic=-1 quiet mitigations=off{fixed} rdinit={init} -- {}",
                arguments.join(" ")
            )
        } else {
            let mut line = if self.counts() { "aslr=0 --" } else { "--" }.to_owned();
            for argument in program {
                line.push(' ');
                line.extend(contract::command_line::encode(argument.as_bytes()).map(char::from));
            }
            line
        }
    }
}

/// This executable, to be started once more.
///
/// # Errors
/// The host does not tell where it lies.
pub fn cowbell() -> Result<Command> {
    let path: PathBuf = std::env::current_exe().context("cannot find cowbell's own executable")?;
    Ok(Command::new(path))
}
