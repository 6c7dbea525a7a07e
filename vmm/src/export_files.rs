//! Stub.
use crate::channel::Fields;
use contract::channel::Kind;

/// Files to take out of the guest.
#[derive(Default)]
pub struct Exports {}

impl Exports {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        true
    }
    /// Takes a message.
    pub fn take(&mut self, _: Kind, _: Fields<'_>) -> Option<()> {
        None
    }
}
