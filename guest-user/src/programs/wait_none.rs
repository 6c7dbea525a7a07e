//! wait without any child: -1, and errno says why.
#![no_std]
#![no_main]
use guest_user::{Errno, Result, println, program, wait};

program!(main);

fn main() -> Result<u8> {
    match wait() {
        Ok((pid, _)) => {
            println!("wait returned {pid}, and there was no child");
            Ok(1)
        }
        Err(error) => {
            println!("without a child, wait returns and errno says:");
            println!("-1");
            println!("{}", error.errno.name());
            Ok(if error.errno == Errno::ECHILD { 0 } else { 1 })
        }
    }
}
