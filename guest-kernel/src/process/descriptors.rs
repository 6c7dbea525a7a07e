//! A process's descriptors. fork shares the table; whoever changes it first takes a copy of its own, which
//! counts what it leads to once more. So a child that only execs or exits never counts them at all.
use crate::memory::heap;
use crate::memory::pages::Pages;
use alloc::rc::Rc;
use contract::Errno;
use core::ops::Deref;
use files::{DescriptionId, FdTable, Files};

/// What a process has that has none.
static NONE: FdTable = FdTable::new();

/// See the module. Dropped without [`release`](Self::release), it would keep its files open.
pub struct Descriptors(Option<Rc<FdTable>>);

impl Descriptors {
    /// A table without any.
    pub fn new() -> Self {
        Self(Some(Rc::new(FdTable::new())))
    }

    /// No table.
    pub const fn none() -> Self {
        Self(None)
    }

    /// What a descriptor leads to.
    ///
    /// # Errors
    /// EBADF.
    #[inline]
    pub fn get(&self, fd: u32) -> Result<DescriptionId, Errno> {
        match &self.0 {
            Some(table) => table.get(fd),
            None => Err(Errno::EBADF),
        }
    }

    /// A child's.
    #[inline]
    pub fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// The table, to change it.
    ///
    /// # Errors
    /// ENOMEM; EBADF where there is none any more.
    pub fn own(&mut self, files: &mut Files<Pages>) -> Result<&mut FdTable, Errno> {
        let table = self.0.as_mut().ok_or(Errno::EBADF)?;
        if Rc::get_mut(table).is_none() {
            heap::require_reserve()?;
            *table = Rc::new(files.fork_descriptors(table));
        }
        Rc::get_mut(table).ok_or(Errno::EBADF)
    }

    /// Gives the table up; with its last holder, everything is closed.
    #[inline]
    pub fn release(&mut self, files: &mut Files<Pages>, pages: &mut Pages) {
        if let Some(table) = self.0.take()
            && Rc::strong_count(&table) == 1
        {
            Self::close_all(table, files, pages);
        }
    }

    #[inline(never)]
    fn close_all(table: Rc<FdTable>, files: &mut Files<Pages>, pages: &mut Pages) {
        if let Some(mut table) = Rc::into_inner(table) {
            files.close_all(pages, &mut table);
        }
    }
}

impl Deref for Descriptors {
    type Target = FdTable;

    #[inline]
    fn deref(&self) -> &FdTable {
        self.0.as_deref().unwrap_or(&NONE)
    }
}
