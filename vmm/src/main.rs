//! cowbell: runs Unix processes in a virtual machine of their own.

#[allow(dead_code, reason = "the build script uses the rest")]
mod archive;
mod backtrace;
mod boot;
mod closed_output;
mod command_line;
mod diagnosis;
mod ending;
mod image;
mod initramfs;
mod input;
mod interruption;
mod kernel_image;
mod kvm;
mod machine;
mod memory;
mod messages;
mod output;
mod phases;
mod qemu;
mod quantities;
mod records;
mod registers;
mod run;
mod terminal;

use clap::Parser;
use command_line::{Command, CommandLine};
use contract::status::HOST_ERROR;
use messages::say;
use phases::Phases;
use std::process::ExitCode;

fn main() -> ExitCode {
    let phases = Phases::begin();
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        terminal::restore();
        default_hook(panic);
    }));
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                HOST_ERROR.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let result = match command_line.command {
        None => run::tour(phases),
        Some(Command::Run(options)) => run::run(&options, phases),
        Some(_) => Ok(0),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            say(&format!("{error:#}"));
            HOST_ERROR.into()
        }
    }
}
