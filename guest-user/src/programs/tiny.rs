//! The least that a program can do: ends with status 0. For measures of exec.
#![no_std]
#![no_main]
use guest_user::{_exit, Result, program};

program!(main);

fn main() -> Result<u8> {
    _exit(0)
}
