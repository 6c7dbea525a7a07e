//! Static programs of Debian's packages; `scripts/test` installs them.

use std::path::{Path, PathBuf};

/// Busybox, static (package busybox-static).
pub fn busybox() -> PathBuf {
    find("busybox", &["/bin/busybox", "/usr/bin/busybox"])
}

/// bash, static (package bash-static).
pub fn bash() -> PathBuf {
    find("bash-static", &["/bin/bash-static", "/usr/bin/bash-static"])
}

/// The MirBSD Korn shell, static (package mksh).
pub fn mksh() -> PathBuf {
    let musl = "/usr/lib/x86_64-linux-musl/bin/mksh";
    find(
        "mksh-static",
        &[musl, "/usr/lib/diet/bin/mksh", "/bin/lksh"],
    )
}

/// A static program on PATH, else in one of these places.
#[track_caller]
fn find(name: &str, places: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .chain(places.iter().map(PathBuf::from))
        .find(|program| is_static(program))
        .unwrap_or_else(|| panic!("no static {name} here (scripts/test installs it)"))
}

/// No interpreter is named among its program headers.
fn is_static(program: &Path) -> bool {
    const PT_INTERP: u32 = 3;
    let Ok(bytes) = std::fs::read(program) else {
        return false;
    };
    let number = |at: usize, size: usize| {
        let bytes = bytes.get(at..at + size)?;
        let low_first = bytes.iter().rev();
        Some(low_first.fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte)))
    };
    let interpreted = || {
        let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count)
            .map(|i| number(table + i * size, 4))
            .try_fold(false, |found, kind| {
                kind.map(|kind| found || kind == PT_INTERP as usize)
            })
    };
    bytes.starts_with(b"\x7fELF\x02") && interpreted() == Some(false)
}
