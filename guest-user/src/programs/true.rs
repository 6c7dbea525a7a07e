//! true(1): ends with status 0.
#![no_std]
#![no_main]
use guest_user::{Result, program};

program!(main);

fn main() -> Result<u8> {
    Ok(0)
}
