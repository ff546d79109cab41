//! What was taken for the same, or for something else.

use std::collections::BTreeSet;

use artstore_core::artifact::{
    Artifact, ArtifactInput, ArtifactStatus, DedupMode, PublishArtifactRequest,
};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::ports::ArtifactStorePort;
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_core::table::{ColumnType, CsvOptions};
use artstore_testkit::samples;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::trial::{Trial, dump};

use crate::{
    csv, csv_with, definition, names, publish, publish_again, record_of, register, spelled,
};

/// The content hashes of requests that are all new.
async fn hashes(
    port: &dyn ArtifactStorePort,
    requests: impl IntoIterator<Item = PublishArtifactRequest>,
) -> Vec<ContentHash> {
    let mut hashes = Vec::new();
    for request in requests {
        hashes.push(publish(port, request).await.content_hash);
    }
    hashes
}

/// A CSV text under a key that tells it.
fn named_by_itself(text: &str) -> PublishArtifactRequest {
    csv(&text.escape_debug().to_string(), text)
}

fn all_different(hashes: &[ContentHash]) -> bool {
    let different: BTreeSet<_> = hashes.iter().collect();
    different.len() == hashes.len()
}

/// Equal bytes were one artifact whatever they were published as: the second key never came to be.
#[tokio::test]
async fn equal_bytes_of_another_key_or_type_are_an_artifact_of_their_own() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let request = spelled("one", Spelling::Plain, &rows(1, 5));
    let one = publish(&*port, request.clone()).await;
    let mut other_key = request.clone();
    other_key.logical_key = samples::logical_key("other");
    let mut other_type = request.clone();
    other_type.artifact_type = samples::artifact_type("other_v1");
    let mut as_file = request.clone();
    as_file.table = None;
    for other in [other_key, other_type, as_file] {
        let other = publish(&*port, other).await;
        assert_eq!(other.file_hash, one.file_hash);
        assert_ne!(other.id, one.id);
    }
    assert_eq!(publish_again(&*port, request).await.0.id, one.id);
    store.close().await;
}

/// What had been replaced or withdrawn was answered as a duplicate, and was then refused by whoever asked for something
/// that is in use.
#[tokio::test]
async fn what_was_replaced_or_withdrawn_is_never_answered_as_a_duplicate() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let table = |spelling| spelled("key", spelling, &rows(1, 5));
    let replaced = publish(&*port, table(Spelling::Plain)).await;
    let better = publish(&*port, spelled("key", Spelling::Plain, &rows(2, 5))).await;
    port.supersede(better.id, replaced.id, None).await.unwrap();
    let anew = publish(&*port, table(Spelling::Plain)).await;
    port.tombstone(anew.id, "wrong", None).await.unwrap();
    let other_bytes = publish(&*port, table(Spelling::Csv)).await;
    let (found, mode, _) = publish_again(&*port, table(Spelling::Snappy)).await;
    assert_eq!((found.id, mode), (other_bytes.id, DedupMode::ContentHash));
    assert_eq!(found.status, ArtifactStatus::Active);
    store.close().await;
}

/// A duplicate lost the tags and inputs of its request, so that lineage named only the first maker's inputs.
#[tokio::test]
async fn a_duplicate_keeps_the_tags_and_inputs_of_both_requests() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let one = publish(&*port, samples::request("one", "one")).await;
    let two = publish(&*port, samples::request("two", "two")).await;
    let made_from = |input: &Artifact, spelling, tag| PublishArtifactRequest {
        inputs: vec![ArtifactInput::new(input.id)],
        tags: samples::tags([("experiment", tag)]),
        ..spelled("result", spelling, &rows(1, 5))
    };
    let first = publish(&*port, made_from(&one, Spelling::Csv, "1")).await;
    let (result, mode, merged) =
        publish_again(&*port, made_from(&two, Spelling::Snappy, "2")).await;
    assert_eq!((result.id, mode), (first.id, DedupMode::ContentHash));
    assert_eq!(result.inputs, [one.id, two.id].map(ArtifactInput::new));
    assert_eq!(merged.inputs, [ArtifactInput::new(two.id)]);
    assert!(result.tags.contains("experiment", "1"));
    assert!(result.tags.contains("experiment", "2"));
    assert_eq!(record_of(&trial, &result).into_artifact(), result);
    let downstream = port.get_downstream(two.id, Default::default()).await;
    assert_eq!(downstream.unwrap().nodes[0].artifact, result);
    let all = dump(&*store.maintenance()).await.unwrap();
    assert!(
        all.contains("republished"),
        "that it was merged is kept: {all}"
    );
    store.close().await;
}

