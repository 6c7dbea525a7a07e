//! What is known of each frame, and the lists that go through it.
use contract::PAGE;
use x86_64::PhysAddr;
use x86_64::structures::paging::PhysFrame;

/// What is known of one frame: the table in `frames.rs`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FrameInfo {
    pub count: u32,
    pub next: u32,
    pub bits: u64,
}

const _: () = assert!(size_of::<FrameInfo>() == 16);

impl FrameInfo {
    /// Of a frame that one entry points at.
    pub const fn counted_once(bits: u64) -> Self {
        Self {
            count: 1,
            next: NO_FRAME,
            bits,
        }
    }
}

/// End of a list of frames: frame 0 is never handed out.
pub const NO_FRAME: u32 = 0;

/// A frame's place in the array, which begins at `info`.
#[inline]
pub fn place_of(info: *mut FrameInfo, frame: PhysFrame) -> *mut FrameInfo {
    /// Bytes of memory that a byte of the array stands for.
    const RATIO: u64 = PAGE / size_of::<FrameInfo>() as u64;
    info.wrapping_byte_add((frame.start_address().as_u64() / RATIO) as usize)
}

/// The frame of this number.
#[inline]
pub fn frame_of(number: u32) -> PhysFrame {
    PhysFrame::containing_address(PhysAddr::new_truncate(u64::from(number) * PAGE))
}

/// The number of a frame, for lists kept in [`FrameInfo`].
#[inline]
pub fn number_of(frame: PhysFrame) -> u32 {
    (frame.start_address().as_u64() / PAGE) as u32
}

/// Takes the first frame off a list.
#[inline]
pub fn pop(info: *mut FrameInfo, list: &mut u32) -> Option<PhysFrame> {
    if *list == NO_FRAME {
        return None;
    }
    let frame = *list;
    // SAFETY: only frames of this allocator are ever pushed, and the array covers them.
    *list = unsafe { (*info.add(frame as usize)).next };
    Some(frame_of(frame))
}

/// Puts a frame in front of a list.
#[inline]
pub fn push(info: *mut FrameInfo, list: &mut u32, frame: PhysFrame) {
    // SAFETY: the array covers every frame that was handed out.
    let info = unsafe { &mut *place_of(info, frame) };
    // Its bits say where a table is stale.
    (info.count, info.next) = (0, *list);
    *list = number_of(frame);
}
