use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use artstore_core::ErrorKind;
use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{Progress, StagedLocation, StagedSource};
use artstore_core::digest::Digest;
use artstore_core::layout::STAGING;
use bytes::Bytes;

use super::{
    OpenStore, SIZES, StoreHarness, list, publish_bytes, publish_files, quiet, read, source_file,
    stage, stage_adopted, staging_after_one_use,
};
use crate::conformance::{Capability, expect_kind};
use crate::samples::{content, path, staging_id};

/// Staging tells the size and hash of bytes, copied files and adopted files of every size; so do the calls that only look.
pub async fn staging_tells_size_and_hash(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for (number, size) in (0_u64..).zip(SIZES) {
        let bytes = content(size);
        let file = source_file(harness, &format!("copied-{size}"), &bytes);
        let mut sources = vec![
            ArtifactSource::Bytes(bytes.clone()),
            ArtifactSource::File(file),
        ];
        if harness.capabilities().adoption == Capability::Present {
            let adopted = source_file(harness, &format!("adopted-{size}"), &bytes);
            sources.push(ArtifactSource::AdoptFile(adopted));
        }
        for (kind, source) in (0_u64..).zip(&sources) {
            assert_eq!(store.blobs.source_size(source).await.unwrap(), size as u64);
            let facts = store.blobs.hash_source(source, quiet()).await.unwrap();
            assert_eq!(
                (facts.size_bytes, facts.digest),
                (size as u64, Digest::of(&bytes))
            );
            let id = staging_id(100 * number + kind);
            let staged: StagedSource = store.blobs.stage(id, source, quiet()).await.unwrap();
            assert_eq!((staged.facts, staged.file.id), (facts, id));
        }
    }
}

/// A staged document is published with its bytes.
pub async fn documents_are_staged(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let document = Bytes::from_static(b"{\"name\": \"x\"}\n");
    let staged = store
        .blobs
        .stage_document(staging_id(1), document.clone())
        .await
        .unwrap();
    assert_eq!(staged.id, staging_id(1));
    let name = path("artifacts/x/record.json");
    publish_files(&store, 1, vec![(staged, name.clone())])
        .await
        .unwrap();
    assert_eq!(
        store.blobs.read_document(&name).await.unwrap(),
        Some(document)
    );
}

/// A copied source stays where it is; what is staged lies in staging and has no other name.
pub async fn staged_files_have_no_final_name(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let file = source_file(harness, "source", b"abc");
    let source = ArtifactSource::File(file.clone());
    let staged = store
        .blobs
        .stage(staging_id(1), &source, quiet())
        .await
        .unwrap();
    let StagedLocation::Staging(place) = staged.file.location else {
        panic!("a copied source is staged in the store");
    };
    assert!(place.starts_with(&path(STAGING)), "{place}");
    assert_eq!(store.blobs.size(&place).await.unwrap(), Some(3));
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");
    assert_eq!(list(&store, "artifacts").await, BTreeMap::new());
}

/// A source that is not there is not found, whatever is asked of it.
pub async fn missing_sources_are_not_found(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let missing = harness.sources().join("missing");
    refuses_source(
        &store,
        ArtifactSource::File(missing.clone()),
        ErrorKind::NotFound,
    )
    .await;
    if harness.capabilities().adoption == Capability::Present {
        refuses_source(
            &store,
            ArtifactSource::AdoptFile(missing),
            ErrorKind::NotFound,
        )
        .await;
    }
}

/// A source that is a directory is invalid.
pub async fn directories_are_no_sources(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let directory = harness.sources().join("directory");
    std::fs::create_dir(&directory).unwrap();
    refuses_source(
        &store,
        ArtifactSource::File(directory.clone()),
        ErrorKind::Invalid,
    )
    .await;
    if harness.capabilities().adoption == Capability::Present {
        refuses_source(
            &store,
            ArtifactSource::AdoptFile(directory),
            ErrorKind::Invalid,
        )
        .await;
    }
}

async fn refuses_source(store: &OpenStore, source: ArtifactSource, kind: ErrorKind) {
    expect_kind(store.blobs.source_size(&source).await, kind);
    expect_kind(store.blobs.hash_source(&source, quiet()).await, kind);
    expect_kind(
        store.blobs.stage(staging_id(9), &source, quiet()).await,
        kind,
    );
}

/// Changes a file as soon as somebody begins to read it.
#[derive(Debug)]
struct Meddler {
    file: PathBuf,
    has_meddled: AtomicBool,
}

impl Progress for Meddler {
    fn report(&self, _activity: &'static str, _done: u64, _total: Option<u64>) {
        if !self.has_meddled.swap(true, Ordering::SeqCst) {
            let file = std::fs::OpenOptions::new().append(true).open(&self.file);
            file.unwrap().write_all(b"more").unwrap();
        }
    }
}

/// A source that changes while it is read is a conflict, and nothing is staged. Reading reports its progress.
pub async fn a_changing_source_is_a_conflict(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let is_adopting = harness.capabilities().adoption == Capability::Present;
    for (name, adopt) in [("copied", false), ("adopted", is_adopting)] {
        let file = source_file(harness, name, &content(3 * 1024 * 1024));
        let source = match adopt {
            true => ArtifactSource::AdoptFile(file.clone()),
            false => ArtifactSource::File(file.clone()),
        };
        let meddler = Arc::new(Meddler {
            file,
            has_meddled: AtomicBool::new(false),
        });
        let progress = Arc::clone(&meddler) as Arc<dyn Progress>;
        let result = store.blobs.stage(staging_id(1), &source, progress).await;
        assert!(
            meddler.has_meddled.load(Ordering::SeqCst),
            "progress is reported"
        );
        expect_kind(result, ErrorKind::Conflict);
    }
    assert_eq!(list(&store, STAGING).await, settled);
}