/// The version of the schema took no part when duplicates were looked for.
#[tokio::test]
async fn equal_content_of_another_schema_version_is_an_artifact_of_its_own() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let mut request = csv("key", "a\n1\n");
    let first = publish(&*port, request.clone()).await;
    request.schema_version = 2;
    let second = publish(&*port, request).await;
    assert_eq!(first.content_hash, second.content_hash);
    store.close().await;
}

/// Fields were joined by bars and rows by line feeds without escaping, and null was a text that a field could hold.
#[tokio::test]
async fn separators_and_marks_of_null_in_texts_make_other_tables() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let texts = [
        "a,b\n\"x|y\",z\n",
        "a,b\nx,\"y|z\"\n",
        "a,b\nx,\n",
        "a,b\nx,\\N\n",
        "a,b\nx,y\nx,y\n",
        "a,b\nx,\"y\nx|y\"\n",
        "a,b\n\"x\n\",y\n",
        "a,b\nx,\"\ny\"\n",
    ];
    let requests = texts.map(named_by_itself);
    assert!(all_different(&hashes(&*port, requests).await));
    store.close().await;
}

/// Values had no types: a number and its text were the same, while a whole number with and without point were not.
#[tokio::test]
async fn types_take_part_and_spellings_of_one_value_do_not() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let typed = |column_type: ColumnType| {
        let column_types = [("a".to_owned(), column_type)].into();
        let options = CsvOptions {
            column_types,
            ..CsvOptions::default()
        };
        csv_with(&column_type.to_string(), "a\n1\n", options)
    };
    let decimal = ColumnType::Decimal {
        precision: 5,
        scale: 1,
    };
    let types = [
        ColumnType::Int,
        ColumnType::UInt,
        ColumnType::Float,
        ColumnType::String,
        decimal,
    ];
    assert!(all_different(&hashes(&*port, types.map(typed)).await));
    let floats = ["a\n1.0\n", "a\n1.00\n", "a\n1e0\n"].map(named_by_itself);
    let spellings: BTreeSet<_> = hashes(&*port, floats).await.into_iter().collect();
    assert_eq!(spellings.len(), 1);
    store.close().await;
}

/// Rows with equal sort keys came in any order, and with them the hash.
#[tokio::test]
async fn rows_with_equal_sort_keys_do_not_make_the_hash_a_matter_of_chance() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    register(
        &store,
        TypeDefinition {
            sort_keys: names(["k"]),
            ..definition()
        },
    )
    .await;
    let lines = ["1,a,9", "1,b,8", "2,a,7", "1,,6", ",a,5"];
    let mut found = BTreeSet::new();
    for turn in 0..lines.len() {
        let mut turned = lines;
        turned.rotate_left(turn);
        turned[1..].reverse();
        let text = format!("k,x,y\n{}\n", turned.join("\n"));
        let key = format!("turn {turn}");
        found.insert(publish(&*port, csv(&key, &text)).await.content_hash);
    }
    assert_eq!(found.len(), 1);
    store.close().await;
}

/// The hash depended on the version of a database, its casts and its time zone, and on a detour through another library
/// that made floats of numbers where one was missing.
#[tokio::test]
async fn the_hash_follows_from_its_specification_alone() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let instants = [
        "t\n2026-11-20T09:30:00Z\n",
        "t\n2026-11-20T10:30:00+01:00\n",
        "t\n2026-11-20T04:00:00.000000-05:30\n",
    ];
    let instants = instants.map(named_by_itself);
    let instants: BTreeSet<_> = hashes(&*port, instants).await.into_iter().collect();
    assert_eq!(instants.len(), 1);

    // Two whole numbers and a null between them, by hand.
    let found = publish(&*port, csv("by hand", "n,m\n3,0\n,0\n-1,0\n")).await;
    let column = |values: &[i64], nulls: &[u64], rows: u64| {
        let values: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let missing: Vec<u8> = nulls.iter().flat_map(|place| place.to_le_bytes()).collect();
        let mut bytes = b"artstore.ch1.column\n".to_vec();
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend(b"int");
        bytes.extend(rows.to_le_bytes());
        bytes.extend((nulls.len() as u64).to_le_bytes());
        bytes.extend(Digest::of(&values).as_bytes());
        bytes.extend(Digest::of(&missing).as_bytes());
        Digest::of(&bytes)
    };
    let mut bytes = b"artstore.ch1.table\n".to_vec();
    bytes.extend(2_u64.to_le_bytes());
    bytes.extend(3_u64.to_le_bytes());
    for (name, column) in [
        ("n", column(&[3, -1], &[1], 3)),
        ("m", column(&[0, 0, 0], &[], 3)),
    ] {
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(column.as_bytes());
    }
    let expected = ContentHash {
        algorithm: HashAlgorithm::Ch1,
        digest: Digest::of(&bytes),
    };
    assert_eq!(found.content_hash, expected);
    store.close().await;
}

