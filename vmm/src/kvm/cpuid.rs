//! What CPUID shows to ring 0 of the guest.

use anyhow::{Context, Result};
use kvm_bindings::{CpuId, KVM_MAX_CPUID_ENTRIES, kvm_cpuid_entry2};
use kvm_ioctls::{Cap, Kvm};

/// Leaf 1, ECX: the local APIC's timer can be armed with a time-stamp.
const TSC_DEADLINE: u32 = 1 << 24;
/// Leaf 1, ECX: x2APIC.
const X2APIC: u32 = 1 << 21;
/// Leaf 1, ECX: under a hypervisor.
const HYPERVISOR: u32 = 1 << 31;
/// First hypervisor leaf: the highest one, and a signature.
const HYPERVISOR_LEAF: u32 = 0x4000_0000;
/// Hypervisor leaf of frequencies: EAX time-stamp counter, EBX local APIC's bus, in kHz.
const FREQUENCIES: u32 = 0x4000_0010;
/// Of KVM's local APIC: one tick a nanosecond.
const APIC_BUS_KHZ: u32 = 1_000_000;

/// What KVM supports, completed for one virtual CPU.
///
/// # Errors
/// KVM does not say what it supports.
pub fn for_guest(kvm: &Kvm, tsc_khz: Option<u32>) -> Result<CpuId> {
    let supported = kvm
        .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
        .context("KVM_GET_SUPPORTED_CPUID failed")?;
    let deadline = kvm.check_extension(Cap::TscDeadlineTimer);
    let entries = complete(supported.as_slice(), tsc_khz, deadline);
    CpuId::from_entries(&entries).context("too many CPUID entries")
}

fn complete(
    supported: &[kvm_cpuid_entry2],
    tsc_khz: Option<u32>,
    deadline: bool,
) -> Vec<kvm_cpuid_entry2> {
    let mut entries: Vec<kvm_cpuid_entry2> = supported
        .iter()
        .filter(|entry| entry.function != FREQUENCIES)
        .copied()
        .collect();
    for entry in &mut entries {
        match entry.function {
            1 => {
                entry.ecx |= HYPERVISOR | X2APIC;
                if deadline {
                    entry.ecx |= TSC_DEADLINE;
                }
                // One logical processor, APIC number 0.
                entry.ebx = entry.ebx & 0xffff | 1 << 16;
            }
            // Topology: x2APIC number 0.
            0x0b | 0x1f => entry.edx = 0,
            HYPERVISOR_LEAF if tsc_khz.is_some() => entry.eax = entry.eax.max(FREQUENCIES),
            _ => {}
        }
    }
    if let Some(khz) = tsc_khz {
        entries.push(kvm_cpuid_entry2 {
            function: FREQUENCIES,
            eax: khz,
            ebx: APIC_BUS_KHZ,
            ..Default::default()
        });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_are_announced() {
        let leaf = |function| kvm_cpuid_entry2 {
            function,
            ..Default::default()
        };
        let entries = complete(&[leaf(1), leaf(HYPERVISOR_LEAF)], Some(2_000_000), true);
        assert_eq!(entries[0].ecx, HYPERVISOR | X2APIC | TSC_DEADLINE);
        assert_eq!(entries[1].eax, FREQUENCIES);
        assert_eq!(
            (entries[2].function, entries[2].eax, entries[2].ebx),
            (FREQUENCIES, 2_000_000, 1_000_000)
        );
    }
}
