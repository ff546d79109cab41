//! Whether a store holds what a model holds: one by one, in lists, by key, and as bytes.

use std::collections::BTreeMap;

use artstore_core::ErrorKind;
use artstore_core::artifact::{Artifact, ArtifactFilter, ArtifactStatus, DedupScope, TimeSpan};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::page::{Page, PageRequest};
use artstore_core::ports::{ArtifactStorePort, ByteRange};
use artstore_core::time::Timestamp;
use futures_util::StreamExt as _;

use super::{Content, StoreModel, unknown_id};

/// So few that lists have several pages.
const PAGE: u32 = 3;

/// When each artifact was created, which only the store knows.
type Created = BTreeMap<ArtifactId, Timestamp>;

pub(super) async fn check_all(model: &StoreModel, store: &dyn ArtifactStorePort) {
    assert!(store.is_available().await);
    let created = model.check_get(store).await;
    let everything = ArtifactFilter::default();
    let all = model.check_list(store, &everything, &created).await;
    for status in ArtifactStatus::ALL {
        let filter = ArtifactFilter {
            status: Some(*status),
            ..ArtifactFilter::default()
        };
        model.check_list(store, &filter, &created).await;
    }
    for position in 0..model.len() {
        model.check_bytes(store, position).await;
        model.check_find(store, position).await;
        for filter in model.filters(position, &all) {
            model.check_list(store, &filter, &created).await;
        }
    }
}

