//! State of the kernel that lives in a static.
use core::cell::UnsafeCell;

/// A value that only the one virtual CPU touches, with interrupts off.
pub struct OneCpu<T>(UnsafeCell<T>);

// SAFETY: there is one virtual CPU, and in ring 0 it takes no interrupt but while it is halted.
unsafe impl<T> Sync for OneCpu<T> {}

impl<T> OneCpu<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Runs `f` on the value. `f` must not come back here, by whatever way, before it has returned.
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: one CPU, interrupts off, and no caller's `f` enters the same static again.
        f(unsafe { &mut *self.0.get() })
    }

    /// The value, for good: for a static that one owner takes at boot.
    ///
    /// # Safety
    /// Called once, and [`with`](Self::with) never.
    #[allow(clippy::mut_from_ref, reason = "taken once, by the caller's promise")]
    pub const unsafe fn take(&'static self) -> &'static mut T {
        // SAFETY: the caller's.
        unsafe { &mut *self.0.get() }
    }
}
