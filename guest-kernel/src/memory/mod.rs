//! Memory: frames, the heap made of them, address spaces, and what programs point at.
//!
//! | what | file |
//! |---|---|
//! | physical memory | `frames.rs` over `frame_info.rs`, `heap.rs`; `pages.rs` is what page tree and files see of it |
//! | an address space: a page tree, and what a tree does not say | `space.rs`, `known_pages.rs`, `mappings.rs`, `range_list.rs` |
//! | what is mapped changes | `changes.rs`, `placement.rs`, `relocation.rs`, `stack.rs`, `advice.rs` |
//! | pages are asked for, written, copied ahead | `accesses.rs`, `object_pages.rs`, `habits.rs` |
//! | what programs point at | `user.rs`, `user_page.rs`, `user_window.rs` |
//! | what `/proc` shows | `areas.rs`, `map_text.rs`, `usage.rs` |
mod accesses;
mod advice;
pub mod areas;
mod changes;
mod frame_info;
pub mod frames;
pub mod habits;
pub mod heap;
mod known_pages;
pub mod map_text;
pub mod mappings;
pub mod object_pages;
pub mod pages;
pub mod placement;
mod range_list;
pub mod relocation;
pub mod space;
pub mod stack;
pub mod usage;
pub mod user;
pub mod user_page;
pub mod user_window;

pub use crate::arch::layout::{direct_map, in_direct_map, physical_address};
