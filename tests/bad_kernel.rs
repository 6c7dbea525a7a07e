//! Kernels that cannot be booted: one line that says why, before anything is started.

use crate::machine::random::Random;
use crate::machine::{Machine, Refusal, engines, exported, scratch};
use contract::status::HOST_ERROR;

#[track_caller]
fn refused(name: &str, bytes: &[u8]) -> Refusal {
    let file = scratch::file(&format!("bad_kernel/{name}"), bytes);
    engines();
    // What it is refused for does not depend on the engine: the first one will do.
    Machine::on(engines()[0])
        .option(["--kernel".as_ref(), file.as_os_str()])
        .run()
        .expect_output("")
        .expect_error(HOST_ERROR)
}

#[test]
fn not_an_elf() {
    refused("empty", b"").names(&["empty"]);
    refused("text", b"just text").names(&["not an ELF"]);
    refused("zeros", &[0; 4096]).names(&["not an ELF"]);
    refused("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\0").names(&["gzip"]);
    let mut image = vec![0; 0x400];
    image[0x202..0x206].copy_from_slice(b"HdrS");
    refused("bzImage", &image).names(&["bzImage", "vmlinux"]);
}

#[test]
fn cut_short() {
    let kernel = exported::kernel();
    for length in [
        4,
        5,
        16,
        63,
        64,
        65,
        120,
        200,
        1000,
        4095,
        4096,
        4097,
        kernel.len() / 4,
        kernel.len() / 2,
    ] {
        refused("cut", &kernel[..length]).names(&["cut"]);
    }
}

#[test]
fn of_another_kind() {
    let kernel = exported::kernel();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = kernel.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    refused("class", &with(4, &[1])).names(&["32-bit"]);
    refused("order", &with(5, &[2])).names(&["big-endian"]);
    refused("machine", &with(18, &[0xb7, 0])).names(&["machine"]);
    refused("type", &with(16, &[1, 0])).names(&["not an executable"]);
    refused("segments", &with(56, &[0, 0])).names(&["no"]);
}

#[test]
fn without_an_entry_note() {
    let mut kernel = exported::kernel();
    // The note that holds the entry: length of the name, of the rest, type 18, name. Another name makes it another's.
    let places: Vec<usize> = kernel
        .windows(16)
        .enumerate()
        .filter(|(_, note)| note.starts_with(&[4, 0, 0, 0]) && note.ends_with(b"\x12\0\0\0Xen\0"))
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "the kernel has an entry note");
    for at in places {
        kernel[at + 12] = b'Y';
    }
    refused("note", &kernel).names(&["PVH"]);
    // Any program of the host is an ELF, and no kernel.
    let program = std::fs::read("/proc/self/exe").expect("this program");
    refused("program", &program).names(&["PVH"]);
}

/// Each loadable segment's physical address in turn moved to where there is no memory.
#[test]
fn out_of_place() {
    let kernel = exported::kernel();
    let header =
        |at: usize| u64::from_le_bytes(kernel[at..at + 8].try_into().expect("eight bytes"));
    let table = usize::try_from(header(32)).expect("an offset");
    let entry = usize::from(u16::from_le_bytes([kernel[54], kernel[55]]));
    let count = usize::from(u16::from_le_bytes([kernel[56], kernel[57]]));
    for index in 0..count {
        let at = table + index * entry;
        if kernel[at..at + 4] != [1, 0, 0, 0] {
            continue;
        }
        for (field, value) in [
            (24, 0_u64),
            (24, 0x1000),
            (24, 0xfee0_0000),
            (24, 1 << 40),
            (24, u64::MAX - 8),
            (40, 1 << 40),
            (40, u64::MAX),
            (32, u64::MAX),
            (8, u64::MAX - 4),
        ] {
            let mut changed = kernel.clone();
            changed[at + field..at + field + 8].copy_from_slice(&value.to_le_bytes());
            refused("place", &changed).names(&["cowbell"]);
        }
    }
}

#[test]
fn not_there() {
    for (path, part) in [
        ("/no/such/kernel", "/no/such/kernel"),
        ("/", "/"),
        ("/dev/null", "empty"),
    ] {
        Machine::on(engines()[0])
            .option(["--kernel", path])
            .run()
            .expect_error(HOST_ERROR)
            .names(&[part]);
    }
}

/// Bytes of the headers changed at random: refused, or a kernel that does what such a kernel does, but nothing worse.
#[test]
fn damaged_at_random() {
    let kernel = exported::kernel();
    let mut random = Random::seeded(11);
    for case in 0..40 {
        let mut changed = kernel.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(64 + 56 * 6);
            changed[at] = match random.below(4) {
                0 => 0,
                1 => 0xff,
                2 => changed[at] ^ 1 << random.below(8),
                _ => random.next() as u8,
            };
        }
        let file = scratch::file(&format!("bad_kernel/random{}", case % 2), &changed);
        let run = Machine::on(engines()[case % engines().len()])
            .option(["--timeout", "2s", "--kernel"])
            .option([&file])
            .program(["/bin/echo", "hi"])
            .run()
            .expect_composure();
        let fine = run.end == crate::machine::End::Exited(0) && run.text() == "hi\n";
        assert!(
            fine || run.stderr.contains("cowbell: "),
            "case {case}{run:?}"
        );
    }
}
