//! The console as a controlling terminal (credentials(7), ioctl_tty(2)): whose it is, and what those may do with it
//! whose process group is not in the foreground.
use super::signal::{self, Disposition, Info, Interrupted, SIGCONT, SIGHUP, SIGTTIN, SIGTTOU};
use super::{Pid, ProcessSlot};
use crate::console::Session;
use crate::kernel::Kernel;
use contract::Errno;

/// What somebody does with the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Read,
    Write,
    /// Its settings, or its foreground group.
    Change,
}

/// Whether somebody may.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Granted,
    /// A signal has been sent to the group instead: the call is interrupted, and asked again.
    Signalled,
}

impl Kernel {
    /// The session of the current process, where that has the console as its controlling terminal.
    ///
    /// # Errors
    /// ENOTTY.
    pub fn terminal_session(&self) -> Result<Session, Errno> {
        let own = self.processes[self.current.process].session;
        self.console
            .session()
            .filter(|session| session.leader == own)
            .ok_or(Errno::ENOTTY)
    }

    /// Whether the current process may use the console so. A group in the background is stopped for reading
    /// (SIGTTIN), for changing settings and, where TOSTOP is set, for writing (SIGTTOU).
    ///
    /// # Errors
    /// EIO for who cannot be stopped.
    pub fn use_terminal(&mut self, how: Use) -> Result<Access, Errno> {
        let group = self.processes[self.current.process].group;
        match self.terminal_session() {
            Ok(session) if session.foreground != group => {}
            _ => return Ok(Access::Granted),
        }
        let signal = if how == Use::Read { SIGTTIN } else { SIGTTOU };
        if how == Use::Write && !self.console.stops_background_output() {
            return Ok(Access::Granted);
        }
        let signals = &self.processes[self.current.process].signals;
        let blocked = self.processes[self.current.thread].signals.blocked;
        let refuses = signals.disposition(signal) == Disposition::Ignore
            || blocked & signal::bit(signal) != 0;
        match how {
            Use::Read if refuses => return Err(Errno::EIO),
            Use::Write | Use::Change if refuses => return Ok(Access::Granted),
            _ if self.is_orphaned(group) => return Err(Errno::EIO),
            _ => {}
        }
        self.signal_group(group, signal, Info::Kernel);
        self.interrupt_current_call(Interrupted::AskedAgain);
        Ok(Access::Signalled)
    }

    /// TIOCSCTTY: makes the console the controlling terminal of the current session; one that another has is
    /// taken from it where `steal` says so.
    ///
    /// # Errors
    /// EPERM.
    pub fn acquire_terminal(&mut self, steal: u64) -> Result<(), Errno> {
        let process = &self.processes[self.current.process];
        let is_leader = process.session == process.pid;
        match self.console.session() {
            Some(session) if is_leader && session.leader == process.session => return Ok(()),
            Some(_) if steal as u32 != 1 => return Err(Errno::EPERM),
            _ if !is_leader => return Err(Errno::EPERM),
            _ => {}
        }
        let (leader, foreground) = (process.pid, process.group);
        self.console
            .set_session(Some(Session { leader, foreground }));
        Ok(())
    }

    /// TIOCNOTTY, of a session's leader: the terminal is nobody's, and its foreground group hears of it.
    ///
    /// # Errors
    /// ENOTTY for who has none.
    pub fn give_up_terminal(&mut self) -> Result<(), Errno> {
        let session = self.terminal_session()?;
        if self.processes[self.current.process].pid == session.leader {
            self.console.set_session(None);
            self.signal_group(session.foreground, SIGHUP, Info::Kernel);
            self.signal_group(session.foreground, SIGCONT, Info::Kernel);
        }
        Ok(())
    }

    /// The end of a process that may lead the terminal's session: the foreground group gets SIGHUP, and the
    /// terminal is nobody's.
    #[inline]
    pub fn hang_up_terminal(&mut self, ended: ProcessSlot) {
        if let Some(session) = self.console.session()
            && session.leader == self.processes[ended].pid
        {
            self.console.set_session(None);
            self.signal_group(session.foreground, SIGHUP, Info::Kernel);
            self.signal_group(session.foreground, SIGCONT, Info::Kernel);
        }
    }

    /// TIOCSPGRP: changes the foreground process group.
    ///
    /// # Errors
    /// ENOTTY where the console is not the current session's, EINVAL and ESRCH for what is no group, EPERM for
    /// another session's.
    pub fn set_foreground(&mut self, group: i32) -> Result<(), Errno> {
        let session = self.terminal_session()?;
        let group = Pid(u32::try_from(group).map_err(|_| Errno::EINVAL)?);
        if !self.processes.is_group(group) {
            return Err(Errno::ESRCH);
        }
        if !self.group_is_in(group, session.leader) {
            return Err(Errno::EPERM);
        }
        self.console.set_session(Some(Session {
            foreground: group,
            ..session
        }));
        Ok(())
    }
}
