//! `--export GUEST:HOST`: files out of the guest when the machine ends. The guest sends each tree as an archive, which is
//! checked like any other before a file of it is written; nothing is written outside HOST.

use crate::archive::{self, Entry, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG};
use crate::channel::Fields;
use crate::messages::say;
use anyhow::{Context, Result, bail, ensure};
use contract::Errno;
use contract::channel::Kind;
use contract::command_line as guest_line;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most bytes that one export may have: it is kept in memory until it is whole.
const LIMIT: usize = 4 << 30;
/// Permissions that are kept: not those that give a program of the guest's rights of whoever runs cowbell.
const KEPT_MODE: u32 = 0o1777;

/// What is to be taken out.
struct Export {
    guest: Vec<u8>,
    host: PathBuf,
    archive: Vec<u8>,
    sent: Sent,
}

/// How much of it has come.
enum Sent {
    NotAll,
    All,
    Failed(u16),
}

/// Files to take out of the guest.
#[derive(Default)]
pub struct Exports(Vec<Export>);

impl Exports {
    /// What `GUEST:HOST` arguments ask for.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn new(arguments: &[OsString]) -> Result<Self> {
        let exports = arguments.iter().map(|argument| {
            let bytes = argument.as_bytes();
            let colon = bytes.iter().position(|byte| *byte == b':');
            let (guest, host) = match colon.map(|at| (&bytes[..at], &bytes[at + 1..])) {
                Some((guest, host)) if guest.starts_with(b"/") && !host.is_empty() => (guest, host),
                _ => bail!(
                    "--export {}: write GUEST:HOST, GUEST an absolute path",
                    argument.display()
                ),
            };
            Ok(Export {
                guest: guest.to_vec(),
                host: PathBuf::from(OsStr::from_bytes(host)),
                archive: Vec::new(),
                sent: Sent::NotAll,
            })
        });
        exports.collect::<Result<_>>().map(Self)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kernel's tokens for them.
    pub fn tokens(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.0
            .iter()
            .map(|export| guest_line::encode(&export.guest).collect())
    }

    /// Whether some have not come whole.
    #[must_use]
    pub fn are_awaited(&self) -> bool {
        self.0
            .iter()
            .any(|export| matches!(export.sent, Sent::NotAll))
    }

    /// Takes a message of the guest's; `None` where it makes no sense.
    pub fn take(&mut self, kind: Kind, mut fields: Fields<'_>) -> Option<()> {
        let export = self.0.get_mut(fields.half()? as usize)?;
        if kind == Kind::FileEnd {
            export.sent = match fields.half()? {
                0 => Sent::All,
                errno => Sent::Failed(errno as u16),
            };
        } else if export.archive.len() + fields.0.len() <= LIMIT {
            export.archive.extend_from_slice(fields.0);
        } else {
            return None;
        }
        Some(())
    }

    /// After the end: writes what has come, and says what has not. The program's exit status stays what it is.
    pub fn write(self) {
        for export in self.0 {
            let (guest, host) = (export.guest.escape_ascii().to_string(), export.host.clone());
            if let Err(error) = export.write() {
                say(&format!("--export {guest}:{}: {error:#}", host.display()));
            }
        }
    }
}

impl Export {
    fn write(self) -> Result<()> {
        match self.sent {
            Sent::All => {}
            Sent::NotAll => bail!("the machine ended before the guest could send it"),
            Sent::Failed(errno) if Errno(errno) == Errno::EFBIG => {
                bail!("a file in it is over 4 GiB")
            }
            Sent::Failed(errno) => {
                let error = std::io::Error::from_raw_os_error(errno.into()).to_string();
                let text = error.split(" (os error").next().unwrap_or_default();
                bail!("{text} in the guest");
            }
        }
        let entries = archive::read(&self.archive).context("the guest sent nonsense")?;
        let Some((top, below)) = entries.split_first() else {
            bail!("the guest sent nothing");
        };
        ensure!(top.name.is_empty(), "the guest sent nonsense");
        let target = self.target()?;
        let mut tree = Tree {
            top: target,
            links: HashMap::new(),
            directories: Vec::new(),
            left_out: 0,
        };
        for entry in std::iter::once(top).chain(below) {
            tree.write(entry)
                .with_context(|| format!("cannot write {}", tree.path(entry).display()))?;
        }
        tree.finish()
    }

