//! The embedded kernel and initramfs are good for other monitors: QEMU boots them as they are.

use crate::machine::{Engine, Input, Ran, engines, exported, run};
use std::process::{Command, Stdio};

/// QEMU with the exported files; the status in its exit status.
fn qemu(machine: &str, accelerator: &[&str], program: &str) -> Ran {
    let files = exported::directory();
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-m",
            "128M",
        ])
        .args(["-M", machine])
        .args(accelerator)
        .args([
            "-serial",
            "stdio",
            "-device",
            "isa-debug-exit,iobase=0xf4,iosize=4",
        ])
        .arg("-kernel")
        .arg(files.join("kernel.elf"))
        .arg("-initrd")
        .arg(files.join("initramfs.cpio"))
        .args(["-append", program])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    run(command, Input::Bytes(Vec::new()))
}

#[test]
fn qemu_boots_what_is_exported() {
    let mut accelerators = vec![["-accel", "tcg", "-cpu", "max"]];
    if engines().contains(&Engine::Kvm) {
        accelerators.push(["-accel", "kvm", "-cpu", "host,-arch-capabilities"]);
    }
    for machine in ["microvm,pit=off,pic=off,rtc=off,isa-serial=on", "q35"] {
        for accelerator in &accelerators {
            let run = qemu(machine, accelerator, "-- /bin/calc 6*7");
            // Exit::Exited(0) through the port is 0x100; QEMU makes (value << 1) | 1 of it, and a status has eight bits.
            assert_eq!(run.end, crate::machine::End::Exited(1), "{run:?}");
            assert!(
                run.text().contains("42\n") || run.text().contains("42\r\n"),
                "{run:?}"
            );
            let run = qemu(machine, accelerator, "-- /bin/false");
            assert_eq!(run.end, crate::machine::End::Exited(3), "{run:?}");
        }
    }
}

#[test]
fn exported_files_are_what_is_embedded() {
    let first = (exported::kernel(), exported::initramfs());
    assert!(first.0.starts_with(b"\x7fELF") && first.1.starts_with(b"070701"));
    // Given back to cowbell they make the same machine.
    let files = exported::directory();
    for &engine in engines() {
        crate::machine::Machine::on(engine)
            .option(["--kernel".as_ref(), files.join("kernel.elf").as_os_str()])
            .option([
                "--initrd".as_ref(),
                files.join("initramfs.cpio").as_os_str(),
            ])
            .program(["/bin/fork_exec"])
            .run()
            .expect_status(0)
            .expect_silence();
    }
}
