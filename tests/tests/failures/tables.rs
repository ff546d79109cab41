//! Tables whose conversion is disturbed, and lineage of what is lost.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use artstore_core::ErrorKind;
use artstore_core::artifact::{ArtifactInput, ArtifactSource, PublishArtifactRequest};
use artstore_core::format::ArtifactRecord;
use artstore_core::lineage::WalkLimits;
use artstore_testkit::samples;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::store::LocalStore;
use artstore_tests::trial::filesystem::SmallFilesystem;
use artstore_tests::trial::script::Meddler;
use artstore_tests::trial::{Trial, dump, files_below, find, read, request};

use crate::{assert_hint, check_clean, refused};

fn table(key: &str, source: &Path) -> PublishArtifactRequest {
    PublishArtifactRequest {
        table: Some(Spelling::Csv.format()),
        source: ArtifactSource::File(source.to_owned()),
        ..request(key, "", key)
    }
}

/// A CSV whose Parquet is large, because nothing in it is said twice.
fn incompressible(lines: u64) -> String {
    let mut text = "n,text\n".to_owned();
    for line in 0..lines {
        let digest = artstore_core::digest::Digest::of(&line.to_le_bytes());
        text.push_str(&format!("{line},{}\n", digest.to_hex()));
    }
    text
}

#[tokio::test]
async fn a_disk_that_is_full_in_the_middle_of_a_conversion_is_said_and_nothing_stays() {
    let filesystem = match SmallFilesystem::mount(8 << 20) {
        Ok(filesystem) => filesystem,
        Err(reason) => return eprintln!("SKIPPED: {reason}"),
    };
    let root = filesystem.path().join("store");
    let trial = Trial::new();
    let source = trial.source("large.csv", incompressible(40_000).as_bytes());
    let store = LocalStore::open(&root).await.unwrap();
    let port = store.artifacts();
    let kept = port.publish_artifact(request("kept", "kept", "kept")).await;
    let kept = kept.unwrap().artifact().id;
    store.close().await;
    for free in [200, 700] {
        let filler = filesystem.fill(free * 1024).unwrap();
        let made = port.publish_artifact(table("large", &source)).await;
        let error = refused(made, ErrorKind::Unavailable);
        assert_hint(&error, "space");
        store.close().await;
        for directory in ["staging", "intents", "quarantine"] {
            assert_eq!(files_below(&root.join(directory)), Vec::<String>::new());
        }
        assert_eq!(find(&*port, "large").await.unwrap(), []);
        assert_eq!(read(&*port, kept).await.unwrap(), "kept");
        std::fs::remove_file(filler).unwrap();
    }
    let made = port
        .publish_artifact(table("large", &source))
        .await
        .unwrap();
    assert_eq!(made.artifact().row_count, Some(40_000));
    assert!(made.artifact().size_bytes > 700 * 1024, "it is large");
    store.close().await;
    drop((port, store));
    check_clean(&root).await;
}

/// Publishes a CSV while `deed` is done to it before the call named `before`.
async fn meddle(before: &'static str, deed: fn(&Path)) {
    let trial = Trial::new();
    let path = trial.source("source.csv", &Spelling::Csv.of(&rows(1, 2000)));
    let meddler = {
        let path = path.clone();
        Arc::new(Meddler::new(before, move || deed(&path)))
    };
    let store = LocalStore::open_observed(&trial.root(), meddler.clone()).await;
    let store = store.unwrap();
    let port = store.artifacts();
    let made = port.publish_artifact(table("k", &path)).await;
    assert!(meddler.is_done(), "{before} was not met");
    assert!(made.is_err(), "{before}");
    let error = refused(made, ErrorKind::Conflict);
    let shown = path.display().to_string();
    assert_eq!(
        error.context_value("path"),
        Some(shown.as_str()),
        "{error:?}"
    );
    store.close().await;
    for directory in ["artifacts", "staging", "intents"] {
        assert_eq!(trial.files_in(directory), Vec::<String>::new(), "{before}");
    }
    std::fs::write(&path, "a\n1\n").unwrap();
    let calm = port.publish_artifact(table("k", &path)).await.unwrap();
    assert_eq!(calm.artifact().row_count, Some(1));
    store.close().await;
    drop((port, store));
    check_clean(&trial.root()).await;
}

#[tokio::test]
async fn a_csv_that_changes_while_it_is_converted_is_refused() {
    let append = |path: &Path| {
        let mut file = std::fs::File::options().append(true).open(path).unwrap();
        file.write_all(b"2026-11-20T09:30:00Z,1,x\n").unwrap();
    };
    let exchange = |path: &Path| {
        let other = path.with_extension("other");
        std::fs::write(&other, Spelling::Csv.of(&rows(2, 2000))).unwrap();
        std::fs::rename(other, path).unwrap();
    };
    let shorten = |path: &Path| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_len(20_000).unwrap();
    };
    for before in ["staged-data.create", "table.convert"] {
        for deed in [append, exchange, shorten] {
            meddle(before, deed).await;
        }
    }
}

/// A lost record of an input does not lose the fact that there was one.
#[tokio::test]
async fn lineage_names_inputs_whose_records_are_lost() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let input = port.publish_artifact(request("in", "in", "in")).await;
    let input = input.unwrap().artifact().clone();
    let mut made = request("out", "out", "out");
    made.inputs = vec![ArtifactInput::new(input.id)];
    let made = port.publish_artifact(made).await.unwrap();
    let made = made.artifact().clone();
    store.close().await;
    for path in [&input.data_path, &input.record_path] {
        std::fs::remove_file(trial.root().join(path)).unwrap();
    }
    trial.delete_catalog();
    let limits = WalkLimits::default();
    let lineage = port.get_lineage(made.id, limits).await.unwrap();
    assert_eq!((lineage.nodes.len(), lineage.edges.len()), (0, 1));
    assert_eq!(lineage.missing, [input.id]);
    refused(
        port.get_downstream(input.id, limits).await,
        ErrorKind::NotFound,
    );
    // What is there can still be changed, and its inputs stay.
    let withdrawn = port.tombstone(made.id, "its input is lost", None).await;
    assert_eq!(withdrawn.unwrap().inputs, made.inputs);
    store.close().await;
}

