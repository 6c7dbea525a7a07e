//! The local APIC's timer, one shot at a time.
//!
//! KVM and QEMU both run the local APIC's bus at 1 GHz, so that with a divisor of 1 a count is a
//! nanosecond, and arming takes no frequency and one register.
use super::apic::{self, Register};
use super::clock;
use super::trap::vector;

/// Counts of the timer in a second, with a divisor of 1.
pub const FREQUENCY: u64 = 1_000_000_000;

const DIVIDE_BY_1: u32 = 0b1011;

/// Sets the timer up, not running.
pub fn start() {
    apic::write(Register::DivideConfiguration, DIVIDE_BY_1);
    apic::write(Register::Timer, u32::from(vector::TIMER));
}

/// Interrupts `nanoseconds` from now, at least one. What is too far off (4.29 s) comes early: whoever
/// waits looks at the clock and arms again.
#[inline]
pub fn arm_in(nanoseconds: u64) {
    apic::write(
        Register::InitialCount,
        nanoseconds.clamp(1, u64::from(u32::MAX)) as u32,
    );
}

/// Interrupts at `time`, in nanoseconds since boot, or at once where that is past; see [`arm_in`].
#[inline]
pub fn arm_at(time: u64) {
    arm_in(time.saturating_sub(clock::now()));
}
