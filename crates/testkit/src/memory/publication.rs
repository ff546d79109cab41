use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use artstore_core::backend::{
    LockPermit, Publication, PublicationItem, PublicationLog, SettledItem, StagedFile,
    StagedLocation, SweepReport,
};
use artstore_core::format::{Intent, IntentItem};
use artstore_core::id::{PublicationId, StagingId};
use artstore_core::layout::{INTENTS, QUARANTINE};
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::yield_now;

use super::MemoryStore;
use super::source::{blocking, fingerprint};
use super::store::{Entry, World};

/// Where a publication stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// The intent is written, no final name exists.
    BeforeNames,
    /// Every final name exists but each item's marker.
    BeforeMarkers,
    /// Every final name exists.
    AfterMarkers,
}

/// The content of the user's files that a publication adopts.
type Adopted = BTreeMap<PathBuf, Result<Bytes>>;

fn check_permit(permit: &LockPermit, domain: Domain) -> Result<()> {
    if permit.domain() != domain {
        return Err(Error::internal("a permit of another domain")
            .with("domain", domain)
            .with("permit", permit.domain()));
    }
    Ok(())
}

fn intents_directory(domain: Domain) -> Result<RelPath> {
    RelPath::new(format!("{INTENTS}/{domain}"))
}

fn intent_path(domain: Domain, id: PublicationId) -> Result<RelPath> {
    intents_directory(domain)?.join(&format!("{id}.json"))
}

fn intent_of(publication: &Publication) -> Result<Intent> {
    let items = publication.items.iter().map(intent_item);
    let items = items.collect::<Result<_>>()?;
    Ok(Intent::new(publication.id, publication.domain, items))
}

fn intent_item(item: &PublicationItem) -> Result<IntentItem> {
    let mut before = item.final_names();
    let marker = before
        .pop()
        .ok_or_else(|| Error::internal("an item that names nothing").with("op_id", &item.op_id))?;
    let adopted_from = item
        .files
        .first()
        .and_then(|(file, _)| match &file.location {
            StagedLocation::Source(path) => Some(path.display().to_string()),
            StagedLocation::Staging(_) => None,
        });
    Ok(IntentItem {
        op_id: item.op_id.clone(),
        before,
        marker,
        adopted_from,
    })
}

impl MemoryStore {
    async fn read_adopted(&self, publication: &Publication) -> Adopted {
        let mut adopted = Adopted::new();
        for (file, _) in publication.items.iter().flat_map(|item| &item.files) {
            if let StagedLocation::Source(path) = &file.location {
                let (path, expected) = (path.clone(), file.fingerprint.clone());
                let content = {
                    let path = path.clone();
                    blocking(move || read_unchanged(&path, expected.as_deref())).await
                };
                adopted.insert(path, content);
            }
        }
        adopted
    }
}

fn read_unchanged(path: &Path, expected: Option<&str>) -> Result<Bytes> {
    if expected != Some(fingerprint(path)?.as_str()) {
        return Err(
            Error::conflict("the source changed after it was staged").with("path", path.display())
        );
    }
    let content = std::fs::read(path).map_err(|error| {
        Error::unavailable("the source cannot be read")
            .with("path", path.display())
            .caused_by(error)
    })?;
    Ok(content.into())
}

impl World {
    /// Gives the item its names, all or none; returns the user's files that it took.
    fn name_item(&mut self, item: &PublicationItem, adopted: &Adopted) -> Result<Vec<PathBuf>> {
        let mut named: Vec<(RelPath, Bytes)> = Vec::new();
        for (file, path) in &item.files {
            named.push((path.clone(), self.staged_content(file, adopted)?));
        }
        named.extend(item.document.clone());
        for (position, (path, _)) in named.iter().enumerate() {
            let is_named_twice = named.iter().take(position).any(|(other, _)| other == path);
            if is_named_twice || self.entries.contains_key(path) {
                return Err(Error::conflict("the name is taken").with("path", path));
            }
        }
        for (path, content) in named {
            self.entries.insert(path, Entry::File(content));
        }
        let mut taken = Vec::new();
        for (file, _) in &item.files {
            self.staged.remove(&file.id);
            match &file.location {
                StagedLocation::Staging(path) => {
                    self.entries.remove(path);
                }
                StagedLocation::Source(path) => taken.push(path.clone()),
            }
        }
        Ok(taken)
    }

