//! What the machine is called (uname(2)).

use crate::random;

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
    pub fn new(name: &[u8]) -> Self {
        let length = name.len().min(NAME_LENGTH);
        let mut bytes = [0; NAME_LENGTH];
        bytes[..length].copy_from_slice(&name[..length]);
        Self { bytes, length }
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
    /// Random bits that are this boot's.
    pub boot: [u64; 2],
}

impl HostNames {
    /// Before anybody has said otherwise.
    pub fn new() -> Self {
        Self {
            host: Name::new(b"cowbell"),
            domain: Name::new(b"(none)"),
            boot: random::words(),
        }
    }
}
