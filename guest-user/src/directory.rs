//! The names in a directory.
use crate::Result;
use crate::files::{self, O_CLOEXEC, O_DIRECTORY, O_RDONLY};
use core::ffi::CStr;

/// Offset of a record's length, a `u16`, and of its name in what getdents64(2) gives.
const RECORD_LENGTH: usize = 16;
const NAME: usize = 19;

/// Calls `visit` with each name in the directory, in the file system's own order.
///
/// # Errors
/// Those of open(2) and getdents64(2), and those of `visit`.
pub fn for_each(path: &CStr, mut visit: impl FnMut(&CStr) -> Result<()>) -> Result<()> {
    let fd = files::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)?;
    let mut buffer = [0; 2048];
    let outcome = loop {
        match files::getdents64(fd, &mut buffer) {
            Ok(0) => break Ok(()),
            Ok(length) => {
                if let Err(error) = records(&buffer[..length]).try_for_each(&mut visit) {
                    break Err(error);
                }
            }
            Err(error) => break Err(error),
        }
    };
    files::close(fd)?;
    outcome
}

/// The names in a buffer of records.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = &CStr> {
    core::iter::from_fn(move || {
        let length = bytes.get(RECORD_LENGTH..RECORD_LENGTH + 2)?;
        let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
        let name = CStr::from_bytes_until_nul(bytes.get(NAME..length)?).ok()?;
        bytes = &bytes[length..];
        Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_directory() {
        let mut names = Vec::new();
        for_each(c"/proc/self", |name| {
            names.push(name.to_owned());
            Ok(())
        })
        .unwrap();
        assert!(names.iter().any(|name| name.as_c_str() == c"stat"));
        assert!(names.iter().any(|name| name.as_c_str() == c"."));
    }

    #[test]
    fn a_broken_record_ends_the_list() {
        assert_eq!(records(&[0; 64]).count(), 0);
        assert_eq!(records(&[0xff; 64]).count(), 0);
        assert_eq!(records(&[1; 5]).count(), 0);
    }
}
