//! The x87, SSE, AVX and AVX-512 registers.
//!
//! The kernel has no use for them, so the processor keeps those of the process that ran last, its
//! [`OWNER`], until another one runs: going back to the same process costs nothing.
//!
//! Each process has a frame for the registers while others run: an XSAVE area in standard format (Intel
//! SDM volume 1, 13.4), or an FXSAVE area, which is its first 512 bytes.
use super::context::UserContext;
use super::layout::{direct_map, physical_address};
use super::ring3::{self, Ending, Stub};
use core::arch::asm;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed};
use x86_64::structures::paging::PhysFrame;

/// State components that fit in a frame together: x87, SSE, AVX, AVX-512 (opmask, ZMM_Hi256, Hi16_ZMM).
pub const COMPONENTS: u32 = 0xe7;
/// Components of AVX-512: all or none.
pub const AVX512: u32 = 0xe0;
/// x87 and SSE: what FXSAVE knows.
pub const LEGACY: u32 = 0x3;

/// Bytes of an FXSAVE area.
pub const FXSAVE_SIZE: u32 = 512;
/// First byte of the XSAVE header: XSTATE_BV, XCOMP_BV, 48 reserved bytes.
const HEADER: usize = 512;
const HEADER_SIZE: usize = 64;
/// MXCSR in the legacy area.
const MXCSR: usize = 24;
/// MXCSR bits that every processor with SSE2 has; others are #GP when loaded.
const MXCSR_MASK: u32 = 0xffff;

/// How the registers are saved. The numbers are the counter page's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Mode {
    /// `fxsave64`: nobody here has more than SSE.
    Fxsave = 1,
    /// `xsave64` in ring 0.
    Xsave = 2,
    /// `xsave64` in ring 3: ring 0 does not have it, programs do.
    XsaveInRing3 = 3,
}

/// The mode; chosen by `probe`.
static MODE: AtomicU32 = AtomicU32::new(Mode::Fxsave as u32);
/// The components saved.
static MASK: AtomicU32 = AtomicU32::new(LEGACY);
/// Bytes of an area.
static SIZE: AtomicU32 = AtomicU32::new(FXSAVE_SIZE);
/// Whose registers are in the processor; null for nobody's.
static OWNER: AtomicPtr<UserContext> = AtomicPtr::new(core::ptr::null_mut());

#[repr(C, align(4096))]
struct Area([u8; 4096]);

/// Registers as they are when a program starts: x87 control word and MXCSR, no component in use.
static INITIAL: Area = {
    let mut bytes = [0; 4096];
    (bytes[0], bytes[1]) = (0x7f, 0x03);
    (bytes[MXCSR], bytes[MXCSR + 1]) = (0x80, 0x1f);
    Area(bytes)
};

/// A process's SIMD registers while they are not in the processor.
#[derive(Debug)]
pub struct State {
    frame: Option<PhysFrame>,
    content: Content,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    /// As when a program starts; the frame may hold anything.
    Initial,
    /// In the frame.
    Saved,
}

impl State {
    /// The state of a program about to start.
    pub const fn initial(frame: PhysFrame) -> Self {
        Self {
            frame: Some(frame),
            content: Content::Initial,
        }
    }
}

/// Decides the mode, the components in `mask` and the size of an area in bytes.
pub fn configure(mode: Mode, mask: u32, size: u32) {
    MODE.store(mode as u32, Relaxed);
    MASK.store(mask, Relaxed);
    SIZE.store(size, Relaxed);
}

/// Bytes of an area, as [`read`] and [`replace`] show it.
pub fn size() -> usize {
    SIZE.load(Relaxed) as usize
}

/// The components that are saved, as in XCR0.
pub fn components() -> u32 {
    MASK.load(Relaxed)
}

/// Puts the registers of `to` into the processor, those that are there into their owner's frame.
#[inline(always)]
pub fn activate(to: *mut UserContext) {
    if !core::ptr::eq(OWNER.load(Relaxed), to) {
        change_owner(to);
    }
}

