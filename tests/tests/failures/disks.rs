//! Disks that are full or fail.

use std::io::ErrorKind as IoKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::id::ArtifactId;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{Error, ErrorKind, Result};
use artstore_testkit::samples;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::store::LocalStore;
use artstore_tests::trial::filesystem::SmallFilesystem;
use artstore_tests::trial::script::{Meddler, Script};
use artstore_tests::trial::{Trial, dump, files_below, find, read, request};

use crate::{assert_hint, check_clean, files, refused};

/// A change that meets a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Publish,
    Adopt,
    Tag,
    Merge,
    Table,
    Supersede,
    Tombstone,
}

/// What its caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// That it failed, and nothing has changed.
    Failed,
    /// That nobody knows.
    Unknown,
    /// That it happened.
    Happened,
}

use Change::{Adopt, Merge, Publish, Supersede, Table, Tag, Tombstone};
use Told::{Failed, Happened, Unknown};

/// Every class of call, what meets its fault there, and what is told.
const FAULTS: &[(&str, Change, Told)] = &[
    ("staged-data.create", Publish, Failed),
    ("staged-data.write", Publish, Failed),
    ("staged-data.sync", Publish, Failed),
    ("staged-document.create", Publish, Failed),
    ("staged-document.write", Publish, Failed),
    ("staged-document.sync", Publish, Failed),
    ("source.sync", Adopt, Failed),
    ("intent.create", Publish, Failed),
    ("intent.write", Publish, Failed),
    ("intent.create", Tag, Failed),
    ("intent.write", Merge, Failed),
    ("intent.create", Adopt, Failed),
    ("intent.sync", Adopt, Failed),
    ("directory.sync", Adopt, Failed),
    ("data.rename", Publish, Failed),
    ("data.adopt", Adopt, Failed),
    ("data.make-read-only", Adopt, Failed),
    ("record.rename", Publish, Failed),
    ("record.rename", Adopt, Failed),
    ("directory.sync", Publish, Unknown),
    ("directory.sync", Adopt, Unknown),
    ("catalog.before-commit", Publish, Unknown),
    ("catalog.before-commit", Adopt, Unknown),
    ("catalog.before-commit", Tag, Unknown),
    ("staged-document.create", Tag, Failed),
    ("staged-document.write", Tag, Failed),
    ("staged-document.sync", Tag, Failed),
    ("staged-document.sync", Merge, Failed),
    ("event.rename", Tag, Failed),
    ("event.rename", Merge, Failed),
    ("directory.sync", Tag, Unknown),
    ("directory.sync", Merge, Unknown),
    ("record.replace", Tag, Happened),
    ("counter.write", Publish, Happened),
    ("counter.write", Tag, Happened),
    ("intent.remove", Publish, Happened),
    ("intent.remove", Tag, Happened),
    ("staged-data.create", Table, Failed),
    ("staged-data.write", Table, Failed),
    ("staged-data.sync", Table, Failed),
    ("staged-document.sync", Table, Failed),
    ("data.rename", Table, Failed),
    ("record.rename", Table, Failed),
    ("directory.sync", Table, Unknown),
    ("catalog.before-commit", Table, Unknown),
    ("event.rename", Supersede, Failed),
    ("directory.sync", Supersede, Unknown),
    ("catalog.before-commit-of-superseded", Supersede, Unknown),
    ("record.replace", Supersede, Happened),
    ("staged-document.sync", Tombstone, Failed),
    ("event.rename", Tombstone, Failed),
    ("catalog.before-commit-of-tombstoned", Tombstone, Unknown),
    ("record.replace", Tombstone, Happened),
];

/// A store with an artifact and an event, so that all directories exist.
struct Bench {
    trial: Trial,
    script: Arc<Script>,
    store: LocalStore,
    port: Arc<dyn ArtifactStorePort>,
    earlier: ArtifactId,
    other: ArtifactId,
}

