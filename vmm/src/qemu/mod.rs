//! The TCG engine: QEMU translates the guest in software. Its memory is a file shared with the monitor, so that
//! counters, kernel log and crash record are read as under KVM.

mod command;
mod feed;
mod monitor;

use crate::channel::Listener;
use crate::ending::Ending;
use crate::farewell::Farewell;
use crate::initramfs;
use crate::input;
use crate::interruption;
use crate::kernel_image;
use crate::machine::{Machine, Outcome};
use crate::memory::{self, Memory};
use crate::messages::say;
use crate::output::Output;
use crate::phases::Phases;
use crate::records::{Counters, LogReader};
use crate::registers::Registers;
use crate::sealed_file::SealedFile;
use anyhow::{Context, Result, bail, ensure};
use command::Files;
pub use command::{Clock, find};
use feed::Feed;
use monitor::{Monitor, Told};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus};

/// Longest single argument that Linux passes to a program (MAX_ARG_STRLEN).
const ARGUMENT_LIMIT: usize = 128 * 1024;
/// How often the kernel log is looked at, in milliseconds; and the channel, for which the guest may wait.
const LOOK: u16 = 20;
const LOOK_AT_CHANNEL: u16 = 1;
/// Room for output, so that QEMU's UART has to wait less often.
const PIPE_SIZE: i32 = 1 << 20;

/// Runs a machine to its end.
///
/// # Errors
/// It cannot be set up.
pub fn run(
    machine: &Machine<'_>,
    clock: Clock,
    listener: &mut Listener,
    mut phases: Phases,
) -> Result<Outcome> {
    let program = find()?;
    ensure!(
        machine.command_line.len() < ARGUMENT_LIMIT,
        "the program's arguments and environment are too long for QEMU: {} bytes",
        machine.command_line.len()
    );
    let (memory, memory_file) = memory::shared(machine.memory_size)?;
    let (ours, theirs) = UnixStream::pair().context("cannot make a socket pair")?;
    let as_file = |held: Option<&SealedFile>, name, bytes| match held {
        Some(held) => held.file().try_clone().context("cannot hand over a file"),
        None => command::file_of(name, bytes),
    };
    let files = Files {
        memory: &memory_file,
        kernel: as_file(
            machine.kernel.file,
            kernel_image::NAME,
            machine.kernel.bytes,
        )?,
        initramfs: as_file(machine.initramfs.file(), initramfs::NAME, machine.initramfs)?,
        monitor: theirs.as_raw_fd(),
    };
    let command_line = OsString::from_vec(machine.command_line.clone());
    let mut child = command::command(
        program.as_os_str(),
        machine.memory_size,
        &files,
        command_line,
        clock,
    )
    .spawn()
    .with_context(|| format!("cannot start {}", program.display()))?;
    drop((files, theirs));
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        unreachable!("all three were asked for")
    };
    let mut qemu = Qemu { child };
    let monitor = match Monitor::new(ours) {
        Ok(monitor) => monitor,
        Err(error) => {
            // It has ended already, and said why.
            let _ = qemu.end(true);
            let said = complaints(&mut { stderr });
            bail!("QEMU does not start ({error}){said}");
        }
    };
    let feed = Feed {
        pipe: stdin,
        monitor: monitor.sender().context("cannot speak to QEMU")?,
        memory: memory.clone(),
        counters: machine.kernel.records.map(|records| records.counters),
        sent: 0,
    };
    input::start(feed).context("cannot start the input thread")?;
    phases.engine_ready = Some(phases.now());

    let mut watch = Watch {
        memory: &memory,
        log: LogReader::new(machine.kernel),
        listener,
        monitor,
        stdout: Some(stdout),
        stderr: Some(stderr),
        complaints: Vec::new(),
        output: Output::standard(),
        reset: Reset::None,
        farewell: Farewell::default(),
    };
    let stopped = watch.until_end();
    phases.last_exit = Some(phases.now());
    let status = qemu.end(stopped.is_some());
    watch.log.finish(&memory);
    watch.listener.hear(&memory);
    watch.complain();
    let registers = match &watch.reset {
        Reset::Stopped(registers) => Some(*registers),
        _ => None,
    };
    let ending = match (stopped, &watch.reset) {
        (Some(ending), _) => ending,
        (None, Reset::None) => from_status(&memory, machine, status, &watch.complaints),
        (None, _) => Ending::TripleFault,
    };
    let ending = watch.farewell.ending(ending);
    let memory_touched = memory_file
        .metadata()
        .map(|metadata| std::os::unix::fs::MetadataExt::blocks(&metadata) * 512)
        .map_err(|error| error.to_string());
    Ok(Outcome {
        ending,
        registers,
        phases,
        exits: BTreeMap::new(),
        engine_figures: Err("QEMU's TCG has no such figures".to_owned()),
        hardware: Err(
            "QEMU's TCG translates the guest: the hardware's counters would count the translator"
                .to_owned(),
        ),
        monitor_memory: resident_peak()
            .map(|peak| peak.saturating_sub(*memory_touched.as_ref().unwrap_or(&0))),
        memory_touched,
        memory,
    })
}

