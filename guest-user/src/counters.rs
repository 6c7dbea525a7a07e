//! The kernel's counters as a process sees them: `/proc/cowbell`, a name and a value a line.
use crate::Result;
use crate::files;
use crate::memory::{self, Reserve};
pub use contract::counters::Counter;
use core::ffi::CStr;

/// The file.
pub const PATH: &CStr = c"/proc/cowbell";
/// Bytes that the file may have: about fifty counters and as many as 448 system calls by name.
const CAPACITY: usize = 32 * 1024;

/// Reads the counters. Its memory is mapped once: a second reading touches no page for the first time.
pub struct Reader {
    text: &'static mut [u8],
}

/// The values at one time.
#[derive(Clone)]
pub struct Values([u64; Counter::ALL.len()]);

impl Reader {
    /// Maps the memory.
    ///
    /// # Errors
    /// Those of mmap(2).
    pub fn new() -> Result<Self> {
        let text = memory::map(CAPACITY, Reserve::Yes)?;
        Ok(Self { text })
    }

    /// Reads all counters.
    ///
    /// # Errors
    /// ENOENT on a kernel that is not cowbell's.
    pub fn read(&mut self) -> Result<Values> {
        let length = files::read_file(PATH, self.text)?;
        Ok(Values::parse(&self.text[..length]))
    }

    /// Reads until nothing is left that this process would touch for the first time in reading, so that
    /// the next reading adds no page fault.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn settle(&mut self) -> Result<Values> {
        self.read()?;
        self.read()
    }
}

impl Values {
    /// Takes the known names out of the file's text; those not in it are zero.
    fn parse(text: &[u8]) -> Self {
        let mut values = [0; Counter::ALL.len()];
        for line in text.split(|&byte| byte == b'\n') {
            let Some(space) = line.iter().position(|&byte| byte == b' ') else {
                continue;
            };
            let (name, value) = (&line[..space], &line[space + 1..]);
            if let Some(at) = Counter::ALL
                .iter()
                .position(|counter| counter.name().as_bytes() == name)
            {
                values[at] = decimal(value);
            }
        }
        Self(values)
    }

    /// One value.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    /// How much a counter has risen since.
    #[must_use]
    pub fn since(&self, before: &Self, counter: Counter) -> u64 {
        self.get(counter).wrapping_sub(before.get(counter))
    }

    /// Frames in use.
    #[must_use]
    pub fn frames_used(&self) -> u64 {
        self.get(Counter::FramesTotal)
            .wrapping_sub(self.get(Counter::FramesFree))
    }
}

/// The number at the start of a text.
fn decimal(text: &[u8]) -> u64 {
    text.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |value: u64, byte| {
            value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_others_passed_over() {
        let text = b"forks 3\nunknown 9\nexecs 12\nsystem_call_read 4\npages_copied 18446744073709551615\n\nodd";
        let values = Values::parse(text);
        assert_eq!(values.get(Counter::Forks), 3);
        assert_eq!(values.get(Counter::Execs), 12);
        assert_eq!(values.get(Counter::PagesCopied), u64::MAX);
        assert_eq!(values.get(Counter::Waits), 0);
    }

    #[test]
    fn differences_survive_a_wrap() {
        let before = Values::parse(b"pages_copied 18446744073709551615\n");
        let after = Values::parse(b"pages_copied 16\n");
        assert_eq!(after.since(&before, Counter::PagesCopied), 17);
    }
}