/// A store with every kind of record and event.
async fn with_everything(trial: &Trial) -> String {
    let store = trial.open().await;
    let port = store.artifacts();
    let spelled = |key: &str, spelling: Spelling, op_id: &str| PublishArtifactRequest {
        table: Some(spelling.format()),
        source: ArtifactSource::Bytes(spelling.of(&rows(1, 4))),
        ..request(key, "", op_id)
    };
    let first = port
        .publish_artifact(spelled("a", Spelling::Csv, "a"))
        .await;
    let first = first.unwrap().artifact().id;
    let better = request("better", "better", "better");
    let better = port.publish_artifact(better).await.unwrap();
    let better = better.artifact().id;
    let mut merged = spelled("a", Spelling::Snappy, "merged");
    merged.tags = samples::tags([("respelled", "yes")]);
    merged.inputs = vec![ArtifactInput {
        role: Some("made with".to_owned()),
        ..ArtifactInput::new(better)
    }];
    assert!(port.publish_artifact(merged).await.unwrap().is_duplicate());
    let mut derived = spelled("b", Spelling::Plain, "b");
    derived.inputs = vec![ArtifactInput::new(first)];
    let derived = port.publish_artifact(derived).await.unwrap();
    let derived = derived.artifact().id;
    port.supersede(derived, first, None).await.unwrap();
    port.supersede(derived, better, None).await.unwrap();
    port.tombstone(derived, "wrong", None).await.unwrap();
    port.tombstone(first, "wrong, too", None).await.unwrap();
    let dump = dump(&*store.maintenance()).await.unwrap();
    store.close().await;
    dump
}

#[tokio::test]
async fn every_kind_of_record_and_event_is_rebuilt_to_the_same_dump() {
    let trial = Trial::new();
    let before = with_everything(&trial).await;
    for kind in ["republished", "superseded", "tombstoned"] {
        let events = trial.files_in("events");
        let of_kind = events.iter().filter(|name| name.contains(kind));
        assert!(of_kind.count() > 0, "{kind}");
    }
    for way in ["deleted", "rebuilt", "old records"] {
        match way {
            "deleted" => trial.delete_catalog(),
            "old records" => {
                trial.delete_catalog();
                forget_events(&trial);
            }
            _ => {}
        }
        let store = trial.open().await;
        if way == "rebuilt" {
            let report = store.maintenance().rebuild().await.unwrap();
            assert_eq!((report.records, report.faults), (3, Vec::new()));
        }
        let after = dump(&*store.maintenance()).await.unwrap();
        assert_eq!(after, before, "{way}");
        store.close().await;
        drop(store);
        check_clean(&trial.root()).await;
    }
}

/// As if no record had ever been brought up to its events.
fn forget_events(trial: &Trial) {
    for name in trial.files_in("artifacts") {
        if !name.ends_with(".json") {
            continue;
        }
        let path = trial.root().join("artifacts").join(&name);
        let bytes = std::fs::read(&path).unwrap();
        let at = samples::path(&format!("artifacts/{name}"));
        let record = ArtifactRecord::parse(&bytes, &at).unwrap();
        let mut artifact = record.into_artifact();
        if artifact.last_event == 0 {
            continue;
        }
        artifact.status = artstore_core::artifact::ArtifactStatus::Active;
        artifact.tags = Default::default();
        artifact.superseded_by = None;
        artifact.supersedes.clear();
        artifact.tombstone_reason = None;
        // What was merged later stands behind what was given at first.
        artifact.inputs.retain(|input| input.role.is_none());
        (artifact.revision, artifact.last_event) = (1, 0);
        let document = ArtifactRecord::rewritten(&bytes, &artifact).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, document).unwrap();
    }
}

/// The first version of the catalog's schema.
const FIRST_SCHEMA: &str = include_str!("../../../crates/sqlite/src/migrations/0001_artifacts.sql");

#[tokio::test]
async fn a_store_whose_catalog_is_of_the_first_version_opens_and_works() {
    let trial = Trial::new();
    let before = with_everything(&trial).await;
    let catalog = rusqlite::Connection::open(trial.catalog()).unwrap();
    let application: i64 = catalog
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .unwrap();
    let (store_id, commits): (Vec<u8>, i64) = catalog
        .query_row("SELECT store_id, commits FROM catalog", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    catalog.close().unwrap();
    trial.delete_catalog();
    let catalog = rusqlite::Connection::open(trial.catalog()).unwrap();
    catalog.execute_batch(FIRST_SCHEMA).unwrap();
    catalog
        .execute(
            "INSERT INTO catalog (only, store_id, commits, last_event) VALUES (1, ?1, ?2, 0)",
            (store_id, commits),
        )
        .unwrap();
    for (name, value) in [("application_id", application), ("user_version", 1)] {
        catalog.pragma_update(None, name, value).unwrap();
    }
    catalog.close().unwrap();
    let store = trial.open().await;
    assert_eq!(dump(&*store.maintenance()).await.unwrap(), before);
    let port = store.artifacts();
    let new = port.publish_artifact(request("new", "new", "new")).await;
    let new = new.unwrap().artifact().id;
    assert_eq!(read(&*port, new).await.unwrap(), "new");
    store.close().await;
    drop((port, store));
    check_clean(&trial.root()).await;
}
