//! `cowbell run` and the tour: makes a machine of the options, runs it, and says how it ended.

use crate::channel::Listener;
use crate::command_line::{Accelerator, Run};
use crate::ending::Ending;
use crate::files_out::Exports;
use crate::image;
use crate::kernel_image::{self, KernelImage};
use crate::machine::{Attachment, Machine, Measure, Outcome};
use crate::memory::SIZE_UNIT;
use crate::messages::{self, say};
use crate::phases::Phases;
use crate::qemu::Clock;
use crate::records::Counters;
use crate::registers::Registers;
use crate::sealed_file::SealedFile;
use crate::shell::Busybox;
use crate::stats::Report;
use crate::strace::Strace;
use crate::terminal::{self, Console, Size};
use crate::{
    backtrace, boot, closed_output, diagnosis, environment, initramfs, interruption, kvm, qemu,
    records, whole_file,
};
use anyhow::{Context, Result, bail, ensure};
use contract::command_line as guest_line;
use contract::status::Exit;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the kernel runs when nothing is named.
pub const DEFAULT_PROGRAM: &str = "/init";

/// Longest name of a machine (`__NEW_UTS_LEN`).
const HOST_NAME_LIMIT: usize = 64;

/// Runs the tour.
pub fn tour(phases: Phases) -> Result<u8> {
    use clap::Parser;
    #[derive(Parser)]
    struct Defaults {
        #[command(flatten)]
        run: Run,
    }
    let options = Defaults::try_parse_from(["cowbell"]).context("no defaults")?;
    run(&options.run, None, phases)
}

/// Runs a machine; the exit status.
///
/// # Errors
/// It could not be started.
pub fn run(options: &Run, busybox: Option<Busybox>, phases: Phases) -> Result<u8> {
    ensure!(
        !closed_output::was_closed(),
        "standard output is closed: the guest's output has nowhere to go"
    );
    let kernel_file = match &options.kernel {
        Some(path) => {
            let read = |file: &mut File| Ok(whole_file::append(path, options.mem, file)?);
            let file = SealedFile::new(kernel_image::NAME, read)
                .with_context(|| format!("cannot read the kernel {}", path.display()))?;
            Some(file)
        }
        None => None,
    };
    let kernel_bytes = kernel_file.as_deref().unwrap_or_else(|| image::kernel());
    let kernel_name = options.kernel.as_ref().map_or_else(
        || "the embedded kernel".to_owned(),
        |path| path.display().to_string(),
    );
    let mut kernel =
        KernelImage::parse(kernel_bytes).with_context(|| format!("cannot boot {kernel_name}"))?;
    kernel.file = kernel_file.as_ref();
    let initramfs = initramfs::build(options, busybox)?;
    let memory_size = options.mem - options.mem % SIZE_UNIT;
    boot::check_size(&kernel, &initramfs, options.mem)?;
    let console = terminal::console();
    let size = match console {
        // Another kernel would take what is told later for keys.
        Console::Terminal if kernel.records.is_some() => terminal::tell_size(),
        _ => None,
    };
    let program = options
        .program
        .first()
        .map_or(OsStr::new(DEFAULT_PROGRAM), |program| program.as_os_str());
    let variables = environment::variables(options, console)?;
    let place = diagnosis::Place::new(&initramfs, options, &variables)?;
    if kernel.records.is_some()
        && let Some((status, why)) = place.refuse(program.as_bytes())
    {
        say(&format!("{}: {why}", shown(program)));
        return Ok(status);
    }
    let exports = Exports::new(&options.export)?;
    let machine = Machine {
        memory_size,
        kernel: &kernel,
        initramfs: &initramfs,
        command_line: command_line(options, console, size, &variables, &exports)?,
        attachment: Attachment::Standard,
        measure: if options.stats_format().is_some() {
            Measure::Everything
        } else {
            Measure::Nothing
        },
    };
    let sink = Sink::open(options)?;
    let mut strace = options.strace.as_deref().map(Strace::open).transpose()?;
    if let Some(strace) = &mut strace {
        let mut arguments: Vec<&[u8]> = options.program.iter().map(|a| a.as_bytes()).collect();
        if arguments.is_empty() {
            arguments.push(DEFAULT_PROGRAM.as_bytes());
        }
        strace.first(&arguments, variables.len());
    }
    let mut listener = Listener::new(&kernel, strace, exports);
    let engine = Engine::choose(options)?;
    interruption::install()?;
    if console == Console::Terminal {
        interruption::watch_terminal()?;
    }
    let guard = terminal::make_raw(console)?;
    if let Some(time) = options.timeout {
        interruption::set_timeout(time)?;
    }
    let engine_name = engine.name();
    let outcome = match engine {
        Engine::Kvm(kvm) => kvm::run(kvm, &machine, &mut listener, phases)?,
        Engine::Qemu(clock) => qemu::run(&machine, clock, &mut listener, phases)?,
    };
    interruption::clear_timeout();
    if let Some(strace) = &mut listener.strace {
        if let Ending::Guest(Exit::ExecFailed(errno)) = outcome.ending {
            strace.first_result(errno);
        }
        strace.finish();
    }
    drop(guard);
    let status = match outcome.ending {
        Ending::Guest(Exit::ExecFailed(errno)) => {
            place.status_of_not_executed(program.as_bytes(), errno)
        }
        _ => outcome.ending.status(),
    };
    outcome.ending.report(|errno| {
        let why = place.why_not_executed(program.as_bytes(), errno);
        format!("{}: {why}", shown(program))
    });
    listener.exports.write();
    if let Some(format) = options.stats_format() {
        let counters = Counters::read(&outcome.memory, &kernel);
        let report = Report::new(engine_name, &outcome, status, counters.as_ref());
        sink.write(&report.show(format))?;
    }
    if outcome.ending.is_crash() {
        show_crash(&outcome, &kernel);
    }
    Ok(status)
}

