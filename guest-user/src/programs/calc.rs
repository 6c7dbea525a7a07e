//! calc(1): the value of an integer expression, `calc "6*7"`. With `--pid` its own pid first.
#![no_std]
#![no_main]
use guest_user::{Result, eprintln, expression, getpid, println, program};

program!(main);

fn main() -> Result<u8> {
    let mut words = guest_user::arguments().skip(1).peekable();
    if words.next_if_eq(&c"--pid").is_some() {
        println!("calc's own pid: {}", getpid());
    }
    if words.peek().is_none() {
        eprintln!("usage: calc [--pid] EXPRESSION    with + - * / % ( ) and 64-bit integers");
        return Ok(2);
    }
    // Several arguments are one expression, with blanks between.
    let text = words.flat_map(|word| word.to_bytes().iter().copied().chain([b' ']));
    match expression::evaluate(text) {
        Ok(value) => println!("{value}"),
        Err(error) => {
            eprintln!("calc: {error}");
            return Ok(1);
        }
    }
    guest_user::flush()?;
    Ok(0)
}
