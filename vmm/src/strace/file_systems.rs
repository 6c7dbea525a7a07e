//! `struct statfs`, of statfs(2).

use super::names::{Names, one_of, together};
use super::structures::{half, word};
use super::text;

/// The structure in words.
#[must_use]
pub fn show(bytes: &[u8]) -> String {
    let number = |index: usize| word(bytes, index * 8);
    format!(
        "{{f_type={}, f_bsize={}, f_blocks={}, f_bfree={}, f_bavail={}, f_files={}, f_ffree={}, \
         f_fsid={{val=[{}, {}]}}, f_namelen={}, f_frsize={}, f_flags={}}}",
        kind_name(number(0)),
        number(1),
        number(2),
        number(3),
        number(4),
        number(5),
        number(6),
        text::number(half(bytes, 56).into()),
        text::number(half(bytes, 60).into()),
        number(8),
        number(9),
        mount_flags(number(10))
    )
}

/// What is mounted, as statfs(2) tells.
fn kind_name(kind: u64) -> String {
    const KINDS: Names = &[(0x0102_1994, "TMPFS_MAGIC"), (0x9fa0, "PROC_SUPER_MAGIC")];
    one_of(KINDS, kind)
}

/// How it is mounted.
fn mount_flags(flags: u64) -> String {
    const FLAGS: Names = &[
        (0x20, "ST_VALID"),
        (1, "ST_RDONLY"),
        (2, "ST_NOSUID"),
        (4, "ST_NODEV"),
        (8, "ST_NOEXEC"),
        (0x400, "ST_NOATIME"),
        (0x1000, "ST_RELATIME"),
    ];
    if flags == 0 {
        return "0".to_owned();
    }
    together(FLAGS, flags)
}