impl StoreModel {
    async fn check_get(&self, store: &dyn ArtifactStorePort) -> Created {
        let mut ids: Vec<_> = self
            .artifacts
            .iter()
            .map(|artifact| artifact.id.expect("a known id"))
            .collect();
        ids.push(unknown_id());
        ids.reverse();
        let found = store.get_artifacts(&ids).await.unwrap();
        assert_eq!(found.len(), ids.len());
        assert_eq!(found[0], None);
        let mut created = Created::new();
        for (position, found) in found.iter().skip(1).rev().enumerate() {
            let found = found.as_ref().expect("a published artifact exists");
            self.check_artifact(position, found);
            assert_eq!(store.get_artifact(found.id).await.unwrap(), *found);
            created.insert(found.id, found.created_at);
        }
        let error = store.get_artifact(unknown_id()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        created
    }

    /// Filters that some artifacts pass, made from what is known of one.
    fn filters(&self, position: usize, all: &[Artifact]) -> Vec<ArtifactFilter> {
        let DedupScope {
            artifact_type,
            logical_key,
            ..
        } = &self.artifacts[position].scope;
        let mut filters = vec![ArtifactFilter {
            artifact_type: Some(artifact_type.clone()),
            status: Some(ArtifactStatus::Active),
            tags: self.artifacts[position].tags.clone(),
            key_prefix: logical_key.as_str().chars().next().map(String::from),
            created_from: all.get(all.len() / 2).map(|middle| middle.created_at),
            created_before: all.first().map(|newest| newest.created_at),
            overlaps: None,
        }];
        let table = self.artifacts[position].table.as_ref();
        if let Some((earliest, latest)) = table.and_then(|table| table.times) {
            let spans = [
                (Some(latest), None),
                (None, Some(earliest)),
                (None, Some(latest)),
            ];
            filters.extend(spans.map(|(from, before)| ArtifactFilter {
                overlaps: Some(TimeSpan { from, before }),
                ..ArtifactFilter::default()
            }));
        }
        filters
    }

    /// Lists by small pages; the list is newest first and holds exactly what matches.
    async fn check_list(
        &self,
        store: &dyn ArtifactStorePort,
        filter: &ArtifactFilter,
        created: &Created,
    ) -> Vec<Artifact> {
        let listed =
            by_pages(async |page| store.list_artifacts(filter, &page).await.unwrap()).await;
        assert!(
            is_newest_first(&listed),
            "a list is newest first, and holds nothing twice"
        );
        let mut positions: Vec<_> = listed.iter().map(|found| self.position_of(found)).collect();
        positions.sort_unstable();
        let wanted = (0..self.len()).filter(|position| {
            let created = created[&self.id_or_unknown(*position)];
            filter.created_from.is_none_or(|from| created >= from)
                && filter.created_before.is_none_or(|before| created < before)
                && self.matches(*position, filter)
        });
        assert_eq!(positions, wanted.collect::<Vec<_>>(), "{filter:?}");
        listed
    }

    fn position_of(&self, found: &Artifact) -> usize {
        let position = self
            .artifacts
            .iter()
            .position(|artifact| artifact.id == Some(found.id));
        let position = position.expect("only published artifacts exist");
        self.check_artifact(position, found);
        position
    }

    fn matches(&self, position: usize, filter: &ArtifactFilter) -> bool {
        let artifact = &self.artifacts[position];
        let has_type = filter
            .artifact_type
            .as_ref()
            .is_none_or(|wanted| *wanted == artifact.scope.artifact_type);
        let has_status = filter.status.is_none_or(|wanted| wanted == artifact.status);
        let has_tags = filter
            .tags
            .pairs()
            .all(|(key, value)| artifact.tags.contains(key, value));
        let has_prefix = filter
            .key_prefix
            .as_ref()
            .is_none_or(|prefix| artifact.scope.logical_key.as_str().starts_with(prefix));
        let times = artifact.table.as_ref().and_then(|table| table.times);
        let has_times = filter.overlaps.is_none_or(|span| {
            times.is_some_and(|(earliest, latest)| span.overlaps(earliest, latest))
        });
        has_type && has_status && has_tags && has_prefix && has_times
    }

    /// The active artifacts of a key come first, each part newest first, whatever the pages.
    async fn check_find(&self, store: &dyn ArtifactStorePort, position: usize) {
        let scope = &self.artifacts[position].scope;
        let (artifact_type, key) = (&scope.artifact_type, &scope.logical_key);
        let found = by_pages(async |page| {
            let page = store.find_by_logical_key(artifact_type, key, &page).await;
            page.unwrap()
        })
        .await;
        let is_active = |one: &Artifact| one.status == ArtifactStatus::Active;
        let (active, others) = found.split_at(found.partition_point(is_active));
        assert!(!others.iter().any(is_active), "active artifacts come first");
        assert!(is_newest_first(active) && is_newest_first(others), "{key}");
        let mut positions: Vec<_> = found.iter().map(|found| self.position_of(found)).collect();
        positions.sort_unstable();
        let wanted = (0..self.len()).filter(|position| {
            let other = &self.artifacts[*position].scope;
            other.artifact_type == *artifact_type && other.logical_key == *key
        });
        assert_eq!(positions, wanted.collect::<Vec<_>>(), "{scope:?}");
    }

    async fn check_bytes(&self, store: &dyn ArtifactStorePort, position: usize) {
        let artifact = &self.artifacts[position];
        let id = artifact.id.expect("a known id");
        let whole = read(store, id, None).await;
        let name = format!("artifact {position}");
        match &artifact.content {
            Content::Given(bytes, _) => assert_eq!(whole, *bytes, "{name}"),
            Content::Written(told) => {
                let found = (whole.len() as u64, Digest::of(&whole));
                assert_eq!(Some(found), *told, "{name}");
            }
        }
        if !whole.is_empty() {
            let middle = whole.len() / 2;
            let range = ByteRange {
                offset: middle as u64,
                length: Some(1),
            };
            let part = read(store, id, Some(range)).await;
            assert_eq!(part, whole[middle..=middle], "{name}");
        }
    }
}

async fn by_pages(mut ask: impl AsyncFnMut(PageRequest) -> Page<Artifact>) -> Vec<Artifact> {
    let mut found = Vec::new();
    let mut request = PageRequest::first(PAGE).expect("a page size in range");
    loop {
        let page = ask(request.clone()).await;
        assert!(page.items.len() <= PAGE as usize);
        found.extend(page.items);
        let Some(next) = page.next else { break };
        request = request.after(next);
    }
    found
}

fn is_newest_first(listed: &[Artifact]) -> bool {
    listed.is_sorted_by(|a, b| (a.created_at, a.id) > (b.created_at, b.id))
}

async fn read(store: &dyn ArtifactStorePort, id: ArtifactId, range: Option<ByteRange>) -> Vec<u8> {
    let mut reader = store.open(id, range).await.unwrap();
    let mut whole = Vec::new();
    while let Some(piece) = reader.bytes.next().await {
        whole.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(reader.length, whole.len() as u64);
    whole
}
