//! Runs a command to its end and tells what it took.

use crate::interruption;
use anyhow::{Context, Result, bail, ensure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::Read;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A command that has ended.
pub struct Ended {
    /// From before it was started until it was waited for.
    pub wall: Duration,
    /// From before it was started until the mark was seen in its output.
    pub mark: Option<Duration>,
    /// Peak resident bytes.
    pub peak_resident: u64,
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// The last thing said on standard error, or how it ended: why there are no figures.
    #[must_use]
    pub fn complaint(&self) -> String {
        let last = self.stderr.lines().rfind(|line| !line.trim().is_empty());
        last.map_or_else(|| self.status.to_string(), |line| line.trim().to_owned())
    }
}

/// Runs a command to its end, its standard input empty. `mark` is text in its output to be looked out for.
///
/// # Errors
/// It cannot be started; it did not end within the limit and was killed.
pub fn run(mut command: Command, limit: Duration, mark: &'static [u8]) -> Result<Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    let end_with_parent = || {
        // SAFETY: takes no pointer, and is async-signal-safe.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // With something to do before exec the process is made by fork, not by vfork: its peak then does not begin with
    // the memory of this one, which Linux counts as the new process's too.
    // SAFETY: between fork and exec it calls one async-signal-safe function.
    unsafe { command.pre_exec(end_with_parent) };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let output = child
        .stdout
        .take()
        .map(|stdout| thread::spawn(move || collect(stdout, start, mark)));
    let errors = child
        .stderr
        .take()
        .map(|stderr| thread::spawn(move || collect(stderr, start, b"")));
    let pid = libc::pid_t::try_from(child.id()).context("a pid out of range")?;
    let in_time = ends_within(pid, limit);
    if !matches!(in_time, Ok(true)) {
        // It has not been waited for: the pid is still its own.
        child.kill().context("cannot end a run")?;
    }
    let (status, peak_resident) = wait(pid)?;
    let wall = start.elapsed();
    let join = |thread: Option<thread::JoinHandle<Collected>>| {
        thread
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    };
    let (output, errors) = (join(output), join(errors));
    ensure!(in_time?, "it did not end within {} s", limit.as_secs());
    Ok(Ended {
        wall,
        mark: output.mark,
        peak_resident,
        status,
        stdout: output.bytes,
        stderr: String::from_utf8_lossy(&errors.bytes).into_owned(),
    })
}

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    mark: Option<Duration>,
}

fn collect(mut from: impl Read, start: Instant, mark: &[u8]) -> Collected {
    let mut collected = Collected::default();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let now = start.elapsed();
        let seen = collected.bytes.len().saturating_sub(mark.len());
        collected.bytes.extend_from_slice(&buffer[..count]);
        if collected.mark.is_none() && !mark.is_empty() {
            let mut windows = collected.bytes[seen..].windows(mark.len());
            collected.mark = windows.any(|window| window == mark).then_some(now);
        }
    }
    collected
}

/// Whether a child that has not been waited for ends in time.
fn ends_within(pid: libc::pid_t, limit: Duration) -> Result<bool> {
    // SAFETY: takes no pointer.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).context("a descriptor out of range")?;
    ensure!(fd >= 0, "pidfd_open: {}", std::io::Error::last_os_error());
    // SAFETY: a new descriptor, nobody else's.
    let process = unsafe { OwnedFd::from_raw_fd(fd) };
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let ends = std::iter::once(process.as_fd()).chain(interruption::wake_descriptor());
        let mut polled: Vec<PollFd<'_>> = ends
            .map(|end| PollFd::new(end, PollFlags::POLLIN))
            .collect();
        match poll(&mut polled, timeout) {
            _ if interruption::pending().is_some() => bail!("interrupted"),
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error).context("cannot wait for a run"),
        }
    }
}

/// Waits for a child: how it ended, and its peak resident bytes.
fn wait(pid: libc::pid_t) -> Result<(ExitStatus, u64)> {
    let mut status = 0;
    loop {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the call writes one status and one rusage, and there is room for each.
        let ended = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
        if ended == pid {
            // SAFETY: numbers only, zero or written by the call.
            let usage = unsafe { usage.assume_init() };
            let peak = u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024;
            return Ok((ExitStatus::from_raw(status), peak));
        }
        let error = std::io::Error::last_os_error();
        ensure!(
            error.kind() == std::io::ErrorKind::Interrupted,
            "wait4: {error}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_mark_and_memory() {
        let long = Duration::from_secs(60);
        let ended = run(
            shell("echo one; echo the mark; echo no >&2; exit 3"),
            long,
            b"mark",
        )
        .expect("a shell");
        assert_eq!(ended.stdout, b"one\nthe mark\n");
        assert_eq!(ended.complaint(), "no");
        assert_eq!(ended.status.code(), Some(3));
        assert!(ended.mark.is_some() && ended.peak_resident > 0);
        let silent = run(shell("exit 0"), long, b"mark").expect("a shell");
        assert_eq!(silent.mark, None);
    }

    #[test]
    fn what_hangs_is_ended() {
        let error = run(shell("exec sleep 600"), Duration::from_millis(20), b"").err();
        assert!(error.is_some_and(|error| error.to_string().contains("did not end")));
    }
}
