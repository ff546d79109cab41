//! Tables: what is stored, what is the same, what a registered type asks for.

use artstore_core::ErrorKind;
use artstore_core::artifact::{
    Artifact, ArtifactKind, ArtifactSource, DedupMode, PublishArtifactRequest,
    PublishArtifactResult,
};
use artstore_core::digest::HashAlgorithm;
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_core::table::{CsvOptions, TableFormat};

use crate::support::{World, error_of, op, with_key};
use crate::text_tables::encoded;
use artstore_testkit::faults::FaultTime;
use artstore_testkit::samples;

const TABLE: &str = "ts,price\n1,2.5\n2,3.5";

fn table_type() -> ArtifactType {
    ArtifactType::new("prices_v1").unwrap()
}

fn table(format: TableFormat, content: String) -> PublishArtifactRequest {
    let key = LogicalKey::new("day=1").unwrap();
    PublishArtifactRequest::table(
        table_type(),
        key,
        ArtifactSource::Bytes(content.into()),
        format,
    )
}

fn csv(content: &str) -> PublishArtifactRequest {
    table(TableFormat::Csv(CsvOptions::default()), content.to_owned())
}

fn parquet(encoding: &str, content: &str) -> PublishArtifactRequest {
    table(TableFormat::Parquet, encoded(encoding, content))
}

async fn published(world: &World, request: PublishArtifactRequest) -> Artifact {
    match world.port().publish_artifact(request).await.unwrap() {
        PublishArtifactResult::Published(artifact) => artifact,
        other => panic!("expected a new artifact, not {other:?}"),
    }
}

async fn recognised(world: &World, request: PublishArtifactRequest) -> (Artifact, DedupMode) {
    match world.port().publish_artifact(request).await.unwrap() {
        PublishArtifactResult::Duplicate { existing, mode, .. } => (existing, mode),
        other => panic!("expected a duplicate, not {other:?}"),
    }
}

#[tokio::test]
async fn csv_is_stored_as_parquet_and_parquet_as_it_is() {
    let world = World::new();
    let converted = published(&world, csv(TABLE)).await;
    assert_eq!(converted.kind, ArtifactKind::Table);
    assert_eq!(converted.row_count, Some(2));
    assert_eq!(converted.content_hash.algorithm, HashAlgorithm::Ch1);
    assert!(converted.data_path.as_str().ends_with(".parquet"));
    assert_eq!(
        world.bytes(converted.id).await.unwrap(),
        encoded("ours", TABLE)
    );

    let kept = published(&world, parquet("theirs", "ts\n1")).await;
    assert_eq!(
        world.bytes(kept.id).await.unwrap(),
        encoded("theirs", "ts\n1")
    );
    let record = world.document(kept.record_path.as_str());
    assert_eq!(record["identity"]["schema"][0]["name"], "ts");
    let record = world.document(converted.record_path.as_str());
    assert_eq!(record["source"]["csv"]["delimiter"], ",");
    assert_eq!(record["source"]["size_bytes"], TABLE.len());
    assert_eq!(record["source"]["written"]["created_by"], "a test");
}

#[tokio::test]
async fn a_table_is_recognised_in_another_encoding() {
    let world = World::new();
    let first = published(&world, parquet("one", TABLE)).await;
    world.quiet().await;
    let files = world.files.files();
    let commits = world.faults.calls("apply");
    let check = async |request, expected| {
        let (existing, mode) = recognised(&world, request).await;
        assert_eq!((existing.id, mode), (first.id, expected));
    };
    check(parquet("one", TABLE), DedupMode::FileHash).await;
    check(parquet("two", TABLE), DedupMode::ContentHash).await;
    check(parquet("a longer one", TABLE), DedupMode::ContentHash).await;
    check(csv(TABLE), DedupMode::ContentHash).await;
    world.quiet().await;
    assert_eq!(world.files.files(), files, "nothing stays of a duplicate");
    assert_eq!(world.faults.calls("apply"), commits);
}

#[tokio::test]
async fn the_same_bytes_as_a_file_are_another_thing() {
    let world = World::new();
    let as_table = published(&world, parquet("one", TABLE)).await;
    let mut request = parquet("one", TABLE);
    request.table = None;
    let as_file = published(&world, request.clone()).await;
    assert_eq!(as_table.file_hash, as_file.file_hash);
    assert_eq!(recognised(&world, request).await.0.id, as_file.id);
    assert_eq!(
        recognised(&world, parquet("one", TABLE)).await.0.id,
        as_table.id
    );
}

