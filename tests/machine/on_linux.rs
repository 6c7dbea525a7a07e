//! The same program on the Linux of this host.

use super::{Input, Ran, run};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

/// How long a program may take, in seconds.
const PATIENCE: &str = "25";

/// Runs a program with that environment and nothing else; its standard error goes where its standard output goes, as
/// on a machine with one console.
pub fn program(
    path: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
    input: Vec<u8>,
) -> Ran {
    within(PATIENCE, path, arguments, environment, input)
}

/// The same for a program that may take this many seconds.
pub fn within(
    seconds: &str,
    path: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
    input: Vec<u8>,
) -> Ran {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // What hangs is killed with all its children: one that is left would hold the pipe open.
    let mut command = Command::new("/usr/bin/timeout");
    command
        .args(["-k", "1", seconds])
        .arg(path)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdout(writer.try_clone().expect("a descriptor"))
        .stderr(Stdio::from(OwnedFd::from(writer)));
    let collected = std::thread::spawn(move || {
        use std::io::Read;
        let mut bytes = Vec::new();
        let _ = { reader }.read_to_end(&mut bytes);
        bytes
    });
    // The command holds the pipe's ends: it is gone when this returns.
    let mut ran = run(command, Input::Bytes(input));
    ran.stdout = collected.join().expect("a reader thread");
    ran
}