/// What has become of a reset.
enum Reset {
    None,
    Seen,
    Stopped(Registers),
}

/// A child that never outlives us and leaves no zombie.
struct Qemu {
    child: Child,
}

impl Qemu {
    fn end(&mut self, kill: bool) -> std::io::Result<ExitStatus> {
        if kill {
            // Fails where it has ended by itself, which is as good.
            let _ = self.child.kill();
        }
        self.child.wait()
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.end(true);
    }
}

struct Watch<'a> {
    memory: &'a Memory,
    log: LogReader,
    listener: &'a mut Listener,
    monitor: Monitor,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    complaints: Vec<u8>,
    output: Output,
    reset: Reset,
    farewell: Farewell,
}

impl Watch<'_> {
    /// Passes output on until QEMU has ended (`None`) or has to be ended.
    fn until_end(&mut self) -> Option<Ending> {
        if let Some(stdout) = &self.stdout {
            // SAFETY: takes no pointer. Where it is refused the pipe stays as it is.
            unsafe { libc::fcntl(stdout.as_raw_fd(), libc::F_SETPIPE_SZ, PIPE_SIZE) };
        }
        let mut buffer = vec![0; 64 * 1024];
        let mut connected = true;
        while self.stdout.is_some() {
            if let Some(ending) = self.farewell.look(self.listener, self.memory) {
                return Some(ending);
            }
            let ready = self.wait(connected);
            if ready.stdout
                && let Some(stdout) = &mut self.stdout
            {
                match stdout.read(&mut buffer) {
                    Ok(0) => self.stdout = None,
                    Ok(count) => {
                        if let Err(stopped) = self.output.bytes(&buffer[..count])
                            && let Some(ending) = Ending::of_output(stopped)
                        {
                            return Some(ending);
                        }
                    }
                    Err(_) => {}
                }
            }
            if ready.stderr
                && let Some(stderr) = &mut self.stderr
            {
                match stderr.read(&mut buffer) {
                    Ok(0) | Err(_) => self.stderr = None,
                    Ok(count) => self.complaints.extend_from_slice(&buffer[..count]),
                }
            }
            if ready.monitor {
                match self.monitor.receive() {
                    None => connected = false,
                    Some(told) => {
                        for told in told {
                            if let Err(error) = self.listen(told) {
                                return Some(Ending::Engine(format!(
                                    "QEMU does not answer: {error}"
                                )));
                            }
                        }
                    }
                }
            }
            self.log.print_new(self.memory);
            self.listener.hear(self.memory);
        }
        None
    }

    fn listen(&mut self, told: Told) -> std::io::Result<()> {
        match told {
            // It may be told twice: as an event, and as the state that was asked for at the start.
            Told::Reset => match self.reset {
                Reset::None => {
                    self.reset = Reset::Seen;
                    self.monitor.ask_registers()
                }
                Reset::Seen | Reset::Stopped(_) => Ok(()),
            },
            Told::Registers(registers) => {
                self.reset = Reset::Stopped(registers);
                self.monitor.quit()
            }
            Told::Refused(why) => {
                self.complaints.extend_from_slice(why.as_bytes());
                self.complaints.push(b'\n');
                // A machine that stands still without its registers known still has to end.
                match self.reset {
                    Reset::Seen => self.monitor.quit(),
                    _ => Ok(()),
                }
            }
        }
    }

    fn wait(&self, connected: bool) -> Ready {
        let mut descriptors: Vec<PollFd<'_>> = Vec::with_capacity(4);
        let mut add = |descriptor| {
            descriptors.push(PollFd::new(descriptor, PollFlags::POLLIN));
            descriptors.len() - 1
        };
        let stdout = self.stdout.as_ref().map(|stdout| add(stdout.as_fd()));
        let stderr = self.stderr.as_ref().map(|stderr| add(stderr.as_fd()));
        let monitor = connected.then(|| add(self.monitor.as_fd()));
        if !self.farewell.has_begun() {
            interruption::wake_descriptor().map(&mut add);
        }
        // Interrupted or not: what is ready is in the results.
        let look = if self.listener.is_listening() {
            LOOK_AT_CHANNEL
        } else {
            LOOK
        };
        let _ = poll(&mut descriptors, PollTimeout::from(look));
        let ready = |index: Option<usize>| {
            index.is_some_and(|index| {
                descriptors[index]
                    .revents()
                    .is_some_and(|events| !events.is_empty())
            })
        };
        Ready {
            stdout: ready(stdout),
            stderr: ready(stderr),
            monitor: ready(monitor),
        }
    }

    /// Shows what QEMU itself had to say.
    fn complain(&mut self) {
        if let Some(stderr) = &mut self.stderr {
            let _ = stderr.read_to_end(&mut self.complaints);
        }
        for line in String::from_utf8_lossy(&self.complaints).lines() {
            say(&format!(
                "QEMU: {}",
                line.trim_start_matches("qemu-system-x86_64: ")
            ));
        }
    }
}

