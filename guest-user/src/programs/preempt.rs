//! Two processes that never give up the processor both get on, and both keep their SIMD registers.
#![no_std]
#![no_main]
use guest_user::{Result, println, program, spawn, time, waitpid};

program!(main);

use guest_user::files;
use guest_user::simd::{self, Contents, Registers};

/// How long each spins, in nanoseconds.
const SPIN: u64 = 300_000_000;
/// A time away from the processor that counts as having been stopped, in nanoseconds.
const STOP: u64 = 200_000;
/// Words in what a spinner tells: start and end in ticks, turns, stops, registers that changed.
const WORDS: usize = 5;

fn main() -> Result<u8> {
    let registers = Registers::detect();
    let frequency = ticks_per_millisecond()?;
    let go = files::pipe()?;
    let mut children = [0; 2];
    let mut pipes = [go; 2];
    for (who, (child, told)) in children.iter_mut().zip(&mut pipes).enumerate() {
        *told = files::pipe()?;
        *child = spawn(|| {
            // Both start when the parent closes its end.
            files::close(go.writer)?;
            files::read(go.reader, &mut [0])?;
            let words = spin(registers, who as u8, frequency);
            for word in words {
                files::write_all(told.writer, &word.to_ne_bytes())?;
            }
            Ok(0)
        })?;
        files::close(told.writer)?;
    }
    files::close(go.writer)?;
    let mut told = [[0; WORDS]; 2];
    for (words, pipe) in told.iter_mut().zip(&pipes) {
        for word in words {
            let mut bytes = [0; 8];
            files::read_all(pipe.reader, &mut bytes)?;
            *word = u64::from_ne_bytes(bytes);
        }
    }
    let mut right = true;
    for child in children {
        right &= waitpid(child)?.0 == 0;
    }
    for ([_, _, turns, stops, changed], child) in told.iter().zip(children) {
        println!(
            "process {child}: {turns} turns, stopped {stops} times, registers changed: {changed}"
        );
        right &= *turns > 0 && *changed == 0;
    }
    let [a, b] = told;
    if a[0] < b[1] && b[0] < a[1] {
        println!("each ran while the other was not done; {registers} kept");
    } else {
        println!("one ran only when the other was done");
        right = false;
    }
    Ok(if right { 0 } else { 1 })
}

/// In a child: keeps the processor and the registers busy.
fn spin(registers: Registers, who: u8, frequency: u64) -> [u64; WORDS] {
    let pattern = Contents::pattern(who);
    let mut found = pattern.clone();
    let start = time::ticks();
    let spun = simd::hold(
        registers,
        &pattern,
        &mut found,
        start + frequency * SPIN / 1_000_000,
        frequency * STOP / 1_000_000,
    );
    let changed = pattern.differences(&found);
    [start, time::ticks(), spun.turns, spun.stops, changed]
}

/// How fast the time-stamp counter runs, by the clock.
fn ticks_per_millisecond() -> Result<u64> {
    // The ticks are counted over a little more than the time: who is stopped in between spins for longer, not for less.
    let (ticks, clock) = (time::ticks(), time::monotonic_nanoseconds()?);
    loop {
        let elapsed = time::monotonic_nanoseconds()? - clock;
        if elapsed >= 3_000_000 {
            return Ok((time::ticks() - ticks) * 1_000_000 / elapsed);
        }
    }
}
