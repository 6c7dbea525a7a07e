//! The machine as a whole: uname(2), sethostname(2), sysinfo(2), syslog(2).
use crate::arch::clock;
use crate::host_names::{NAME_LENGTH, Name};
use crate::kernel::Kernel;
use crate::memory::user::{self, UserBuffer};
use crate::records::{COUNTERS, LOG};
use contract::counters::Counter;
use contract::records::LOG_CAPACITY;
use contract::{Errno, PAGE};
use core::sync::atomic::Ordering;
use files::SysFile;

/// Length of each field of `struct new_utsname`.
const FIELD: usize = NAME_LENGTH + 1;
/// The Linux whose interface this is; programs compare it with what they need.
pub const RELEASE: &str = "6.1.0-cowbell";
/// What is behind it.
pub const VERSION: &str = concat!("cowbell ", env!("CARGO_PKG_VERSION"));

/// Which name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Host,
    Domain,
}

impl Kernel {
    /// uname(2).
    pub fn uname(&self, address: u64) -> Result<u64, Errno> {
        let fields: [&[u8]; 6] = [
            b"Linux",
            self.names.host.bytes(),
            RELEASE.as_bytes(),
            VERSION.as_bytes(),
            b"x86_64",
            self.names.domain.bytes(),
        ];
        let mut bytes = [0; 6 * FIELD];
        for (field, place) in fields.iter().zip(bytes.chunks_exact_mut(FIELD)) {
            place[..field.len()].copy_from_slice(field);
        }
        user::write(
            self.processes[self.current.process].space(),
            address,
            &bytes,
        )?;
        Ok(0)
    }

    /// sethostname(2) and setdomainname(2).
    pub fn set_name(&mut self, which: Which, address: u64, length: u64) -> Result<u64, Errno> {
        let process = &self.processes[self.current.process];
        if !process.credentials.is_privileged() {
            return Err(Errno::EPERM);
        }
        let length = length as i32;
        if length < 0 || length as usize > NAME_LENGTH {
            return Err(Errno::EINVAL);
        }
        let mut bytes = [0; NAME_LENGTH];
        let bytes = &mut bytes[..length as usize];
        user::read(process.space(), address, bytes)?;
        let name = Name::new(bytes);
        match which {
            Which::Host => self.names.host = name,
            Which::Domain => self.names.domain = name,
        }
        Ok(0)
    }

    /// Lets a setting of `/proc/sys` become what a program writes: how much of that there is.
    ///
    /// # Errors
    /// EFAULT; EINVAL for what is no such setting.
    pub fn set_setting(&mut self, file: SysFile, buffer: UserBuffer) -> Result<usize, Errno> {
        let mut bytes = [0; NAME_LENGTH];
        let length = usize::try_from(buffer.length).map_or(NAME_LENGTH, |n| n.min(NAME_LENGTH));
        let space = self.processes[self.current.process].space();
        user::read(space, buffer.address, &mut bytes[..length])?;
        let text = bytes[..length].trim_ascii();
        match file {
            SysFile::HostName => self.names.host = Name::new(text),
            SysFile::DomainName => self.names.domain = Name::new(text),
            SysFile::PipeMaxSize => {
                let number = core::str::from_utf8(text)
                    .ok()
                    .and_then(|text| text.parse().ok());
                self.files.set_pipe_limit(number.ok_or(Errno::EINVAL)?)?;
            }
            _ => return Err(Errno::EINVAL),
        }
        Ok(buffer.length as usize)
    }

    /// sysinfo(2). Nobody keeps load averages here: they are 0.
    pub fn sysinfo(&self, address: u64) -> Result<u64, Errno> {
        let frames = |counter| COUNTERS.get(counter) * PAGE;
        let mut words = [0; 14];
        words[0] = clock::now() / clock::SECOND;
        words[4] = frames(Counter::FramesTotal);
        words[5] = frames(Counter::FramesFree);
        // Number of processes, 16 bits; later, in a word of its own, the unit of the sizes.
        words[10] = self.processes.count() as u64 & 0xffff;
        words[13] = 1;
        user::write_words(
            self.processes[self.current.process].space(),
            address,
            &words,
        )?;
        Ok(0)
    }

    /// syslog(2): the kernel's log can be read; it is not emptied, and the console does not show it.
    pub fn syslog(&self, action: u64, address: u64, length: u64) -> Result<u64, Errno> {
        const CLOSE: i32 = 0;
        const OPEN: i32 = 1;
        const READ_ALL: i32 = 3;
        const SIZE_UNREAD: i32 = 9;
        const SIZE_BUFFER: i32 = 10;
        const CHUNK: usize = 256;
        let written = LOG.written.load(Ordering::Acquire);
        match action as i32 {
            CLOSE | OPEN => Ok(0),
            READ_ALL => {
                let length = length as i32;
                if address == 0 || length < 0 {
                    return Err(Errno::EINVAL);
                }
                let kept = written.min(LOG_CAPACITY as u64);
                let count = kept.min(length as u64);
                let space = self.processes[self.current.process].space();
                let mut done = 0;
                let mut chunk = [0; CHUNK];
                while done < count {
                    let piece = (count - done).min(CHUNK as u64) as usize;
                    for (index, byte) in chunk[..piece].iter_mut().enumerate() {
                        let at = written - count + done + index as u64;
                        *byte = LOG.text[at as usize % LOG_CAPACITY].load(Ordering::Relaxed);
                    }
                    user::write(space, address.wrapping_add(done), &chunk[..piece])?;
                    done += piece as u64;
                }
                Ok(count)
            }
            SIZE_UNREAD => Ok(written.min(LOG_CAPACITY as u64)),
            SIZE_BUFFER => Ok(LOG_CAPACITY as u64),
            // Reading what nobody has read, clearing, levels: those that exist are not here.
            2 | 4..=8 => Err(Errno::ENOSYS),
            _ => Err(Errno::EINVAL),
        }
    }
}
