//! What processes, memory and the console cost, in ticks of the time-stamp counter. Runs on Linux too.
//!
//! `measure [--rounds=N] [--sizes=MIB,…] [--machine] [NAME…]` prints a line a measure, `NAME<tab>TICKS`, the median of
//! its rounds; `NAME<tab>reason` where there is none. With names it takes those measures alone.
//!
//! `--machine` says that the machine was started for this program alone, as pid 1: it then tells the ticks since the
//! machine's reset, and ends the machine.
#![no_std]
#![no_main]
use guest_user::{Result, program};

program!(main);

mod boot;
mod plan;
mod processes;
mod rounds;
mod sizes;
mod switches;
mod work;

use guest_user::process;
use plan::Plan;

fn main() -> Result<u8> {
    let first = rounds::ticks();
    // A measure of this very program's start.
    if guest_user::arguments().nth(1) == Some(c"child") {
        return Ok(0);
    }
    let plan = Plan::of_arguments();
    if plan.machine {
        boot::measure(&plan, first)?;
    }
    // On a machine with several CPUs a token passed between two of them would measure their wake-up. A kernel that
    // cannot pin has no other CPU to go to.
    let _ = process::stay_on_this_cpu();
    processes::measure(&plan)?;
    switches::measure(&plan)?;
    sizes::measure(&plan)?;
    work::measure(&plan)?;
    if plan.machine {
        process::power_off();
    }
    Ok(0)
}
