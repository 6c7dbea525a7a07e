//! The connection to QEMU's monitor (QMP): lines of JSON over a socket pair.

use super::command::CONSOLE;
use crate::registers::Registers;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// What QEMU has told.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// The guest reset itself: a triple fault, for a kernel that has no other way to.
    Reset,
    /// The registers that were asked for.
    Registers(Registers),
    /// A command was refused.
    Refused(String),
}

/// Our end of the connection.
pub struct Monitor {
    stream: UnixStream,
    received: Vec<u8>,
}

impl Monitor {
    /// Greets, without waiting for an answer.
    ///
    /// # Errors
    /// As write(2).
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let mut monitor = Self {
            stream,
            received: Vec::new(),
        };
        monitor.send(&json!({"execute": "qmp_capabilities"}))?;
        // No event is told before that is through: what the guest may have done by then has to be asked for.
        monitor.send(&json!({"execute": "query-status"}))?;
        Ok(monitor)
    }

    /// Another handle for sending.
    ///
    /// # Errors
    /// As dup(2).
    pub fn sender(&self) -> io::Result<Sender> {
        self.stream.try_clone().map(Sender)
    }

    /// Asks for the registers of the stopped machine.
    ///
    /// # Errors
    /// As write(2).
    pub fn ask_registers(&mut self) -> io::Result<()> {
        self.send(&json!({
            "execute": "human-monitor-command",
            "arguments": {"command-line": "info registers"},
        }))
    }

    /// Ends QEMU.
    ///
    /// # Errors
    /// As write(2).
    pub fn quit(&mut self) -> io::Result<()> {
        self.send(&json!({"execute": "quit"}))
    }

    /// Takes what has come; `None` at the end of the connection.
    pub fn receive(&mut self) -> Option<Vec<Told>> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        let mut told = Vec::new();
        while let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.received.drain(..=end).collect();
            told.extend(understand(&line));
        }
        Some(told)
    }

    fn send(&mut self, command: &Value) -> io::Result<()> {
        self.stream.write_all(format!("{command}\n").as_bytes())
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Sends from the input thread. A line is far smaller than a socket's buffer and goes out whole.
pub struct Sender(UnixStream);

impl Sender {
    /// Reports a break on the console.
    ///
    /// # Errors
    /// As write(2).
    pub fn send_break(&mut self) -> io::Result<()> {
        let command = json!({"execute": "chardev-send-break", "arguments": {"id": CONSOLE}});
        self.0.write_all(format!("{command}\n").as_bytes())
    }
}

fn understand(line: &[u8]) -> Option<Told> {
    let message: Value = serde_json::from_slice(line).ok()?;
    if message["event"] == "SHUTDOWN" && message["data"]["reason"] == "guest-reset" {
        return Some(Told::Reset);
    }
    if message["return"]["status"] == "shutdown" {
        return Some(Told::Reset);
    }
    if let Some(text) = message["return"].as_str() {
        return Registers::from_qemu(text).map(Told::Registers);
    }
    let refusal = message["error"]["desc"].as_str()?;
    Some(Told::Refused(refusal.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let reset = br#"{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}"#;
        assert_eq!(understand(reset), Some(Told::Reset));
        let quit = br#"{"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}}"#;
        assert_eq!(understand(quit), None);
        let stands =
            br#"{"return": {"running": false, "singlestep": false, "status": "shutdown"}}"#;
        assert_eq!(understand(stands), Some(Told::Reset));
        let runs = br#"{"return": {"running": true, "singlestep": false, "status": "running"}}"#;
        assert_eq!(understand(runs), None);
        let refused = br#"{"error": {"class": "GenericError", "desc": "no"}}"#;
        assert_eq!(understand(refused), Some(Told::Refused("no".to_owned())));
        assert_eq!(understand(b"{"), None);
    }
}