    /// Where it goes: into HOST where that is a directory, else HOST is its name.
    fn target(&self) -> Result<PathBuf> {
        let is_directory = self.host.as_os_str().as_bytes().ends_with(b"/");
        if is_directory {
            fs::create_dir_all(&self.host)
                .with_context(|| format!("cannot make {}", self.host.display()))?;
        } else if let Some(above) = self
            .host
            .parent()
            .filter(|path| !path.as_os_str().is_empty())
        {
            fs::create_dir_all(above)
                .with_context(|| format!("cannot make {}", above.display()))?;
        }
        if !self.host.is_dir() {
            return Ok(self.host.clone());
        }
        let name = self
            .guest
            .split(|byte| *byte == b'/')
            .rfind(|part| !part.is_empty());
        match name {
            Some(b"." | b"..") => bail!("it has no name of its own: name it whole"),
            Some(name) => Ok(self.host.join(OsStr::from_bytes(name))),
            // The root itself.
            None => Ok(self.host.clone()),
        }
    }
}

/// A tree that is being written.
struct Tree {
    top: PathBuf,
    /// The first name of each file that has several.
    links: HashMap<u32, PathBuf>,
    /// Directories, their modes and times, which are set last: one may not be writable, and what is put in changes it.
    directories: Vec<(PathBuf, u32, SystemTime)>,
    left_out: usize,
}

impl Tree {
    fn path(&self, entry: &Entry<'_>) -> PathBuf {
        if entry.name.is_empty() {
            self.top.clone()
        } else {
            self.top.join(OsStr::from_bytes(&entry.name))
        }
    }

    fn write(&mut self, entry: &Entry<'_>) -> Result<()> {
        let path = self.path(entry);
        self.check_way(entry)?;
        let mode = entry.mode & KEPT_MODE;
        let modified = UNIX_EPOCH + Duration::from_secs(entry.modified.into());
        match entry.mode & S_IFMT {
            S_IFDIR => {
                let there = fs::symlink_metadata(&path);
                if !there.is_ok_and(|metadata| metadata.is_dir()) {
                    make_way(&path)?;
                    DirBuilder::new().mode(0o700).create(&path)?;
                }
                self.directories.push((path, mode, modified));
            }
            S_IFREG => {
                make_way(&path)?;
                if let Some(first) = self.links.get(&entry.link_group) {
                    fs::hard_link(first, &path)?;
                    return Ok(());
                }
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)?;
                file.write_all(&entry.data)?;
                file.set_modified(modified)?;
                file.set_permissions(Permissions::from_mode(mode))?;
                if entry.link_group != 0 {
                    self.links.insert(entry.link_group, path);
                }
            }
            S_IFLNK => {
                make_way(&path)?;
                symlink(OsStr::from_bytes(&entry.data), &path)?;
            }
            S_IFIFO => {
                make_way(&path)?;
                let mode = nix::sys::stat::Mode::from_bits_truncate(mode);
                nix::unistd::mkfifo(&path, mode)?;
            }
            _ => self.left_out += 1,
        }
        Ok(())
    }

    /// No link of the host's leads out of the tree on the way to an entry: what is there may be older than the run.
    fn check_way(&self, entry: &Entry<'_>) -> Result<()> {
        let slashes = entry.name.iter().enumerate();
        for (at, _) in slashes.filter(|(_, byte)| **byte == b'/') {
            let above = self.top.join(OsStr::from_bytes(&entry.name[..at]));
            let metadata = fs::symlink_metadata(&above)?;
            ensure!(metadata.is_dir(), "{} is not a directory", above.display());
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        for (path, mode, modified) in self.directories.iter().rev() {
            let set = fs::File::open(path).and_then(|directory| {
                directory.set_modified(*modified)?;
                directory.set_permissions(Permissions::from_mode(*mode))
            });
            set.with_context(|| format!("cannot set the mode of {}", path.display()))?;
        }
        if self.left_out > 0 {
            say(&format!(
                "{}: left out {} devices and sockets, which mean nothing outside the guest",
                self.top.display(),
                self.left_out
            ));
        }
        Ok(())
    }
}

