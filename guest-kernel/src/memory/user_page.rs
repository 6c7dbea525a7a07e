//! Buffers of programs that lie in one page and can be used at once: without a fault, and without a look for the page.
use super::direct_map;
use super::space::AddressSpace;
use super::user::UserBuffer;
use contract::PAGE;
use core::marker::PhantomData;
use core::ptr;
use x86_64::structures::paging::PhysFrame;

/// Where all bytes of a buffer are, where they lie in one page and `find` has its frame.
#[inline(always)]
fn in_one_page(
    buffer: UserBuffer,
    find: impl FnOnce(u64) -> Option<PhysFrame>,
) -> Option<*mut [u8]> {
    let within = buffer.address % PAGE;
    if within + buffer.length > PAGE {
        return None;
    }
    let frame = find(buffer.address)?;
    let pointer = direct_map(frame.start_address()).wrapping_add(within as usize);
    Some(ptr::slice_from_raw_parts_mut(
        pointer,
        buffer.length as usize,
    ))
}

/// Bytes that can be read.
pub struct Readable<'a>(*const [u8], PhantomData<&'a AddressSpace>);

/// Bytes that can be written.
pub struct Writable<'a>(*mut [u8], PhantomData<&'a AddressSpace>);

/// All bytes of a buffer, where they lie in one page and the program could read there now without a fault.
#[inline(always)]
pub fn readable_already(space: &AddressSpace, buffer: UserBuffer) -> Option<Readable<'_>> {
    let bytes = in_one_page(buffer, |address| space.readable_already(address))?;
    Some(Readable(bytes, PhantomData))
}

/// All bytes of a buffer, where they lie in one page and the program could write there now without a fault.
#[inline(always)]
pub fn writable_already(space: &AddressSpace, buffer: UserBuffer) -> Option<Writable<'_>> {
    let bytes = in_one_page(buffer, |address| space.writable_already(address))?;
    Some(Writable(bytes, PhantomData))
}

/// As [`readable_already`], where the page is the one that was looked for last.
#[inline(always)]
pub fn readable_known(space: &AddressSpace, buffer: UserBuffer) -> Option<Readable<'_>> {
    let bytes = in_one_page(buffer, |address| space.readable_known(address))?;
    Some(Readable(bytes, PhantomData))
}

/// As [`writable_already`], where the page is the one that was looked for last.
#[inline(always)]
pub fn writable_known(space: &AddressSpace, buffer: UserBuffer) -> Option<Writable<'_>> {
    let bytes = in_one_page(buffer, |address| space.writable_known(address))?;
    Some(Writable(bytes, PhantomData))
}

impl<'a> Writable<'a> {
    /// They, where nobody reads them meanwhile.
    #[inline(always)]
    pub fn bytes(self) -> &'a mut [u8] {
        // SAFETY: as in `user::writable`.
        unsafe { &mut *self.0 }
    }
}

/// As many bytes to read as to write, where they are not partly the same: threads can have one buffer for both.
#[inline(always)]
pub fn apart<'a>(from: Readable<'a>, to: Writable<'a>) -> Option<(&'a [u8], &'a mut [u8])> {
    let (Readable(from, _), Writable(to, _)) = (from, to);
    let distance = to.addr().wrapping_sub(from.addr());
    if distance.wrapping_add(from.len()) < 2 * from.len() {
        return None;
    }
    // SAFETY: as in `user::readable` and `user::writable`, and they do not overlap.
    Some(unsafe { (&*from, &mut *to) })
}
