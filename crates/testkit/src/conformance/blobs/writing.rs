use artstore_core::backend::{StagedLocation, StagedSource};
use artstore_core::digest::Digest;
use artstore_core::layout::STAGING;
use bytes::Bytes;

use super::{
    SIZES, StoreHarness, blocking, list, publish_files, read, stage, staging_after_one_use,
    write_staged,
};
use crate::samples::{content, path, permit, staging_id};

/// `content` in pieces of up to `length` bytes, with an empty one before each.
fn pieces(content: &Bytes, length: usize) -> Vec<Bytes> {
    let pieces = content.chunks(length).map(Bytes::copy_from_slice);
    pieces.flat_map(|piece| [Bytes::new(), piece]).collect()
}

/// What was written piece by piece is staged with its size and hash, under the id given, in staging, and can be published.
pub async fn written_bytes_are_staged_with_their_facts(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let mut number = 0;
    for size in SIZES {
        for length in [1000, 64 * 1024, 4 * 1024 * 1024] {
            number += 1;
            let bytes = content(size);
            let staged = write_staged(&store, number, pieces(&bytes, length)).await;
            let StagedSource { file, facts } = staged.unwrap();
            assert_eq!(
                (facts.size_bytes, facts.digest),
                (size as u64, Digest::of(&bytes))
            );
            assert_eq!(file.id, staging_id(number));
            let StagedLocation::Staging(place) = &file.location else {
                panic!("what is written is staged in the store");
            };
            assert!(place.starts_with(&path(STAGING)), "{place}");
            assert_eq!(store.blobs.size(place).await.unwrap(), Some(size as u64));
            let name = path(&format!("artifacts/t/{number}"));
            publish_files(&store, number, vec![(file, name.clone())])
                .await
                .unwrap();
            assert!(read(&store, &name).await.unwrap() == bytes, "{size}");
        }
    }
}

/// A writer that is dropped unfinished leaves nothing, however much was written.
pub async fn an_unfinished_writer_leaves_nothing(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    for (number, size) in (1..).zip(SIZES) {
        let mut writer = store.blobs.begin_staging(staging_id(number)).await.unwrap();
        blocking(move || {
            writer.write_all(&content(size))?;
            drop(writer);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(list(&store, STAGING).await, settled, "{size} bytes");
    }
    let unused = store.blobs.begin_staging(staging_id(100)).await.unwrap();
    blocking(move || {
        drop(unused);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(list(&store, STAGING).await, settled);
}

/// What was written and finished can be discarded.
pub async fn written_files_can_be_discarded(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let staged = write_staged(&store, 1, vec![content(5000)]).await.unwrap();
    assert_eq!(list(&store, STAGING).await.len(), settled.len() + 1);
    store.blobs.discard(vec![staged.file]).await;
    assert_eq!(list(&store, STAGING).await, settled);
}

/// Many writers, staged bytes and documents at once do not mix, also inside one item of a publication.
pub async fn writers_bytes_and_documents_do_not_mix(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let mut writers = Vec::new();
    for number in 0..8_u64 {
        let id = staging_id(10 * number);
        writers.push((number, store.blobs.begin_staging(id).await.unwrap()));
    }
    let tasks = writers.into_iter().map(|(number, mut writer)| {
        let store = store.clone();
        tokio::spawn(async move {
            let written = blocking(move || {
                for turn in 0..50 {
                    writer.write_all(format!("{number}:{turn};").as_bytes())?;
                }
                writer.finish()
            });
            let document = Bytes::from(format!("document {number}"));
            let document = store
                .blobs
                .stage_document(staging_id(10 * number + 1), document);
            let bytes = stage(&store, 10 * number + 2, format!("bytes {number}"));
            let (written, document, bytes) = tokio::join!(written, document, bytes);
            let name = |part: &str| path(&format!("artifacts/{number}/{part}"));
            let files = vec![
                (written.unwrap().file, name("written")),
                (bytes, name("bytes")),
                (document.unwrap(), name("document")),
            ];
            publish_files(&store, number, files).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a task succeeds");
    }
    for number in 0..8_u64 {
        let written = (0..50).map(|turn| format!("{number}:{turn};"));
        for (part, expected) in [
            ("written", written.collect()),
            ("bytes", format!("bytes {number}")),
            ("document", format!("document {number}")),
        ] {
            let found = read(&store, &path(&format!("artifacts/{number}/{part}"))).await;
            assert_eq!(found, Some(expected.into_bytes()), "{part} of {number}");
        }
    }
}

/// Neither sweeping nor closing the store takes a file away that is being written.
pub async fn a_file_that_is_being_written_is_left_alone(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let mut writer = store.blobs.begin_staging(staging_id(1)).await.unwrap();
    let mut writer = blocking(move || {
        writer.write_all(b"before, ")?;
        Ok(writer)
    })
    .await
    .unwrap();
    store.blobs.close().await;
    for instance in [&store, &harness.open().await] {
        let report = instance.log.sweep_staging(&permit()).await.unwrap();
        assert_eq!(report.removed, 0);
        assert!(report.living_owners >= 1);
    }
    let staged = blocking(move || {
        writer.write_all(b"after")?;
        writer.finish()
    });
    let name = path("artifacts/t/whole");
    publish_files(&store, 1, vec![(staged.await.unwrap().file, name.clone())])
        .await
        .unwrap();
    assert_eq!(read(&store, &name).await.unwrap(), b"before, after");
}
