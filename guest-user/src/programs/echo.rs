//! echo(1): its arguments on one line; `-n` leaves the newline out.
#![no_std]
#![no_main]
use guest_user::{Result, program, stdio};

program!(main);

fn main() -> Result<u8> {
    let mut words = guest_user::arguments().skip(1).peekable();
    let newline: &[u8] = match words.next_if_eq(&c"-n") {
        Some(_) => b"",
        None => b"\n",
    };
    while let Some(word) = words.next() {
        stdio::put(word.to_bytes())?;
        if words.peek().is_some() {
            stdio::put(b" ")?;
        }
    }
    stdio::put(newline)?;
    guest_user::flush()?;
    Ok(0)
}
