//! Runs the real command and keeps what came out.

pub mod archive;
pub mod compiled;
pub mod elf;
pub mod engine;
pub mod exported;
pub mod lines;
pub mod on_linux;
pub mod packages;
pub mod pty;
pub mod random;
pub mod scratch;

pub use engine::{Engine, engines};

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// After this long a run is taken for hung. Nothing here takes a tenth of it.
const HUNG: Duration = Duration::from_secs(240);
/// How often a run is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);

/// A run of `cowbell`, to be described and then started.
pub struct Machine {
    arguments: Vec<OsString>,
    program: Vec<OsString>,
    stdin: Input,
    output_closed: bool,
    stdout: Option<Stdio>,
    environment: Vec<(OsString, OsString)>,
}

/// What standard input is.
pub enum Input {
    /// A pipe that holds these bytes, then ends.
    Bytes(Vec<u8>),
    /// No descriptor at all.
    Closed,
}

impl Machine {
    /// `cowbell run` on one engine; the kernel says so where memory is missing at the end.
    pub fn on(engine: Engine) -> Self {
        Self::command(&["run", "--accel", engine.name(), "--check-frames"])
    }

    /// `cowbell` with these arguments.
    pub fn command(arguments: &[&str]) -> Self {
        Self {
            arguments: arguments.iter().map(OsString::from).collect(),
            program: Vec::new(),
            stdin: Input::Bytes(Vec::new()),
            output_closed: false,
            stdout: None,
            environment: Vec::new(),
        }
    }

    /// More arguments of cowbell's own.
    pub fn option<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().into()),
        );
        self
    }

    /// Adds a file of the host at a path of the guest.
    pub fn add(self, host: &Path, guest: &str) -> Self {
        let mut both = host.as_os_str().to_owned();
        both.push(":");
        both.push(guest);
        self.option([OsStr::new("--add"), &both])
    }

    /// The program and its arguments.
    pub fn program<S: AsRef<OsStr>>(mut self, program: impl IntoIterator<Item = S>) -> Self {
        self.program = program
            .into_iter()
            .map(|argument| argument.as_ref().into())
            .collect();
        self
    }

    /// What standard input is; an empty pipe when left out.
    pub fn stdin(mut self, stdin: Input) -> Self {
        self.stdin = stdin;
        self
    }

    /// Standard output is no pipe that is read, but this.
    pub fn stdout_to(mut self, stdout: Stdio) -> Self {
        self.stdout = Some(stdout);
        self
    }

    /// Standard output is closed.
    pub fn closed_stdout(mut self) -> Self {
        self.output_closed = true;
        self
    }

    /// Sets a variable of cowbell's own environment.
    pub fn host_environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().into()));
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ran {
        let mut command = self.to_command();
        command
            .stdout(self.stdout.unwrap_or_else(Stdio::piped))
            .stderr(Stdio::piped());
        run(command, self.stdin)
    }

    /// The command line, nothing connected yet.
    pub fn to_command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowbell"));
        command.args(&self.arguments);
        if !self.program.is_empty() {
            command.arg("--").args(&self.program);
        }
        command.envs(self.environment.iter().cloned());
        if self.output_closed {
            close_in_child(&mut command, libc::STDOUT_FILENO);
        }
        command
    }
}

/// Runs a command to its end, whatever it is.
pub fn run(mut command: Command, input: Input) -> Ran {
    let shown = show(&command);
    match &input {
        Input::Bytes(_) => command.stdin(Stdio::piped()),
        Input::Closed => {
            close_in_child(&mut command, libc::STDIN_FILENO);
            command.stdin(Stdio::null())
        }
    };
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    if let (Input::Bytes(bytes), Some(mut stdin)) = (input, child.stdin.take()) {
        // Nobody need read it all.
        thread::spawn(move || {
            let _ = stdin.write_all(&bytes);
        });
    }
    let stdout = child.stdout.take().map(read_to_end);
    let stderr = child.stderr.take().map(read_to_end);
    let end = wait(&mut child);
    let collect = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.map_or_else(Vec::new, |reader| reader.join().expect("a reader thread"))
    };
    Ran {
        command: shown,
        end,
        stdout: collect(stdout),
        stderr: String::from_utf8_lossy(&collect(stderr)).into_owned(),
    }
}