/// Staging that fails, and hashing, leave nothing behind.
pub async fn failing_and_looking_leave_nothing_behind(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let missing = ArtifactSource::File(harness.sources().join("missing"));
    let directory = ArtifactSource::File(harness.sources().to_owned());
    for source in [missing, directory] {
        store
            .blobs
            .stage(staging_id(1), &source, quiet())
            .await
            .unwrap_err();
    }
    let file = ArtifactSource::File(source_file(harness, "hashed", &content(5000)));
    store.blobs.hash_source(&file, quiet()).await.unwrap();
    store.blobs.source_size(&file).await.unwrap();
    store.blobs.open_source(&file).await.unwrap();
    assert_eq!(list(&store, STAGING).await, settled);
}

/// Discarding removes staged files and documents; doing it again is no error.
pub async fn discarding_removes_staged_files(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let file = stage(&store, 1, content(5000)).await;
    let document = store
        .blobs
        .stage_document(staging_id(2), Bytes::from_static(b"{}"));
    let both = vec![file, document.await.unwrap()];
    assert_eq!(list(&store, STAGING).await.len(), settled.len() + 2);
    store.blobs.discard(both.clone()).await;
    assert_eq!(list(&store, STAGING).await, settled);
    store.blobs.discard(both).await;
}

/// A file to be adopted stays in its place, unchanged, when it is staged and when it is discarded. A store that cannot
/// adopt refuses it.
pub async fn a_file_to_be_adopted_stays_in_its_place(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let file = source_file(harness, "adopted", b"abc");
    let source = ArtifactSource::AdoptFile(file.clone());
    let staged = store.blobs.stage(staging_id(1), &source, quiet()).await;
    if harness.capabilities().adoption == Capability::Lacking {
        return expect_kind(staged, ErrorKind::Unsupported);
    }
    let staged = staged.unwrap();
    assert_eq!(staged.file.location, StagedLocation::Source(file.clone()));
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");
    store.blobs.discard(vec![staged.file]).await;
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");
}

/// Closing leaves what is staged as it is, and a closed store goes on working.
pub async fn a_closed_store_works_again(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    store.blobs.close().await;
    let staged = stage(&store, 1, "first").await;
    store.blobs.close().await;
    let name = path("artifacts/t/first.bin");
    publish_files(&store, 1, vec![(staged, name.clone())])
        .await
        .unwrap();
    store.blobs.close().await;
    assert_eq!(read(&store, &name).await.unwrap(), b"first");
    publish_bytes(&store, 2, &path("artifacts/t/second.bin"), "second").await;
}

/// A published file that was adopted is no longer at its former place.
pub async fn an_adopted_file_moves_when_it_is_published(harness: &dyn StoreHarness) {
    if harness.capabilities().adoption == Capability::Lacking {
        return;
    }
    let store = harness.open().await;
    let file = source_file(harness, "adopted", &content(70_000));
    let staged = stage_adopted(&store, 1, &file).await;
    let name = path("artifacts/t/adopted.bin");
    let record = stage(&store, 2, "record").await;
    let files = vec![
        (staged, name.clone()),
        (record, path("artifacts/t/record.json")),
    ];
    publish_files(&store, 1, files).await.unwrap();
    assert!(!file.exists());
    assert_eq!(read(&store, &name).await.unwrap(), content(70_000));
}

/// A file with other hard links, and one that lies inside the store, are not adopted and stay as they are.
pub async fn files_with_other_names_are_not_adopted(harness: &dyn StoreHarness) {
    if harness.capabilities().adoption == Capability::Lacking {
        return;
    }
    let store = harness.open().await;
    let file = source_file(harness, "linked", b"abc");
    std::fs::hard_link(&file, harness.sources().join("other name")).unwrap();
    let source = ArtifactSource::AdoptFile(file.clone());
    expect_kind(
        store.blobs.stage(staging_id(1), &source, quiet()).await,
        ErrorKind::Invalid,
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");

    let name = path("artifacts/t/inside.bin");
    publish_bytes(&store, 2, &name, "inside").await;
    if let Some(inside) = store.blobs.local_path(&name) {
        let source = ArtifactSource::AdoptFile(inside);
        expect_kind(
            store.blobs.stage(staging_id(3), &source, quiet()).await,
            ErrorKind::Invalid,
        );
        assert_eq!(read(&store, &name).await.unwrap(), b"inside");
    }
}

/// Many files are staged at once without disturbing each other.
pub async fn many_files_are_staged_at_once(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let tasks = (0..32_u64).map(|number| {
        let store = store.clone();
        let size = 1000 + usize::try_from(number).unwrap();
        tokio::spawn(async move { stage(&store, number, content(size)).await })
    });
    let tasks: Vec<_> = tasks.collect();
    for (number, task) in (0..32_u64).zip(tasks) {
        let staged = task.await.unwrap();
        let name = path(&format!("artifacts/t/{number}"));
        publish_files(&store, number, vec![(staged, name.clone())])
            .await
            .unwrap();
        let size = 1000 + usize::try_from(number).unwrap();
        assert_eq!(read(&store, &name).await.unwrap(), content(size));
    }
}
