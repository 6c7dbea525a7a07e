//! Shell scripts, run by Debian's static shells here and on Linux alike. Each directory of `tests/scripts` is run by
//! the shells named below, a machine for all of a directory's scripts; `tests/scripts/run_all.sh` is process 1.
//!
//! Where the kernel is slow, on KVM, each of the scripts for every shell is run by one of them.
//!
//! A script starts in an empty directory and prints nothing that differs from run to run: no pid, no time, no owner.

use crate::machine::{Engine, Machine, engines, on_linux, packages, scratch};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A shell, and the directory of scripts it runs.
pub struct Suite {
    pub shell: &'static str,
    pub program: PathBuf,
    pub scripts: &'static str,
}

/// The shells that run the scripts for every shell.
const SHELLS: [&str; 3] = ["busybox", "bash", "mksh"];

/// What a script printed, and how it ended, by its name.
type Sections = BTreeMap<String, String>;

impl Suite {
    /// The root of the machine, as a directory of the host: the same for both sides.
    pub fn root(&self, scratch: &str) -> PathBuf {
        let root = scratch::directory(&format!("{scratch}/{}-{}", self.shell, self.scripts));
        for directory in ["bin", "tmp", "etc"] {
            fs::create_dir(root.join(directory)).expect("a directory");
        }
        let install = |from: &Path, name: &str| {
            let to = root.join("bin").join(name);
            fs::copy(from, &to).expect("a copy");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).expect("its mode");
        };
        let busybox = packages::busybox();
        install(&busybox, "busybox");
        let applets = Command::new(&busybox).arg("--list").output();
        let applets = String::from_utf8(applets.expect("busybox runs").stdout).expect("names");
        for applet in applets
            .lines()
            .filter(|&name| name != "busybox" && name != "sh")
        {
            symlink("busybox", root.join("bin").join(applet)).expect("a link");
        }
        let shell = if self.shell == "busybox" {
            "busybox"
        } else {
            self.shell
        };
        if shell != "busybox" {
            install(&self.program, shell);
        }
        symlink(shell, root.join("bin/sh")).expect("a link");
        let sources = scratch::source("scripts");
        let scripts = root.join("scripts");
        fs::create_dir(&scripts).expect("a directory");
        for entry in fs::read_dir(sources.join(self.scripts)).expect("scripts") {
            let entry = entry.expect("a script");
            fs::copy(entry.path(), scripts.join(entry.file_name())).expect("a copy");
        }
        fs::copy(sources.join("run_all.sh"), root.join("run_all.sh")).expect("a copy");
        fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("a file");
        fs::write(root.join("etc/group"), "root:x:0:\n").expect("a file");
        root
    }

    /// The names of its scripts, in order.
    fn names(&self) -> Vec<String> {
        let scripts = fs::read_dir(scratch::source("scripts").join(self.scripts));
        let mut names: Vec<String> = scripts
            .expect("scripts")
            .map(|entry| entry.expect("a script").path())
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// Those that an engine runs.
    fn names_on(&self, engine: Engine) -> Vec<String> {
        let mut names = self.names();
        if engine == Engine::Kvm && self.scripts == "shell" {
            let turn = SHELLS.iter().position(|&shell| shell == self.shell);
            let mut number = 0..;
            names.retain(|_| number.next().map(|i: usize| i % SHELLS.len()) == turn);
        }
        names
    }

    fn on_linux(&self, root: &Path) -> Sections {
        let text = root.to_str().expect("a path in UTF-8");
        let bin = format!("{text}/bin");
        let script = format!("{text}/run_all.sh");
        let names = self.names();
        let mut arguments = vec![script.as_str(), text];
        arguments.extend(names.iter().map(String::as_str));
        let run = on_linux::within(
            "150",
            &root.join("bin/sh"),
            &arguments,
            &[
                ("PATH", &bin),
                ("HOME", "/"),
                ("LC_ALL", "C"),
                ("TZ", "UTC"),
            ],
            Vec::new(),
        );
        sections(&run.text())
    }

    fn here(&self, engine: Engine, root: &Path) -> (Sections, String) {
        let mut program = ["/bin/sh", "/run_all.sh", ""].map(str::to_owned).to_vec();
        program.extend(self.names_on(engine));
        let run = Machine::on(engine)
            .option(["--root".as_ref(), root.as_os_str()])
            .option(["--env", "PATH=/bin", "--env", "HOME=/"])
            .option(["--env", "LC_ALL=C", "--env", "TZ=UTC"])
            .option(["--mem", "256M", "--timeout", "500s"])
            .program(program)
            .run();
        (sections(&run.text()), format!("{run:?}"))
    }
}

/// Cuts the output where `run_all.sh` marked it.
fn sections(text: &str) -> Sections {
    let mut sections = Sections::new();
    for section in text.replace('\r', "").split("@@@ ").skip(1) {
        let (name, output) = section.split_once('\n').unwrap_or((section, ""));
        sections.insert(name.to_owned(), output.to_owned());
    }
    sections
}

fn alike(shell: &'static str, program: PathBuf, scripts: &'static str) {
    let suite = Suite {
        shell,
        program,
        scripts,
    };
    let root = suite.root("shells");
    let linux = suite.on_linux(&root);
    assert!(
        linux.keys().eq(suite.names().iter()),
        "Linux ran {:?}",
        linux.keys()
    );
    let mut wrong = String::new();
    for &engine in engines() {
        let (here, run) = suite.here(engine, &root);
        let names = suite.names_on(engine);
        for name in &names {
            let expected = &linux[name];
            let found = here.get(name);
            if found != Some(expected) {
                let found = found.map_or("(did not run)", |found| found);
                wrong += &format!("\n{shell} {scripts}/{name} on {}:", engine.name());
                wrong += &difference(expected, found);
            }
        }
        if here.len() != names.len() {
            wrong += &run;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The lines from the first that differs.
fn difference(expected: &str, found: &str) -> String {
    const SHOWN: usize = 6;
    let same = expected
        .lines()
        .zip(found.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let rest = |text: &str| -> String {
        let lines = text.lines().skip(same).take(SHOWN);
        lines.map(|line| format!("\n      {line}")).collect()
    };
    format!(
        "\n    after {same} lines\n    Linux:{}\n    here:{}",
        rest(expected),
        rest(found)
    )
}

#[test]
fn busybox_runs_scripts() {
    alike("busybox", packages::busybox(), "shell");
}

#[test]
fn bash_runs_scripts() {
    alike("bash", packages::bash(), "shell");
}

#[test]
fn mksh_runs_scripts() {
    alike("mksh", packages::mksh(), "shell");
}

#[test]
fn bash_runs_scripts_of_its_own() {
    alike("bash", packages::bash(), "bash");
}

#[test]
fn the_applets_of_busybox() {
    alike("busybox", packages::busybox(), "applets");
}
