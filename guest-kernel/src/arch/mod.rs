//! The hardware side of the kernel: the processor and the few devices of the machine.
//!
//! | what | file |
//! |---|---|
//! | where everything lies | `image_map.rs`, `layout.rs` |
//! | processor: registers, features, descriptors, TLB | `registers.rs`, `control.rs`, `segments.rs`, `tlb.rs` |
//! | into the kernel and out of it | `trap.rs`, `stubs.rs` |
//! | what a thread has in registers | `context.rs`, `simd.rs` |
//! | whole frames by the widest moves | `wide.rs` |
//! | what only ring 3 can tell or do | `ring3.rs`, `probe.rs` |
//! | time and interrupts | `apic.rs`, `timer.rs`, `clock.rs`, `interrupts.rs` |
//! | console, channel, end of the machine, crash | `uart.rs`, `bell.rs`, `machine.rs`, `crash.rs` |
pub mod apic;
pub mod bell;
pub mod clock;
pub mod context;
pub mod control;
pub mod crash;
pub mod image_map;
pub mod interrupts;
pub mod layout;
pub mod machine;
pub mod probe;
pub mod registers;
pub mod ring3;
pub mod segments;
pub mod simd;
mod stubs;
pub mod timer;
pub mod tlb;
pub mod trap;
pub mod uart;
pub mod wide;
