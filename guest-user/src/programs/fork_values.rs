//! Two worlds after fork: both sides change the same variables, neither sees the other do it.
#![no_std]
#![no_main]
use guest_user::{Fork, Result, fork, println, program, waitpid};

program!(main);

fn main() -> Result<u8> {
    let mut p = b'e';
    let mut number = 12;
    match fork()? {
        Fork::Child => {
            p -= 2;
            number -= 1;
            println!("p = {} , number = {number}", char::from(p));
            Ok(0)
        }
        Fork::Parent(child) => {
            p += 2;
            number += 2;
            println!("p = {} , number = {number}", char::from(p));
            Ok(if waitpid(child)?.0 == 0 { 0 } else { 1 })
        }
    }
}