/// Takes away what is in the way of a new file: never a directory.
fn make_way(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => bail!("there is a directory of that name"),
        Ok(_) => fs::remove_file(path).context("cannot replace it"),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(host: &Path, entries: &[Entry<'_>]) -> Result<()> {
        Export {
            guest: b"/out".to_vec(),
            host: host.to_owned(),
            archive: archive::write(entries),
            sent: Sent::All,
        }
        .write()
    }

    fn entry(name: &str, mode: u32, data: &'static [u8]) -> Entry<'static> {
        Entry {
            mode,
            data: data.into(),
            ..Entry::directory(name.as_bytes())
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("cowbell-export-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("made");
        path
    }

    #[test]
    fn modes_and_links_are_kept() {
        let host = scratch("kept");
        let hard = |name| Entry {
            link_group: 1,
            ..entry(name, S_IFREG | 0o4755, b"same")
        };
        let tree = [
            entry("", S_IFDIR | 0o555, b""),
            hard("a"),
            hard("b"),
            entry("link", S_IFLNK | 0o777, b"../elsewhere"),
            entry("sub", S_IFDIR | 0o700, b""),
            entry("sub/fifo", S_IFIFO | 0o600, b""),
        ];
        export(&host, &tree).expect("written");
        let out = host.join("out");
        let mode = |name: &str| {
            let metadata = fs::symlink_metadata(out.join(name)).expect("there");
            metadata.permissions().mode() & 0o7777
        };
        assert_eq!(
            (mode(""), mode("a"), mode("sub"), mode("sub/fifo")),
            (0o555, 0o755, 0o700, 0o600)
        );
        assert_eq!(fs::read(out.join("b")).expect("there"), b"same");
        assert_eq!(
            fs::read_link(out.join("link")).expect("there"),
            Path::new("../elsewhere")
        );
        use std::os::unix::fs::MetadataExt;
        assert_eq!(fs::metadata(out.join("a")).expect("there").nlink(), 2);
        fs::set_permissions(&out, Permissions::from_mode(0o755)).expect("own");
        fs::remove_dir_all(host).expect("removed");
    }

    #[test]
    fn nothing_is_written_through_a_link_of_the_hosts() {
        let host = scratch("link");
        fs::create_dir(host.join("out")).expect("made");
        fs::create_dir(host.join("victim")).expect("made");
        symlink(host.join("victim"), host.join("out/sub")).expect("made");
        let tree = [
            entry("", S_IFDIR | 0o755, b""),
            entry("sub", S_IFDIR | 0o755, b""),
            entry("sub/file", S_IFREG | 0o644, b"x"),
        ];
        // The link gives way to the directory.
        export(&host, &tree).expect("written");
        assert!(!host.join("victim/file").exists());
        assert!(host.join("out/sub/file").is_file());
        fs::remove_dir_all(host).expect("removed");
    }

    #[test]
    fn arguments_are_checked() {
        for bad in ["/a", "a:b", ":b", "/a:", ""] {
            assert!(Exports::new(&[bad.into()]).is_err(), "{bad}");
        }
        assert!(Exports::new(&["/a:b:c".into()]).is_ok());
    }
}
