use std::collections::BTreeMap;

use artstore_core::ErrorKind;
use artstore_core::format::document::MAX_DOCUMENT_BYTES;

use super::{SIZES, StoreHarness, list, publish_bytes, read};
use crate::conformance::{brought_about, expect_kind};
use crate::samples::{content, path};

/// What does not exist is `None`, whether the directories above it exist or not.
pub async fn missing_files_are_none(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    publish_bytes(&store, 1, &path("artifacts/t/there"), "x").await;
    for missing in ["nothing", "artifacts/nothing", "a/b/c/d"] {
        let missing = path(missing);
        assert!(
            store.blobs.open(&missing).await.unwrap().is_none(),
            "{missing}"
        );
        assert_eq!(store.blobs.size(&missing).await.unwrap(), None);
        assert_eq!(store.blobs.read_document(&missing).await.unwrap(), None);
    }
}

/// A published file is read whole, in pieces of at most 1 MiB, with its size.
pub async fn files_are_read_in_pieces(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for (number, size) in (1..).zip(SIZES) {
        let name = path(&format!("artifacts/t/{size}"));
        publish_bytes(&store, number, &name, content(size)).await;
        assert_eq!(store.blobs.size(&name).await.unwrap(), Some(size as u64));
        assert_eq!(read(&store, &name).await.unwrap(), content(size));
    }
}

/// A document is read up to the greatest size of documents and is corrupt beyond.
pub async fn documents_have_a_greatest_size(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let limit = usize::try_from(MAX_DOCUMENT_BYTES).unwrap();
    let (largest, beyond) = (path("documents/largest"), path("documents/beyond"));
    publish_bytes(&store, 1, &largest, content(limit)).await;
    publish_bytes(&store, 2, &beyond, content(limit + 1)).await;
    let document = store.blobs.read_document(&largest).await.unwrap();
    assert!(document.is_some_and(|document| document == content(limit)));
    expect_kind(store.blobs.read_document(&beyond).await, ErrorKind::Corrupt);
    assert_eq!(
        store.blobs.size(&beyond).await.unwrap(),
        Some(MAX_DOCUMENT_BYTES + 1)
    );
}

/// A directory where a file should be is corrupt.
pub async fn directories_are_not_files(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    publish_bytes(&store, 1, &path("artifacts/t/x"), "x").await;
    let directory = path("artifacts/t");
    expect_kind(store.blobs.open(&directory).await, ErrorKind::Corrupt);
    expect_kind(store.blobs.size(&directory).await, ErrorKind::Corrupt);
    expect_kind(
        store.blobs.read_document(&directory).await,
        ErrorKind::Corrupt,
    );
}

/// A symbolic link inside the store is corrupt, as the file asked for and as a directory above it, and lists pass it over.
pub async fn links_are_not_followed(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let outside = harness.sources().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"secret").unwrap();
    publish_bytes(&store, 1, &path("artifacts/t/x"), "x").await;
    let declared = harness.capabilities().links;
    let (to_file, secret) = (path("artifacts/t/file"), outside.join("secret"));
    if !brought_about(declared, harness.place_link(&to_file, &secret).await) {
        return;
    }
    harness
        .place_link(&path("artifacts/t/directory"), &outside)
        .await
        .unwrap();
    harness
        .place_link(&path("artifacts/t/dangling"), &outside.join("none"))
        .await
        .unwrap();
    for name in [
        "file",
        "directory",
        "dangling",
        "directory/secret",
        "directory/none",
    ] {
        let name = path(&format!("artifacts/t/{name}"));
        expect_kind(store.blobs.open(&name).await, ErrorKind::Corrupt);
        expect_kind(store.blobs.size(&name).await, ErrorKind::Corrupt);
        expect_kind(store.blobs.read_document(&name).await, ErrorKind::Corrupt);
    }
    let expected = BTreeMap::from([("artifacts/t/x".to_owned(), 1)]);
    assert_eq!(list(&store, "artifacts").await, expected);
}

/// A list holds every file below a directory with its size, a directory at a time, and nothing beside it.
pub async fn lists_hold_all_files_below(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let names = ["a/1", "a/2", "a/b/3", "a/b/c/4", "a/d/5", "ab/6", "b/7"];
    for (number, name) in (1..).zip(names) {
        let size = usize::try_from(number).unwrap();
        publish_bytes(
            &store,
            number,
            &path(&format!("artifacts/{name}")),
            content(size),
        )
        .await;
    }
    let expected = |wanted: &[&str]| -> BTreeMap<String, u64> {
        let numbered = (1_u64..)
            .zip(names)
            .filter(|(_, name)| wanted.contains(name));
        numbered
            .map(|(size, name)| (format!("artifacts/{name}"), size))
            .collect()
    };
    assert_eq!(list(&store, "artifacts").await, expected(&names));
    assert_eq!(list(&store, "artifacts/a").await, expected(&names[..5]));
    assert_eq!(list(&store, "artifacts/a/b").await, expected(&names[2..4]));
    assert_eq!(
        list(&store, "artifacts/a/b/c").await,
        expected(&names[3..4])
    );
}

/// A directory that does not exist lists nothing.
pub async fn missing_directories_list_nothing(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for directory in ["artifacts", "no/such/directory"] {
        assert_eq!(list(&store, directory).await, BTreeMap::new());
    }
}

/// The local path of a published file, where there is one, leads to its bytes.
pub async fn local_paths_lead_to_the_bytes(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let name = path("artifacts/t/x");
    publish_bytes(&store, 1, &name, "local").await;
    if let Some(local) = store.blobs.local_path(&name) {
        assert_eq!(std::fs::read(local).unwrap(), b"local");
    }
}
