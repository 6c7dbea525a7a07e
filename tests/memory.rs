//! Memory: C programs that print and end here as they do on Linux.

use crate::linux_programs::{c_alike, programs};
use crate::machine::compiled::Library;

programs! {
    memory_shared memory_locks memory_moves memory_advice memory_stack memory_places
}
