//! What can be asked of cowbell.

use crate::quantities::{parse_size, parse_time};
use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::command_line::HOST_NAME;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  cowbell                                     the tour: fork, copy-on-write, vfork, exec and wait, with counters
  cowbell run -- /bin/calc '6*7'              one program of the embedded root as pid 1
  cowbell run --add ./hello -- /hello         an unmodified static Linux program of yours
  cowbell run --stats=json --stats-file s.json -- /bin/fork_exec
  cowbell run --root ./tree --workdir /src --env CC=tcc --export /src/out:. -- /bin/make
  cowbell run --strace -- /bin/fork_exec      each system call, as strace -f shows it
  cowbell shell                               a prompt inside
  cowbell run --accel tcg --icount -- /bin/cow_touch   in QEMU, with exactly repeatable counts
  cowbell bench --quick                       what processes cost here, measured on every engine of this host
  cowbell doctor                              what this host offers, what is missing, what to do";

const SHELL_EXAMPLES: &str = "\
Examples:
  cowbell shell                               a prompt; `exit` or Ctrl-A x ends it
  cowbell shell --add ./src:/src --workdir /src
  cowbell shell -- -c 'ls -l / | wc -l'       one command, with the shell's exit status
  cowbell shell --strace=calls.txt            with every system call of what is run in a file";

const BENCH_EXAMPLES: &str = "\
Examples:
  cowbell bench --quick                       a first look
  cowbell bench --linux                       everything, and Debian's Linux in the same QEMU
  cowbell bench --only fork --engine tcg      the measures with fork in their name, in QEMU alone
  cowbell bench --compare old.json            what got better or worse since

docs/bench.md says what the measures and engines are. A NAME that is none is answered with those there are.

Exit status of `cowbell bench`:
  0      the measures were taken, whatever they are: better or worse, a comparison is only told
  125    nothing could be measured, a report could not be written, or an option is wrong
  128+n  signal n ended it: what was taken until then is shown, and no report is written";

const STATUSES: &str = "\
On a terminal: Ctrl-A x ends the machine, Ctrl-A Ctrl-A sends one Ctrl-A; all other keys are the guest's.

Exit status of `cowbell` and `cowbell run`:
  0-255  the program's own; 128+n when signal n ended it. What ends the machine instead:
    120  the guest kernel panicked
    121  triple fault: the guest's processor shut down
    122  deadlock: every process waited for something that could not come
    123  ended by the user with Ctrl-A x
    124  the time given by --timeout passed
    125  cowbell itself failed: bad option, kernel, initramfs or host
    126  the program is there and cannot be executed
    127  the program is not there
  128+n  signal n ended cowbell
A line on standard error tells these from a program's own status; --stats names the end too.";

/// Runs Unix processes in a virtual machine of their own.
#[derive(Debug, Parser)]
#[command(name = "cowbell", version, about, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{STATUSES}"))]
pub struct CommandLine {
    /// What to do; the tour when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a program as pid 1 of a fresh machine; its exit status is cowbell's
    #[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{STATUSES}"))]
    Run(Box<Run>),
    /// Starts an interactive shell in a fresh machine; its exit status is cowbell's
    #[command(after_help = SHELL_EXAMPLES)]
    Shell(Box<Shell>),
    /// Says what this host offers, what is missing, and what to do about it
    Doctor,
    /// Measures what processes cost here, on every engine of this host, and compares
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(Box<Bench>),
    /// Writes kernel.elf and initramfs.cpio, as embedded, for other monitors
    Export {
        /// Directory to write to; it is made if it is not there
        directory: PathBuf,
    },
}

/// How to run a shell.
#[derive(Args, Debug)]
#[command(mut_arg("program", |arguments| arguments
    .value_name("ARGUMENT")
    .help("Arguments of the shell, as -c COMMAND; a prompt when left out")))]
pub struct Shell {
    /// Takes this busybox (static, x86-64) for the shell and its commands; the host's own when left out, else a small
    /// shell of cowbell's
    #[arg(long, value_name = "PATH")]
    pub busybox: Option<PathBuf>,
    // No doc comment: it would become the command's own text.
    #[command(flatten)]
    pub run: Run,
}

