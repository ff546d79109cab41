//! What is particular to journals: torn lines, damaged ones, files that are written over.

#![expect(clippy::unwrap_used, reason = "a test asserts")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::task::Poll;

use artstore_core::backend::{ArtifactCatalog as _, ArtifactChange, ArtifactCommit, blocking};
use artstore_core::{ErrorKind, Result};
use artstore_example_journal_catalog::JournalArtifactCatalog;
use artstore_testkit::samples::{artifact, empty_head, permit, watched_permit};
use futures_util::stream;

/// A journal with three lines after the first: one artifact each.
struct Trial {
    directory: tempfile::TempDir,
    catalog: JournalArtifactCatalog,
}

impl Trial {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let catalog = JournalArtifactCatalog::new(directory.path().join("journal"));
        let nothing = Box::pin(stream::empty());
        let rebuilt = catalog.rebuild(&permit(), empty_head(), nothing).await;
        assert_eq!(rebuilt.unwrap(), None);
        let trial = Self { directory, catalog };
        for number in 1..=3 {
            assert_eq!(put(&trial.catalog, number).await.unwrap(), number);
        }
        trial
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("journal")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn append(&self, bytes: &[u8]) {
        let mut file = OpenOptions::new().append(true).open(self.path()).unwrap();
        file.write_all(bytes).unwrap();
    }

    /// Another instance, as another process would have.
    fn another(&self) -> JournalArtifactCatalog {
        JournalArtifactCatalog::new(self.path())
    }
}

async fn put(catalog: &JournalArtifactCatalog, number: u64) -> Result<u64> {
    let changes = vec![ArtifactChange::Put(Box::new(artifact(number)))];
    catalog.apply(&permit(), ArtifactCommit { changes }).await
}

async fn active(catalog: &JournalArtifactCatalog) -> u64 {
    catalog.counts().await.unwrap().active
}

#[tokio::test]
async fn every_length_of_a_torn_line_is_ignored_and_written_over() {
    let trial = Trial::new().await;
    let whole = trial.bytes();
    let last_line = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    for length in (last_line..whole.len()).step_by(7) {
        fs::write(trial.path(), &whole[..length]).unwrap();
        let other = trial.another();
        assert_eq!(active(&other).await, 2, "{length} bytes");
        assert_eq!(other.head().await.unwrap().commits, 2);
        assert_eq!(put(&other, 3).await.unwrap(), 3);
        assert_eq!(trial.bytes(), whole, "the same commit is the same line");
        assert_eq!(active(&trial.another()).await, 3);
    }
}

#[tokio::test]
async fn a_torn_line_that_has_an_end_is_ignored_too() {
    let trial = Trial::new().await;
    let whole = trial.bytes();
    // As after a power loss that kept the length of the file, but not all of its pages.
    trial.append(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\"}\n");
    for catalog in [&trial.catalog, &trial.another()] {
        assert_eq!(active(catalog).await, 3);
        assert_eq!((active(catalog).await, catalog.epoch()), (3, 0));
    }
    assert_eq!(put(&trial.another(), 4).await.unwrap(), 4);
    assert_eq!(active(&trial.catalog).await, 4);
    assert!(trial.bytes().starts_with(&whole));
    assert!(!trial.bytes().contains(&0));
}

#[tokio::test]
async fn nothing_is_left_of_a_torn_line_that_is_longer_than_the_next() {
    let trial = Trial::new().await;
    let other = Trial::new().await;
    put(&other.catalog, 4).await.unwrap();
    trial.append("x".repeat(100_000).as_bytes());
    assert_eq!(put(&trial.another(), 4).await.unwrap(), 4);
    assert_eq!(trial.bytes(), other.bytes());
}

#[tokio::test]
async fn a_line_that_is_being_written_is_not_read_yet() {
    let trial = Trial::new().await;
    let other = Trial::new().await;
    put(&other.catalog, 4).await.unwrap();
    let line = other.bytes().split_off(trial.bytes().len());
    let (first, second) = line.split_at(line.len() / 2);
    trial.append(first);
    assert_eq!(active(&trial.catalog).await, 3);
    trial.append(second);
    assert_eq!(active(&trial.catalog).await, 4);
    assert_eq!(trial.catalog.epoch(), 0);
}

#[tokio::test]
async fn a_damaged_line_is_found_wherever_it_is() {
    let trial = Trial::new().await;
    let whole = trial.bytes();
    let second_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for position in [10, second_line + 3, second_line + 80] {
        let mut damaged = whole.clone();
        damaged[position] ^= 1;
        fs::write(trial.path(), damaged).unwrap();
        let error = trial.another().head().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {position}: {error}");
    }
    // A line that is lost is found by the one behind it.
    let third_line = second_line
        + whole[second_line..]
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap()
        + 1;
    let without_second = [&whole[..second_line], &whole[third_line..]].concat();
    fs::write(trial.path(), without_second).unwrap();
    let error = trial.another().head().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_file_that_is_written_over_is_read_anew() {
    let trial = Trial::new().await;
    let shorter = trial.bytes();
    put(&trial.catalog, 4).await.unwrap();
    // The same file under the same name, but shorter, as after `cp backup journal`.
    fs::write(trial.path(), &shorter).unwrap();
    assert_eq!(active(&trial.catalog).await, 3);
    assert_eq!(trial.catalog.epoch(), 1);

    let other = Trial::new().await;
    let rest = "x".repeat(20_000);
    let longer = format!(
        "{}{rest}\n{rest}\n",
        String::from_utf8(other.bytes()).unwrap()
    );
    fs::write(trial.path(), longer).unwrap();
    let error = trial.catalog.head().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_commit_that_cannot_be_written_changes_nothing() {
    let trial = Trial::new().await;
    let before = trial.bytes();
    fs::set_permissions(trial.path(), fs::Permissions::from_mode(0o444)).unwrap();
    // Permissions do not stop everybody.
    let is_privileged = OpenOptions::new().write(true).open(trial.path()).is_ok();
    if !is_privileged {
        let error = put(&trial.catalog, 4).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(trial.bytes(), before);
        assert_eq!(active(&trial.catalog).await, 3);
    }
    fs::set_permissions(trial.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(put(&trial.catalog, 4).await.unwrap(), 4);
}

#[tokio::test]
async fn the_permit_is_kept_until_the_line_is_written() {
    let trial = Trial::new().await;
    let (permit, gone) = watched_permit();
    let changes = (10..2_010).map(|number| ArtifactChange::Put(Box::new(artifact(number))));
    let commit = ArtifactCommit {
        changes: changes.collect(),
    };
    {
        let mut work = Box::pin(trial.catalog.apply(&permit, commit));
        // The work begins, and its caller goes away.
        std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending())).await;
    }
    drop(permit);
    gone.wait().await;
    // Asked first by another instance, which waits for nothing in this one.
    assert_eq!(active(&trial.another()).await, 2_003);
}

#[test]
fn a_thread_that_may_block_does_the_work_itself() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = JournalArtifactCatalog::new(directory.path().join("journal"));
    // There is no runtime here that a thread could be had from.
    let missing = blocking::allow(|| {
        let mut asking = Box::pin(catalog.head());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        asking.as_mut().poll(&mut context)
    });
    let Poll::Ready(Err(error)) = missing else {
        panic!("{missing:?} is not an answer");
    };
    assert!(error.is_catalog_missing());
}

#[tokio::test]
async fn what_lies_there_and_is_no_file_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = JournalArtifactCatalog::new(directory.path());
    let error = catalog.head().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}