/// What QEMU itself had to say, to follow a message.
fn complaints(stderr: &mut ChildStderr) -> String {
    let mut said = Vec::new();
    let _ = stderr.read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    match said.trim() {
        "" => ", and does not say why".to_owned(),
        said => format!(": {}", said.replace("qemu-system-x86_64: ", "")),
    }
}

struct Ready {
    stdout: bool,
    stderr: bool,
    monitor: bool,
}

fn from_status(
    memory: &Memory,
    machine: &Machine<'_>,
    status: std::io::Result<ExitStatus>,
    complaints: &[u8],
) -> Ending {
    if let Some(exit) = Counters::read(memory, machine.kernel).and_then(|counters| counters.exit())
    {
        return Ending::Guest(exit);
    }
    match status {
        Err(error) => Ending::Engine(format!("QEMU's end is not known: {error}")),
        Ok(status) => match (status.code(), status.signal()) {
            // isa-debug-exit: the value shifted left, and one. QEMU's own failures are 1 too, and it says why.
            (Some(code), _) if code & 1 == 1 && (code != 1 || complaints.is_empty()) => {
                Ending::from_port(code as u32 >> 1)
            }
            (Some(0), _) => Ending::Engine("QEMU ended without a word from the guest".to_owned()),
            (Some(code), _) => Ending::Engine(format!("QEMU failed with status {code}")),
            (None, signal) => {
                Ending::Engine(format!("QEMU was ended by signal {}", signal.unwrap_or(0)))
            }
        },
    }
}

/// Peak resident bytes of QEMU, the guest's memory included.
fn resident_peak() -> Result<u64, String> {
    nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)
        .map(|usage| u64::try_from(usage.max_rss()).unwrap_or(0) * 1024)
        .map_err(|error| error.to_string())
}
