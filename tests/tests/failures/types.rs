//! Documents of registered types that are damaged or cannot be written.

use std::io::ErrorKind as IoKind;
use std::sync::Arc;

use artstore_core::ErrorKind;
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_testkit::samples;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::store::LocalStore;
use artstore_tests::trial::script::Script;
use artstore_tests::trial::{Trial, request};

use crate::{check_clean, refused};

fn definition(required: &str) -> TypeDefinition {
    TypeDefinition {
        required_columns: vec![required.to_owned()],
        ..TypeDefinition::new(samples::artifact_type("sample_v1"))
    }
}

fn table(key: &str) -> PublishArtifactRequest {
    PublishArtifactRequest {
        table: Some(Spelling::Csv.format()),
        source: ArtifactSource::Bytes(Spelling::Csv.of(&rows(1, 3))),
        ..request(key, "", key)
    }
}

/// A table whose type cannot be read must not be published by other rules; nothing else is concerned.
#[tokio::test]
async fn a_damaged_type_document_is_said_and_concerns_its_tables_only() {
    let trial = Trial::new();
    let store = trial.open().await;
    let (port, types) = (store.artifacts(), store.types());
    let keep = TypeRegistration::KeepExisting;
    types.register_type(definition("ts"), keep).await.unwrap();
    let path = trial.root().join("types/sample_v1.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let changed = whole.replacen("\"ts\"", "\"n\"", 1);
    assert_ne!(changed, whole);
    for damaged in ["", "{}", &whole[..whole.len() / 2], &changed] {
        std::fs::write(&path, damaged).unwrap();
        let name = samples::artifact_type("sample_v1");
        let listed = types.list_types().await;
        if damaged == "{}" {
            assert_eq!(listed.unwrap(), [], "it may be a file of somebody else");
        } else {
            refused(listed, ErrorKind::Corrupt);
        }
        for error in [
            refused(port.publish_artifact(table("t")).await, ErrorKind::Corrupt),
            refused(types.get_type(&name).await, ErrorKind::Corrupt),
            refused(
                types
                    .register_type(definition("n"), TypeRegistration::Replace)
                    .await,
                ErrorKind::Corrupt,
            ),
        ] {
            assert_eq!(
                error.context_value("path"),
                Some("types/sample_v1.json"),
                "{error:?}"
            );
        }
        let key = format!("{}", damaged.len());
        let file = request(&key, &key, &key);
        port.publish_artifact(file).await.unwrap();
        let mut other = table(&format!("other {key}"));
        other.artifact_type = samples::artifact_type("other_v1");
        port.publish_artifact(other).await.unwrap();
    }
    std::fs::write(&path, &whole).unwrap();
    port.publish_artifact(table("t")).await.unwrap();
    store.close().await;
    assert_eq!(trial.files_in("staging"), Vec::<String>::new());
    drop((port, types, store));
    check_clean(&trial.root()).await;
}

/// A registration that fails leaves the former definition in force, or none.
#[tokio::test]
async fn a_type_that_cannot_be_written_is_not_registered() {
    for kind in [IoKind::StorageFull, IoKind::Other] {
        for call in [
            "staged-document.create",
            "staged-document.write",
            "staged-document.sync",
            "type.replace",
        ] {
            let trial = Trial::new();
            let script = Arc::new(Script::new());
            let store = LocalStore::open_observed(&trial.root(), script.clone()).await;
            let store = store.unwrap();
            let types = store.types();
            let keep = TypeRegistration::KeepExisting;
            for (required, registration) in [("ts", keep), ("n", TypeRegistration::Replace)] {
                let before = types.list_types().await.unwrap();
                script.fail(call, kind);
                let registered = types.register_type(definition(required), registration);
                let error = refused(registered.await, ErrorKind::Unavailable);
                assert!(error.context_value("path").is_some(), "{error:?}");
                assert!(script.failed(call) > 0, "{call} was not met");
                script.heal();
                assert_eq!(types.list_types().await.unwrap(), before, "{call}");
                assert_eq!(trial.files_in("staging"), Vec::<String>::new(), "{call}");
                let registered = types.register_type(definition(required), registration);
                registered.await.unwrap();
            }
            store.close().await;
            drop((types, store));
            check_clean(&trial.root()).await;
        }
    }
}
