//! Intents: `intents/<domain>/<publication id>.json`, created and written.
//!
//! A killed process leaves them in the page cache, and after a power loss everything is compared anyway: they are not
//! synced. Only one that adopts a file is, because nothing else tells where the user's file came from.

use std::io::ErrorKind;

use artstore_core::backend::Publication;
use artstore_core::backend::StagedLocation;
use artstore_core::format::{Intent, IntentItem};
use artstore_core::id::PublicationId;
use artstore_core::layout::INTENTS;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, ErrorKind as Kind, Result};

use crate::store::Inner;
use crate::vfs::{FileKind, VfsFile};

const INTENT_MODE: u32 = 0o644;

fn adopts(publication: &Publication) -> bool {
    let mut files = publication.items.iter().flat_map(|item| &item.files);
    files.any(|(staged, _)| matches!(staged.location, StagedLocation::Source(_)))
}

impl Inner {
    /// Writes the intent of a publication; after an error there is none.
    pub(crate) fn write_intent(&self, publication: &Publication) -> Result<()> {
        let items = publication
            .items
            .iter()
            .map(intent_item)
            .collect::<Result<_>>()?;
        let document = Intent::new(publication.id, publication.domain, items).to_bytes()?;
        let path = intent_path(publication.domain, publication.id)?;
        let mut file = match self.vfs.create(&path, INTENT_MODE) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_intent_directories(publication.domain)?;
                self.vfs.create(&path, INTENT_MODE)
            }
            result => result,
        }
        .map_err(|error| self.failed("create", Some(&path), error))?;
        let written = file
            .write_all(&document)
            .map_err(|error| self.failed("write", Some(&path), error))
            .and_then(|()| match adopts(publication) {
                true => self.sync_intent(&mut *file, &path),
                false => Ok(()),
            });
        written.inspect_err(|_| self.remove_quietly(&path))
    }

    /// Makes an intent survive a power loss. Whoever made its directories need not have synced them.
    fn sync_intent(&self, file: &mut dyn VfsFile, path: &RelPath) -> Result<()> {
        file.sync()
            .map_err(|error| self.failed("sync", Some(path), error))?;
        let mut directory = path.parent();
        loop {
            self.vfs
                .sync_directory(directory.as_ref())
                .map_err(|error| self.failed("sync", directory.as_ref(), error))?;
            let Some(below) = directory else {
                return Ok(());
            };
            directory = below.parent();
        }
    }

    fn make_intent_directories(&self, domain: Domain) -> Result<()> {
        for directory in [RelPath::new(INTENTS)?, domain_directory(domain)?] {
            match self.vfs.create_directory(&directory) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(self.failed("create", Some(&directory), error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn remove_intent(&self, domain: Domain, id: PublicationId) -> Result<()> {
        let path = intent_path(domain, id)?;
        let removed = self.vfs.remove_file(&path);
        self.optional("remove", Some(&path), removed)?;
        Ok(())
    }

    /// Every readable intent, the oldest first; torn ones are removed.
    pub(crate) fn intents(&self, domain: Domain) -> Result<Vec<Intent>> {
        let mut intents = Vec::new();
        for id in self.intent_ids(domain)? {
            let path = intent_path(domain, id)?;
            let Some(bytes) = self.read_document(&path)? else {
                continue;
            };
            match Intent::parse(&bytes) {
                Ok(intent) => intents.push(intent),
                // A newer artstore may have begun more than this one understands.
                Err(error) if error.kind() == Kind::Unsupported => {
                    return Err(error.with("path", path));
                }
                Err(_) => self.remove_intent(domain, id)?,
            }
        }
        Ok(intents)
    }

    /// The ids in the names of a domain's intents, the oldest first.
    pub(crate) fn intent_ids(&self, domain: Domain) -> Result<Vec<PublicationId>> {
        let directory = domain_directory(domain)?;
        let listed = self.vfs.read_directory(Some(&directory));
        let listed = self.optional("list", Some(&directory), listed)?;
        let mut ids: Vec<PublicationId> = listed
            .unwrap_or_default()
            .iter()
            .filter(|entry| entry.kind == FileKind::File)
            .filter_map(|entry| entry.name.to_str()?.strip_suffix(".json")?.parse().ok())
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }
}

fn intent_item(item: &artstore_core::backend::PublicationItem) -> Result<IntentItem> {
    let mut names = item.final_names();
    let marker = names.pop().ok_or_else(|| {
        Error::internal("a publication item without names").with("op_id", &item.op_id)
    })?;
    let mut adopted_from = None;
    for (position, (file, _)) in item.files.iter().enumerate() {
        let StagedLocation::Source(path) = &file.location else {
            continue;
        };
        let is_first_of_several = position == 0 && !names.is_empty();
        adopted_from = path
            .to_str()
            .filter(|_| is_first_of_several)
            .map(str::to_owned);
        if adopted_from.is_none() {
            return Err(
                Error::internal("only the first of an item's names can be adopted")
                    .with("op_id", &item.op_id)
                    .with("path", path.display()),
            );
        }
    }
    Ok(IntentItem {
        op_id: item.op_id.clone(),
        before: names,
        marker,
        adopted_from,
    })
}

fn domain_directory(domain: Domain) -> Result<RelPath> {
    RelPath::new(format!("{INTENTS}/{domain}"))
}

fn intent_path(domain: Domain, id: PublicationId) -> Result<RelPath> {
    RelPath::new(format!("{INTENTS}/{domain}/{id}.json"))
}
