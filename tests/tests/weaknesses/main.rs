//! What went wrong in other artifact stores, one test for each: named by what holds here, with what went wrong there.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test asserts"
)]

mod identity;
mod interface;
mod loss;
mod meaning;

use std::fmt::Debug;

use artstore_core::artifact::{
    Artifact, ArtifactSource, DedupMode, Merged, PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::format::ArtifactRecord;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::registry::{RegisteredType, TypeDefinition, TypeRegistration};
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_core::{Error, ErrorKind, Result};
use artstore_testkit::samples;
use artstore_tests::spelling::{Row, Spelling};
use artstore_tests::store::LocalStore;
use artstore_tests::trial::Trial;

/// A CSV text as a table.
fn csv(key: &str, text: &str) -> PublishArtifactRequest {
    csv_with(key, text, CsvOptions::default())
}

fn csv_with(key: &str, text: &str, options: CsvOptions) -> PublishArtifactRequest {
    PublishArtifactRequest {
        table: Some(TableFormat::Csv(options)),
        ..samples::request(key, text.to_owned())
    }
}

/// Rows as a table in this spelling.
fn spelled(key: &str, spelling: Spelling, rows: &[Row]) -> PublishArtifactRequest {
    PublishArtifactRequest {
        table: Some(spelling.format()),
        source: ArtifactSource::Bytes(spelling.of(rows)),
        ..samples::request(key, "")
    }
}

/// Publishes what must be new.
async fn publish(port: &dyn ArtifactStorePort, request: PublishArtifactRequest) -> Artifact {
    match port.publish_artifact(request).await.unwrap() {
        PublishArtifactResult::Published(artifact) => artifact,
        duplicate => panic!("not new: {duplicate:?}"),
    }
}

/// Publishes what must be there already.
async fn publish_again(
    port: &dyn ArtifactStorePort,
    request: PublishArtifactRequest,
) -> (Artifact, DedupMode, Merged) {
    match port.publish_artifact(request).await.unwrap() {
        PublishArtifactResult::Duplicate {
            existing,
            mode,
            merged,
        } => (existing, mode, merged),
        new => panic!("not there before: {new:?}"),
    }
}

async fn register(store: &LocalStore, definition: TypeDefinition) -> RegisteredType {
    let types = store.types();
    let registration = TypeRegistration::KeepExisting;
    types.register_type(definition, registration).await.unwrap()
}

/// A definition of the type that samples have.
fn definition() -> TypeDefinition {
    TypeDefinition::new(samples::artifact_type("sample_v1"))
}

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).into()
}

/// The record beside the bytes of an artifact, as it is on the disk.
fn record_of(trial: &Trial, artifact: &Artifact) -> ArtifactRecord {
    let bytes = std::fs::read(trial.root().join(&artifact.record_path)).unwrap();
    ArtifactRecord::parse(&bytes, &artifact.record_path).unwrap()
}

fn refused<T: Debug>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.expect_err("this must fail");
    assert_eq!(error.kind(), kind, "{error:?}");
    error
}
