//! The registers of the virtual CPU, as shown to people after a crash.

use contract::records::CrashRecord;
use std::fmt;

/// Names of the general registers, in the order of [`Registers::general`].
const NAMES: [&str; 16] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];
/// Index in [`Registers::general`].
const RBP: usize = 6;

/// CR0: paging is on.
const PAGING: u64 = 1 << 31;

/// What a backtrace needs, and what people look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// RAX RBX RCX RDX RSI RDI RBP RSP R8–R15.
    pub general: [u64; 16],
    /// RIP.
    pub rip: u64,
    /// RFLAGS.
    pub rflags: u64,
    /// Selector of CS.
    pub cs: u64,
    /// Control registers.
    pub cr0: u64,
    /// Address of the last page fault.
    pub cr2: u64,
    /// Root of the page tables.
    pub cr3: u64,
    /// See CR4 in the manual.
    pub cr4: u64,
    /// Extended feature enable register.
    pub efer: u64,
}

impl Registers {
    /// RBP, from which the chain of frames starts.
    #[must_use]
    pub fn rbp(&self) -> u64 {
        self.general[RBP]
    }

    /// Whether addresses are translated.
    #[must_use]
    pub fn has_paging(&self) -> bool {
        self.cr0 & PAGING != 0
    }

    /// From what the kernel left when it panicked; it runs with paging on.
    #[must_use]
    pub fn from_crash(crash: &CrashRecord) -> Self {
        let [
            rax,
            rbx,
            rcx,
            rdx,
            rsi,
            rdi,
            r8,
            r9,
            r10,
            r11,
            r12,
            r13,
            r14,
            r15,
        ] = crash.general;
        Self {
            general: [
                rax, rbx, rcx, rdx, rsi, rdi, crash.rbp, crash.rsp, r8, r9, r10, r11, r12, r13,
                r14, r15,
            ],
            rip: crash.rip,
            rflags: crash.rflags,
            cs: 0,
            cr0: PAGING,
            cr2: crash.cr2,
            cr3: crash.cr3,
            cr4: 0,
            efer: 0,
        }
    }

    /// From QEMU's `info registers`.
    #[must_use]
    pub fn from_qemu(text: &str) -> Option<Self> {
        let field = |name: &str| -> Option<u64> {
            let at = text.match_indices(name).find_map(|(at, _)| {
                let alone = at == 0 || text[..at].ends_with(|c: char| c.is_whitespace());
                alone.then(|| text[at + name.len()..].trim_start())
            })?;
            let digits = at.split(|c: char| !c.is_ascii_hexdigit()).next()?;
            u64::from_str_radix(digits, 16).ok()
        };
        // In 32-bit mode they are called EAX and so on.
        let either = |long: &str, short: &str| field(long).or_else(|| field(short));
        let mut general = [0; 16];
        for (value, name) in general.iter_mut().zip(NAMES) {
            // `info registers` pads `R8 =` but not `R10=`.
            let upper = name.to_uppercase();
            let padded = format!("{upper:<3}=");
            let short = upper.replacen('R', "E", 1) + "=";
            *value = either(&padded, &short).unwrap_or(0);
        }
        Some(Self {
            general,
            rip: either("RIP=", "EIP=")?,
            rflags: either("RFL=", "EFL=")?,
            cs: field("CS =").unwrap_or(0),
            cr0: field("CR0=").unwrap_or(0),
            cr2: field("CR2=").unwrap_or(0),
            cr3: field("CR3=").unwrap_or(0),
            cr4: field("CR4=").unwrap_or(0),
            efer: field("EFER=").unwrap_or(0),
        })
    }
}

impl fmt::Display for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  rip {:016x}  rflags {:08x}  cs {:04x}",
            self.rip, self.rflags, self.cs
        )?;
        for row in 0..4 {
            for column in 0..4 {
                let index = row * 4 + column;
                let name = NAMES[index];
                write!(f, "  {name:<3} {:016x}", self.general[index])?;
            }
            writeln!(f)?;
        }
        write!(
            f,
            "  cr0 {:08x}  cr2 {:016x}  cr3 {:016x}  cr4 {:08x}",
            self.cr0, self.cr2, self.cr3, self.cr4
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemu_text_is_read() {
        let text = "CPU#0\r\nRAX=0000000000000001 RBX=0000000000000002 RCX=0 RDX=0\r\n\
            RSI=0 RDI=0 RBP=00000000000000bb RSP=00000000000000aa\r\n\
            R8 =0000000000000008 R9 =0 R10=0000000000000010 R11=0\r\n\
            RIP=ffffffff80201000 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n\
            CS =0008 0000000000000000 ffffffff 00af9b00\r\n\
            CR0=80010033 CR2=0000000000000000 CR3=0000000000203000 CR4=000000a0\r\nEFER=0000000000000d00\r\n";
        let registers = Registers::from_qemu(text).expect("it is whole");
        assert_eq!(registers.rip, 0xffff_ffff_8020_1000);
        assert_eq!(registers.general[8], 8);
        assert_eq!(registers.general[10], 0x10);
        assert_eq!((registers.rbp(), registers.general[7]), (0xbb, 0xaa));
        assert_eq!((registers.cr3, registers.cs), (0x20_3000, 8));
        assert!(registers.has_paging());
    }
}