    fn staged_content(&self, file: &StagedFile, adopted: &Adopted) -> Result<Bytes> {
        let known = self.staged.get(&file.id);
        if known.is_none_or(|known| known.file != *file) {
            return Err(Error::internal("a file that was not staged").with("id", file.id));
        }
        let content = match &file.location {
            StagedLocation::Staging(path) => self.file(path)?,
            StagedLocation::Source(path) => adopted.get(path).cloned().transpose()?,
        };
        content.ok_or_else(|| Error::unavailable("the staged file is gone").with("id", file.id))
    }

    /// Moves a file to a place in quarantine that was never used.
    fn move_to_quarantine(&mut self, path: &RelPath) -> Result<RelPath> {
        let content = self.file(path)?.ok_or_else(|| {
            Error::unavailable("there is nothing to quarantine").with("path", path)
        })?;
        self.quarantined += 1;
        let place = RelPath::new(format!("{QUARANTINE}/{}/{path}", self.quarantined))?;
        self.entries.remove(path);
        self.entries.insert(place.clone(), Entry::File(content));
        Ok(place)
    }

    fn documents_below(&self, directory: &RelPath) -> Vec<(RelPath, Bytes)> {
        let entries = self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File(content) if path.starts_with(directory) => {
                Some((path.clone(), content.clone()))
            }
            _ => None,
        });
        entries.collect()
    }
}

/// Takes back what naming before an interruption gave too early.
fn withdraw(world: &mut World, item: &PublicationItem, interruption: Interruption) {
    let mut names = item.final_names();
    match interruption {
        Interruption::BeforeNames => {}
        Interruption::BeforeMarkers => {
            names = names.split_off(names.len().saturating_sub(1));
        }
        Interruption::AfterMarkers => names.clear(),
    }
    for name in names {
        world.entries.remove(&name);
    }
}

async fn remove_sources(taken: Vec<PathBuf>) -> Result<()> {
    for path in taken {
        blocking(move || {
            std::fs::remove_file(&path).map_err(|error| {
                Error::unavailable("the source cannot be taken")
                    .with("path", path.display())
                    .caused_by(error)
            })
        })
        .await?;
    }
    Ok(())
}

#[async_trait]
impl PublicationLog for MemoryStore {
    async fn publish(
        &self,
        permit: &LockPermit,
        publication: Publication,
    ) -> Result<Vec<Result<()>>> {
        check_permit(permit, publication.domain)?;
        let intent = intent_of(&publication)?;
        let intent_path = intent_path(publication.domain, publication.id)?;
        let adopted = self.read_adopted(&publication).await;
        let mut taken = Vec::new();
        let mut results = Vec::new();
        {
            let mut world = self.world();
            if world.entries.contains_key(&intent_path) {
                return Err(
                    Error::internal("a publication id was used twice").with("id", publication.id)
                );
            }
            let interruption = world.interruption.take();
            let document = intent.to_bytes()?;
            world.entries.insert(intent_path, Entry::File(document));
            for item in &publication.items {
                if interruption == Some(Interruption::BeforeNames) {
                    results.push(Err(Error::commit_unknown(&item.op_id)));
                    continue;
                }
                let named = world.name_item(item, &adopted);
                let result = named.map(|sources| taken.extend(sources));
                let result = match interruption {
                    Some(interruption) => {
                        if result.is_ok() {
                            withdraw(&mut world, item, interruption);
                        }
                        Err(Error::commit_unknown(&item.op_id))
                    }
                    None => result,
                };
                results.push(result);
            }
        }
        remove_sources(taken).await?;
        Ok(results)
    }

