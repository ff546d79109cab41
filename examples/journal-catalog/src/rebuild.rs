use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::backend::{ArtifactCommit, ArtifactCommits, CatalogHead, LockPermit};
use futures_util::StreamExt as _;

use crate::error::failed;
use crate::journal::Journal;
use crate::line::{Chain, CommitLine, HeaderLine};
use crate::thread::on_thread;

/// Makes the journal anew. Returns the name that the former one is kept under, if it is.
pub(crate) async fn rebuild(
    journal: Arc<Journal>,
    permit: LockPermit,
    head: CatalogHead,
    mut commits: ArtifactCommits,
) -> Result<Option<String>> {
    // Each piece of work holds the lock until it has ended, even if the caller goes away meanwhile.
    let held = permit.clone();
    let path = journal.path().to_owned();
    let mut new = on_thread(move || {
        let _held = held;
        NewJournal::begin(&path, head)
    })
    .await?;
    while let Some(commit) = commits.next().await {
        let (commit, held) = (commit?, permit.clone());
        new = on_thread(move || {
            let _held = held;
            new.add(commit)?;
            Ok(new)
        })
        .await?;
    }
    on_thread(move || {
        let _held = permit;
        new.put_in_place(&journal)
    })
    .await
}

/// A journal that is being written beside another one.
struct NewJournal {
    path: PathBuf,
    file: BufWriter<File>,
    head: CatalogHead,
    chain: Chain,
}

impl NewJournal {
    fn begin(target: &Path, head: CatalogHead) -> Result<Self> {
        let directory = directory_of(target);
        fs::create_dir_all(directory).map_err(|error| failed("create", directory, error))?;
        let path = with_suffix(target, ".new");
        // Also empties what an interrupted rebuild left.
        let file = File::create(&path).map_err(|error| failed("create", &path, error))?;
        let (chain, line) = Chain::begin(&HeaderLine::new(head))?;
        let mut new = Self {
            path,
            file: BufWriter::new(file),
            head,
            chain,
        };
        new.write(&line)?;
        Ok(new)
    }

    fn add(&mut self, commit: ArtifactCommit) -> Result<()> {
        let (chain, line) = self
            .chain
            .write(&CommitLine::of_rebuild(self.head, commit))?;
        self.chain = chain;
        self.write(&line)
    }

    fn write(&mut self, line: &[u8]) -> Result<()> {
        let written = self.file.write_all(line);
        written.map_err(|error| failed("write", &self.path, error))
    }

    /// Gives the new journal the place of the former one, which stays there until then. Every byte of it survives a power
    /// loss before its name does.
    fn put_in_place(mut self, journal: &Journal) -> Result<Option<String>> {
        let written = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all());
        written.map_err(|error| failed("sync", &self.path, error))?;
        let target = journal.path();
        let kept = match fs::exists(target) {
            Ok(false) => None,
            Ok(true) if journal.owner() == Some(self.head.store_id) => None,
            Ok(true) => Some(keep_aside(target)?),
            Err(error) => return Err(failed("look at", target, error)),
        };
        fs::rename(&self.path, target).map_err(|error| failed("rename", &self.path, error))?;
        let directory = directory_of(target);
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| failed("sync", directory, error))?;
        Ok(kept.map(|path| path.display().to_string()))
    }
}

/// Renames a file that is not ours to replace.
fn keep_aside(target: &Path) -> Result<PathBuf> {
    let mut number = 1;
    loop {
        let aside = with_suffix(target, &format!(".aside-{number}"));
        let is_taken = fs::exists(&aside).map_err(|error| failed("look at", &aside, error))?;
        if !is_taken {
            fs::rename(target, &aside).map_err(|error| failed("rename", target, error))?;
            return Ok(aside);
        }
        number += 1;
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
