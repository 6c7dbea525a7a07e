//! The environment of the machine's first program: what a login would set, and what was asked for, which goes before it.

use crate::command_line::Run;
use crate::terminal::Console;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Variables, each as `K=V`.
pub type Variables = Vec<Vec<u8>>;

/// What the options ask for.
///
/// # Errors
/// A variable has no name; a file cannot be read.
pub fn variables(options: &Run, console: Console) -> Result<Variables> {
    let mut variables = vec![
        b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_vec(),
        b"HOME=/".to_vec(),
    ];
    if console == Console::Terminal
        && let Some(term) = std::env::var_os("TERM")
    {
        variables.push([b"TERM=", term.as_bytes()].concat());
    }
    for path in &options.env_file {
        let text = std::fs::read(path)
            .with_context(|| format!("cannot read the variables in {}", path.display()))?;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
            if !line.is_empty() && line[0] != b'#' {
                set(&mut variables, line).with_context(|| {
                    format!("--env-file {}, line {}", path.display(), index + 1)
                })?;
            }
        }
    }
    for asked in &options.env {
        set(&mut variables, asked.as_bytes())
            .with_context(|| format!("--env {}", asked.display()))?;
    }
    Ok(variables)
}

/// Sets one, `K=V`, or `K` as this process has it.
///
/// # Errors
/// It has no name.
pub fn set(variables: &mut Variables, asked: &[u8]) -> Result<()> {
    let name = asked.split(|byte| *byte == b'=').next().unwrap_or_default();
    anyhow::ensure!(
        !name.is_empty(),
        "write K=V, or K alone for this host's value"
    );
    let variable = if asked.len() > name.len() {
        asked.to_vec()
    } else {
        match std::env::var_os(OsStr::from_bytes(name)) {
            Some(value) => [name, b"=", value.as_bytes()].concat(),
            None => return Ok(()),
        }
    };
    let same = |other: &Vec<u8>| {
        other
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(b"="))
    };
    variables.retain(|other| !same(other));
    variables.push(variable);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        run: Run,
    }

    fn of(arguments: &[&str]) -> Result<Variables> {
        let arguments = ["run"].iter().chain(arguments);
        let options = Arguments::try_parse_from(arguments).expect("good options");
        variables(&options.run, Console::Stream)
    }

    #[test]
    fn asked_for_variables_replace_the_usual_ones() {
        let environment = of(&["--env", "HOME=/root", "--env", "A=b=c", "--", "/bin/x"]);
        assert_eq!(
            environment.expect("good variables")[1..],
            [b"HOME=/root".to_vec(), b"A=b=c".to_vec()]
        );
    }

    #[test]
    fn a_name_alone_is_the_hosts() {
        let path = std::env::var("PATH").expect("a test has one");
        let environment = of(&["--env", "PATH", "--env", "NOBODY_HAS_THIS"]).expect("good");
        assert_eq!(
            environment,
            [b"HOME=/".to_vec(), format!("PATH={path}").into_bytes()]
        );
    }

    #[test]
    fn variables_need_a_name() {
        for bad in ["=b", ""] {
            assert!(of(&["--env", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_of_variables_goes_before_single_ones() {
        let path = std::env::temp_dir().join(format!("cowbell-env-{}", std::process::id()));
        std::fs::write(&path, "# comment\n\nA=1\nB=two words\n").expect("written");
        let shown = path.display().to_string();
        let environment = of(&["--env", "A=3", "--env-file", &shown]).expect("good");
        assert_eq!(environment[2..], [b"B=two words".to_vec(), b"A=3".to_vec()]);
        std::fs::write(&path, "=1\n").expect("written");
        let error = of(&["--env-file", &shown]).expect_err("no name");
        assert!(format!("{error:#}").contains("line 1"), "{error:#}");
        std::fs::remove_file(&path).expect("removed");
    }
}
