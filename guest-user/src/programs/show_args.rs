//! Prints its argument vector and its environment, as exec gave them.
#![no_std]
#![no_main]
use guest_user::{Result, arguments, environment, print, println, program, start::Strings, stdio};

program!(main);

fn main() -> Result<u8> {
    show("argv    =", arguments())?;
    show("environ =", environment())?;
    stdio::flush()?;
    Ok(0)
}

fn show(name: &str, strings: Strings) -> Result<()> {
    print!("{name}");
    for string in strings {
        stdio::put(b" \"")?;
        stdio::put(string.to_bytes())?;
        stdio::put(b"\"")?;
    }
    println!();
    Ok(())
}
