//! A person at a terminal.

use super::{End, Machine, wait};
use nix::pty::{OpenptyResult, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// After this long what is waited for is taken not to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with a run of cowbell on it.
pub struct Session {
    keyboard: File,
    line: OwnedFd,
    before: Termios,
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Session {
    /// Starts a run with standard input, output and error on a terminal of its own.
    pub fn start(machine: &Machine) -> Self {
        let terminal = openpty(None, None).expect("a pseudo-terminal");
        Self::start_on(machine.to_command(), terminal)
    }

    /// As [`start`](Self::start), on a terminal of this size.
    pub fn start_sized(machine: &Machine, rows: u16, columns: u16) -> Self {
        Self::of(machine.to_command(), rows, columns)
    }

    /// Starts any command so.
    pub fn of(command: Command, rows: u16, columns: u16) -> Self {
        let size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Self::start_on(command, openpty(&size, None).expect("a pseudo-terminal"))
    }

    fn start_on(mut command: Command, terminal: OpenptyResult) -> Self {
        let OpenptyResult { master, slave } = terminal;
        let before = tcgetattr(&slave).expect("its settings");
        let end = || slave.try_clone().expect("a descriptor");
        command.stdin(end()).stdout(end()).stderr(end());
        let lead = || {
            // Whoever starts the tests may ignore signals (nohup, a CI runner); who sits at a terminal does not.
            for signal in [
                libc::SIGHUP,
                libc::SIGINT,
                libc::SIGQUIT,
                libc::SIGTSTP,
                libc::SIGTTIN,
                libc::SIGTTOU,
            ] {
                // SAFETY: the default action is no handler, and signal is async-signal-safe.
                unsafe { libc::signal(signal, libc::SIG_DFL) };
            }
            // SAFETY: takes nothing, and is async-signal-safe.
            if unsafe { libc::setsid() } < 0 {
                return Err(std::io::Error::last_os_error());
            }
            // SAFETY: TIOCSCTTY takes an integer; standard input is the terminal by now.
            if unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        };
        // SAFETY: between fork and exec it calls async-signal-safe functions alone.
        unsafe { command.pre_exec(lead) };
        let child = command.spawn().expect("cowbell");
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let mut from = keyboard.try_clone().expect("a descriptor");
        let to = Arc::clone(&screen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                to.lock()
                    .expect("nobody panics with it")
                    .extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            keyboard,
            line: slave,
            before,
            child,
            screen,
        }
    }

    /// Types.
    pub fn type_keys(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("a keyboard");
    }

    /// Changes the terminal's size, as a window that is dragged.
    pub fn resize(&self, rows: u16, columns: u16) {
        let size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: TIOCSWINSZ reads one such structure.
        let result =
            unsafe { libc::ioctl(self.line.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(result, 0, "the size of a pseudo-terminal");
    }

    /// Puts the terminal back as it was before the run, as a shell does whose job has stopped.
    pub fn put_back(&self) {
        tcsetattr(&self.line, SetArg::TCSANOW, &self.before).expect("the terminal's settings");
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("nobody panics with it")).into_owned()
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub fn expect(&self, text: &str) {
        self.until(&format!("on the screen: {text:?}"), || {
            self.screen().contains(text)
        });
    }

    /// Waits until the terminal is raw: the machine runs.
    #[track_caller]
    pub fn expect_raw(&self) {
        self.until("a raw terminal", || {
            let now = tcgetattr(&self.line).expect("the terminal's settings");
            !now.local_flags
                .intersects(LocalFlags::ICANON | LocalFlags::ECHO)
        });
    }

    /// Waits until what has come to the screen after its first `seen` bytes is as `wanted` says.
    #[track_caller]
    pub fn expect_after(&self, seen: usize, what: &str, wanted: impl Fn(&str) -> bool) {
        self.until(what, || self.screen().get(seen..).is_some_and(&wanted));
    }

    #[track_caller]
    fn until(&self, what: &str, come: impl Fn() -> bool) {
        let start = Instant::now();
        while !come() {
            assert!(
                start.elapsed() < PATIENCE,
                "did not come: {what}; the screen:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal to cowbell.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        kill(pid, signal).expect("a signal");
    }

    /// Waits for the end: how it ended. The terminal is as it was before.
    #[track_caller]
    pub fn end(mut self) -> (End, String) {
        let end = wait(&mut self.child);
        let after = tcgetattr(&self.line).expect("the terminal's settings");
        assert_eq!(
            settings(&after),
            settings(&self.before),
            "{}",
            self.screen()
        );
        // What was written last is on its way through the terminal.
        let marker = "\u{1}end of the session\u{1}";
        File::from(self.line.try_clone().expect("a descriptor"))
            .write_all(marker.as_bytes())
            .expect("the terminal");
        self.until("the end of the session", || self.screen().contains(marker));
        (end, self.screen().replace(marker, ""))
    }
}

/// Everything that stty(1) shows but the speed, which a pseudo-terminal has not.
fn settings(termios: &Termios) -> impl PartialEq + std::fmt::Debug {
    (
        termios.input_flags,
        termios.output_flags,
        termios.control_flags,
        termios.local_flags,
        termios.control_chars,
    )
}