/// A program's name in a message.
fn shown(program: &OsStr) -> String {
    if program.is_empty() {
        "``".to_owned()
    } else {
        program.display().to_string()
    }
}

/// Registers and backtrace: the kernel's own record where it panicked, else the processor as it stands.
fn show_crash(outcome: &Outcome, kernel: &KernelImage<'_>) {
    let recorded = records::crash(&outcome.memory, kernel);
    let registers = recorded
        .as_ref()
        .map(Registers::from_crash)
        .or(outcome.registers);
    if let Some(registers) = registers {
        backtrace::print(&outcome.memory, kernel, &registers);
    }
}

/// What runs the guest, found to be there.
enum Engine {
    Kvm(kvm::Ready),
    Qemu(Clock),
}

/// Where the figures go: opened before the run, so that they are not lost after it.
enum Sink {
    StandardError,
    File(PathBuf, File),
}

impl Sink {
    fn open(options: &Run) -> Result<Self> {
        match &options.stats_file {
            None => Ok(Self::StandardError),
            Some(path) => {
                let file = File::create(path)
                    .with_context(|| format!("--stats-file {}: cannot write it", path.display()))?;
                Ok(Self::File(path.clone(), file))
            }
        }
    }

    fn write(self, text: &str) -> Result<()> {
        match self {
            Self::StandardError => {
                messages::write(text);
                Ok(())
            }
            Self::File(path, mut file) => file
                .write_all(text.as_bytes())
                .with_context(|| format!("cannot write {}", path.display())),
        }
    }
}

