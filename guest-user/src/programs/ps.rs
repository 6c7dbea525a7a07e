//! ps(1): every process, its pid, its parent's pid, its state and its name, from `/proc/PID/stat`.
#![no_std]
#![no_main]
use guest_user::{Error, Pid, Result, directory, println, program, stdio};

program!(main);

use guest_user::proc_stat::{self, ProcessLine};

fn main() -> Result<u8> {
    println!("{}", ProcessLine::HEADER);
    directory::for_each(c"/proc", |name| {
        let pid = name.to_str().ok().and_then(|name| name.parse().ok());
        pid.map_or(Ok(()), show)
    })?;
    stdio::flush()?;
    Ok(0)
}

fn show(pid: Pid) -> core::result::Result<(), Error> {
    let mut buffer = [0; 512];
    // A process may have gone since its name was read.
    if let Ok(Some(line)) = proc_stat::read(pid, &mut buffer) {
        println!("{line}");
    }
    Ok(())
}
