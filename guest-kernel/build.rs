//! Hands the linker script and the image's addresses to the linker.
#[path = "src/arch/image_map.rs"]
#[allow(dead_code, reason = "the linker needs some of them only")]
mod image_map;

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=kernel.ld");
    println!("cargo:rerun-if-changed=src/arch/image_map.rs");
    let flags = ["-nostartfiles", "-nostdlib", "-static", "-no-pie"];
    let options = [
        "--build-id=none",
        "--no-dynamic-linker",
        "-z,noexecstack",
        "--orphan-handling=error",
    ];
    let addresses = [
        ("KERNEL_BASE", image_map::KERNEL_BASE),
        ("TEXT", image_map::TEXT),
        ("RODATA", image_map::RODATA),
        ("STACKS", image_map::STACKS),
        ("STACKS_END", image_map::STACKS_END),
        ("DATA", image_map::DATA),
        ("KERNEL_STACK", image_map::KERNEL_STACK),
        ("END", image_map::END),
    ];
    for flag in flags {
        println!("cargo:rustc-link-arg-bins={flag}");
    }
    for option in options {
        println!("cargo:rustc-link-arg-bins=-Wl,{option}");
    }
    for (name, address) in addresses {
        println!("cargo:rustc-link-arg-bins=-Wl,--defsym={name}={address:#x}");
    }
    println!("cargo:rustc-link-arg-bins=-T{directory}/kernel.ld");
}