#[inline(always)]
fn change_owner(to: *mut UserContext) {
    let from = OWNER.load(Relaxed);
    OWNER.store(to, Relaxed);
    // SAFETY: `to` is valid by the promise of `switch_to`, the owner until `forget` or `release`.
    let (from, to) = unsafe { (from.as_mut(), &mut *to) };
    // Mostly both have been here before.
    if MODE.load(Relaxed) == Mode::Xsave as u32
        && let (Content::Saved, Some(restore)) = (to.simd.content, to.simd.frame)
        && let Some(from) = &from
        && let (Content::Saved, Some(save)) = (from.simd.content, from.simd.frame)
    {
        return xexchange(area(save), area(restore), MASK.load(Relaxed));
    }
    change_owner_otherwise(from, to);
}

#[inline(never)]
fn change_owner_otherwise(from: Option<&mut UserContext>, to: &UserContext) {
    // Or nobody's registers are there.
    if MODE.load(Relaxed) == Mode::Xsave as u32
        && let (None, Content::Saved, Some(restore)) = (&from, to.simd.content, to.simd.frame)
    {
        return xrstor(area(restore), MASK.load(Relaxed));
    }
    exchange_first(from, to);
}

/// Where one of them has no saved registers yet, or the processor no XSAVE.
#[cold]
#[inline(never)]
fn exchange_first(from: Option<&mut UserContext>, to: &UserContext) {
    exchange(
        from.and_then(|from| prepare_to_save(&mut from.simd)),
        Some(source(&to.simd)),
    );
}

/// The frame to save to.
fn prepare_to_save(state: &mut State) -> Option<PhysFrame> {
    let frame = state.frame?;
    if state.content == Content::Initial {
        state.content = Content::Saved;
        clear_header(frame);
    }
    Some(frame)
}

/// The frame to restore from.
fn source(state: &State) -> PhysFrame {
    match (state.content, state.frame) {
        (Content::Saved, Some(frame)) => frame,
        _ => PhysFrame::containing_address(physical_address(&raw const INITIAL)),
    }
}

/// XSAVE leaves alone what it does not know in the header; XRSTOR insists that it be zero.
fn clear_header(frame: PhysFrame) {
    let header = direct_map(frame.start_address())
        .wrapping_add(HEADER)
        .cast::<u64>();
    for word in 0..HEADER_SIZE / 8 {
        // SAFETY: the frame is the process's own, whole, and in the direct map.
        unsafe { header.add(word).write(0) };
    }
}

/// Saves the processor's registers, then loads others.
#[inline]
fn exchange(save: Option<PhysFrame>, restore: Option<PhysFrame>) {
    if MODE.load(Relaxed) == Mode::Xsave as u32 {
        let mask = MASK.load(Relaxed);
        if let Some(frame) = save {
            xsave(area(frame), mask);
        }
        if let Some(frame) = restore {
            xrstor(area(frame), mask);
        }
    } else {
        exchange_otherwise(save, restore);
    }
}

#[cold]
fn exchange_otherwise(save: Option<PhysFrame>, restore: Option<PhysFrame>) {
    if MODE.load(Relaxed) != Mode::XsaveInRing3 as u32 {
        fxsave(save.map(area));
        fxrstor(restore.map(area));
        return;
    }
    let mask = MASK.load(Relaxed);
    if let Ending::Finished(_) = ring3::run(Stub::ExchangeSimd, save, restore, mask) {
        return;
    }
    // An area that XRSTOR refuses: the process gets what a program starts with.
    let initial = PhysFrame::containing_address(physical_address(&raw const INITIAL));
    ring3::run(Stub::ExchangeSimd, None, Some(initial), mask);
}

#[inline]
fn area(frame: PhysFrame) -> *mut u8 {
    direct_map(frame.start_address())
}

/// A function of its own: the instruction is not on every host.
#[inline(never)]
fn xsave(area: *mut u8, mask: u32) {
    // SAFETY: CPUID has XSAVE (`probe`), and the area is a whole frame, with `COMPONENTS` at most.
    unsafe {
        asm!("xsave64 [{}]", in(reg) area, in("eax") mask, in("edx") 0,
            options(nostack, preserves_flags));
    }
}

/// A function of its own, as [`xsave`].
#[inline(never)]
fn xrstor(area: *mut u8, mask: u32) {
    // SAFETY: as for `xsave`; the area was written by XSAVE or checked by `replace`, and the kernel itself
    // has nothing in these registers.
    unsafe {
        asm!("xrstor64 [{}]", in(reg) area, in("eax") mask, in("edx") 0,
            options(nostack, preserves_flags));
    }
}

