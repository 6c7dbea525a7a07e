//! How the programs are linked: static, without the C library, at a fixed address, in few pages.

fn main() {
    let script = format!(
        "{}/program.ld",
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()
    );
    println!("cargo:rerun-if-changed={script}");
    println!("cargo:rerun-if-changed=build.rs");
    for argument in [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        // File offsets are congruent to addresses modulo the page, and no page holds two segments.
        "-Wl,-z,max-page-size=4096",
        "-Wl,-z,separate-code",
        // Nobody is there to relocate and protect afterwards: the script puts these data where they belong.
        "-Wl,-z,norelro",
        "-Wl,--build-id=none",
        &format!("-Wl,-T,{script}"),
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
