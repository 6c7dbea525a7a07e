//! What is asked of the console as a terminal (ioctl_tty(2), termios(3)).
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::Pid;
use contract::Errno;
use files::tty::{TERMIOS_SIZE, Termios};
use linux_raw_sys::ioctl;

impl Kernel {
    /// A request to the console; ENOTTY where that is no terminal.
    pub fn terminal_ioctl(&mut self, request: u32, argument: u64) -> Result<u64, Errno> {
        let settings = self.console.termios()?;
        let process = &self.processes[self.current.process];
        match request {
            ioctl::TCGETS => user::write(process.space(), argument, &settings.to_bytes())?,
            // Output is written when the call that writes it returns: there is nothing to wait for.
            ioctl::TCSETS | ioctl::TCSETSW | ioctl::TCSETSF => {
                let mut bytes = [0; TERMIOS_SIZE];
                user::read(process.space(), argument, &mut bytes)?;
                if request == ioctl::TCSETSF {
                    self.console.flush_input();
                }
                self.console.set_termios(Termios::from_bytes(&bytes))?;
            }
            ioctl::TCFLSH => self.console.flush_input(),
            ioctl::TIOCGPGRP => {
                user::write(
                    process.space(),
                    argument,
                    &self.console.foreground().0.to_ne_bytes(),
                )?;
            }
            ioctl::TIOCSPGRP => {
                let mut bytes = [0; 4];
                user::read(process.space(), argument, &mut bytes)?;
                let group = Pid(u32::from_ne_bytes(bytes));
                if !self.processes.is_group(group) {
                    return Err(Errno::ESRCH);
                }
                self.console.set_foreground(group);
            }
            ioctl::FIONREAD => {
                let bytes = self.console.readable_bytes()? as u32;
                user::write(process.space(), argument, &bytes.to_ne_bytes())?;
            }
            _ => return Err(Errno::ENOTTY),
        }
        Ok(0)
    }
}