    async fn replace_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        check_permit(permit, Domain::Artifacts)?;
        yield_now().await;
        let mut world = self.world();
        if world.file(path)?.is_none() {
            return Err(Error::internal("there is no document to replace").with("path", path));
        }
        world.entries.insert(path.clone(), Entry::File(document));
        Ok(())
    }

    async fn put_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        check_permit(permit, Domain::Artifacts)?;
        yield_now().await;
        let mut world = self.world();
        world.file(path)?;
        world.entries.insert(path.clone(), Entry::File(document));
        Ok(())
    }

    async fn finish(&self, permit: &LockPermit, publication: PublicationId) -> Result<()> {
        yield_now().await;
        let path = intent_path(permit.domain(), publication)?;
        self.world().entries.remove(&path);
        Ok(())
    }

    async fn intents(&self, permit: &LockPermit) -> Result<Vec<Intent>> {
        yield_now().await;
        let directory = intents_directory(permit.domain())?;
        let mut world = self.world();
        let mut intents = Vec::new();
        for (path, content) in world.documents_below(&directory) {
            match Intent::parse(&content) {
                Ok(intent) => intents.push(intent),
                Err(_) => {
                    world.entries.remove(&path);
                }
            }
        }
        Ok(intents)
    }

    async fn pending(&self, domain: Domain) -> Result<u64> {
        yield_now().await;
        let directory = intents_directory(domain)?;
        Ok(self.world().documents_below(&directory).len() as u64)
    }

    async fn settle_item(&self, permit: &LockPermit, item: &IntentItem) -> Result<SettledItem> {
        let intents = self.intents(permit).await?;
        if !intents.iter().any(|intent| intent.items.contains(item)) {
            return Err(Error::internal("an item that no intent names").with("op_id", &item.op_id));
        }
        let mut given_back = None;
        {
            let world = self.world();
            if world.file(&item.marker)?.is_some() {
                return Ok(SettledItem::Happened);
            }
            if let (Some(source), Some(first)) = (&item.adopted_from, item.before.first()) {
                given_back = world
                    .file(first)?
                    .map(|content| (PathBuf::from(source), first.clone(), content));
            }
        }
        let mut places = Vec::new();
        if let Some((source, first, content)) = given_back {
            let place = source.display().to_string();
            if blocking(move || give_back(&source, &content)).await? {
                self.world().entries.remove(&first);
                places.push(place);
            }
        }
        let mut world = self.world();
        for path in &item.before {
            if world.file(path)?.is_some() {
                places.push(world.move_to_quarantine(path)?.to_string());
            }
        }
        Ok(SettledItem::TakenBack(places))
    }

    async fn quarantine(&self, permit: &LockPermit, path: &RelPath) -> Result<RelPath> {
        check_permit(permit, Domain::Artifacts)?;
        yield_now().await;
        self.world().move_to_quarantine(path)
    }

    async fn sweep_staging(&self, permit: &LockPermit) -> Result<SweepReport> {
        check_permit(permit, Domain::Artifacts)?;
        yield_now().await;
        let mut world = self.world();
        let living = world.living.clone();
        let mut report = SweepReport::default();
        let dead: Vec<StagingId> = world
            .staged
            .iter()
            .filter(|(_, staged)| !living.contains(&staged.owner))
            .map(|(id, _)| *id)
            .collect();
        for id in dead {
            let staged = world.staged.remove(&id);
            if let Some(StagedLocation::Staging(path)) = staged.map(|staged| staged.file.location) {
                world.entries.remove(&path);
                report.removed += 1;
            }
        }
        let owners: std::collections::BTreeSet<u64> =
            world.staged.values().map(|staged| staged.owner).collect();
        report.living_owners = owners.len() as u64;
        Ok(report)
    }
}

/// Puts an adopted file back where it came from, unless something else is there now.
fn give_back(path: &Path, content: &[u8]) -> Result<bool> {
    use std::io::Write as _;
    let failed = |error: std::io::Error| {
        Error::unavailable("the source cannot be given back")
            .with("path", path.display())
            .caused_by(error)
    };
    match std::fs::File::create_new(path) {
        Ok(mut file) => file.write_all(content).map(|()| true).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}
