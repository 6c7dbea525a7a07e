//! What the machine is called (uname(2)).

use crate::random;
use contract::command_line::HOST_NAME;
use core::cell::OnceCell;

/// Length of a name without its NUL (`__NEW_UTS_LEN`).
pub const NAME_LENGTH: usize = 64;

/// A name of at most [`NAME_LENGTH`] bytes.
#[derive(Clone, Copy)]
pub struct Name {
    bytes: [u8; NAME_LENGTH],
    length: usize,
}

impl Name {
    /// `name`, cut where it is too long.
    pub const fn new(name: &[u8]) -> Self {
        let name = match name.split_at_checked(NAME_LENGTH) {
            Some((start, _)) => start,
            None => name,
        };
        let mut bytes = [0; NAME_LENGTH];
        bytes.split_at_mut(name.len()).0.copy_from_slice(name);
        Self {
            bytes,
            length: name.len(),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The names that can be changed.
pub struct HostNames {
    /// `nodename`: sethostname(2).
    pub host: Name,
    /// `domainname`: setdomainname(2).
    pub domain: Name,
    boot: OnceCell<[u64; 2]>,
}

impl HostNames {
    /// Before anybody has said otherwise.
    pub const fn new() -> Self {
        Self {
            host: Name::new(HOST_NAME.as_bytes()),
            domain: Name::new(b"(none)"),
            boot: OnceCell::new(),
        }
    }

    /// Random bits that are this boot's.
    pub fn boot(&self) -> [u64; 2] {
        *self.boot.get_or_init(random::words)
    }
}
