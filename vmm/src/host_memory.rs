//! What of the host's memory a run takes (proc_pid_smaps(5)).

use crate::memory::Memory;
use crate::sealed_file::SealedFile;
use vm_memory::{GuestMemoryBackend, GuestMemoryRegion};

/// Resident bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    /// Guest memory that is the guest's alone, with all of a kernel and an archive of the user's, be it touched or not.
    /// Pages of the embedded kernel and archive that are mapped from the executable are in the host's page cache anyway and
    /// not counted, until the guest writes them.
    pub guest: u64,
    /// All else of this process.
    pub monitor: u64,
}

/// What is resident now, with files of which pages are mapped into the guest's memory.
///
/// # Errors
/// Why it is not known.
pub fn resident<'a>(
    memory: &Memory,
    files: impl Iterator<Item = &'a SealedFile>,
) -> Result<Resident, String> {
    let smaps = std::fs::read_to_string("/proc/self/smaps")
        .map_err(|error| format!("/proc/self/smaps: {error}"))?;
    let guest: Vec<(u64, u64)> = memory
        .iter()
        .map(|region| {
            (
                region.as_ptr() as u64,
                region.as_ptr() as u64 + region.len(),
            )
        })
        .collect();
    let mut resident = parse(&smaps, &guest);
    for file in files {
        let held = file.memory();
        resident.guest += held.map_err(|error| format!("a file in memory: {error}"))?;
    }
    Ok(resident)
}

/// Gives the host back what the heap keeps for later: putting an archive together takes much of it, running a guest little.
pub fn trim_heap() {
    // SAFETY: takes no pointer, and leaves what is allocated where it is.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
}

fn parse(smaps: &str, guest: &[(u64, u64)]) -> Resident {
    let mut resident = Resident::default();
    let mut is_guest = false;
    for line in smaps.lines() {
        let Some(first) = line.split_ascii_whitespace().next() else {
            continue;
        };
        if let Some((start, _)) = first.split_once('-')
            && let Ok(start) = u64::from_str_radix(start, 16)
        {
            is_guest = guest.iter().any(|(from, to)| (*from..*to).contains(&start));
        } else {
            let part = match (is_guest, first) {
                (true, "Anonymous:") => &mut resident.guest,
                (false, "Rss:") => &mut resident.monitor,
                _ => continue,
            };
            let kib = line.split_ascii_whitespace().nth(1);
            *part += kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024;
        }
    }
    resident
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_and_monitor_are_told_apart() {
        let smaps = "00400000-00500000 r-xp 00000000 00:00 0 /bin/cowbell\nSize: 1024 kB\nRss: 8 kB\nAnonymous: 4 kB\n\
            7f0000000000-7f0000100000 rw-p 00000000 00:00 0\nRss: 16 kB\nAnonymous: 12 kB\nVmFlags: rd\n";
        let resident = parse(smaps, &[(0x7f00_0000_0000, 0x7f00_0010_0000)]);
        assert_eq!(
            resident,
            Resident {
                guest: 12 * 1024,
                monitor: 8 * 1024
            }
        );
    }
}
