//! The file: what lies there now, its new lines, appending.
//!
//! A file that is the same one and as long as it was read counts as unchanged, and is not read again. So another journal
//! that is put in place by a rename is noticed at once, as is one that is shorter or goes on otherwise. Content that is
//! exchanged within the same file for other content of the same length is noticed only when the file is opened anew.
//! Nothing of artstore's does that: lines are appended, and a rebuild renames.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use artstore_core::backend::ArtifactCommit;
use artstore_core::id::StoreId;
use artstore_core::{Error, Result};

use crate::error::{damaged, failed};
use crate::line::{Chain, CommitLine, FORMAT, FormatLine, HeaderLine, VERSION};
use crate::rows::Rows;

/// The journal at one place, as far as this instance has read it. Its methods block.
///
/// Other instances append to the file, or put another one in its place, at any time. So every call looks what lies there
/// now: most of the time nothing is new, and all that it costs is asking which file it is and how long.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    reading: Mutex<Reading>,
    epoch: AtomicU64,
}

#[derive(Debug, Default)]
struct Reading {
    open: Option<OpenJournal>,
    /// How far the journal was read that was open last.
    former: Option<Mark>,
}

/// A journal that is open, and what its lines come to so far.
#[derive(Debug)]
struct OpenJournal {
    /// As long as it is open its inode is not given to another file.
    file: File,
    mark: Mark,
    rows: Rows,
}

/// How far a journal was read: enough to recognise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    file: FileIdentity,
    /// Behind the last whole line.
    position: u64,
    chain: Chain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
}

/// How the lines of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With a whole line, or with one that is being written, or was when its writer died.
    Whole,
    /// With one last line that does not follow.
    LastLineBad,
    /// Lines follow on one that does not follow.
    Bad,
}

impl Reading {
    fn close(&mut self) {
        if let Some(journal) = self.open.take() {
            self.former = Some(journal.mark);
        }
    }
}

