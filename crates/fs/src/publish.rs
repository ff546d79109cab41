//! From staged to final names.
//!
//! | step | synced |
//! |---|---|
//! | write the intent | no: see [`crate::intents`] |
//! | write the documents decided under the lock, in staging | each, several at once |
//! | make missing directories | the parent of each one made, before anything is renamed into it |
//! | rename item by item, the marker last, replacing nothing | |
//! | sync every directory in which a name appeared, or appeared and was taken back | each once |
//!
//! A directory that exists already is durable: whoever made it was under an intent, and either synced its parent
//! before going on or left the intent, and settling syncs all parents of an intent's names.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;

use artstore_core::backend::{Publication, PublicationItem, StagedFile, StagedLocation};
use artstore_core::id::StagingId;
use artstore_core::key::OpId;
use artstore_core::path::RelPath;
use artstore_core::{Error, ErrorKind as Kind, Result};
use bytes::Bytes;

use crate::directories::{DirectoriesFailed, Remains};
use crate::error;
use crate::source;
use crate::store::Inner;

/// Documents are synced by at most so many threads at once.
const SYNCING_THREADS: usize = 8;

/// One item on its way.
struct Item {
    op_id: OpId,
    names: Vec<NewName>,
    /// The document written for it here, under its staged name.
    document: Option<RelPath>,
    /// Directories in which one of its names appeared, even if it was taken back.
    touched: BTreeSet<Option<RelPath>>,
    outcome: Result<()>,
}

/// A final name, and where its file is until then.
struct NewName {
    from: Origin,
    to: RelPath,
}

enum Origin {
    Staged(RelPath),
    Adopted {
        path: PathBuf,
        fingerprint: Option<String>,
    },
}

impl Inner {
    pub(crate) fn publish(&self, publication: Publication) -> Result<Vec<Result<()>>> {
        self.write_intent(&publication)?;
        let (domain, id) = (publication.domain, publication.id);
        let mut items = self.prepare(publication.items);
        let made = self.make_directories(&parents_of(&items), |made| self.sync_parents(made));
        if let Err(DirectoriesFailed { error, remains }) = made {
            items.iter().for_each(|item| self.remove_document(item));
            if remains == Remains::Nothing {
                // One that cannot be removed names nothing and is settled at once by whoever finds it.
                let _ = self.remove_intent(domain, id);
            }
            return Err(error);
        }
        for item in items.iter_mut().filter(|item| item.outcome.is_ok()) {
            item.outcome = self.name(item);
        }
        self.sync_touched(&mut items);
        let is_definite_failure = |item: &&Item| matches!(&item.outcome, Err(error) if error.kind() != Kind::CommitUnknown);
        let failed: Vec<&Item> = items.iter().filter(is_definite_failure).collect();
        failed.iter().for_each(|item| self.remove_document(item));
        if failed.len() == items.len() {
            let _ = self.remove_intent(domain, id);
        }
        Ok(items.into_iter().map(|item| item.outcome).collect())
    }

    /// Writes and syncs the documents; an item whose document fails is out.
    fn prepare(&self, given: Vec<PublicationItem>) -> Vec<Item> {
        let documents: Vec<(StagingId, Bytes)> = given
            .iter()
            .filter_map(|item| item.document.as_ref())
            .map(|(_, bytes)| (StagingId::from_uuid(self.ids.next_id()), bytes.clone()))
            .collect();
        let mut written = self.stage_documents(&documents).into_iter();
        given
            .into_iter()
            .map(|item| {
                let document = item.document.map(|(to, _)| (to, written.next()));
                Item::new(item.op_id, item.files, document)
            })
            .collect()
    }

    fn stage_documents(&self, documents: &[(StagingId, Bytes)]) -> Vec<Result<RelPath>> {
        let stage_all = |documents: &[(StagingId, Bytes)]| -> Vec<Result<RelPath>> {
            let stage = |(id, bytes): &(StagingId, Bytes)| self.stage_document(*id, bytes);
            documents.iter().map(stage).collect()
        };
        if documents.len() <= 1 {
            return stage_all(documents);
        }
        let share = documents.len().div_ceil(SYNCING_THREADS);
        thread::scope(|scope| {
            let work: Vec<_> = documents
                .chunks(share)
                .map(|part| {
                    let stage_part = move || stage_all(part);
                    let started = thread::Builder::new().spawn_scoped(scope, stage_part);
                    (part, started)
                })
                .collect();
            work.into_iter()
                .flat_map(|(part, started)| match started {
                    Ok(thread) => thread.join().unwrap_or_else(|_| {
                        let lost = |_: &_| Err(error::thread_lost("writing documents"));
                        part.iter().map(lost).collect()
                    }),
                    Err(_) => stage_all(part),
                })
                .collect()
        })
    }