fn read_to_end(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// Waits for the end of a process, or ends it when it hangs.
pub fn wait(child: &mut Child) -> End {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("wait for a child") {
            return match (status.code(), status.signal()) {
                (Some(code), _) => End::Exited(code),
                (None, signal) => End::Killed(signal.unwrap_or(0)),
            };
        }
        if start.elapsed() > HUNG {
            let _ = child.kill();
            let _ = child.wait();
            return End::Hung;
        }
        thread::sleep(LOOK);
    }
}

fn close_in_child(command: &mut Command, descriptor: i32) {
    let close = move || {
        // SAFETY: takes no pointer, and is async-signal-safe.
        unsafe { libc::close(descriptor) };
        Ok(())
    };
    // SAFETY: between fork and exec it calls one async-signal-safe function.
    unsafe { command.pre_exec(close) };
}

fn show(command: &Command) -> String {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        shown.push(' ');
        // A program's arguments may be as long as the kernel allows.
        shown.extend(argument.chars().take(120));
    }
    shown
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// Not at all.
    Hung,
}

/// A run that is over.
pub struct Ran {
    command: String,
    /// How it ended.
    pub end: End,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stdout = &self.stdout[..self.stdout.len().min(8192)];
        writeln!(f, "\n$ {}", self.command)?;
        writeln!(f, "--- standard output, {} bytes:", self.stdout.len())?;
        writeln!(f, "{}", String::from_utf8_lossy(stdout))?;
        writeln!(f, "--- standard error:\n{}", self.stderr)?;
        write!(f, "--- {:?}", self.end)
    }
}

impl Ran {
    /// The command that was run.
    pub fn shown(&self) -> &str {
        &self.command
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// It ended with this status, having said nothing for itself.
    #[track_caller]
    pub fn expect_status(self, status: u8) -> Self {
        assert_eq!(self.end, End::Exited(status.into()), "{self:?}");
        self
    }

    /// Its output is this.
    #[track_caller]
    pub fn expect_output(self, expected: &str) -> Self {
        assert_eq!(self.text(), expected, "{self:?}");
        self
    }

    /// Each part is somewhere on standard error.
    #[track_caller]
    pub fn expect_said(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "not said: {part}{self:?}");
        }
        self
    }

    /// It said nothing.
    #[track_caller]
    pub fn expect_silence(self) -> Self {
        assert_eq!(self.stderr, "", "{self:?}");
        self
    }

    /// It ended with this status for a reason of its own, which it named in one line that begins with its name;
    /// the line is returned. A panic of the monitor is never such a reason.
    #[track_caller]
    pub fn expect_error(self, status: u8) -> Refusal {
        let ran = self.expect_status(status).expect_composure();
        let own: Vec<&str> = ran
            .stderr
            .lines()
            .filter(|line| line.starts_with("cowbell: "))
            .collect();
        let [line] = own[..] else {
            panic!("one line that begins with `cowbell: ` was expected{ran:?}");
        };
        Refusal {
            line: line.to_owned(),
        }
    }

    /// However it ended: not by a signal, not never, and without a panic of the monitor.
    #[track_caller]
    pub fn expect_composure(self) -> Self {
        assert!(matches!(self.end, End::Exited(_)), "{self:?}");
        for trace in ["panicked at", "RUST_BACKTRACE", "internal error"] {
            assert!(!self.stderr.contains(trace), "{self:?}");
        }
        self
    }
}

/// The line with which cowbell refused.
#[derive(Debug)]
pub struct Refusal {
    line: String,
}

impl Refusal {
    /// It names these, in any order.
    #[track_caller]
    pub fn names(self, parts: &[&str]) {
        for part in parts {
            assert!(self.line.contains(part), "not named: {part}: {}", self.line);
        }
    }
}