impl Journal {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            reading: Mutex::default(),
            epoch: AtomicU64::new(0),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How often the file was found replaced.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Asks the rows that lie there now.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Rows) -> T) -> Result<T> {
        let mut reading = self.reading();
        let journal = self.up_to_date(&mut reading)?;
        Ok(question(&journal.rows))
    }

    /// Appends a commit, durably, and returns the commit counter. Only the holder of the domain's lock may do so: there is
    /// one writer at a time.
    pub(crate) fn append(&self, commit: ArtifactCommit) -> Result<u64> {
        let mut reading = self.reading();
        let journal = self.up_to_date(&mut reading)?;
        let line = CommitLine::after(journal.rows.head, commit);
        journal.rows.check(&line.changes)?;
        let (chain, bytes) = journal.mark.chain.write(&line)?;
        let mark = journal.mark;
        if let Err(error) = self.write(mark, &bytes) {
            // What is in the file now is not known: the next call reads it anew.
            reading.close();
            return Err(error);
        }
        journal.rows.change(line);
        journal.mark.position += bytes.len() as u64;
        journal.mark.chain = chain;
        Ok(journal.rows.head.commits)
    }

    pub(crate) fn close(&self) {
        self.reading().close();
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The journal that lies here now, with all of its lines.
    fn up_to_date<'a>(&self, reading: &'a mut Reading) -> Result<&'a mut OpenJournal> {
        let metadata = fs::metadata(&self.path).map_err(|error| self.not_found(error))?;
        let is_continued = match &mut reading.open {
            Some(journal) => self.read_on(journal, &metadata)?,
            None => false,
        };
        if !is_continued {
            reading.close();
            let journal = self.open()?;
            if reading.former.is_some_and(|former| former != journal.mark) {
                self.epoch.fetch_add(1, Ordering::SeqCst);
            }
            reading.open = Some(journal);
        }
        let journal = reading.open.as_mut();
        journal.ok_or_else(|| Error::internal("an opened journal is not open"))
    }

    /// Reads what is new in an open journal. Tells whether what lies here now continues what was read: it may be another
    /// file, a shorter one, or lines that do not follow.
    fn read_on(&self, journal: &mut OpenJournal, metadata: &fs::Metadata) -> Result<bool> {
        let mark = journal.mark;
        if mark.file != identity(metadata) || metadata.len() < mark.position {
            return Ok(false);
        }
        Ok(metadata.len() == mark.position || self.read_lines(journal)? == Ending::Whole)
    }

    /// Opens what lies here now and reads all of it.
    fn open(&self) -> Result<OpenJournal> {
        let file = File::open(&self.path).map_err(|error| self.not_found(error))?;
        let metadata = file
            .metadata()
            .map_err(|error| self.failed("look at", error))?;
        if !metadata.is_file() {
            return Err(damaged("the catalog is not a file", &self.path));
        }
        let (header, first_line) = self.read_header(&file)?;
        let mut journal = OpenJournal {
            file,
            mark: Mark {
                file: identity(&metadata),
                position: first_line.len() as u64,
                chain: Chain::of_first_line(&first_line),
            },
            rows: Rows::empty(header.head()),
        };
        if self.read_lines(&mut journal)? == Ending::Bad {
            return Err(damaged("a line of the catalog is damaged", &self.path));
        }
        Ok(journal)
    }

    fn read_header(&self, file: &File) -> Result<(HeaderLine, Vec<u8>)> {
        let mut line = Vec::new();
        BufReader::new(file)
            .read_until(b'\n', &mut line)
            .map_err(|error| self.failed("read", error))?;
        let no_journal = |_| damaged("the catalog is not a journal", &self.path);
        let format: FormatLine = serde_json::from_slice(&line).map_err(no_journal)?;
        if format.format != FORMAT || !line.ends_with(b"\n") {
            return Err(damaged("the catalog is not a journal", &self.path));
        }
        if format.version > VERSION {
            return Err(
                Error::unsupported("the catalog was written by a newer version")
                    .with("catalog", self.path.display())
                    .with("version", format.version)
                    .with("known", VERSION),
            );
        }
        if format.version < VERSION {
            return Err(Error::catalog_outdated(self.path.display()));
        }
        let header = serde_json::from_slice(&line).map_err(no_journal)?;
        Ok((header, line))
    }

    /// Reads whole lines from where reading ended.
    fn read_lines(&self, journal: &mut OpenJournal) -> Result<Ending> {
        let mut reader = BufReader::new(&journal.file);
        let start = SeekFrom::Start(journal.mark.position);
        reader
            .seek(start)
            .map_err(|error| self.failed("read", error))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader
                .read_until(b'\n', &mut line)
                .map_err(|error| self.failed("read", error))?;
            if !line.ends_with(b"\n") {
                return Ok(Ending::Whole);
            }
            let Some((chain, commit)) = journal.mark.chain.read(&line) else {
                let rest = reader.fill_buf();
                let is_last = rest.map_err(|error| self.failed("read", error))?.is_empty();
                return Ok(if is_last {
                    Ending::LastLineBad
                } else {
                    Ending::Bad
                });
            };
            journal.rows.change(commit);
            journal.mark.chain = chain;
            journal.mark.position += length as u64;
        }
    }

    /// Writes a line behind the last whole one, durably.
    fn write(&self, mark: Mark, line: &[u8]) -> Result<()> {
        let write = || -> io::Result<()> {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            let metadata = file.metadata()?;
            if identity(&metadata) != mark.file {
                return Err(io::Error::other("the file was replaced meanwhile"));
            }
            // What a writer left that died: nobody else writes now.
            if metadata.len() > mark.position {
                file.set_len(mark.position)?;
            }
            let written = file
                .write_all_at(line, mark.position)
                .and_then(|()| file.sync_data());
            if written.is_err() {
                // If this fails too, then the line is whole and its commit happened, or it is ignored as torn.
                let _ = file.set_len(mark.position);
            }
            written
        };
        write().map_err(|error| self.failed("append", error))
    }

    /// Whose catalog lies here: `None` if it cannot be read to its end.
    pub(crate) fn owner(&self) -> Option<StoreId> {
        Some(self.open().ok()?.rows.head.store_id)
    }

    fn not_found(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => Error::catalog_missing(self.path.display()),
            _ => self.failed("open", error),
        }
    }

    fn failed(&self, operation: &'static str, error: io::Error) -> Error {
        failed(operation, &self.path, error)
    }
}

fn identity(metadata: &fs::Metadata) -> FileIdentity {
    FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
    }
}
