//! Ticks, medians, and lines.
use crate::plan::{MOST_ROUNDS, Plan};
use core::fmt::Display;
use guest_user::{Result, flush, println};

/// The time-stamp counter, read when everything before it is done.
pub fn ticks() -> u64 {
    // SAFETY: LFENCE is part of SSE2, which every processor with 64-bit mode has.
    unsafe { core::arch::x86_64::_mm_lfence() };
    guest_user::time::ticks()
}

/// Takes a measure in the plan's rounds, if it is wanted, and prints the median.
pub fn take(plan: &Plan, name: &str, mut action: impl FnMut() -> Result<()>) -> Result<()> {
    if !plan.wants(name) {
        return Ok(());
    }
    let outcome = median(plan.rounds, || {
        let start = ticks();
        action()?;
        Ok(ticks() - start)
    });
    tell(name, outcome)
}

/// Takes a measure of something short: `times` of it between two readings of the clock, which would else be part of it.
pub fn take_many(
    plan: &Plan,
    name: &str,
    times: u64,
    mut action: impl FnMut() -> Result<()>,
) -> Result<()> {
    if !plan.wants(name) {
        return Ok(());
    }
    let outcome = median(plan.rounds, || {
        let start = ticks();
        for _ in 0..times {
            action()?;
        }
        Ok((ticks() - start) / times)
    });
    tell(name, outcome)
}

/// The median of so many samples.
pub fn median(rounds: usize, mut sample: impl FnMut() -> Result<u64>) -> Result<u64> {
    let mut samples = [0; MOST_ROUNDS];
    let samples = &mut samples[..rounds];
    for at in samples.iter_mut() {
        *at = sample()?;
    }
    samples.sort_unstable();
    Ok(samples[rounds / 2])
}

/// Prints a measure, or why there is none. Nothing is left in the buffer, for what follows may fork.
pub fn tell(name: &str, outcome: Result<u64>) -> Result<()> {
    match outcome {
        Ok(ticks) => println!("{name}\t{ticks}"),
        Err(error) => println!("{name}\t{error}"),
    }
    flush()
}

/// Prints why there is no such measure.
pub fn tell_why_not(name: &str, reason: impl Display) -> Result<()> {
    println!("{name}\t{reason}");
    flush()
}
