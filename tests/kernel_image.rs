//! Reads the linked kernel instruction by instruction, and refuses what some host cannot run.
//!
//! Where KVM emulates ring 0, an instruction that its emulator does not know ends the run. So the kernel
//! is made of those that it does know, and of a few others that stand in functions of their own, entered
//! only where they are known to work.
//!
//! The image is the one that `COWBELL_KERNEL` names, else the one that `cowbell export` writes.
use elf::ElfBytes;
use elf::abi::{PF_W, PF_X, PT_LOAD, STT_FUNC, STT_NOTYPE};
use elf::endian::LittleEndian;
use iced_x86::{ConditionCode, Decoder, DecoderOptions, Instruction, Mnemonic};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What KVM's emulator runs in ring 0, and a compiler or this kernel's assembly makes use of; conditional
/// jumps, moves and sets besides.
const ALLOWED: &[Mnemonic] = {
    use Mnemonic::*;
    &[
        // Integer.
        Mov, Movzx, Movsx, Movsxd, Lea, Push, Pop, Pushfq, Popfq, Xchg, Xadd, Cmpxchg, Bswap,
        Movnti, Add, Adc, Sub, Sbb, Inc, Dec, Neg, Cmp, Mul, Imul, Div, Idiv, Cwde, Cdqe, Cdq, Cqo,
        And, Or, Xor, Not, Test, Shl, Shr, Sar, Rol, Ror, Rcl, Rcr, Shld, Shrd, Bsf, Bsr, Bt, Bts,
        Btr, Btc,
        // `rep bsf`, which a compiler writes where the operand is not zero: either reading gives the same.
        Tzcnt, // Strings.
        Movsb, Movsw, Movsd, Movsq, Stosb, Stosw, Stosd, Stosq, Scasb, Scasw, Scasd, Scasq, Cmpsb,
        Cmpsw, Cmpsd, Cmpsq, Cld, Std, // Control flow; INT3 and NOP fill gaps.
        Call, Ret, Retf, Jmp, Leave, Iretq, Sysretq, Ud2, Int3, Nop, Pause, Lfence, Mfence,
        // The machine.
        In, Out, Outsb, Cli, Sti, Hlt, Invlpg, Clflush, Lgdt, Lidt, Ltr, Sgdt, Str, Smsw, Clts,
        Rdmsr, Wrmsr, Rdtsc, Cpuid, Rdrand, Swapgs, Rdfsbase, Rdgsbase, Wrfsbase, Wrgsbase, Fninit,
        Fxsave64, Fxrstor64, Xsetbv,
    ]
};

/// What only one function has, which is entered only where ring 0 is known to be able to.
const GUARDED: &[(Mnemonic, &str)] = &[
    (Mnemonic::Xsave64, "guest_kernel::arch::simd::xsave"),
    (Mnemonic::Xrstor64, "guest_kernel::arch::simd::xrstor"),
    (Mnemonic::Xsave64, "guest_kernel::arch::simd::xexchange"),
    (Mnemonic::Xrstor64, "guest_kernel::arch::simd::xexchange"),
    (Mnemonic::Xgetbv, COPY_AVX),
    (Mnemonic::Vmovdqa, COPY_AVX),
    (Mnemonic::Vmovdqu, COPY_AVX),
    (Mnemonic::Vzeroupper, COPY_AVX),
    (Mnemonic::Movups, COPY_AVX),
    (Mnemonic::Xgetbv, COPY_LINES_AVX),
    (Mnemonic::Vmovdqa, COPY_LINES_AVX),
    (Mnemonic::Vmovdqu, COPY_LINES_AVX),
    (Mnemonic::Vzeroupper, COPY_LINES_AVX),
    (Mnemonic::Movups, COPY_LINES_AVX),
    (Mnemonic::Xgetbv, ZERO_AVX),
    (Mnemonic::Vmovdqa, ZERO_AVX),
    (Mnemonic::Vmovdqu, ZERO_AVX),
    (Mnemonic::Vpxor, ZERO_AVX),
    (Mnemonic::Vzeroupper, ZERO_AVX),
    (Mnemonic::Movups, ZERO_AVX),
    // Every host runs these, but nothing else is to use the registers, which hold a program's content.
    (Mnemonic::Movups, "guest_kernel::arch::wide::copy_page_sse"),
    (Mnemonic::Movaps, "guest_kernel::arch::wide::copy_page_sse"),
    (Mnemonic::Movups, "guest_kernel::arch::wide::zero_page_sse"),
    (Mnemonic::Movaps, "guest_kernel::arch::wide::zero_page_sse"),
];
const COPY_AVX: &str = "guest_kernel::arch::wide::copy_page_avx";
const COPY_LINES_AVX: &str = "guest_kernel::arch::wide::copy_lines_avx";
const ZERO_AVX: &str = "guest_kernel::arch::wide::zero_page_avx";

fn is_allowed(instruction: &Instruction, function: &str) -> bool {
    let mnemonic = instruction.mnemonic();
    // MOVSD and CMPSD are names of SSE instructions, too.
    let string = !matches!(mnemonic, Mnemonic::Movsd | Mnemonic::Cmpsd)
        || instruction.is_string_instruction();
    ALLOWED.contains(&mnemonic) && string
        || instruction.condition_code() != ConditionCode::None
        || GUARDED.contains(&(mnemonic, function))
}

/// A stretch of code between two symbols.
struct Stretch<'a> {
    name: String,
    address: u64,
    bits: u32,
    code: &'a [u8],
}