impl Bench {
    async fn new() -> Self {
        let trial = Trial::new();
        let script = Arc::new(Script::new());
        let store = LocalStore::open_observed(&trial.root(), script.clone()).await;
        let store = store.unwrap();
        let port = store.artifacts();
        let earlier = request("earlier", "earlier", "earlier");
        let earlier = port.publish_artifact(earlier).await.unwrap();
        let earlier = earlier.artifact().id;
        let other = request("other", "other", "other");
        let other = port.publish_artifact(other).await.unwrap();
        let other = other.artifact().id;
        let tagged = port.tag(earlier, adding("first"), Some(samples::op_id("first")));
        tagged.await.unwrap();
        trial.source("adopted.bin", b"adopted");
        store.close().await;
        Self {
            trial,
            script,
            store,
            port,
            earlier,
            other,
        }
    }

    /// Makes the change, always under the same operation id, and says which artifact it made or changed.
    async fn make(&self, change: Change) -> Result<ArtifactId> {
        let mut request = match change {
            Publish => request("new", &"new".repeat(50_000), "op"),
            Adopt => request("new", "", "op"),
            Table => PublishArtifactRequest {
                table: Some(Spelling::Csv.format()),
                source: ArtifactSource::Bytes(Spelling::Csv.of(&rows(1, 2000))),
                ..request("new", "", "op")
            },
            Merge => request("earlier", "earlier", "op"),
            Tag | Supersede | Tombstone => return self.change(change).await,
        };
        if change == Adopt {
            request.source = ArtifactSource::AdoptFile(self.trial.sources().join("adopted.bin"));
        }
        if change == Merge {
            request.tags = Tags::try_from([("tag", "second")]).unwrap();
        }
        let result = self.port.publish_artifact(request).await?;
        Ok(result.artifact().id)
    }

    async fn change(&self, change: Change) -> Result<ArtifactId> {
        let (port, earlier) = (&self.port, self.earlier);
        let op_id = Some(samples::op_id("op"));
        let changed = match change {
            Supersede => port.supersede(self.other, earlier, op_id).await?,
            Tombstone => port.tombstone(earlier, "wrong", op_id).await?,
            _ => port.tag(earlier, adding("second"), op_id).await?,
        };
        Ok(changed.id)
    }

    /// Asserts that the change happened exactly once.
    async fn check_made(&self, change: Change, id: ArtifactId) {
        let all = dump(&*self.store.maintenance()).await.unwrap();
        let (artifacts, events) = match change {
            Publish | Adopt | Table => (3, 1),
            Tag | Merge | Supersede | Tombstone => (2, 2),
        };
        let count = |kind: &str| all.matches(&format!("\"kind\":\"{kind}\"")).count();
        assert_eq!(
            (count("artifact"), count("event")),
            (artifacts, events),
            "{all}"
        );
        let earlier = self.port.get_artifact(self.earlier).await.unwrap();
        assert_eq!(earlier.revision, events as u64 + 1);
        assert_eq!(read(&*self.port, self.earlier).await.unwrap(), "earlier");
        match change {
            Publish => assert_eq!(read(&*self.port, id).await.unwrap(), "new".repeat(50_000)),
            Adopt => assert_eq!(read(&*self.port, id).await.unwrap(), "adopted"),
            Table => {
                let table = self.port.get_artifact(id).await.unwrap();
                assert_eq!(table.row_count, Some(2000));
                let bytes = read(&*self.port, id).await.unwrap();
                assert!(bytes.starts_with(b"PAR1"));
            }
            Tag | Merge => assert!(earlier.tags.contains("tag", "second")),
            Supersede => {
                let other = self.port.get_artifact(self.other).await.unwrap();
                assert_eq!(earlier.superseded_by, Some(self.other));
                assert_eq!(other.supersedes, [self.earlier]);
            }
            Tombstone => assert_eq!(earlier.tombstone_reason.as_deref(), Some("wrong")),
        }
    }
}

fn adding(value: &str) -> TagChange {
    TagChange {
        add: Tags::try_from([("tag", value)]).unwrap(),
        remove: Vec::new(),
    }
}

