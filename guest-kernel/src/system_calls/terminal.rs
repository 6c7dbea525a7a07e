//! What is asked of the console as a terminal (ioctl_tty(2), termios(3)).
use super::Outcome;
use crate::host_keys::WindowSize;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::signal::{Info, SIGWINCH};
use crate::process::terminal::{Access, Use};
use contract::Errno;
use files::tty::{Flow, TERMIOS_SIZE, Termios};
use linux_raw_sys::ioctl;

/// What tcflush(3) and tcflow(3) ask for, and the only line discipline.
const TCIFLUSH: u32 = 0;
const TCOFLUSH: u32 = 1;
const TCIOFLUSH: u32 = 2;
const TCOOFF: u32 = 0;
const TCOON: u32 = 1;
const TCIOFF: u32 = 2;
const TCION: u32 = 3;
const N_TTY: u32 = 0;

/// Bytes of `struct winsize`.
const WINSIZE: usize = 8;

impl Kernel {
    /// A request to the console; ENOTTY where that is no terminal.
    pub fn terminal_ioctl(&mut self, request: u32, argument: u64) -> Result<Outcome, Errno> {
        let settings = self.console.termios()?;
        if let ioctl::TCSETS
        | ioctl::TCSETSW
        | ioctl::TCSETSF
        | ioctl::TCFLSH
        | ioctl::TCSETS2
        | ioctl::TCSETSW2
        | ioctl::TCSETSF2
        | ioctl::TCSBRK
        | ioctl::TCSBRKP
        | ioctl::TCXONC
        | ioctl::TIOCSPGRP = request
            && self.use_terminal(Use::Change)? == Access::Signalled
        {
            return Ok(Outcome::Other);
        }
        let space = self.processes[self.current.process].space();
        let tell = |word: u32| user::write(space, argument, &word.to_ne_bytes());
        match request {
            ioctl::TCGETS => user::write(space, argument, &settings.to_bytes())?,
            // Output is written when the call that writes it returns: there is nothing to wait for.
            ioctl::TCSETS | ioctl::TCSETSW | ioctl::TCSETSF => {
                let mut bytes = [0; TERMIOS_SIZE];
                user::read(space, argument, &mut bytes)?;
                if request == ioctl::TCSETSF {
                    self.console.flush_input();
                }
                self.console.set_termios(Termios::from_bytes(&bytes))?;
                self.wake_writers();
            }
            ioctl::TCGETS2 => {
                let [a, b] = [settings.speed().to_ne_bytes(); 2];
                user::write(space, argument, &settings.to_bytes())?;
                let speeds = argument.wrapping_add(TERMIOS_SIZE as u64);
                user::write(space, speeds, &[a, b].concat())?;
            }
            // As without the 2: the speed is that of the flags, and nothing depends on it.
            ioctl::TCSETS2 | ioctl::TCSETSW2 | ioctl::TCSETSF2 => {
                let mut bytes = [0; TERMIOS_SIZE];
                user::read(space, argument, &mut bytes)?;
                if request == ioctl::TCSETSF2 {
                    self.console.flush_input();
                }
                self.console.set_termios(Termios::from_bytes(&bytes))?;
                self.wake_writers();
            }
            // There is no wire to break.
            ioctl::TCSBRK | ioctl::TCSBRKP => {}
            ioctl::TCFLSH => match argument as u32 {
                TCIFLUSH | TCIOFLUSH => self.console.flush_input(),
                TCOFLUSH => {}
                _ => return Err(Errno::EINVAL),
            },
            ioctl::TCXONC => {
                match argument as u32 {
                    TCOOFF => self.console.set_flow(Flow::Stopped),
                    TCOON => self.console.set_flow(Flow::Running),
                    TCIOFF => self.console.send_special(settings.stop_character()),
                    TCION => self.console.send_special(settings.start_character()),
                    _ => return Err(Errno::EINVAL),
                }
                self.wake_writers();
            }
            ioctl::TIOCOUTQ => tell(0)?,
            ioctl::TIOCGETD => tell(N_TTY)?,
            ioctl::TIOCSETD => {
                let mut bytes = [0; 4];
                user::read(space, argument, &mut bytes)?;
                if u32::from_ne_bytes(bytes) != N_TTY {
                    return Err(Errno::EINVAL);
                }
            }
            ioctl::TIOCGPGRP => tell(self.terminal_session()?.foreground.0)?,
            ioctl::TIOCGSID => tell(self.terminal_session()?.leader.0)?,
            ioctl::TIOCSPGRP => {
                // Whose terminal it is comes before what the program says.
                self.terminal_session()?;
                let mut bytes = [0; 4];
                user::read(space, argument, &mut bytes)?;
                self.set_foreground(i32::from_ne_bytes(bytes))?;
            }
            ioctl::TIOCGWINSZ => {
                let size = self.console.size();
                // Sizes in pixels are not known.
                let mut bytes = [0; WINSIZE];
                bytes[..2].copy_from_slice(&size.rows.to_ne_bytes());
                bytes[2..4].copy_from_slice(&size.columns.to_ne_bytes());
                user::write(space, argument, &bytes)?;
            }
            // A signal may come of these for the caller itself.
            ioctl::TIOCSWINSZ => {
                let mut bytes = [0; WINSIZE];
                user::read(space, argument, &mut bytes)?;
                let [a, b, c, d, ..] = bytes;
                let size = WindowSize {
                    rows: u16::from_ne_bytes([a, b]),
                    columns: u16::from_ne_bytes([c, d]),
                };
                self.processes[self.current.thread].set_result(0);
                if self.console.set_size(size) != 0
                    && let Some(session) = self.console.session()
                {
                    self.signal_group(session.foreground, SIGWINCH, Info::Kernel);
                }
                return Ok(self.whether_running().into());
            }
            ioctl::TIOCSCTTY => self.acquire_terminal(argument)?,
            ioctl::TIOCNOTTY => {
                self.processes[self.current.thread].set_result(0);
                self.give_up_terminal()?;
                return Ok(self.whether_running().into());
            }
            ioctl::FIONREAD => tell(self.console.readable_bytes()? as u32)?,
            _ => return Err(Errno::ENOTTY),
        }
        Ok(Outcome::Return(0))
    }
}
