//! Random words: for AT_RANDOM, `/dev/urandom` and getrandom(2).
use crate::arch::registers;
use crate::one_cpu::OneCpu;

/// State of the generator, splitmix64 stirred with the time-stamp counter (Steele, Lea, Flood: Fast splittable
/// pseudorandom number generators, 2014). For stack canaries and hash seeds, not for keys.
static STATE: OneCpu<u64> = OneCpu::new(0);

fn next() -> u64 {
    STATE.with(|state| {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = *state ^ registers::read_tsc();
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    })
}

/// Sixteen random bytes.
pub fn words() -> [u64; 2] {
    [next(), next()]
}

/// Fills a buffer.
pub fn fill(buffer: &mut [u8]) {
    for chunk in buffer.chunks_mut(8) {
        chunk.copy_from_slice(&next().to_le_bytes()[..chunk.len()]);
    }
}
