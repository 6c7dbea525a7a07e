//! Memory: frames, the heap made of them, address spaces, and what programs point at.
mod accesses;
mod advice;
pub mod areas;
mod changes;
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