/// Meets one fault, and says what is wrong with how it is borne.
async fn meet(call: &str, change: Change, told: Told, kind: IoKind) {
    let bench = Bench::new().await;
    let root = bench.trial.root();
    let before = files(&root);
    let dump_before = dump(&*bench.store.maintenance()).await.unwrap();
    match (told, change) {
        (Unknown, Publish | Adopt | Table) => bench.script.fail_after("record.rename", call, kind),
        (Unknown, _) => bench.script.fail_after("event.rename", call, kind),
        (Failed | Happened, _) => bench.script.fail(call, kind),
    }
    let made = bench.make(change).await;
    bench.store.close().await;
    assert!(bench.script.failed(call) > 0, "{call} was not met");
    bench.script.heal();
    match told {
        Happened => {
            made.unwrap();
        }
        Failed => {
            let error = refused(made, ErrorKind::Unavailable);
            check_cause(&error, kind);
            staging_is_emptied(&bench.trial).await;
            assert_eq!(files(&root), before, "{call}");
            assert!(bench.trial.sources().join("adopted.bin").exists(), "{call}");
            let dump_after = dump(&*bench.store.maintenance()).await.unwrap();
            assert_eq!(dump_after, dump_before, "{call}");
        }
        Unknown => {
            let error = refused(made, ErrorKind::CommitUnknown);
            assert_eq!(error.context_value("op_id"), Some("op"), "{error:?}");
            assert_hint(&error, "repeat the call with operation id op");
        }
    }
    let id = bench.make(change).await.unwrap();
    assert_eq!(bench.make(change).await.unwrap(), id);
    bench.check_made(change, id).await;
    let Bench {
        trial, store, port, ..
    } = bench;
    store.close().await;
    assert_eq!(trial.files_in("staging"), Vec::<String>::new(), "{call}");
    assert_eq!(trial.files_in("quarantine"), Vec::<String>::new(), "{call}");
    drop((port, store));
    check_clean(&root).await;
}

/// Waits for staged files to be discarded, which may go on after the answer.
async fn staging_is_emptied(trial: &Trial) {
    let emptied = async {
        while !trial.files_in("staging").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), emptied).await;
    waited.expect("staged files of a failed change are discarded");
}

fn check_cause(error: &Error, kind: IoKind) {
    if kind == IoKind::StorageFull {
        assert!(error.message().contains("no space left"), "{error:?}");
        assert!(error.hint_text().is_some(), "{error:?}");
    }
    assert!(error.context_value("path").is_some(), "{error:?}");
}

#[tokio::test]
async fn every_class_of_call_may_meet_a_full_disk() {
    for (call, change, told) in FAULTS {
        meet(call, *change, *told, IoKind::StorageFull).await;
    }
}

#[tokio::test]
async fn every_class_of_call_may_meet_a_failing_disk() {
    for (call, change, told) in FAULTS {
        meet(call, *change, *told, IoKind::Other).await;
    }
}

/// New directories that cannot be synced are a definite failure: nothing has been renamed into them yet.
#[tokio::test]
async fn a_new_directory_that_cannot_be_made_durable_is_taken_back() {
    for call in ["directory.create", "directory.sync"] {
        let trial = Trial::new();
        let script = Arc::new(Script::new());
        let store = LocalStore::open_observed(&trial.root(), script.clone()).await;
        let store = store.unwrap();
        let port = store.artifacts();
        assert_eq!(find(&*port, "k").await.unwrap(), []);
        port.publish_artifact(request("other", "other", "other"))
            .await
            .unwrap();
        let mut versioned = request("k", "k", "op");
        versioned.schema_version = 2;
        script.fail(call, IoKind::Other);
        let published = port.publish_artifact(versioned.clone()).await;
        let error = refused(published, ErrorKind::Unavailable);
        assert!(error.context_value("path").is_some(), "{error:?}");
        script.heal();
        store.close().await;
        let made = trial.root().join("artifacts/sample_v1/v2");
        assert!(!made.exists(), "{call}");
        assert_eq!(trial.files_in("intents"), Vec::<String>::new());
        port.publish_artifact(versioned).await.unwrap();
        store.close().await;
        drop((port, store));
        check_clean(&trial.root()).await;
    }
}

