//! Where a report goes: a file that is replaced at once or left as it is.

use anyhow::{Context, Result};
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A file to be written at the end of the bench.
pub struct Destination {
    /// As it was given.
    shown: PathBuf,
    /// Where the text is put together, and where it goes. None where it goes straight to `shown`: a pipe or a device.
    replaced: Option<(PathBuf, PathBuf)>,
}

impl Destination {
    /// Looks whether a report can be written there, before the measures, so that they are not lost after them. Leaves an
    /// earlier report as it is, and nothing where there was none. `option` is what names another place.
    ///
    /// # Errors
    /// It cannot.
    pub fn new(path: &Path, option: &str) -> Result<Self> {
        let failed = || {
            format!(
                "cannot write {} ({option} names another place)",
                path.display()
            )
        };
        let exists = path.try_exists().with_context(failed)?;
        if exists {
            File::options()
                .write(true)
                .open(path)
                .with_context(failed)?;
        }
        let replaced = if exists && !path.is_file() {
            None
        } else {
            // A symbolic link stays one.
            let target = match exists {
                true => fs::canonicalize(path).with_context(failed)?,
                false => path.to_owned(),
            };
            let mut name = target.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.new", std::process::id()));
            let new = target.with_file_name(name);
            File::create_new(&new).with_context(failed)?;
            fs::remove_file(&new).with_context(failed)?;
            Some((new, target))
        };
        let shown = path.to_owned();
        Ok(Self { shown, replaced })
    }

    /// Writes the report; the words that tell it.
    ///
    /// # Errors
    /// It cannot be written, and what was there is there still.
    pub fn write(&self, text: &str) -> Result<String> {
        let shown = self.shown.display();
        let failed = || format!("cannot write {shown}");
        let Some((new, target)) = &self.replaced else {
            fs::write(&self.shown, text).with_context(failed)?;
            return Ok(shown.to_string());
        };
        let there_before = target.exists();
        let written = fs::write(new, text).and_then(|()| fs::rename(new, target));
        if written.is_err() {
            // What is left of it is of no use.
            let _ = fs::remove_file(new);
        }
        written.with_context(failed)?;
        Ok(match there_before {
            true => format!("{shown} (in place of an earlier one)"),
            false => shown.to_string(),
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.display().fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_report_is_replaced_whole() {
        let new = |path: &Path| Destination::new(path, "--json");
        let directory =
            std::env::temp_dir().join(format!("cowbell-destination-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let (file, link) = (directory.join("bench.json"), directory.join("link.json"));
        let first = new(&file).expect("a directory to write to");
        assert!(!file.exists());
        let said = first.write("one").expect("a report");
        assert!(said.ends_with("bench.json"), "{said}");
        symlink(&file, &link).expect("a link");
        let said = new(&link)
            .and_then(|again| again.write("two"))
            .expect("another");
        assert!(
            said.ends_with("link.json (in place of an earlier one)"),
            "{said}"
        );
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("the report"), "two");
        assert_eq!(fs::read_dir(&directory).expect("entries").count(), 2);
        assert!(new(&directory).is_err());
        assert!(new(&directory.join("none/bench.json")).is_err());
        let full = new(Path::new("/dev/full")).expect("a device");
        assert!(full.write("three").is_err() && Path::new("/dev/full").exists());
        fs::remove_dir_all(&directory).expect("nothing else in it");
    }
}
