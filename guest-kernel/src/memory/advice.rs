//! What a child gets of memory that something was advised about (madvise(2)).
use super::mappings::{Advice, own};
use super::pages::Tables;
use super::space::{AddressSpace, Inner, no_frame, page_range};
use alloc::rc::Rc;
use contract::Errno;
use core::ops::Range;

/// What was advised about a forked space comes true in the child: some of it is left out, some is zeros, and nothing is
/// locked.
#[cold]
pub(super) fn follow_advice(child: Rc<AddressSpace>) -> Result<Rc<AddressSpace>, Errno> {
    let follow = || {
        let inner = &mut *child.inner.borrow_mut();
        let mut at = 0;
        while let Some((range, &advice)) = inner.mappings.advice.from(at) {
            at = range.end;
            let pages = page_range(&range).ok_or(Errno::ENOMEM)?;
            if advice.contains(Advice::DONT_FORK) {
                inner.replace(range, |tree| tree.unmap(&mut Tables, pages))?;
                continue;
            }
            if advice.contains(Advice::WIPE_ON_FORK) {
                wipe(inner, &range)?;
            }
            if advice.contains(Advice::LOCKED) {
                own(&mut inner.mappings)?.advise(range, |advice| advice.difference(Advice::LOCKED));
            }
        }
        Ok(())
    };
    match follow() {
        Ok(()) => Ok(child),
        Err(errno) => {
            AddressSpace::release(child);
            Err(errno)
        }
    }
}

/// Makes private memory zeros again, as it is protected.
fn wipe(inner: &mut Inner, range: &Range<u64>) -> Result<(), Errno> {
    let mut rest = page_range(range);
    while let Some(region) = rest.and_then(|rest| inner.tree.first_region(&Tables, rest)) {
        inner
            .tree
            .reserve(&mut Tables, region.range, region.protection)
            .map_err(no_frame)?;
        rest = page_range(&(region.range.end().as_u64()..range.end));
    }
    Ok(())
}
