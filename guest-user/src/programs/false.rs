//! false(1): ends with status 1.
#![no_std]
#![no_main]
use guest_user::{Result, program};

program!(main);

fn main() -> Result<u8> {
    Ok(1)
}
