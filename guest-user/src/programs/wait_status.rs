//! The status word: exit code in bits 8-15, signal in bits 0-6, core dump in bit 7.
#![no_std]
#![no_main]
use guest_user::{Pid, Result, getpid, println, program, spawn, waitpid};

program!(main);

use core::arch::asm;
use guest_user::process::kill;
use guest_user::status::{SIGKILL, SIGSEGV, signal_name};

fn main() -> Result<u8> {
    let exits = spawn(|| Ok(7))?;
    let exits = describe("exit(7)", exits)?;
    let killed = spawn(|| {
        kill(getpid(), SIGKILL)?;
        Ok(0)
    })?;
    let killed = describe("kill", killed)?;
    let faulting = spawn(|| {
        read_address_zero();
        Ok(0)
    })?;
    let faulting = describe("*NULL", faulting)?;
    let right = exits == 7 << 8 && killed == SIGKILL as i32 && faulting & 0x7f == SIGSEGV as i32;
    Ok(if right { 0 } else { 1 })
}

/// Waits for a child, shows its status word, and returns it.
fn describe(what: &str, child: Pid) -> Result<i32> {
    let status = waitpid(child)?;
    let code = status.WEXITSTATUS();
    if status.WIFEXITED() {
        println!("{what}: status {:#06x}: exited, code {code}", status.0);
    } else if status.WIFSIGNALED() {
        let signal = status.WTERMSIG();
        let core = u8::from(status.WCOREDUMP());
        let name = signal_name(signal);
        println!(
            "{what}: status {:#06x}: signal {signal} ({name}), core bit {core}",
            status.0
        );
    } else {
        println!(
            "{what}: status {:#06x}: neither exited nor signalled",
            status.0
        );
    }
    Ok(status.0)
}

fn read_address_zero() {
    // SAFETY: page 0 is never mapped: the load changes no memory and ends the process by SIGSEGV.
    unsafe { asm!("mov {0:l}, [{0}]", inout(reg) 0_u64 => _, options(nostack, readonly)) };
}
