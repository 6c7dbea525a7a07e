//! The doorbell of the channel to cowbell's own monitor.
use super::registers::{read_port_long, write_port_long};
use contract::ports::{CHANNEL_DOORBELL, DOORBELL, DOORBELL_SIGNATURE};

/// Whether somebody answers it.
pub fn answers() -> bool {
    read_port_long(DOORBELL) == DOORBELL_SIGNATURE
}

/// Rings: the monitor reads the channel before this returns.
pub fn ring() {
    // SAFETY: the monitor only reads the channel, and says how far.
    unsafe { write_port_long(CHANNEL_DOORBELL, 0) };
}