/// Lists what is refused in a stretch, each with its address.
fn refused(stretch: &Stretch) -> Vec<String> {
    let decoder = Decoder::with_ip(
        stretch.bits,
        stretch.code,
        stretch.address,
        DecoderOptions::NONE,
    );
    decoder
        .into_iter()
        .filter(|instruction| instruction.is_invalid() || !is_allowed(instruction, &stretch.name))
        .map(|instruction| {
            let (address, mnemonic) = (instruction.ip(), instruction.mnemonic());
            format!(
                "{address:#x} {} in {}",
                format!("{mnemonic:?}").to_lowercase(),
                stretch.name
            )
        })
        .collect()
}

/// The image, exported once for all tests here, which run side by side.
fn kernel() -> &'static [u8] {
    static IMAGE: OnceLock<Vec<u8>> = OnceLock::new();
    IMAGE.get_or_init(|| match std::env::var_os("COWBELL_KERNEL") {
        Some(path) => std::fs::read(path).expect("COWBELL_KERNEL names a file"),
        None => exported_kernel(),
    })
}

fn exported_kernel() -> Vec<u8> {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel_image");
    std::fs::create_dir_all(&directory).expect("the test's directory can be made");
    let done =
        std::process::Command::new(option_env!("CARGO_BIN_EXE_cowbell").unwrap_or("cowbell"))
            .arg("export")
            .arg(&directory)
            .status()
            .expect("cowbell runs");
    assert!(done.success());
    std::fs::read(directory.join("kernel.elf")).expect("cowbell has written the kernel")
}

/// The text, cut at its symbols. The entry is 32-bit code, up to the label where long mode begins.
fn stretches<'a>(elf: &ElfBytes<'a, LittleEndian>) -> Vec<Stretch<'a>> {
    let (symbols, names) = elf
        .symbol_table()
        .expect("the image is whole")
        .expect("the image has symbols");
    let text = elf
        .section_header_by_name(".text")
        .expect("the image is whole")
        .expect("it has a text");
    let (code, _) = elf.section_data(&text).expect("the text is there");
    let end = text.sh_addr + text.sh_size;
    let mut starts = BTreeMap::new();
    for symbol in symbols.iter() {
        let name = names
            .get(symbol.st_name as usize)
            .expect("a symbol has a name");
        let is_code = matches!(symbol.st_symtype(), STT_FUNC | STT_NOTYPE);
        if is_code && (text.sh_addr..end).contains(&symbol.st_value) {
            starts.insert(
                symbol.st_value,
                format!("{:#}", rustc_demangle::demangle(name)),
            );
        }
    }
    assert_eq!(
        starts.keys().next(),
        Some(&text.sh_addr),
        "the text begins with a symbol"
    );
    let ends: Vec<u64> = starts.keys().copied().skip(1).chain([end]).collect();
    starts
        .into_iter()
        .zip(ends)
        .map(|((address, name), end)| Stretch {
            bits: if name == "pvh_entry" { 32 } else { 64 },
            code: &code[(address - text.sh_addr) as usize..(end - text.sh_addr) as usize],
            name,
            address,
        })
        .collect()
}

#[test]
fn every_instruction_runs_on_every_host() {
    let bytes = kernel();
    let elf = ElfBytes::<LittleEndian>::minimal_parse(bytes).expect("the kernel is an ELF");
    let stretches = stretches(&elf);
    assert!(stretches.len() > 20, "only {} functions", stretches.len());
    let refused: Vec<String> = stretches.iter().flat_map(refused).collect();
    assert!(
        refused.is_empty(),
        "{} instructions:\n{}",
        refused.len(),
        refused.join("\n")
    );
}

#[test]
fn nothing_is_both_writable_and_executable() {
    let bytes = kernel();
    let elf = ElfBytes::<LittleEndian>::minimal_parse(bytes).expect("the kernel is an ELF");
    let segments = elf.segments().expect("it has segments");
    let loaded: Vec<_> = segments
        .iter()
        .filter(|segment| segment.p_type == PT_LOAD)
        .collect();
    assert_eq!(
        loaded
            .iter()
            .filter(|segment| segment.p_flags & PF_X != 0)
            .count(),
        1
    );
    assert!(
        loaded
            .iter()
            .all(|segment| segment.p_flags & (PF_W | PF_X) != PF_W | PF_X)
    );
}

#[test]
fn what_is_to_be_refused_is_refused() {
    let cases: [(&[u8], &str); 9] = [
        (&[0x66, 0x0f, 0xef, 0xc0], "pxor"),
        (&[0xf3, 0x48, 0x0f, 0xb8, 0xc0], "popcnt"),
        (&[0x48, 0x0f, 0xae, 0x20], "xsave64"),
        (&[0x0f, 0x01, 0xca], "clac"),
        (&[0x0f, 0x01, 0xf9], "rdtscp"),
        (&[0xf3, 0x48, 0x0f, 0xbd, 0xc0], "lzcnt"),
        (&[0xf2, 0x0f, 0x10, 0x00], "movsd"),
        (&[0x48, 0x0f, 0xc7, 0x08], "cmpxchg16b"),
        (&[0x06], "invalid"),
    ];
    for (code, name) in cases {
        let stretch = Stretch {
            name: "f".to_owned(),
            address: 0,
            bits: 64,
            code,
        };
        let refused = refused(&stretch);
        assert_eq!(refused.len(), 1, "{name}");
        assert!(refused[0].contains(name), "{refused:?}");
    }
    let guarded = Stretch {
        name: GUARDED[0].1.to_owned(),
        address: 0,
        bits: 64,
        code: &[0x48, 0x0f, 0xae, 0x20],
    };
    assert!(refused(&guarded).is_empty());
}
