//! cowbell: runs Unix processes in a virtual machine of their own.

#[allow(dead_code, reason = "the build script uses the rest")]
mod archive;
mod backtrace;
mod bench;
mod boot;
mod channel;
mod closed_output;
mod command_line;
mod diagnosis;
mod doctor;
mod ending;
mod environment;
mod export_image;
mod farewell;
mod files_out;
mod host_memory;
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
mod own_file;
mod phases;
mod qemu;
mod quantities;
mod records;
mod registers;
mod run;
mod sealed_file;
mod shell;
mod stats;
mod strace;
mod terminal;
mod whole_file;

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
            if !error.use_stderr() {
                // Help or the version was asked for.
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            let text = error.render().to_string();
            say(text.trim_end());
            return HOST_ERROR.into();
        }
    };
    let result = match command_line.command {
        None => run::tour(phases),
        Some(Command::Run(options)) => run::run(&options, None, phases),
        Some(Command::Shell(options)) => shell::shell(*options, phases),
        Some(Command::Export { directory }) => export_image::export(&directory),
        Some(Command::Bench(options)) => bench::bench(&options),
        Some(Command::Doctor) => Ok(doctor::examine()),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            say(&format!("{error:#}"));
            HOST_ERROR.into()
        }
    }
}
