//! Programs compiled for the tests, once each.

use super::scratch;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

/// How a C program is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Library {
    /// glibc, `-static`.
    Glibc,
    /// glibc, `-static-pie`: it relocates itself.
    GlibcPie,
    /// musl, `-static`.
    Musl,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Glibc, Self::GlibcPie, Self::Musl];

    fn name(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::GlibcPie => "glibc-pie",
            Self::Musl => "musl",
        }
    }

    fn compiler(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Glibc => ("cc", &["-static"]),
            Self::GlibcPie => ("cc", &["-static-pie", "-fPIE"]),
            Self::Musl => ("musl-gcc", &["-static"]),
        }
    }
}

/// Compiles a C source of the tests (its path below `tests/`, without `.c`).
pub fn c(source: &str, library: Library) -> PathBuf {
    let (compiler, flags) = library.compiler();
    let out = format!("{source}.{}", library.name());
    once(&out.clone(), move || {
        let out = scratch::path(&out);
        let mut command = Command::new(compiler);
        command
            .args(["-std=gnu11", "-O1", "-Wall", "-Wextra"])
            .args(["-fno-builtin", "-fno-strict-aliasing"])
            .args(flags)
            .arg("-o")
            .arg(&out)
            .arg(scratch::source(&format!("{source}.c")));
        succeed(command);
        out
    })
}

/// Compiles a Rust source of the tests (its path below `tests/`, without `.rs`) against the static standard library.
pub fn rust(source: &str) -> PathBuf {
    let out = format!("{source}.rust");
    once(&out.clone(), move || {
        let out = scratch::path(&out);
        let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        command
            .args(["--edition=2024", "-O", "-Ctarget-feature=+crt-static"])
            .arg("--target=x86_64-unknown-linux-gnu")
            .arg("-o")
            .arg(&out)
            .arg(scratch::source(&format!("{source}.rs")));
        succeed(command);
        out
    })
}

/// Assembles a kernel from a source in the tree; the definition chooses which of several.
pub fn kernel(source: &Path, name: &str, definition: &str) -> PathBuf {
    let source = source.to_owned();
    let definition = definition.to_owned();
    let out = format!("kernels/{name}");
    once(&out.clone(), move || {
        let object = scratch::path(&format!("{out}.o"));
        let kernel = scratch::path(&format!("{out}.elf"));
        let mut assemble = Command::new("as");
        assemble.args(["--64", "--defsym", &definition, "-o"]);
        succeed_with(assemble.arg(&object).arg(&source));
        let mut link = Command::new("ld");
        link.args(["-n", "-e", "start", "-Ttext=0x200000", "-o"]);
        succeed_with(link.arg(&kernel).arg(&object));
        kernel
    })
}

/// Makes a thing when it is first asked for; who asks meanwhile waits.
fn once(name: &str, make: impl FnOnce() -> PathBuf) -> PathBuf {
    type Made = Arc<OnceLock<PathBuf>>;
    static MADE: Mutex<Option<HashMap<String, Made>>> = Mutex::new(None);
    let made = MADE
        .lock()
        .expect("nobody panics with it")
        .get_or_insert_with(HashMap::new)
        .entry(name.to_owned())
        .or_default()
        .clone();
    made.get_or_init(make).clone()
}

fn succeed(mut command: Command) {
    succeed_with(&mut command);
}

#[track_caller]
fn succeed_with(command: &mut Command) {
    let program = command.get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| {
            panic!("{}: {error} (scripts/test installs it)", program.display())
        });
    assert!(
        output.status.success(),
        "{command:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
