//! Intents: `intents/<domain>/<publication id>.json`, created and written, never synced.
//!
//! A killed process leaves them in the page cache; after a power loss everything is compared anyway.

use std::io::ErrorKind;

use artstore_core::backend::Publication;
use artstore_core::backend::StagedLocation;
use artstore_core::format::{Intent, IntentItem};
use artstore_core::id::PublicationId;
use artstore_core::layout::INTENTS;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, ErrorKind as Kind, Result};

use crate::store::Inner;
use crate::vfs::FileKind;

const INTENT_MODE: u32 = 0o644;

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
        file.write_all(&document).map_err(|error| {
            self.remove_quietly(&path);
            self.failed("write", Some(&path), error)
        })
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
