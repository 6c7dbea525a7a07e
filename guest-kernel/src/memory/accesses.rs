//! What programs do to their memory, and what is done to it on their behalf: page faults, and the frames behind
//! addresses.
use super::pages::Tables;
use super::space::AddressSpace;
use contract::PAGE;
use page_tree::{Access, Refusal, Resolution, USER_END, UserPage};
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;

impl AddressSpace {
    /// Resolves a page fault.
    ///
    /// # Errors
    /// See [`Refusal`]; [`Self::amend`] may help.
    #[inline]
    pub fn fault(&self, address: u64, access: Access) -> Result<Resolution, Refusal> {
        if self.habits.are_watched() {
            return self.watched_fault(address, access);
        }
        let address = VirtAddr::new_truncate(address);
        let tree = &mut self.inner.borrow_mut().tree;
        tree.fault(&mut Tables, address, access)
    }

    /// [`Self::fault`], and what is missing is brought.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn fault_in(&self, address: u64, access: Access) -> Result<(), Refusal> {
        while let Err(refusal) = self.fault(address, access) {
            self.amend(refusal, address, access)?;
        }
        Ok(())
    }

    /// The frame to read a page from, on the program's behalf.
    ///
    /// # Errors
    /// The program could not read there, unless [`Self::amend`] helps.
    #[inline]
    pub fn resolve_for_read(&self, address: u64) -> Result<PhysFrame, Refusal> {
        if address >= USER_END {
            return Err(Refusal::NotMapped);
        }
        self.inner
            .borrow_mut()
            .tree
            .resolve_for_read(&mut Tables, VirtAddr::new_truncate(address))
    }

    /// The frame to write a page to, on the program's behalf.
    ///
    /// # Errors
    /// The program could not write there, unless [`Self::amend`] helps.
    #[inline]
    pub fn resolve_for_write(&self, address: u64) -> Result<PhysFrame, Refusal> {
        if address >= USER_END {
            return Err(Refusal::NotMapped);
        }
        if self.habits.are_watched() {
            return self.watched_write(address);
        }
        let address = VirtAddr::new_truncate(address);
        let tree = &mut self.inner.borrow_mut().tree;
        tree.resolve_for_write(&mut Tables, address)
    }

    /// As [`resolve_for_write`](Self::resolve_for_write), for what most likely is the first write after a fork.
    ///
    /// # Errors
    /// As there.
    #[inline(always)]
    pub fn resolve_first_write(&self, address: u64) -> Result<PhysFrame, Refusal> {
        if self.habits.are_watched() {
            Ok(self.write_and_learn(address)?.0)
        } else {
            self.resolve_for_write(address)
        }
    }

    /// The frame of a page that the program could read without a fault.
    #[inline(always)]
    pub fn readable_already(&self, address: u64) -> Option<PhysFrame> {
        match self.inner.readable.frame(address) {
            None => self.find_readable(address),
            known => known,
        }
    }

    /// The frame of a page that the program could write to without a fault.
    #[inline(always)]
    pub fn writable_already(&self, address: u64) -> Option<PhysFrame> {
        match self.inner.writable.frame(address) {
            None => self.find_writable(address),
            known => known,
        }
    }

    /// As [`readable_already`](Self::readable_already), where that was asked for this page last.
    #[inline(always)]
    pub fn readable_known(&self, address: u64) -> Option<PhysFrame> {
        self.inner.readable.frame(address)
    }

    /// As [`writable_already`](Self::writable_already), where that was asked for this page last.
    #[inline(always)]
    pub fn writable_known(&self, address: u64) -> Option<PhysFrame> {
        self.inner.writable.frame(address)
    }

    #[inline(never)]
    fn find_readable(&self, address: u64) -> Option<PhysFrame> {
        if address >= USER_END {
            return None;
        }
        let at = VirtAddr::new_truncate(address);
        let frame = page_tree::readable_already(&Tables, self.root, at)?;
        self.inner.readable.remember(address, frame);
        Some(frame)
    }

    #[inline(never)]
    fn find_writable(&self, address: u64) -> Option<PhysFrame> {
        if address >= USER_END {
            return None;
        }
        let at = VirtAddr::new_truncate(address);
        let frame = page_tree::writable_already(&Tables, self.root, at)?;
        self.inner.writable.remember(address, frame);
        Some(frame)
    }

    /// [`Self::fault`], a short while after a fork.
    #[inline(never)]
    fn watched_fault(&self, address: u64, access: Access) -> Result<Resolution, Refusal> {
        if access == Access::Write {
            return Ok(self.write_and_learn(address)?.1);
        }
        let tree = &mut self.inner.borrow_mut().tree;
        tree.fault(&mut Tables, VirtAddr::new_truncate(address), access)
    }

    /// [`Self::resolve_for_write`], a short while after a fork.
    #[inline(never)]
    fn watched_write(&self, address: u64) -> Result<PhysFrame, Refusal> {
        Ok(self.write_and_learn(address)?.0)
    }

    #[inline(always)]
    fn write_and_learn(&self, address: u64) -> Result<(PhysFrame, Resolution), Refusal> {
        let address = VirtAddr::new_truncate(address);
        let tree = &mut self.inner.borrow_mut().tree;
        let known = self.habits.pages_ahead();
        let ahead = match known {
            Some([first, others @ ..]) if first.get().start() == address.align_down(PAGE) => others,
            all => all.unwrap_or_default(),
        };
        let owned = tree.own_for_write(&mut Tables, address, ahead);
        if let Ok((_, Resolution::Copied)) = owned {
            match (known, UserPage::containing(address)) {
                (None, Some(page)) => self.habits.learn(page),
                _ => self.habits.used(),
            }
        }
        owned
    }

    /// A fork is over: copies what the parent is known to write next.
    #[inline]
    pub fn write_ahead(&self) {
        if let [first, others @ ..] = self.habits.parents_pages() {
            let tree = &mut self.inner.borrow_mut().tree;
            // Without frames the write itself will see.
            let _ = tree.own_for_write(&mut Tables, first.get().start(), others);
        }
    }

    /// An access was refused: brings what is missing, if it is to be had. The access is to be tried again then, and may be
    /// refused again for another reason.
    ///
    /// # Errors
    /// The access cannot be.
    pub fn amend(&self, refusal: Refusal, address: u64, access: Access) -> Result<(), Refusal> {
        match refusal {
            Refusal::NotThere => self.bring(address, access),
            Refusal::NotMapped if address < USER_END && self.grow_stack(address) => Ok(()),
            refusal => Err(refusal),
        }
    }

    /// Tries an access again after [`Self::amend`], until there is nothing to bring.
    ///
    /// # Errors
    /// The access cannot be.
    #[cold]
    pub fn persist(
        &self,
        mut refusal: Refusal,
        address: u64,
        access: Access,
        again: fn(&Self, u64) -> Result<PhysFrame, Refusal>,
    ) -> Result<PhysFrame, Refusal> {
        loop {
            self.amend(refusal, address, access)?;
            match again(self, address) {
                Ok(frame) => return Ok(frame),
                Err(next) => refusal = next,
            }
        }
    }
}