/// [`xsave`], then [`xrstor`].
#[inline(never)]
fn xexchange(save: *mut u8, restore: *mut u8, mask: u32) {
    // SAFETY: as for those.
    unsafe {
        asm!("xsave64 [{save}]", "xrstor64 [{restore}]", save = in(reg) save, restore = in(reg) restore,
            in("eax") mask, in("edx") 0, options(nostack, preserves_flags));
    }
}

fn fxsave(area: Option<*mut u8>) {
    if let Some(area) = area {
        // SAFETY: the area is a whole frame.
        unsafe { asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags)) };
    }
}

fn fxrstor(area: Option<*mut u8>) {
    if let Some(area) = area {
        // SAFETY: the area was written by FXSAVE or checked by `replace`; the kernel has nothing there.
        unsafe { asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags)) };
    }
}

/// The registers of `parent`, for its child, whose own frame holds nothing yet.
pub(super) fn copy(parent: &mut UserContext, child: &mut UserContext) {
    let Some(frame) = child.simd.frame else {
        return;
    };
    if core::ptr::eq(OWNER.load(Relaxed), parent) {
        clear_header(frame);
        exchange(Some(frame), None);
    } else if let (Content::Saved, Some(from)) = (parent.simd.content, parent.simd.frame) {
        // SAFETY: both frames belong to their processes, whole.
        unsafe { area(from).copy_to_nonoverlapping(area(frame), size()) };
    } else {
        return;
    }
    child.simd.content = Content::Saved;
}

/// As [`copy`], where the parent waits for the child: what is in the processor stays there as the child's.
pub(super) fn hand_over(parent: &mut UserContext, child: &mut UserContext) {
    if core::ptr::eq(OWNER.load(Relaxed), parent) {
        exchange(prepare_to_save(&mut parent.simd), None);
        OWNER.store(child, Relaxed);
    } else {
        copy(parent, child);
    }
}

/// Back to what a program starts with.
pub(super) fn reset(context: &mut UserContext) {
    context.simd.content = Content::Initial;
    if core::ptr::eq(OWNER.load(Relaxed), context) {
        exchange(None, Some(source(&context.simd)));
    }
}

/// Nothing is saved for this process any more.
pub(super) fn forget(context: &UserContext) {
    if core::ptr::eq(OWNER.load(Relaxed), context) {
        OWNER.store(core::ptr::null_mut(), Relaxed);
    }
}

/// Takes the process's frame away; [`forget`] is to follow.
pub(super) fn release(context: &mut UserContext) -> Option<PhysFrame> {
    context.simd.content = Content::Initial;
    context.simd.frame.take()
}

/// Runs `f` on the process's registers as an XSAVE area (FXSAVE in that mode), as they are now.
pub fn read<R>(context: &mut UserContext, f: impl FnOnce(&[u8]) -> R) -> R {
    let size = size();
    if core::ptr::eq(OWNER.load(Relaxed), context) {
        exchange(prepare_to_save(&mut context.simd), None);
    }
    let frame = source(&context.simd);
    // SAFETY: a frame of the process, or `INITIAL`; nobody writes to it while `f` runs.
    f(unsafe { core::slice::from_raw_parts(area(frame), size) })
}

/// Lets `f` write the process's registers as an area (signal return). Whatever it writes, the registers
/// can be loaded afterwards: what the processor would refuse is taken out.
pub fn replace(context: &mut UserContext, f: impl FnOnce(&mut [u8])) {
    let Some(frame) = context.simd.frame else {
        return;
    };
    let size = size();
    // SAFETY: the frame is the process's own.
    let bytes = unsafe { core::slice::from_raw_parts_mut(area(frame), size) };
    if context.simd.content == Content::Initial {
        bytes.copy_from_slice(&INITIAL.0[..size]);
        context.simd.content = Content::Saved;
    }
    f(bytes);
    let mut mxcsr = [0; 4];
    mxcsr.copy_from_slice(&bytes[MXCSR..MXCSR + 4]);
    let mxcsr = u32::from_le_bytes(mxcsr) & MXCSR_MASK;
    bytes[MXCSR..MXCSR + 4].copy_from_slice(&mxcsr.to_le_bytes());
    if let Some(header) = bytes.get_mut(HEADER..HEADER + HEADER_SIZE) {
        header[0] &= MASK.load(Relaxed) as u8;
        header[1..].fill(0);
    }
    if core::ptr::eq(OWNER.load(Relaxed), context) {
        exchange(None, Some(frame));
    }
}