/// How to run a machine.
#[derive(Args, Debug)]
pub struct Run {
    /// Copies a file or directory of the host into the guest's root, from HOST to GUEST (/NAME when left out), with modes
    /// and times
    #[arg(long, value_name = "HOST[:GUEST]")]
    pub add: Vec<OsString>,
    /// Takes a directory of the host as the guest's root, in place of the embedded one
    #[arg(long, value_name = "DIR", conflicts_with = "initrd")]
    pub root: Option<PathBuf>,
    /// Takes a cpio archive (newc) as the guest's root, in place of the embedded one
    #[arg(long, value_name = "FILE")]
    pub initrd: Option<PathBuf>,
    /// Boots another kernel: any x86-64 ELF with a PVH entry note
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// Memory of the machine
    #[arg(long, value_name = "SIZE", default_value = "128M", value_parser = parse_size, allow_negative_numbers = true)]
    pub mem: u64,
    /// Sets an environment variable of the program; K alone takes this host's value, if it has one
    #[arg(long, short = 'e', value_name = "K[=V]")]
    pub env: Vec<OsString>,
    /// Reads such variables from a file, one a line; lines that begin with # are left out
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
    /// Working directory of the program
    #[arg(long, short = 'w', value_name = "DIR", default_value = "/")]
    pub workdir: OsString,
    /// Name of the machine
    #[arg(long, value_name = "NAME", default_value = HOST_NAME)]
    pub hostname: OsString,
    /// Copies a file or directory out of the guest when the machine ends, from GUEST to HOST (into it, where that is a
    /// directory), with modes, links and times
    #[arg(long, value_name = "GUEST:HOST")]
    pub export: Vec<OsString>,
    /// Ends the machine after this time (500ms, 10s, 2m), with status 124
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_negative_numbers = true)]
    pub timeout: Option<Duration>,
    /// Shows counters, exits, start phases and memory at the end, on standard error
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    pub stats: Option<StatsFormat>,
    /// Writes the figures of --stats to this file
    #[arg(long, value_name = "FILE")]
    pub stats_file: Option<PathBuf>,
    /// Has the kernel give back all memory at the end, and say so if a frame is missing; --stats does so too
    #[arg(long)]
    pub check_frames: bool,
    /// Prints each system call as strace -f does, on standard error or to FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub strace: Option<OsString>,
    /// What runs the guest
    #[arg(long, value_enum, default_value_t = Accelerator::Auto)]
    pub accel: Accelerator,
    /// With --accel tcg: the clock counts guest instructions, so that runs repeat exactly
    #[arg(long)]
    pub icount: bool,
    /// Lays programs out at fixed addresses; --icount does so by itself
    #[arg(long)]
    pub no_aslr: bool,
    /// The program and its arguments; /init when left out
    #[arg(value_name = "PROG", trailing_var_arg = true)]
    pub program: Vec<OsString>,
}

impl Run {
    /// The format that figures are wanted in, if they are: a file alone asks for them too.
    #[must_use]
    pub fn stats_format(&self) -> Option<StatsFormat> {
        self.stats
            .or(self.stats_file.as_ref().map(|_| StatsFormat::Table))
    }
}

/// Formats of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatsFormat {
    /// For people
    Table,
    /// For programs; its schema is vmm/schema/stats.schema.json
    Json,
    /// Prometheus text exposition format
    Prometheus,
}

/// What runs the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Accelerator {
    /// KVM where it can be used, else QEMU's TCG
    Auto,
    /// KVM
    Kvm,
    /// QEMU, translating in software: no hardware help needed
    Tcg,
}

/// What to measure.
#[derive(Args, Debug)]
pub struct Bench {
    /// Takes fewer rounds and sizes: a first look
    #[arg(long)]
    pub quick: bool,
    /// Takes only the measures with this in their name (fork, true, boot, compute…); may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Measures only on this engine: kvm, tcg, qemu-kvm, q35-kvm, linux-tcg, linux-kvm, host, icount or linux-icount; may
    /// be given several times
    #[arg(long, value_name = "NAME")]
    pub engine: Vec<String>,
    /// Compares with Linux in QEMU: this kernel image, or Debian's, downloaded to the cache directory
    #[arg(long, value_name = "KERNEL", num_args = 0..=1, default_missing_value = "", value_parser = parse_linux)]
    pub linux: Option<Linux>,
    /// Says what got better or worse beyond the spread since this earlier report (a bench.json)
    #[arg(long, value_name = "OLD.json")]
    pub compare: Option<PathBuf>,
    /// Writes the report as JSON to this file, in place of an earlier one; its schema is vmm/schema/bench.schema.json
    #[arg(long, value_name = "FILE", default_value = "bench.json")]
    pub json: PathBuf,
    /// Writes the report as a page with plots to this file, in place of an earlier one
    #[arg(long, value_name = "FILE", default_value = "bench.html")]
    pub html: PathBuf,
}

/// A Linux to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linux {
    /// Debian's kernel for virtual machines.
    Debian,
    /// A kernel image.
    Image(PathBuf),
}

fn parse_linux(text: &str) -> Result<Linux, String> {
    Ok(if text.is_empty() {
        Linux::Debian
    } else {
        Linux::Image(text.into())
    })
}
