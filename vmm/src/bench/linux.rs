//! A Linux kernel to compare with: one that is given, or Debian's for virtual machines.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian's package that depends on the newest kernel for virtual machines.
const PACKAGE: &str = "linux-image-cloud-amd64";

/// Finds Debian's kernel in the cache, or downloads its package there and unpacks it; nothing is installed.
///
/// # Errors
/// This is no Debian with a package list, or the package cannot be had.
pub fn debian() -> Result<PathBuf> {
    let cache = cache()?;
    if let Some(kernel) = image_in(&cache) {
        return Ok(kernel);
    }
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let depends = output(Command::new("apt-cache").args(["depends", PACKAGE]), &cache)
        .context("apt-cache: give a kernel with --linux KERNEL, or run on Debian")?;
    let package = newest(&depends).with_context(|| {
        format!("{PACKAGE} is not in the package list: give a kernel with --linux KERNEL")
    })?;
    output(
        Command::new("apt-get").args(["download", "--quiet", package]),
        &cache,
    )?;
    let archive = entries(&cache)
        .into_iter()
        .find(|path| {
            path.extension().is_some_and(|extension| extension == "deb")
                && path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with(package))
        })
        .context("apt-get downloaded no package")?;
    let unpacked = cache.join("unpacked");
    // What is there was interrupted.
    let _ = fs::remove_dir_all(&unpacked);
    output(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(&archive)
            .arg("unpacked"),
        &cache,
    )?;
    let found = image_in(&unpacked.join("boot")).context("the package has no kernel in it")?;
    let kernel = cache.join(found.file_name().context("a kernel without a name")?);
    fs::rename(&found, &kernel).with_context(|| format!("cannot move {}", found.display()))?;
    // Modules and maps, several times the kernel's size, are not needed.
    let _ = fs::remove_dir_all(unpacked);
    let _ = fs::remove_file(archive);
    Ok(kernel)
}

/// The version in a kernel image's name, or the name.
#[must_use]
pub fn version(kernel: &Path) -> String {
    let name = kernel.file_name().unwrap_or_default().to_string_lossy();
    name.strip_prefix("vmlinuz-").unwrap_or(&name).to_owned()
}

/// Where it is kept (XDG Base Directory Specification).
fn cache() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    match base {
        Some(base) => Ok(base.join("cowbell/linux")),
        None => bail!("neither XDG_CACHE_HOME nor HOME says where to keep a kernel"),
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths
}

/// The newest kernel image of a directory.
fn image_in(directory: &Path) -> Option<PathBuf> {
    entries(directory).into_iter().rfind(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-"))
    })
}

/// The package that a meta-package depends on, in what `apt-cache depends` prints.
fn newest(depends: &str) -> Option<&str> {
    depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|package| package.starts_with("linux-image-"))
}

fn output(command: &mut Command, directory: &Path) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name} failed: {}",
        errors.lines().last().unwrap_or("it does not say why")
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let depends = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-1-cloud-amd64\n";
        assert_eq!(newest(depends), Some("linux-image-6.1.0-1-cloud-amd64"));
        assert_eq!(newest("N: nothing\n"), None);
        assert_eq!(version(Path::new("/boot/vmlinuz-6.1.0-1")), "6.1.0-1");
        assert_eq!(version(Path::new("/tmp/bzImage")), "bzImage");
    }
}
