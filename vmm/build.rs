//! Builds the guest (the kernel and the programs) with a cargo of its own and leaves in `OUT_DIR` what the monitor
//! embeds: `kernel.elf` and `initramfs.cpio`.

#[path = "src/archive/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the monitor uses the rest")]
mod archive;

use archive::{Entry, S_IFLNK, S_IFREG};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, exit};
use std::{env, fs};

/// The target the guest is built for, whatever the monitor's is: the host's own, so that the toolchain has it.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Code generation of the kernel: at a fixed address, no red zone (exceptions in ring 0), no SSE (its registers belong
/// to the processes), frame pointers (backtraces).
const KERNEL_FLAGS: &[&str] = &[
    "-Crelocation-model=static",
    "-Ccode-model=kernel",
    "-Cno-redzone=yes",
    "-Ctarget-feature=-sse,-sse2",
    "-Cforce-frame-pointers=yes",
    "-Ctarget-cpu=x86-64",
];

/// Code generation of the programs: at a fixed address, nothing to relocate at start.
const USER_FLAGS: &[&str] = &["-Crelocation-model=static", "-Ctarget-cpu=x86-64"];

fn main() {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    let Some(workspace) = manifest.parent() else {
        fail("the monitor's package has no parent directory")
    };
    for input in [
        "guest-kernel",
        "guest-user",
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        "vmm/src/archive",
        "vmm/build.rs",
    ] {
        println!("cargo:rerun-if-changed={}", workspace.join(input).display());
    }

    let kernel = build(
        workspace,
        &out.join("guest"),
        &[
            "-p",
            "guest-kernel",
            "--bin",
            "guest-kernel",
            "--profile",
            "guest-kernel",
        ],
        KERNEL_FLAGS,
    );
    let [(_, kernel)] = kernel.as_slice() else {
        fail("the kernel's package made no executable, or several")
    };
    put(&out.join("kernel.elf"), &get(kernel));

    let programs = build(
        workspace,
        &out.join("guest"),
        &["-p", "guest-user", "--bins", "--profile", "guest-user"],
        USER_FLAGS,
    );
    put(&out.join("initramfs.cpio"), &initramfs(&programs));
    link_unwinder();
}

/// Links what the standard library unwinds with into the monitor, where the C compiler has it as an archive: so each start
/// loads one library less.
fn link_unwinder() {
    let compiler = Command::new("cc")
        .arg("-print-file-name=libgcc_eh.a")
        .output();
    let Ok(answer) = compiler else { return };
    // What it does not find it names without a directory.
    let archive = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    if let Some(directory) = archive.parent().filter(|parent| parent.is_absolute()) {
        println!("cargo:rustc-link-search=native={}", directory.display());
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Builds a part of the guest; the names and paths of its executables, by name.
fn build(
    workspace: &Path,
    target_dir: &Path,
    what: &[&str],
    flags: &[&str],
) -> Vec<(String, PathBuf)> {
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(workspace)
        .arg("build")
        .args(what)
        .args([
            "--target",
            TARGET,
            "--message-format",
            "json-render-diagnostics",
        ])
        .arg("--target-dir")
        .arg(target_dir)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    // Settings meant for the monitor's own build (flags, wrappers such as clippy's, profiles) are not the guest's.
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let inherited = matches!(
            text,
            "RUSTFLAGS"
                | "CARGO_ENCODED_RUSTFLAGS"
                | "RUSTC_WRAPPER"
                | "RUSTC_WORKSPACE_WRAPPER"
                | "RUSTDOCFLAGS"
                | "CARGO_TARGET_DIR"
                | "CLIPPY_ARGS"
        ) || [
            "CARGO_BUILD_",
            "CARGO_PROFILE_",
            "CARGO_TARGET_",
            "CARGO_CFG_",
            "CARGO_FEATURE_",
        ]
        .iter()
        .any(|prefix| text.starts_with(prefix));
        if inherited {
            cargo.env_remove(name);
        }
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    let output = match cargo.output() {
        Ok(output) => output,
        Err(error) => fail(&format!("cannot start cargo for the guest: {error}")),
    };
    if !output.status.success() {
        fail(&format!(
            "building the guest failed ({}): {}",
            output.status,
            what.join(" ")
        ));
    }
    let mut executables: Vec<(String, PathBuf)> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| {
            let path = message["executable"].as_str()?;
            let name = message["target"]["name"].as_str()?;
            (message["target"]["kind"][0] == "bin").then(|| (name.to_owned(), PathBuf::from(path)))
        })
        .collect();
    executables.sort();
    executables
}

/// The root file system: what every system has, each program in `/bin`, and the tour as what runs when nothing is named.
fn initramfs(programs: &[(String, PathBuf)]) -> Vec<u8> {
    let contents: Vec<(&str, Vec<u8>)> = programs
        .iter()
        .map(|(name, path)| (name.as_str(), get(path)))
        .collect();
    let mut entries: Vec<Entry> = archive::system_entries().collect();
    entries.push(Entry::directory(b"bin"));
    for (name, contents) in &contents {
        entries.push(Entry {
            mode: S_IFREG | 0o755,
            data: contents.as_slice().into(),
            ..Entry::directory(format!("bin/{name}").as_bytes())
        });
    }
    if contents.iter().any(|(name, _)| *name == "tour") {
        entries.push(Entry {
            mode: S_IFLNK | 0o777,
            data: b"bin/tour".as_slice().into(),
            ..Entry::directory(b"init")
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    archive::write(&entries)
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("{name} is not set")))
}

fn get(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())))
}

fn put(path: &Path, bytes: &[u8]) {
    if let Err(error) = fs::write(path, bytes) {
        fail(&format!("{}: {error}", path.display()));
    }
}

fn fail(message: &str) -> ! {
    eprintln!("cowbell's build script: {message}");
    exit(1)
}
