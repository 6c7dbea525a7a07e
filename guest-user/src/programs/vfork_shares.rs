//! After vfork the child runs on the memory of the parent, which stands still until it has ended.
#![no_std]
#![no_main]
use guest_user::{_exit, Result, println, program, time, vfork, waitpid};

program!(main);

fn main() -> Result<u8> {
    let mut value = 1;
    let mut order = [0_u8; 2];
    let mut steps = 0;
    let mut step = |who| {
        order[steps] = who;
        steps += 1;
    };
    println!("before vfork the value is {value}");
    let child = vfork(|| {
        // Long enough for the parent to run, if it could.
        time::sleep_milliseconds(20);
        value = 42;
        step(b'c');
        _exit(0)
    })?;
    step(b'p');
    let status = waitpid(child)?;
    println!("the child stored {value} in the parent's variable");
    println!("ran first: {}, then: {}", name(order[0]), name(order[1]));
    Ok(if status.0 == 0 && value == 42 && &order == b"cp" {
        0
    } else {
        1
    })
}

fn name(who: u8) -> &'static str {
    match who {
        b'c' => "the child",
        b'p' => "the parent",
        _ => "nobody",
    }
}
