//! Files of the tests themselves, below cargo's target directory.

use std::fs;
use std::path::PathBuf;

/// The path of a file or directory of that name; its directory is there.
pub fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let parent = path.parent().expect("a file lies in a directory");
    fs::create_dir_all(parent).expect("a directory for scratch files");
    path
}

/// Writes a file of that name.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = path(name);
    fs::write(&path, bytes).expect("a scratch file");
    path
}

/// An empty directory of that name.
pub fn directory(name: &str) -> PathBuf {
    let path = path(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a scratch directory");
    path
}

/// A file of these tests in the source tree.
pub fn source(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests")).join(name)
}
