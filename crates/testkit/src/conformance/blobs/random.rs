use std::fs::{File, FileTimes, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{RandomRead, StagedFile};
use artstore_core::{ErrorKind, Result};
use bytes::Bytes;

use super::{
    OpenStore, SIZES, StoreHarness, blocking, quiet, source_file, stage, stage_adopted,
    write_staged,
};
use crate::conformance::{Capability, expect_kind};
use crate::samples::{content, staging_id};

async fn read_at(reader: &Arc<dyn RandomRead>, position: u64, length: usize) -> Result<Vec<u8>> {
    let reader = Arc::clone(reader);
    blocking(move || {
        let mut buffer = vec![0xa5; length];
        reader.read_exact_at(position, &mut buffer)?;
        Ok(buffer)
    })
    .await
}

async fn check_unchanged(reader: &Arc<dyn RandomRead>) -> Result<()> {
    let reader = Arc::clone(reader);
    blocking(move || reader.check_unchanged()).await
}

async fn open(store: &OpenStore, source: ArtifactSource) -> Arc<dyn RandomRead> {
    store.blobs.open_source(&source).await.unwrap()
}

/// Reads here and there, from the end to the beginning, and behind the end.
async fn check_reader(reader: &Arc<dyn RandomRead>, expected: &[u8]) {
    let size = expected.len();
    assert_eq!(reader.size(), size as u64);
    let positions = [size, size.saturating_sub(1), size / 2, size / 3, 1, 0];
    for position in positions.into_iter().filter(|position| *position <= size) {
        for length in [0, 1, 17, 70_000, size] {
            let length = length.min(size - position);
            let found = read_at(reader, position as u64, length).await.unwrap();
            assert!(
                found == expected[position..position + length],
                "{length} bytes at {position} of {size}"
            );
        }
        let beyond = size - position + 1;
        let result = read_at(reader, position as u64, beyond).await;
        expect_kind(result, ErrorKind::Conflict);
    }
    for position in [size as u64 + 1, i64::MAX as u64, u64::MAX] {
        expect_kind(read_at(reader, position, 1).await, ErrorKind::Conflict);
    }
    check_unchanged(reader).await.unwrap();
    assert_eq!(reader.size(), size as u64);
}

/// Bytes, files and files to be adopted are read exactly, at any position and in any order; a read that goes beyond the
/// end is a conflict.
pub async fn sources_are_read_at_any_position(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for size in SIZES {
        let bytes = content(size);
        let file = source_file(harness, &format!("read-{size}"), &bytes);
        let mut sources = vec![
            ArtifactSource::Bytes(bytes.clone()),
            ArtifactSource::File(file.clone()),
        ];
        if harness.capabilities().adoption == Capability::Present {
            sources.push(ArtifactSource::AdoptFile(file.clone()));
        }
        for source in sources {
            check_reader(&open(&store, source).await, &bytes).await;
        }
        assert!(
            std::fs::read(&file).unwrap() == bytes,
            "reading changes nothing"
        );
    }
}

/// Many tasks read one opened source at once.
pub async fn an_opened_source_is_read_by_many_at_once(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let bytes = content(300_000);
    let file = source_file(harness, "shared", &bytes);
    let reader = open(&store, ArtifactSource::File(file)).await;
    let tasks = (0..8_usize).map(|task| {
        let (reader, bytes) = (Arc::clone(&reader), bytes.clone());
        tokio::spawn(async move {
            for turn in 0..50 {
                let position = (task * 31 + turn * 4099) % 290_000;
                let found = read_at(&reader, position as u64, 10_000).await.unwrap();
                assert!(found == bytes[position..position + 10_000]);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a reader succeeds");
    }
}

/// Opening what is not there is not found, and what is no regular file invalid.
pub async fn only_regular_files_are_opened(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let missing = harness.sources().join("missing");
    let directory = harness.sources().join("directory");
    std::fs::create_dir(&directory).unwrap();
    let below_a_file = source_file(harness, "file", b"x").join("below");
    for (path, kinds) in [
        (missing, &[ErrorKind::NotFound][..]),
        (directory, &[ErrorKind::Invalid]),
        (PathBuf::from("/dev/null"), &[ErrorKind::Invalid]),
        (below_a_file, &[ErrorKind::NotFound, ErrorKind::Unavailable]),
    ] {
        let source = ArtifactSource::File(path.clone());
        let error = store.blobs.open_source(&source).await.unwrap_err();
        assert!(kinds.contains(&error.kind()), "{}: {error}", path.display());
    }
}

/// A new file that was last written long ago, so that writing to it shows.
fn old_file(harness: &dyn StoreHarness, name: &str, content: &[u8]) -> PathBuf {
    let path = source_file(harness, name, content);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_times(FileTimes::new().set_modified(long_ago))
        .unwrap();
    path
}

fn append(path: &Path) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"more").unwrap();
}

fn shorten(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(1000).unwrap();
}

fn overwrite(path: &Path) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(b"other bytes").unwrap();
}

fn remove(path: &Path) {
    std::fs::remove_file(path).unwrap();
}

/// Another file with the same bytes takes the name.
fn replace(path: &Path) {
    let copy = path.with_extension("copy");
    std::fs::copy(path, &copy).unwrap();
    let file = File::options().write(true).open(&copy).unwrap();
    let modified = std::fs::metadata(path).unwrap().modified().unwrap();
    file.set_times(FileTimes::new().set_modified(modified))
        .unwrap();
    std::fs::rename(copy, path).unwrap();
}

/// A way in which a file changes, with its name.
type Change = (&'static str, fn(&Path));

/// The ways in which a file changes.
const CHANGES: [Change; 5] = [
    ("append", append),
    ("shorten", shorten),
    ("overwrite", overwrite),
    ("remove", remove),
    ("replace", replace),
];

/// Whatever happens to a source after it was opened is noticed: longer, shorter, other bytes, gone, another file.
pub async fn a_source_changed_after_opening_is_noticed(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for (name, change) in CHANGES {
        let file = old_file(harness, name, &content(5000));
        let reader = open(&store, ArtifactSource::File(file.clone())).await;
        let again = open(&store, ArtifactSource::File(file.clone())).await;
        read_at(&reader, 0, 5000).await.unwrap();
        check_unchanged(&reader).await.unwrap();
        change(&file);
        for reader in [&reader, &again] {
            assert_eq!(reader.size(), 5000, "the size is that of the opening");
            let result = check_unchanged(reader).await;
            assert_eq!(
                result.expect_err(name).kind(),
                ErrorKind::Conflict,
                "{name}"
            );
        }
    }
}

/// A source that became shorter gives no bytes that are not there: reading them is a conflict.
pub async fn bytes_that_are_gone_are_a_conflict(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let file = old_file(harness, "shortened", &content(5000));
    let reader = open(&store, ArtifactSource::File(file.clone())).await;
    shorten(&file);
    for (position, length) in [(0, 5000), (999, 2), (1000, 1), (4999, 1)] {
        let result = read_at(&reader, position, length).await;
        expect_kind(result, ErrorKind::Conflict);
    }
}

/// Everything that is staged is read exactly at any position: bytes, a copy, a document, what was written on the way and
/// what is to be adopted.
pub async fn staged_files_are_read_at_any_position(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for (round, size) in (0_u64..).zip(SIZES) {
        let bytes = content(size);
        let number = 10 * round;
        let copied = source_file(harness, &format!("copied-{size}"), &bytes);
        let source = ArtifactSource::File(copied.clone());
        let copy = store.blobs.stage(staging_id(number), &source, quiet());
        let copy = copy.await.unwrap().file;
        // The copy is what counts.
        std::fs::write(&copied, b"changed").unwrap();
        let document = store
            .blobs
            .stage_document(staging_id(number + 1), bytes.clone());
        let mut staged = vec![
            copy,
            document.await.unwrap(),
            stage(&store, number + 2, bytes.clone()).await,
            write_staged(&store, number + 3, vec![bytes.clone()])
                .await
                .unwrap()
                .file,
        ];
        if harness.capabilities().adoption == Capability::Present {
            let adopted = source_file(harness, &format!("adopted-{size}"), &bytes);
            staged.push(stage_adopted(&store, number + 4, &adopted).await);
        }
        for file in &staged {
            let reader = store.blobs.open_staged(file).await.unwrap();
            check_reader(&reader, &bytes).await;
        }
        store.blobs.discard(staged).await;
    }
}

/// A staged file that was discarded is not found, nor one to be adopted that is gone.
pub async fn staged_files_that_are_gone_are_not_found(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let staged = stage(&store, 1, "gone").await;
    store.blobs.discard(vec![staged.clone()]).await;
    expect_kind(store.blobs.open_staged(&staged).await, ErrorKind::NotFound);
    if harness.capabilities().adoption == Capability::Present {
        let source = source_file(harness, "adopted", b"gone");
        let adopted = stage_adopted(&store, 2, &source).await;
        remove(&source);
        expect_kind(store.blobs.open_staged(&adopted).await, ErrorKind::NotFound);
    }
}

/// A file to be adopted that is changed after it was opened is noticed as any source is.
pub async fn an_adopted_file_changed_after_opening_is_noticed(harness: &dyn StoreHarness) {
    if harness.capabilities().adoption == Capability::Lacking {
        return;
    }
    let store = harness.open().await;
    for (number, (name, change)) in (1..).zip(CHANGES) {
        let file = old_file(harness, name, &content(5000));
        let staged: StagedFile = stage_adopted(&store, number, &file).await;
        let reader = store.blobs.open_staged(&staged).await.unwrap();
        check_unchanged(&reader).await.unwrap();
        change(&file);
        let result = check_unchanged(&reader).await;
        assert_eq!(
            result.expect_err(name).kind(),
            ErrorKind::Conflict,
            "{name}"
        );
    }
}

/// Bytes that were handed over are what they are, whatever else is opened.
pub async fn opened_bytes_never_change(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let bytes = Bytes::from_static(b"a,b\n1,2\n");
    let reader = open(&store, ArtifactSource::Bytes(bytes.clone())).await;
    let other = open(&store, ArtifactSource::Bytes(content(8))).await;
    drop(other);
    assert_eq!(read_at(&reader, 0, 8).await.unwrap(), bytes);
    check_unchanged(&reader).await.unwrap();
}