    /// Gives an item its final names, or takes them back.
    fn name(&self, item: &mut Item) -> Result<()> {
        for (position, name) in item.names.iter().enumerate() {
            if let Err(refused) = self.give_name(name) {
                let given = item.names.get(..position).unwrap_or_default();
                let certain = refused.nothing_happened && self.take_back(given);
                return Err(refused.outcome(&item.op_id, certain));
            }
            item.touched.insert(name.to.parent());
        }
        for name in &item.names {
            let Origin::Adopted { .. } = name.from else {
                continue;
            };
            // Only now, so that a file that is given back can be written as before.
            if let Err(error) = self.vfs.make_read_only(&name.to) {
                let refused =
                    Refused::certainly(self.failed("make read-only", Some(&name.to), error));
                let certain = self.take_back(&item.names);
                return Err(refused.outcome(&item.op_id, certain));
            }
        }
        Ok(())
    }

    fn give_name(&self, name: &NewName) -> Result<(), Refused> {
        let (operation, result) = match &name.from {
            Origin::Staged(from) => ("rename", self.vfs.rename_new(from, &name.to)),
            Origin::Adopted { path, fingerprint } => {
                self.check_adopted(path, fingerprint.as_deref())
                    .map_err(Refused::certainly)?;
                ("adopt", self.vfs.adopt(path, &name.to))
            }
        };
        result.map_err(|error| {
            let nothing_happened =
                error.kind() == ErrorKind::AlreadyExists || self.is_absent(&name.to);
            Refused {
                error: self.naming_failed(operation, name, error),
                nothing_happened,
            }
        })
    }

    /// What was hashed must be what is published.
    fn check_adopted(&self, path: &Path, fingerprint: Option<&str>) -> Result<()> {
        let found = self
            .vfs
            .source_metadata(path)
            .map_err(|error| error::source("inspect", path, error))?;
        source::check_fingerprint(path, &found, fingerprint)?;
        source::check_adoptable(path, &found)
    }

    fn naming_failed(&self, operation: &'static str, name: &NewName, error: io::Error) -> Error {
        let from_source = matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::InvalidInput
        );
        match &name.from {
            Origin::Adopted { path, .. } if from_source => error::source(operation, path, error),
            _ => self.failed(operation, Some(&name.to), error),
        }
    }

    fn is_absent(&self, path: &RelPath) -> bool {
        matches!(self.vfs.metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
    }

    /// Takes names back, the last first, so that a marker never stands without what it marks: it ends at the first
    /// failure. Returns whether all are gone.
    fn take_back(&self, names: &[NewName]) -> bool {
        names.iter().rev().all(|name| {
            let taken = match &name.from {
                Origin::Staged(from) => self.vfs.rename_new(&name.to, from),
                Origin::Adopted { path, .. } => self.vfs.give_back(&name.to, path),
            };
            taken.is_ok()
        })
    }

    /// Also where names were taken back: they might come again after a power loss otherwise.
    fn sync_touched(&self, items: &mut [Item]) {
        let touched: BTreeSet<Option<RelPath>> = items
            .iter()
            .flat_map(|item| item.touched.iter().cloned())
            .collect();
        for directory in touched {
            let Err(error) = self.vfs.sync_directory(directory.as_ref()) else {
                continue;
            };
            let reason = self.failed("sync", directory.as_ref(), error).to_string();
            for item in items.iter_mut().filter(|i| i.touched.contains(&directory)) {
                item.outcome = Err(Error::commit_unknown(&item.op_id).caused_by(reason.clone()));
            }
        }
    }

    fn remove_document(&self, item: &Item) {
        if let Some(document) = &item.document {
            self.remove_quietly(document);
        }
    }
}

/// The directories of all names that are still to be given.
fn parents_of(items: &[Item]) -> BTreeSet<RelPath> {
    items
        .iter()
        .filter(|item| item.outcome.is_ok())
        .flat_map(|item| item.names.iter().filter_map(|name| name.to.parent()))
        .collect()
}

impl Item {
    fn new(
        op_id: OpId,
        files: Vec<(StagedFile, RelPath)>,
        document: Option<(RelPath, Option<Result<RelPath>>)>,
    ) -> Self {
        let mut names: Vec<NewName> = files
            .into_iter()
            .map(|(file, to)| NewName {
                from: Origin::of(file),
                to,
            })
            .collect();
        let (mut staged_document, mut outcome) = (None, Ok(()));
        match document {
            Some((to, Some(Ok(staged)))) => {
                staged_document = Some(staged.clone());
                names.push(NewName {
                    from: Origin::Staged(staged),
                    to,
                });
            }
            Some((_, Some(Err(error)))) => outcome = Err(error),
            Some((_, None)) => outcome = Err(Error::internal("a document was not written")),
            None => {}
        }
        Self {
            op_id,
            names,
            document: staged_document,
            touched: BTreeSet::new(),
            outcome,
        }
    }
}

impl Origin {
    fn of(file: StagedFile) -> Self {
        match file.location {
            StagedLocation::Staging(path) => Self::Staged(path),
            StagedLocation::Source(path) => Self::Adopted {
                path,
                fingerprint: file.fingerprint,
            },
        }
    }
}

/// A name was not given.
struct Refused {
    error: Error,
    nothing_happened: bool,
}

impl Refused {
    fn certainly(error: Error) -> Self {
        Self {
            error,
            nothing_happened: true,
        }
    }

    fn outcome(self, op_id: &OpId, certain: bool) -> Error {
        if certain {
            return self.error;
        }
        Error::commit_unknown(op_id).caused_by(self.error)
    }
}
