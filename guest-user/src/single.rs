//! A variable of a process that has one thread.
use core::cell::UnsafeCell;

/// A static that is changed in place.
pub(crate) struct Single<T>(UnsafeCell<T>);

// SAFETY: the programs have one thread and install no signal handlers: nothing runs beside `with`.
unsafe impl<T> Sync for Single<T> {}

impl<T> Single<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Lends the value to `action`, which must not come back here.
    pub(crate) fn with<R>(&self, action: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the only thread is here, and no `action` in this crate calls `with` on the same static.
        action(unsafe { &mut *self.0.get() })
    }
}