#[tokio::test]
async fn equal_tables_published_at_once_are_one_artifact() {
    let world = World::new();
    let port = world.port();
    let publishes = (0..20).map(|number| {
        let request = parquet(&format!("encoding {number}"), TABLE);
        let port = port.clone();
        tokio::spawn(async move { port.publish_artifact(request).await.unwrap() })
    });
    let mut new = 0;
    for publish in publishes.collect::<Vec<_>>() {
        new += usize::from(!publish.await.unwrap().is_duplicate());
    }
    assert_eq!(new, 1);
}

#[tokio::test]
async fn a_table_that_cannot_be_read_leaves_nothing() {
    let world = World::new();
    published(&world, csv(TABLE)).await;
    world.quiet().await;
    let files = world.files.files();
    for wrong in [csv(""), table(TableFormat::Parquet, "no encoding".into())] {
        let error = error_of(world.port().publish_artifact(wrong).await);
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert_eq!(world.files.files(), files);
}

#[tokio::test]
async fn csv_cannot_be_adopted() {
    let world = World::new();
    let mut request = csv(TABLE);
    request.source = ArtifactSource::AdoptFile("/anywhere".into());
    let error = error_of(world.port().publish_artifact(request).await);
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn repeating_the_publish_of_a_table_gives_its_outcome_in_any_encoding() {
    let world = World::new();
    let with_op = |mut request: PublishArtifactRequest, text: &str| {
        request.op_id = Some(op(text));
        request
    };
    let first = published(&world, with_op(parquet("one", TABLE), "a")).await;
    assert_eq!(
        published(&world, with_op(parquet("one", TABLE), "a")).await,
        first
    );
    // As long as the first encoding, so that its bytes are compared before it is read.
    assert_eq!(
        published(&world, with_op(parquet("two", TABLE), "a")).await,
        first
    );
    let other = with_op(parquet("one", "ts,price\n1,9.5\n2,3.5"), "a");
    let error = error_of(world.port().publish_artifact(other).await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let other = with_op(csv(TABLE), "a");
    let error = error_of(world.port().publish_artifact(other).await);
    assert_eq!(error.kind(), ErrorKind::Conflict, "the request is another");
}

fn definition() -> TypeDefinition {
    TypeDefinition {
        required_columns: vec!["ts".into(), "price".into()],
        sort_keys: vec!["ts".into()],
        ..TypeDefinition::new(table_type())
    }
}

#[tokio::test]
async fn a_table_without_a_needed_column_is_refused_before_anything_is_written() {
    let world = World::new();
    let types = world.engine.artifact_types();
    types
        .register_type(definition(), TypeRegistration::KeepExisting)
        .await
        .unwrap();
    let files = world.files.files();
    let staged = world.faults.calls("stage") + world.faults.calls("begin_staging");
    for lacking in [csv("ts\n1"), parquet("one", "ts,volume\n1,2")] {
        let error = error_of(world.port().publish_artifact(lacking).await);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.context_value("missing"), Some("price"));
    }
    assert_eq!(world.files.files(), files);
    assert_eq!(
        world.faults.calls("stage") + world.faults.calls("begin_staging"),
        staged
    );
    let mut file = csv("ts\n1");
    file.table = None;
    published(&world, file).await;
}

#[tokio::test]
async fn sort_keys_of_the_type_make_the_order_of_rows_irrelevant() {
    let world = World::new();
    let types = world.engine.artifact_types();
    types
        .register_type(definition(), TypeRegistration::KeepExisting)
        .await
        .unwrap();
    let first = published(&world, csv(TABLE)).await;
    let record = world.document(first.record_path.as_str());
    assert_eq!(record["identity"]["sort_keys"][0], "ts");
    let (existing, mode) = recognised(&world, csv("ts,price\n2,3.5\n1,2.5")).await;
    assert_eq!((existing.id, mode), (first.id, DedupMode::ContentHash));
}

#[tokio::test]
async fn a_type_is_registered_once_and_replaced_on_purpose() {
    let world = World::new();
    let types = world.engine.artifact_types();
    assert_eq!(types.get_type(&table_type()).await.unwrap(), None);
    assert!(types.list_types().await.unwrap().is_empty());
    let keep = TypeRegistration::KeepExisting;
    let first = types.register_type(definition(), keep).await.unwrap();
    assert_eq!((first.revision, first.actor.as_str()), (1, "tester"));
    let again = types.register_type(definition(), keep).await.unwrap();
    assert_eq!(again, first);

    let mut other = definition();
    other.required_columns.pop();
    let error = error_of(types.register_type(other.clone(), keep).await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let replaced = types
        .register_type(other.clone(), TypeRegistration::Replace)
        .await
        .unwrap();
    assert_eq!((replaced.revision, replaced.definition.clone()), (2, other));
    let from_elsewhere = world.another_process().engine.artifact_types();
    let found = from_elsewhere.get_type(&table_type()).await.unwrap();
    assert_eq!(found, Some(replaced.clone()));

    let alerts = TypeDefinition::new("Alerts".parse().unwrap());
    types.register_type(alerts, keep).await.unwrap();
    let names: Vec<String> = types
        .list_types()
        .await
        .unwrap()
        .iter()
        .map(|registered| registered.definition.artifact_type.to_string())
        .collect();
    assert_eq!(names, ["Alerts", "prices_v1"]);
}

#[tokio::test]
async fn a_contradictory_or_damaged_type_is_told() {
    let world = World::new();
    let types = world.engine.artifact_types();
    let mut wrong = definition();
    wrong.canonical_columns = vec!["price".into()];
    let error = error_of(
        types
            .register_type(wrong, TypeRegistration::KeepExisting)
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::Invalid);
    types
        .register_type(definition(), TypeRegistration::KeepExisting)
        .await
        .unwrap();
    world.overwrite("types/prices_v1.json", "{}");
    let error = error_of(types.get_type(&table_type()).await);
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let error = error_of(world.port().publish_artifact(csv(TABLE)).await);
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn registering_what_is_there_makes_sure_that_it_stays() {
    let world = World::new();
    let types = world.engine.artifact_types();
    let keep = TypeRegistration::KeepExisting;
    world
        .faults
        .fail("put_document", 1, FaultTime::After, ErrorKind::Unavailable);
    let error = error_of(types.register_type(definition(), keep).await);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let first = types.register_type(definition(), keep).await.unwrap();
    assert_eq!(first.revision, 1, "the document had come, as it seemed");
    assert_eq!(world.faults.calls("put_document"), 2);
}

#[tokio::test]
async fn keys_of_a_later_version_stay_in_a_type_that_is_replaced() {
    let world = World::new();
    let types = world.engine.artifact_types();
    types
        .register_type(definition(), TypeRegistration::KeepExisting)
        .await
        .unwrap();
    let path = "types/prices_v1.json";
    let document = with_key(&world.files.files()[&samples::path(path)], "later", "kept");
    world.files.plant(&samples::path(path), document);
    let mut other = definition();
    other.required_columns.pop();
    types
        .register_type(other, TypeRegistration::Replace)
        .await
        .unwrap();
    assert_eq!(world.document(path)["later"], "kept");
}

#[tokio::test]
async fn files_of_others_among_the_types_are_passed_over() {
    let world = World::new();
    let types = world.engine.artifact_types();
    types
        .register_type(definition(), TypeRegistration::KeepExisting)
        .await
        .unwrap();
    world.overwrite("types/notes.json", "{}");
    world.overwrite("types/readme.txt", "notes");
    assert_eq!(types.list_types().await.unwrap().len(), 1);
    let copy = world.files.files()[&samples::path("types/prices_v1.json")].clone();
    world.files.plant(&samples::path("types/copy.json"), copy);
    let error = error_of(types.list_types().await);
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn an_operation_is_repeated_whatever_was_registered_since() {
    let world = World::new();
    let mut request = csv("ts\n1");
    request.op_id = Some(op("before"));
    let first = published(&world, request.clone()).await;
    let types = world.engine.artifact_types();
    types
        .register_type(definition(), TypeRegistration::KeepExisting)
        .await
        .unwrap();
    assert_eq!(published(&world, request.clone()).await, first);
    request.op_id = Some(op("after"));
    let error = error_of(world.port().publish_artifact(request).await);
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_table_whose_record_would_be_too_large_is_refused_before_it_is_staged() {
    let world = World::new();
    let names: Vec<String> = (0..9000).map(|number| format!("{number:0400}")).collect();
    let error = error_of(world.port().publish_artifact(csv(&names.join(","))).await);
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.context_value("largest"), Some("columns"));
    assert_eq!(world.faults.calls("begin_staging"), 0);
}
