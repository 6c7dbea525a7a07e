//! Signals, job control, waiting, timers, limits: C programs that print and end here as they do on Linux.

use crate::linux_programs::{c_alike, programs};
use crate::machine::compiled::Library;

programs! {
    limits_calls signals_queue jobs_stop timers_calls usage_calls usage_switches signals_context
}
