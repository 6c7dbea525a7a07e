//! `cowbell run` and the tour: makes a machine of the options, runs it, and says how it ended.

use crate::command_line::{Accelerator, Run};
use crate::image;
use crate::kernel_image::KernelImage;
use crate::machine::{Machine, Measure, Outcome};
use crate::messages::say;
use crate::phases::Phases;
use crate::terminal::{self, Console};
use crate::{archive, boot, interruption, kvm};
use anyhow::{Context, Result, bail, ensure};
use contract::command_line as guest_line;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Runs the tour.
pub fn tour(phases: Phases) -> Result<u8> {
    use clap::Parser;
    #[derive(Parser)]
    struct Defaults {
        #[command(flatten)]
        run: Run,
    }
    let options = Defaults::try_parse_from(["cowbell"]).context("no defaults")?;
    run(&options.run, phases)
}

/// Runs a machine; the exit status.
///
/// # Errors
/// It could not be started.
pub fn run(options: &Run, phases: Phases) -> Result<u8> {
    let kernel_bytes: Cow<[u8]> = match &options.kernel {
        Some(path) => std::fs::read(path)
            .with_context(|| format!("cannot read the kernel {}", path.display()))?
            .into(),
        None => image::kernel().into(),
    };
    let kernel_name = options.kernel.as_ref().map_or_else(
        || "the embedded kernel".to_owned(),
        |path| path.display().to_string(),
    );
    let kernel =
        KernelImage::parse(&kernel_bytes).with_context(|| format!("cannot boot {kernel_name}"))?;
    let initramfs: Cow<[u8]> = match &options.initrd {
        Some(path) => {
            let bytes = std::fs::read(path)
                .with_context(|| format!("cannot read the initramfs {}", path.display()))?;
            archive::read(&bytes)
                .with_context(|| format!("cannot use the initramfs {}", path.display()))?;
            bytes.into()
        }
        None => image::initramfs().into(),
    };
    boot::check_size(&kernel, &initramfs, options.mem)?;
    let console = terminal::console();
    let machine = Machine {
        memory_size: options.mem,
        kernel: &kernel,
        initramfs: &initramfs,
        command_line: command_line(options, console)?,
        console,
        measure: if options.stats.is_some() {
            Measure::Everything
        } else {
            Measure::Nothing
        },
    };
    let _ = Accelerator::Auto;
    let kvm = kvm::open()?;
    interruption::install()?;
    let guard = terminal::make_raw(console)?;
    if let Some(time) = options.timeout {
        interruption::set_timeout(time)?;
    }
    let outcome = kvm::run(&kvm, &machine, phases)?;
    drop(guard);
    let program = options.program.first().map_or_else(
        || "/init".to_owned(),
        |program| program.display().to_string(),
    );
    outcome.ending.report(&program);
    Ok(outcome.ending.status())
}

/// The kernel's command line, but for what only the engine knows.
fn command_line(options: &Run, console: Console) -> Result<Vec<u8>> {
    let mut line = b"log=memory".to_vec();
    if !options.icount {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        line.extend_from_slice(
            format!(" epoch={}.{:09}", now.as_secs(), now.subsec_nanos()).as_bytes(),
        );
    }
    if console == Console::Terminal {
        line.extend_from_slice(b" tty=1");
    }
    for variable in &options.env {
        ensure!(
            variable.as_bytes().contains(&b'='),
            "--env {}: write K=V",
            variable.display()
        );
        line.extend_from_slice(b" env=");
        line.extend(guest_line::encode(variable.as_bytes()));
    }
    if !options.program.is_empty() {
        line.extend_from_slice(b" --");
        for argument in &options.program {
            line.push(b' ');
            line.extend(guest_line::encode(argument.as_bytes()));
        }
    }
    ensure!(
        line.len() < guest_line::LIMIT - 64,
        "the program's arguments and environment are too long: {} bytes",
        line.len()
    );
    Ok(line)
}
