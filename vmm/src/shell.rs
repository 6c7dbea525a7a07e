//! `cowbell shell`: an interactive shell in a fresh machine.

use crate::archive::{Entry, S_IFDIR, S_IFLNK, S_IFREG};
use crate::command_line::{Run, Shell};
use crate::diagnosis;
use crate::initramfs::Root;
use crate::messages::say;
use crate::phases::Phases;
use crate::run;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What runs, by either name.
const SHELL: &str = "/bin/sh";

/// A busybox of the host, to be installed in the guest.
pub struct Busybox {
    program: Vec<u8>,
    applets: Vec<Vec<u8>>,
}

/// Runs a shell; its exit status.
///
/// # Errors
/// The busybox that was asked for cannot be used; the machine could not be started.
pub fn shell(options: Shell, phases: Phases) -> Result<u8> {
    let busybox = match &options.busybox {
        Some(path) => {
            Some(Busybox::open(path).with_context(|| format!("--busybox {}", path.display()))?)
        }
        // A root of one's own may have a shell of its own.
        None if options.run.root.is_some() || options.run.initrd.is_some() => None,
        None => find(),
    };
    let mut options = options.run;
    if busybox.is_none() && options.root.is_none() && options.initrd.is_none() {
        say(
            "no static busybox here (Debian: `sudo apt install busybox-static`): a small shell of cowbell's instead",
        );
    }
    // What was asked for goes after these, and so before them.
    let usual = [
        if busybox.is_some() {
            "HOME=/root"
        } else {
            "HOME=/"
        },
        "USER=root",
        "LOGNAME=root",
        "SHELL=/bin/sh",
        "PS1=\\u@\\h:\\w\\$ ",
    ];
    let asked = std::mem::take(&mut options.env);
    options.env = usual.into_iter().map(OsString::from).chain(asked).collect();
    let arguments = std::mem::take(&mut options.program);
    options.program = [OsString::from(SHELL)]
        .into_iter()
        .chain(arguments)
        .collect();
    run::run(&options, busybox, phases)
}

/// The host's busybox, if it has one that can run in the guest.
fn find() -> Option<Busybox> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join("busybox"))
        .find_map(|candidate| Busybox::open(&candidate).ok())
}

impl Busybox {
    /// Reads one, and asks it for its applets.
    ///
    /// # Errors
    /// It is not there, cannot run in the guest, or is no busybox.
    pub fn open(path: &Path) -> Result<Self> {
        let program = fs::read(path).context("cannot read it")?;
        if let Some(why) = diagnosis::what_is_wrong(&program) {
            anyhow::bail!("{why}");
        }
        let path = path.canonicalize().context("cannot read it")?;
        let list = Command::new(&path)
            .arg("--list")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .context("cannot ask it for its applets")?;
        let applets: Vec<Vec<u8>> = list
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|name| !name.is_empty() && !name.contains(&b'/') && name.len() < 64)
            .map(<[u8]>::to_vec)
            .collect();
        ensure!(
            list.status.success() && applets.iter().any(|name| name == b"sh"),
            "it is no busybox with a shell"
        );
        Ok(Self { program, applets })
    }

    /// Puts it into a root as `/bin/busybox`, with a link for each applet. In a root of the user's own, what is there
    /// already stays.
    ///
    /// # Errors
    /// The root has something else in those places.
    pub fn install(self, root: &mut Root<'_>, options: &Run) -> Result<()> {
        let is_own = options.root.is_some() || options.initrd.is_some();
        let entry = |name: &[u8], mode, data: &[u8]| Entry {
            mode,
            data: data.to_vec().into(),
            ..Entry::directory(name)
        };
        let mut put = |entry: Entry<'static>, replace: bool| -> Result<()> {
            let name = root.resolve_parent(&entry.name)?;
            if replace || !root.entries.contains_key(&name) {
                root.insert(Entry { name, ..entry })?;
            }
            Ok(())
        };
        put(entry(b"bin/busybox", S_IFREG | 0o755, &self.program), true)?;
        for applet in self.applets.iter().filter(|name| *name != b"busybox") {
            let name = [b"bin/", &applet[..]].concat();
            put(entry(&name, S_IFLNK | 0o777, b"busybox"), !is_own)?;
        }
        put(entry(b"root", S_IFDIR | 0o700, b""), false)?;
        put(entry(b"tmp", S_IFDIR | 0o1777, b""), false)?;
        put(entry(b"etc", S_IFDIR | 0o755, b""), false)?;
        let passwd = b"root:x:0:0:root:/root:/bin/sh\n";
        put(entry(b"etc/passwd", S_IFREG | 0o644, passwd), false)?;
        put(entry(b"etc/group", S_IFREG | 0o644, b"root:x:0:\n"), false)
    }
}