impl Engine {
    fn name(&self) -> &'static str {
        match self {
            Self::Kvm(_) => "kvm",
            Self::Qemu(_) => "tcg",
        }
    }

    fn choose(options: &Run) -> Result<Self> {
        ensure!(
            !options.icount || options.accel == Accelerator::Tcg,
            "--icount counts instructions in QEMU: add --accel tcg"
        );
        let clock = if options.icount {
            Clock::Instructions
        } else {
            Clock::Host
        };
        match options.accel {
            Accelerator::Kvm => kvm::open().map(Self::Kvm).context("--accel kvm"),
            Accelerator::Tcg => qemu::find()
                .map(|_| Self::Qemu(clock))
                .context("--accel tcg"),
            Accelerator::Auto => match kvm::open() {
                Ok(kvm) => Ok(Self::Kvm(kvm)),
                Err(no_kvm) => match qemu::find() {
                    Ok(_) => {
                        say(&format!(
                            "{no_kvm:#}; running in QEMU, without hardware help"
                        ));
                        Ok(Self::Qemu(clock))
                    }
                    Err(no_qemu) => bail!(
                        "nothing here can run the guest: {no_kvm:#}. Without KVM, {no_qemu:#}"
                    ),
                },
            },
        }
    }
}

/// The kernel's command line, but for what only the engine knows.
fn command_line(
    options: &Run,
    console: Console,
    size: Option<Size>,
    variables: &[Vec<u8>],
    exports: &Exports,
) -> Result<Vec<u8>> {
    let mut line = b"log=memory".to_vec();
    if !options.icount {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        line.extend_from_slice(format!(" epoch={}", now.as_nanos()).as_bytes());
    }
    if options.no_aslr || options.icount {
        line.extend_from_slice(b" aslr=0");
    }
    match (console, size) {
        (Console::Stream, _) => {}
        (Console::Terminal, None) => line.extend_from_slice(b" tty=1"),
        (Console::Terminal, Some(size)) => {
            line.extend_from_slice(format!(" tty={}x{}", size.rows, size.columns).as_bytes());
        }
    }
    if options.check_frames || options.stats_format().is_some() {
        line.extend_from_slice(b" check=frames");
    }
    if options.strace.is_some() {
        line.extend_from_slice(b" strace=1");
    }
    let mut add = |name: &str, value: &[u8]| {
        line.extend_from_slice(name.as_bytes());
        line.extend(guest_line::encode(value));
    };
    if options.workdir != "/" {
        add(" cwd=", options.workdir.as_bytes());
    }
    let name = options.hostname.as_bytes();
    ensure!(
        (1..=HOST_NAME_LIMIT).contains(&name.len()),
        "--hostname: a name has 1 to {HOST_NAME_LIMIT} bytes"
    );
    if name != guest_line::HOST_NAME.as_bytes() {
        add(" hostname=", name);
    }
    for variable in variables {
        add(" env=", variable);
    }
    for token in exports.tokens() {
        line.extend_from_slice(b" export=");
        line.extend(token);
    }
    if !options.program.is_empty() {
        line.extend_from_slice(b" --");
        for argument in &options.program {
            line.push(b' ');
            line.extend(guest_line::encode(argument.as_bytes()));
        }
    }
    ensure!(
        line.len() < guest_line::LIMIT - 64,
        "the program's arguments and environment are too long: {} bytes",
        line.len()
    );
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        run: Run,
    }

    fn options(arguments: &[&str]) -> Run {
        let arguments = ["run"].iter().chain(arguments);
        Arguments::try_parse_from(arguments)
            .expect("good options")
            .run
    }

    #[test]
    fn the_command_line_survives_any_argument() {
        let options = options(&["--icount", "--", "/bin/x", "", "a b", "-- %"]);
        let variables = environment::variables(&options, Console::Stream).expect("good");
        let exports = Exports::default();
        let line = command_line(&options, Console::Stream, None, &variables, &exports);
        let line = line.expect("fits");
        let line = String::from_utf8(line).expect("ASCII");
        assert!(line.starts_with("log=memory aslr=0 env=PATH="), "{line}");
        assert!(line.ends_with(" -- /bin/x % a%20b --%20%25"), "{line}");
    }
}
