//! Values that are made where they stay.

/// Makes a value in a box, field by field: made elsewhere, it would have to be copied there. A field in
/// brackets is made by a function that gets its place and answers with what it has put there.
macro_rules! boxed {
    ($type:ident { $([$first:ident in $make:expr],)? $($field:ident: $value:expr,)* } $(,)?) => {{
        // Every field is named.
        let _ = |$type { $($first: _,)? $($field: _),* }: &$type| ();
        let mut room = alloc::boxed::Box::<$type>::new_uninit();
        let place = room.as_mut_ptr();
        $(
            // SAFETY: the field is in the box, and `MaybeUninit` is laid out as what it may hold.
            let first = unsafe { &mut *(&raw mut (*place).$first).cast::<core::mem::MaybeUninit<_>>() };
            let _ = $make(first);
        )?
        $(
            let value = $value;
            // SAFETY: the field is in the box, which nobody else has.
            unsafe { (&raw mut (*place).$field).write(value) };
        )*
        // SAFETY: every field has been written, the first by a function that answers with what it wrote.
        unsafe { room.assume_init() }
    }};
}
pub(crate) use boxed;
