//! Time: the time-stamp counter, in nanoseconds since boot.
//!
//! Its frequency comes from the first of these that knows it: the command line (`tsc_khz=`), CPUID leaf
//! 15H, CPUID leaf 4000_0010H (hypervisors), KVM's clock, and at last the local APIC's timer. It is found
//! out when the time is first asked for.
use super::apic::{self, Register};
use super::layout::physical_address;
use super::{registers, timer};
use crate::records::COUNTERS;
use contract::counters::Counter;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// TSC at boot.
static START: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds in a tick, times 2³²; zero while it is not known.
static SCALE: AtomicU64 = AtomicU64::new(0);
/// CLOCK_REALTIME at boot, in nanoseconds since 1970.
static EPOCH: AtomicU64 = AtomicU64::new(0);

/// Starts the clock: the counter at boot, its frequency and the time of day where the command line tells.
pub fn start(tsc: u64, tsc_khz: Option<u64>, epoch: Option<u64>) {
    START.store(tsc, Relaxed);
    EPOCH.store(epoch.unwrap_or(0), Relaxed);
    if let Some(khz) = tsc_khz {
        set_frequency(khz.saturating_mul(1000));
    }
}

/// Nanoseconds since boot.
#[inline]
pub fn now() -> u64 {
    ticks_to_nanoseconds(ticks())
}

/// Ticks of the time-stamp counter since boot.
#[inline]
pub fn ticks() -> u64 {
    registers::read_tsc().wrapping_sub(START.load(Relaxed))
}

/// Nanoseconds since 1970 (CLOCK_REALTIME).
pub fn realtime() -> u64 {
    EPOCH.load(Relaxed).wrapping_add(now())
}

/// Sets CLOCK_REALTIME: it is that many nanoseconds since 1970 now.
pub fn set_realtime(nanoseconds: u64) {
    EPOCH.store(nanoseconds.wrapping_sub(now()), Relaxed);
}

/// Converts ticks of the time-stamp counter.
#[inline]
pub fn ticks_to_nanoseconds(ticks: u64) -> u64 {
    let mut scale = SCALE.load(Relaxed);
    if scale == 0 {
        scale = find_scale();
    }
    ((u128::from(ticks) * u128::from(scale)) >> 32) as u64
}

#[cold]
#[inline(never)]
fn find_scale() -> u64 {
    let frequency = from_cpuid()
        .or_else(from_kvm_clock)
        .unwrap_or_else(from_apic_timer);
    set_frequency(frequency);
    SCALE.load(Relaxed)
}

/// Frequencies below a kilohertz are nobody's; one is needed that can be divided by.
fn set_frequency(hertz: u64) {
    let hertz = hertz.max(1000);
    COUNTERS.set(Counter::TscFrequency, hertz);
    SCALE.store((SECOND << 32) / hertz, Relaxed);
}

fn from_cpuid() -> Option<u64> {
    let ratio = registers::cpuid(0x15, 0);
    let (denominator, numerator, crystal) = (
        u64::from(ratio.eax),
        u64::from(ratio.ebx),
        u64::from(ratio.ecx),
    );
    if denominator != 0 && numerator != 0 && crystal != 0 {
        return Some(crystal * numerator / denominator);
    }
    if !has_hypervisor() {
        return None;
    }
    let khz = registers::cpuid(0x4000_0010, 0).eax;
    (khz != 0).then(|| u64::from(khz) * 1000)
}

fn has_hypervisor() -> bool {
    registers::cpuid(1, 0).ecx >> 31 & 1 != 0
}

/// What KVM writes at the address it is given (Linux, Documentation/virt/kvm/x86/msr.rst).
#[repr(C, align(64))]
struct KvmClock {
    version: u32,
    _pad: u32,
    tsc_timestamp: u64,
    system_time: u64,
    /// Nanoseconds in a tick, shifted by `tsc_shift`, times 2³².
    tsc_to_system_mul: u32,
    tsc_shift: i8,
    flags: u8,
    _pad2: [u8; 2],
}

struct KvmClockCell(UnsafeCell<KvmClock>);

// SAFETY: one virtual CPU; KVM writes to it only while that one is stopped.
unsafe impl Sync for KvmClockCell {}

static KVM_CLOCK: KvmClockCell = KvmClockCell(UnsafeCell::new(KvmClock {
    version: 0,
    _pad: 0,
    tsc_timestamp: 0,
    system_time: 0,
    tsc_to_system_mul: 0,
    tsc_shift: 0,
    flags: 0,
    _pad2: [0; 2],
}));

const MSR_KVM_SYSTEM_TIME_NEW: u32 = 0x4b56_4d01;
const KVM_FEATURE_CLOCKSOURCE2: u32 = 1 << 3;

/// KVM tells the scale of its guest's counter, exactly.
fn from_kvm_clock() -> Option<u64> {
    let signature = registers::cpuid(0x4000_0000, 0);
    let is_kvm = has_hypervisor()
        && [signature.ebx, signature.ecx, signature.edx]
            == [*b"KVMK", *b"VMKV", *b"M\0\0\0"].map(u32::from_le_bytes);
    // Leaf 4000_0001H is there even where an old KVM gives 0 as the highest.
    if !is_kvm || core::arch::x86_64::__cpuid(0x4000_0001).eax & KVM_FEATURE_CLOCKSOURCE2 == 0 {
        return None;
    }
    let clock = KVM_CLOCK.0.get();
    let address = physical_address(clock).as_u64();
    // SAFETY: KVM writes 32 bytes to the static for the first of these, and none any more after the other.
    let (scale, shift) = unsafe {
        registers::write_msr(MSR_KVM_SYSTEM_TIME_NEW, address | 1);
        let clock = clock.read_volatile();
        registers::write_msr(MSR_KVM_SYSTEM_TIME_NEW, 0);
        (clock.tsc_to_system_mul, clock.tsc_shift)
    };
    if scale == 0 {
        return None;
    }
    // ns = ticks · 2^shift · scale / 2³²
    let per_second = (u128::from(SECOND) << 32) / u128::from(scale);
    let hertz = match shift {
        0..=31 => per_second >> shift,
        -31..=-1 => per_second << -shift,
        _ => return None,
    };
    u64::try_from(hertz).ok()
}

/// Against the local APIC's timer, for a fifth of a millisecond; what it was armed for comes that much
/// later.
fn from_apic_timer() -> u64 {
    const SPAN: u32 = 200_000;
    let rest = apic::read(Register::CurrentCount);
    let vector = apic::read(Register::Timer);
    apic::write(Register::Timer, vector | apic::MASKED);
    apic::write(Register::InitialCount, u32::MAX);
    let (first_count, first_tsc) = (apic::read(Register::CurrentCount), registers::read_tsc());
    let (count, tsc) = loop {
        let (count, tsc) = (apic::read(Register::CurrentCount), registers::read_tsc());
        if first_count.wrapping_sub(count) >= SPAN {
            break (count, tsc);
        }
        core::hint::spin_loop();
    };
    apic::write(Register::Timer, vector);
    apic::write(Register::InitialCount, rest);
    let counts = u64::from(first_count.wrapping_sub(count));
    (tsc.wrapping_sub(first_tsc)).saturating_mul(timer::FREQUENCY) / counts
}
