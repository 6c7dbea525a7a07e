//! `cowbell export`: what is embedded, as files.

use crate::image;
use crate::messages::say;
use anyhow::{Context, Result};
use std::path::Path;

/// Writes `kernel.elf` and `initramfs.cpio`.
///
/// # Errors
/// The directory or a file cannot be written.
pub fn export(directory: &Path) -> Result<u8> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    for (name, bytes) in [
        ("kernel.elf", image::kernel()),
        ("initramfs.cpio", image::initramfs()),
    ] {
        let path = directory.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        say(&format!("wrote {} ({} bytes)", path.display(), bytes.len()));
    }
    Ok(0)
}