/// Publishes on a disk with some space left, and then with room again. Returns whether it was full at first.
async fn publish_when_full(
    root: &Path,
    filesystem: &SmallFilesystem,
    free: u64,
    size: usize,
) -> bool {
    let store = LocalStore::open(root).await.unwrap();
    let port = store.artifacts();
    let key = format!("{free}-{size}");
    let content = key.repeat(size.div_ceil(key.len()));
    let filler = filesystem.fill(free).unwrap();
    let made = port.publish_artifact(request(&key, &content, &key)).await;
    store.close().await;
    let staged = files_below(&root.join("staging"));
    std::fs::remove_file(filler).unwrap();
    let was_full = made.is_err();
    match made {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::CommitUnknown => {}
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            // SQLite cannot always tell a full disk from a failing one.
            assert_hint(&error, "space");
            assert_eq!(staged, Vec::<String>::new(), "{error:?}");
        }
    }
    let result = port
        .publish_artifact(request(&key, &content, &key))
        .await
        .unwrap();
    assert!(
        !result.is_duplicate(),
        "a repetition tells the first outcome"
    );
    assert_eq!(find(&*port, &key).await.unwrap().len(), 1);
    assert!(read(&*port, result.artifact().id).await.unwrap() == content.as_bytes());
    store.close().await;
    was_full
}

#[tokio::test]
async fn a_full_disk_is_said_and_forgotten_when_there_is_room_again() {
    let filesystem = match SmallFilesystem::mount(4 << 20) {
        Ok(filesystem) => filesystem,
        Err(reason) => return eprintln!("SKIPPED: {reason}"),
    };
    let root = filesystem.path().join("store");
    let store = LocalStore::open(&root).await.unwrap();
    let earlier = store
        .artifacts()
        .publish_artifact(request("earlier", "earlier", "earlier"))
        .await;
    let earlier = earlier.unwrap().artifact().id;
    store.close().await;
    let mut times_full = 0;
    for free in [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256] {
        for size in [10, 60_000] {
            let was_full = publish_when_full(&root, &filesystem, free * 1024, size).await;
            times_full += u32::from(was_full);
        }
    }
    assert!((4..24).contains(&times_full), "full {times_full} times");
    assert_eq!(read(&*store.artifacts(), earlier).await.unwrap(), "earlier");
    store.close().await;
    drop(store);
    check_clean(&root).await;
}

#[tokio::test]
async fn a_disk_that_is_full_just_before_the_commit_leaves_the_outcome_to_a_repetition() {
    let filesystem = match SmallFilesystem::mount(4 << 20) {
        Ok(filesystem) => Arc::new(filesystem),
        Err(reason) => return eprintln!("SKIPPED: {reason}"),
    };
    let root = filesystem.path().join("store");
    let store = LocalStore::open(&root).await.unwrap();
    let earlier = store
        .artifacts()
        .publish_artifact(request("earlier", "earlier", "earlier"))
        .await;
    earlier.unwrap();
    store.close().await;
    drop(store);
    let filling = Arc::clone(&filesystem);
    let filler = Arc::new(Meddler::new("catalog.before-commit", move || {
        filling.fill(0).unwrap();
    }));
    let store = LocalStore::open_observed(&root, filler.clone())
        .await
        .unwrap();
    let port = store.artifacts();
    let made = port.publish_artifact(request("k", "k", "op")).await;
    assert!(filler.is_done());
    let error = refused(made, ErrorKind::CommitUnknown);
    assert_hint(&error, "repeat the call with operation id op");
    assert_eq!(
        find(&*port, "earlier").await.unwrap().len(),
        1,
        "readers go on"
    );
    std::fs::remove_file(filesystem.path().join("filler")).unwrap();
    let result = port
        .publish_artifact(request("k", "k", "op"))
        .await
        .unwrap();
    assert!(!result.is_duplicate());
    assert_eq!(find(&*port, "k").await.unwrap().len(), 1);
    store.close().await;
    drop((port, store));
    check_clean(&root).await;
}
