//! Work in ring 3, and output.
use crate::plan::Plan;
use crate::rounds::{median, tell, ticks};
use core::hint::black_box;
use guest_user::memory::{self, Reserve};
use guest_user::{Result, files};

/// Samples of each, every one of them long.
const SAMPLES: usize = 5;
/// Steps of the calculation.
const STEPS: u64 = 4_000_000;
/// Bytes that are walked through and copied: beyond a core's own caches.
const WORKING_SET: usize = 4 << 20;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Loads of the walk.
const LOADS: usize = 100_000;
/// KiB of output.
const OUTPUT: usize = 16;
/// One line of it: no tab, so that nobody takes it for a measure.
const LINE_OF_OUTPUT: &[u8; 64] =
    b"the quick brown fox jumps over the lazy dog, again and again...\n";

pub fn measure(plan: &Plan) -> Result<()> {
    if plan.wants("compute") {
        let time = median(SAMPLES, || {
            let start = ticks();
            black_box(compute());
            Ok(ticks() - start)
        });
        tell("compute", time)?;
    }
    if plan.wants("memory-walk") || plan.wants("memory-copy") {
        with_memory(plan)?;
    }
    if plan.wants("console-KiB") {
        tell("console-KiB", print())?;
    }
    Ok(())
}

/// A chain of multiplications, shifts and exclusive ors (xorshift64*, Vigna 2016): nothing but registers.
fn compute() -> u64 {
    let (mut state, mut sum) = (0x9e37_79b9_7f4a_7c15_u64, 0_u64);
    for _ in 0..STEPS {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        sum = sum.wrapping_add(state.wrapping_mul(0x2545_f491_4f6c_dd1d));
    }
    sum
}

fn with_memory(plan: &Plan) -> Result<()> {
    let memory = memory::map(WORKING_SET, Reserve::Yes)?;
    let lines = WORKING_SET / LINE;
    // A full-period generator modulo a power of two (Knuth 3.2.1.2, theorem A) visits each line once, in an order that
    // no prefetcher follows.
    for (index, line) in memory.chunks_exact_mut(LINE).enumerate() {
        let next = (index * 1_664_525 + 1_013_904_223) % lines;
        line[..8].copy_from_slice(&next.to_ne_bytes());
    }
    if plan.wants("memory-walk") {
        let mut at = 0;
        let time = median(SAMPLES, || {
            let start = ticks();
            for _ in 0..LOADS {
                let line: &[u8] = &memory[at * LINE..];
                at = line
                    .first_chunk()
                    .map_or(0, |next| usize::from_ne_bytes(*next));
            }
            Ok(ticks() - start)
        });
        black_box(at);
        tell("memory-walk", time)?;
    }
    if plan.wants("memory-copy") {
        let (to, from) = memory.split_at_mut(WORKING_SET / 2);
        let time = median(SAMPLES, || {
            let start = ticks();
            to.copy_from_slice(from);
            black_box(&to);
            Ok(ticks() - start)
        });
        tell("memory-copy", time)?;
    }
    Ok(())
}

/// Ticks of a KiB of output on standard output.
fn print() -> Result<u64> {
    let mut block = [0; 4096];
    for line in block.chunks_exact_mut(LINE_OF_OUTPUT.len()) {
        line.copy_from_slice(LINE_OF_OUTPUT);
    }
    let start = ticks();
    for _ in 0..OUTPUT * 1024 / block.len() {
        files::write_all(files::STDOUT, &block)?;
    }
    // A terminal's driver takes more than it has sent; where there is none, nothing is left to wait for.
    let _ = files::drain(files::STDOUT);
    Ok((ticks() - start) / OUTPUT as u64)
}
