//! `struct msghdr`, of sendmsg(2) and recvmsg(2).

use super::arguments::{Pieces, vectors};
use super::names;
use super::structures::{half, word};
use super::text::address;
use contract::calls::Set;
use contract::channel::Piece;

/// The message at an address, from its header and the pieces that follow it.
#[must_use]
pub fn show(pieces: &Pieces, index: usize, value: u64) -> String {
    let Some(((Piece::Whole, header), data)) = pieces.of(index).split_first() else {
        return address(value);
    };
    let control = match word(header, 40) {
        0 => String::new(),
        _ => format!("msg_control={}, ", address(word(header, 32))),
    };
    format!(
        "{{msg_name={}, msg_namelen={}, msg_iov={}, msg_iovlen={}, {control}msg_controllen={}, msg_flags={}}}",
        address(word(header, 0)),
        half(header, 8),
        vectors(data, word(header, 16)),
        word(header, 24),
        word(header, 40),
        names::show(Set::Message, half(header, 48).into()),
    )
}
