//! `docs/system-calls.md` is made of the table in `contract::calls`, and says what that says.
use contract::Sysno;
use contract::calls::{ABSENT, Argument, CALLS, Call, Group, PRESENT};
use std::fmt::Write;
use std::path::Path;

const PAGE: &str = "../../docs/system-calls.md";
/// Set, it makes the test write the page instead of comparing it.
const REGENERATE: &str = "COWBELL_WRITE_DOCS";

#[test]
fn the_page_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = page();
    if std::env::var_os(REGENERATE).is_some() {
        std::fs::write(&path, page).expect("docs/ is there");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = there
        .lines()
        .zip(page.lines())
        .find(|(old, new)| old != new);
    assert!(
        there == page,
        "docs/system-calls.md is out of date (first difference: {differs:?}).\n\
         Make it anew: {REGENERATE}=1 cargo test -p contract --test system_calls_page"
    );
}

#[test]
fn what_is_absent_is_not_present() {
    for call in ABSENT.iter().flat_map(|(_, calls)| *calls) {
        assert!(!is_present(*call), "{call} is in both tables");
    }
}

#[test]
fn lengths_are_arguments() {
    for call in CALLS {
        assert!(call.arguments.len() <= 6, "{}", call.number);
        for argument in call.arguments {
            if let Argument::Reads(at)
            | Argument::ReadsPieces(at)
            | Argument::WritesPieces(at)
            | Argument::Polls(at) = argument
            {
                assert_eq!(call.arguments[*at], Argument::Size, "{}", call.number);
            }
        }
    }
}

fn is_present(call: Sysno) -> bool {
    PRESENT.get(call as usize).copied().unwrap_or(false)
}

fn page() -> String {
    let mut page = format!(
        "<!-- Made by `cargo test -p contract --test system_calls_page` with {REGENERATE}=1. Do not edit. -->\n\
         # System calls\n\n\
         The kernel answers {} of Linux's x86-64 system calls, by Linux's numbers, registers and errors (syscalls(2)).\n\
         \"Complete\" means: as the manual has it, as far as what it works on exists here: there is no\n\
         disk and no network. Permissions are looked at only where a line says so.\n\n\
         A call that is not here answers ENOSYS and is counted: `cowbell run --stats` lists those that a program asked\n\
         for, and `cowbell run --strace` shows where.\n",
        CALLS.len()
    );
    for group in Group::ALL {
        let calls = || CALLS.iter().filter(|call| call.group == *group);
        if calls().next().is_none() {
            continue;
        }
        let _ = write!(
            page,
            "\n## {}\n\n| call | how faithfully |\n|---|---|\n",
            group.title()
        );
        // Calls that are alike share a line.
        let mut lines: Vec<(Vec<&Call>, &str)> = Vec::new();
        for call in calls() {
            match lines.last_mut() {
                Some((names, faithful)) if *faithful == call.faithful => names.push(call),
                _ => lines.push((vec![call], call.faithful)),
            }
        }
        for (names, faithful) in lines {
            let names: Vec<String> = names
                .iter()
                .map(|call| format!("`{}`", call.number.name()))
                .collect();
            let _ = writeln!(page, "| {} | {faithful} |", names.join(" "));
        }
    }
    page.push_str(
        "\n## Not here\n\nEach of these answers ENOSYS.\n\n| family | calls |\n|---|---|\n",
    );
    for (family, calls) in ABSENT {
        let _ = writeln!(page, "| {family} | {} |", listed(calls.iter().copied()));
    }
    let named = |call: &Sysno| ABSENT.iter().any(|(_, calls)| calls.contains(call));
    let rest = Sysno::iter().filter(|call| !is_present(*call) && !named(call));
    let _ = writeln!(page, "| Everything else | {} |", listed(rest));
    page
}

fn listed(calls: impl Iterator<Item = Sysno>) -> String {
    let names: Vec<String> = calls.map(|call| format!("`{}`", call.name())).collect();
    names.join(" ")
}