/// A format without seconds made times of one minute the same, and hashes of two generations lay in one store with nothing
/// to tell them apart.
#[tokio::test]
async fn a_hash_holds_every_digit_of_a_time_and_says_how_it_was_made() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let times = [
        "2026-11-20T09:30:00Z",
        "2026-11-20T09:30:07Z",
        "2026-11-20T09:30:07.001Z",
        "2026-11-20T09:30:07.001001Z",
        "2026-11-20T09:30:07.001001001Z",
    ];
    let requests = times.map(|time| csv(time, &format!("t\n{time}\n")));
    assert!(all_different(&hashes(&*port, requests).await));

    let text = "t,x\n1,1\n2,2\n";
    let plain = publish(&*port, csv("plain", text)).await;
    assert!(plain.content_hash.to_string().starts_with("ch1:"));
    let types = store.types();
    let sorted = TypeDefinition {
        sort_keys: names(["t"]),
        ..definition()
    };
    let by_x = TypeDefinition {
        canonical_columns: names(["x"]),
        ..definition()
    };
    register(&store, sorted).await;
    let sorted = publish(&*port, csv("sorted", text)).await;
    let replaced = types.register_type(by_x, TypeRegistration::Replace).await;
    assert_eq!(replaced.unwrap().revision, 2);
    let by_x = publish(&*port, csv("by x", text)).await;
    // Each record says by which rules its hash was made, whatever is registered now.
    let rules = |artifact: &Artifact| {
        let identity = record_of(&trial, artifact).identity;
        (identity.canonical_columns, identity.sort_keys)
    };
    assert_eq!(rules(&plain), (names([]), names([])));
    assert_eq!(rules(&sorted), (names([]), names(["t"])));
    assert_eq!(rules(&by_x), (names(["x"]), names([])));
    store.close().await;
}

/// Every table without rows had the same hash, whatever its columns.
#[tokio::test]
async fn tables_without_rows_are_the_same_only_if_their_columns_are() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let requests = ["a\n", "b\n", "a,b\n", "b,a\n"].map(named_by_itself);
    let found = hashes(&*port, requests).await;
    assert!(all_different(&found));
    let empty = publish(&*port, csv("again", "a\n")).await;
    assert_eq!((empty.row_count, empty.content_hash), (Some(0), found[0]));
    store.close().await;
}

/// Columns that were not canonical took no part, and nothing said so.
#[tokio::test]
async fn every_column_takes_part_unless_the_record_says_which_do() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let (one, other) = ("a,b\n1,2\n", "a,b\n1,3\n");
    let found = hashes(&*port, [csv("one", one), csv("other", other)]).await;
    assert!(all_different(&found));
    register(
        &store,
        TypeDefinition {
            canonical_columns: names(["a"]),
            ..definition()
        },
    )
    .await;
    let first = publish(&*port, csv("canonical", one)).await;
    let identity = record_of(&trial, &first).identity;
    assert_eq!(identity.canonical_columns, names(["a"]));
    let columns = identity.schema.unwrap().columns;
    let columns: Vec<_> = columns.into_iter().map(|column| column.name).collect();
    assert_eq!(columns, names(["a", "b"]), "what takes no part is named");
    let (found, mode, _) = publish_again(&*port, csv("canonical", other)).await;
    assert_eq!((found.id, mode), (first.id, DedupMode::ContentHash));
    store.close().await;
}
