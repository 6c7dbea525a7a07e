//! What it took to get here.
use crate::plan::Plan;
use crate::rounds::{tell, tell_why_not};
use guest_user::Result;
use guest_user::counters::{Counter, Reader};

/// Tells the ticks from the machine's reset, where the counter starts at 0, to `first`, read at this program's start;
/// and of them those from the kernel's entry on, where the kernel tells.
pub fn measure(plan: &Plan, first: u64) -> Result<()> {
    if plan.wants("boot") {
        tell("boot", Ok(first))?;
    }
    if plan.wants("kernel-boot") {
        let name = "kernel-boot";
        match Reader::new()?.read() {
            Ok(values) => tell(
                name,
                Ok(values
                    .get(Counter::TscAtFirstUser)
                    .saturating_sub(values.get(Counter::TscAtEntry))),
            )?,
            Err(_) => tell_why_not(name, "this kernel does not tell when it was entered")?,
        }
    }
    Ok(())
}
