//! KVM's own figures (KVM API, 4.133 KVM_GET_STATS_FD): a file that describes itself, of the machine and of the CPU.

use kvm_bindings::{KVM_STATS_TYPE_LINEAR_HIST, KVM_STATS_TYPE_LOG_HIST, KVM_STATS_TYPE_MASK};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;

/// `_IO(KVMIO, 0xce)`.
const KVM_GET_STATS_FD: libc::c_ulong = 0xaece;
/// Bytes of the header, and of a descriptor before its name.
const HEADER: usize = 24;
const DESCRIPTOR: usize = 16;
/// More than any kernel has; a guard against a file that is not understood.
const LIMIT: usize = 4096;

/// All figures: name and value. The buckets of a histogram that are not empty have their number behind the name.
///
/// # Errors
/// Why there are none.
pub fn read(machine: &impl AsRawFd, cpu: &impl AsRawFd) -> Result<Vec<(String, u64)>, String> {
    let mut figures = Vec::new();
    for (prefix, owner) in [("vm", machine.as_raw_fd()), ("vcpu", cpu.as_raw_fd())] {
        // SAFETY: takes no argument and returns a descriptor.
        let fd = unsafe { libc::ioctl(owner, KVM_GET_STATS_FD) };
        if fd < 0 {
            let error = io::Error::last_os_error();
            return Err(format!(
                "the host's KVM has no binary statistics ({error}); Linux 5.14 or newer has"
            ));
        }
        // SAFETY: the descriptor is new and nobody else's.
        let file = unsafe { File::from_raw_fd(fd) };
        read_file(&file, prefix, &mut figures)
            .map_err(|error| format!("KVM's statistics cannot be read: {error}"))?;
    }
    Ok(figures)
}

fn read_file(file: &File, prefix: &str, figures: &mut Vec<(String, u64)>) -> io::Result<()> {
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0)?;
    let [_, name_size, count, _, descriptors_at, data_at] =
        std::array::from_fn(|index| number(&header, index * 4, 4) as usize);
    if name_size > LIMIT || count > LIMIT {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let size = DESCRIPTOR + name_size;
    let mut descriptors = vec![0; size * count];
    file.read_exact_at(&mut descriptors, descriptors_at as u64)?;
    for descriptor in descriptors.chunks_exact(size) {
        let kind = number(descriptor, 0, 4) as u32 & KVM_STATS_TYPE_MASK;
        let words = number(descriptor, 6, 2) as usize;
        let offset = number(descriptor, 8, 4);
        let name = descriptor[DESCRIPTOR..]
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        let mut data = vec![0; words * 8];
        file.read_exact_at(&mut data, data_at as u64 + offset)?;
        let is_histogram = kind == KVM_STATS_TYPE_LINEAR_HIST || kind == KVM_STATS_TYPE_LOG_HIST;
        for (index, word) in data.chunks_exact(8).enumerate() {
            let value = number(word, 0, 8);
            if !is_histogram {
                figures.push((format!("{prefix}_{name}"), value));
            } else if value != 0 {
                figures.push((format!("{prefix}_{name}_bucket_{index}"), value));
            }
        }
    }
    Ok(())
}

/// A little-endian number within bytes whose length the callers know.
fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    bytes[at..at + size]
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}
