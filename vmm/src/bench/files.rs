//! Kernel, initramfs and programs as files, in a directory that goes when the bench does.

use crate::archive::{self, Entry, S_IFREG};
use crate::image;
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs that take part, as they are named in the guest.
pub const MEASURE: &str = "/bin/measure";
/// A program that does nothing.
pub const TRUE: &str = "/bin/true";
/// A static program with glibc that does nothing.
const GLIBC: &str = "bin/glibc";

/// The files.
pub struct Files {
    directory: PathBuf,
    /// The kernel's ELF.
    pub kernel: PathBuf,
    /// The initramfs.
    pub initramfs: PathBuf,
    /// Why there is no program with glibc in it; none if there is one.
    pub without_glibc: Option<String>,
}

impl Files {
    /// Writes them.
    ///
    /// # Errors
    /// The directory for temporary files cannot be written.
    pub fn write() -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("cowbell-bench-{}", std::process::id()));
        fs::create_dir_all(directory.join("bin"))
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let mut files = Self {
            kernel: directory.join("kernel.elf"),
            initramfs: directory.join("initramfs.cpio"),
            without_glibc: None,
            directory,
        };
        let mut entries =
            archive::read(image::initramfs()).context("cannot read the embedded initramfs")?;
        match compile(&files.directory) {
            Ok(program) => entries.push(Entry {
                mode: S_IFREG | 0o755,
                data: program.into(),
                ..Entry::directory(GLIBC.as_bytes())
            }),
            Err(error) => files.without_glibc = Some(format!("{error:#}")),
        }
        let write = |path: &Path, bytes: &[u8]| {
            fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
        };
        write(&files.kernel, image::kernel())?;
        write(&files.initramfs, &archive::write(&entries))?;
        for name in [MEASURE, TRUE, "/bin/tiny", "/bin/glibc"] {
            let entry = entries
                .iter()
                .find(|entry| entry.name == name.trim_start_matches('/').as_bytes());
            if let Some(entry) = entry {
                let path = files.on_host(name);
                write(&path, &entry.data)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                    .with_context(|| format!("cannot make {} executable", path.display()))?;
            }
        }
        Ok(files)
    }

    /// Where a program of the guest lies on the host.
    #[must_use]
    pub fn on_host(&self, name: &str) -> PathBuf {
        self.directory.join(name.trim_start_matches('/'))
    }

    /// A path for a file of that name.
    #[must_use]
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What is left lies among other temporary files.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A static program with the host's C library.
fn compile(directory: &Path) -> Result<Vec<u8>> {
    let (source, program) = (directory.join("glibc.c"), directory.join("glibc.out"));
    fs::write(&source, "int main(void) { return 0; }\n").context("cannot write a C program")?;
    let output = Command::new("cc")
        .args(["-O2", "-static", "-o"])
        .arg(&program)
        .arg(&source)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            fs::read(&program).context("cannot read a C program")
        }
        Ok(_) => bail!("the C compiler here does not link statically (Debian: libc6-dev)"),
        Err(_) => bail!("there is no C compiler here (Debian: gcc, libc6-dev)"),
    }
}
