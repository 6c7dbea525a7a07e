//! Address spaces as one copy-on-write tree.
//!
//! An address space *is* its page tables: PML4 → page-directory-pointer table → page directory → page table → page. There
//! is no second list of mappings. Every node, table or page, is one frame with a count of the entries that point to
//! it, and there is one rule:
//!
//! > A node reached through more than one entry is never written. To write through it, copy it first.
//!
//! (To take a write bit away from a shared table is no write in this sense: nobody could use that bit.)
//!
//! So fork copies the root alone ([`Space::fork`]); a write fault copies what is shared on its own path and nothing
//! else ([`Space::fault`]); the end of a space is one decrement for a subtree that others still have
//! ([`Space::release`]). What the hardware has no bit for (memory reserved and not yet touched, pages without any
//! permission, what a mapping allows as opposed to what the hardware may do now) is said by [`Entry`].
//!
//! This crate is pure logic: memory, counts and the TLB are behind [`FrameStore`], which the kernel implements over its
//! direct map and the tests over plain vectors.
//!
//! | file | job |
//! |---|---|
//! | `entry.rs` | how an entry is encoded |
//! | `range.rs` | user pages and ranges of them: checked once, true from then on |
//! | `groups.rs` | which entries of a table are worth a look |
//! | `store.rs` | what the tree asks of memory, counts and TLB |
//! | `node.rs` | the rule: sharing, copying, owning and dropping one table |
//! | `space.rs` | new, fork, release, translate |
//! | `path.rs` | owning all tables on the way to a page |
//! | `fault.rs` | page faults, and the kernel's own access to user memory |
//! | `ahead.rs` | pages copied ahead of their own write |
//! | `change.rs` | reserve, unmap, map, forget |
//! | `discard.rs` | private memory is zeros again |
//! | `relocate.rs` | a range moves elsewhere |
//! | `overwrite.rs` | giving a range one meaning: the tree's side of reserve and unmap |
//! | `protect.rs` | protect |
//! | `range_map.rs` | what is known of ranges beside the tree |
//! | `search.rs` | regions, gaps, statistics |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod ahead;
mod change;
mod discard;
mod entry;
mod fault;
mod groups;
mod node;
mod overwrite;
mod path;
mod protect;
mod range;
mod range_map;
mod relocate;
mod search;
mod space;
mod store;

pub use discard::Whole;
pub use entry::{Entry, Ownership, Protection, Sharing};
pub use fault::{Access, Refusal, Resolution, readable_already, writable_already};
pub use groups::Place;
pub use protect::ProtectError;
pub use range::{PAGE, PageRange, USER_END, UserPage};
pub use range_map::{RangeMap, Slide};
pub use relocate::Left;
pub use search::{Region, Regions, Statistics};
pub use space::{Space, Translation};
pub use store::{FrameStore, OutOfFrames};
