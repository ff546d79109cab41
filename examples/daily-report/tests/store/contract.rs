//! What any application may rely on, said with the port alone.

use artstore_core::ErrorKind;
use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactInput, ArtifactSource, ArtifactStatus, DedupMode, GitState,
    PublishArtifactRequest, PublishArtifactResult, Writer,
};
use artstore_core::lineage::WalkLimits;
use artstore_core::page::PageRequest;
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_testkit::samples::{artifact_id, artifact_type, logical_key};

use crate::worlds::World;

fn request(artifact_type_name: &str, key: &str, csv: &'static str) -> PublishArtifactRequest {
    PublishArtifactRequest {
        writer: Some(Writer {
            name: "test".to_owned(),
            version: Some("1.0.0".to_owned()),
        }),
        git: Some(GitState {
            commit: "test-commit".to_owned(),
            dirty: false,
        }),
        ..PublishArtifactRequest::table(
            artifact_type(artifact_type_name),
            logical_key(key),
            ArtifactSource::Bytes(csv.into()),
            TableFormat::Csv(CsvOptions::default()),
        )
    }
}

async fn publish(world: &World, request: PublishArtifactRequest) -> Artifact {
    match world.store.publish_artifact(request).await.unwrap() {
        PublishArtifactResult::Published(artifact) => artifact,
        duplicate => panic!("expected a new artifact, not {duplicate:?}"),
    }
}

pub(crate) async fn a_fresh_store_is_available(world: &World) {
    assert!(world.store.is_available().await);
    publish(world, request("test_artifact", "test/key", "a\n1\n")).await;
    assert!(world.store.is_available().await);
}

pub(crate) async fn what_is_published_is_retrieved(world: &World) {
    let published = publish(
        world,
        request("test_artifact", "test/key", "a,b\n1,x\n2,y\n"),
    )
    .await;
    let got = world.store.get_artifact(published.id).await.unwrap();
    assert_eq!(got, published);
    assert_eq!(got.artifact_type.as_str(), "test_artifact");
    assert_eq!(got.logical_key.as_str(), "test/key");
    assert_eq!(got.status, ArtifactStatus::Active);
    assert_eq!(got.row_count, Some(2));

    let unknown = artifact_id(999);
    let error = world.store.get_artifact(unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let batch = world.store.get_artifacts(&[unknown, got.id]).await.unwrap();
    assert_eq!(batch, [None, Some(got)]);
}

pub(crate) async fn identical_artifacts_are_one(world: &World) {
    let first = publish(world, request("test_artifact", "test/key", "a,b\n1,x\n")).await;
    let again = request("test_artifact", "test/key", "a,b\n1,x\n");
    let second = world.store.publish_artifact(again).await.unwrap();
    assert!(second.is_duplicate());
    assert_eq!(second.artifact().id, first.id);
    // The same table, spelled in another way, as another program would write it.
    let quoted = request("test_artifact", "test/key", "\"a\",\"b\"\r\n1,\"x\"\r\n");
    match world.store.publish_artifact(quoted).await.unwrap() {
        PublishArtifactResult::Duplicate { existing, mode, .. } => {
            assert_eq!(existing.id, first.id);
            assert!(DedupMode::ALL.contains(&mode));
        }
        PublishArtifactResult::Published(artifact) => panic!("{artifact:?} is a duplicate"),
    }
    publish(world, request("test_artifact", "another/key", "a,b\n1,x\n")).await;
}

pub(crate) async fn lists_are_narrowed_by_type_and_status_and_limited(world: &World) {
    let mut ids = Vec::new();
    for key in ["k/1", "k/2", "k/3"] {
        ids.push(
            publish(world, request("test_artifact", key, "a\n1\n"))
                .await
                .id,
        );
    }
    publish(world, request("another", "k/1", "a\n1\n")).await;
    let withdrawn = world.store.tombstone(ids[0], "wrong", None).await.unwrap();
    let active = ArtifactFilter {
        artifact_type: Some(artifact_type("test_artifact")),
        status: Some(ArtifactStatus::Active),
        ..ArtifactFilter::default()
    };
    let list = async |filter: &ArtifactFilter, limit| {
        let page = PageRequest::first(limit).unwrap();
        world.store.list_artifacts(filter, &page).await.unwrap()
    };
    let found = list(&active, 10).await;
    let newest_first: Vec<_> = found.items.iter().map(|artifact| artifact.id).collect();
    assert_eq!(newest_first, [ids[2], ids[1]]);
    assert_eq!(found.next, None);
    let page = list(&active, 1).await;
    assert_eq!((page.items.len(), page.next.is_some()), (1, true));
    let tombstoned = ArtifactFilter {
        status: Some(ArtifactStatus::Tombstoned),
        ..active
    };
    assert_eq!(list(&tombstoned, 10).await.items, [withdrawn]);
}

pub(crate) async fn an_artifact_is_found_by_its_key(world: &World) {
    let published = publish(world, request("test_artifact", "test/key", "a\n1\n")).await;
    publish(world, request("test_artifact", "test/key/longer", "a\n1\n")).await;
    let found = world
        .store
        .find_by_logical_key(
            &published.artifact_type,
            &published.logical_key,
            &PageRequest::default(),
        )
        .await
        .unwrap();
    assert_eq!(found.items, [published]);
}

/// An artifact and what was made from it.
async fn input_and_output(world: &World) -> (Artifact, Artifact) {
    let input = publish(world, request("test_input", "test/key", "a\n1\n")).await;
    let mut made = request("test_output", "test/key", "b\n2\n");
    made.inputs.push(ArtifactInput::new(input.id));
    (input, publish(world, made).await)
}

pub(crate) async fn lineage_names_the_input(world: &World) {
    let (input, output) = input_and_output(world).await;
    let limits = WalkLimits::default();
    let lineage = world.store.get_lineage(output.id, limits).await.unwrap();
    assert_eq!((lineage.artifact.id, lineage.depth), (output.id, 1));
    assert_eq!(lineage.nodes.len(), 1);
    assert_eq!(lineage.nodes[0].artifact, input);

    let mut of_nothing = request("test_output", "other/key", "b\n2\n");
    of_nothing.inputs.push(ArtifactInput::new(artifact_id(999)));
    let error = world.store.publish_artifact(of_nothing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

pub(crate) async fn downstream_names_what_was_made(world: &World) {
    let (input, output) = input_and_output(world).await;
    let limits = WalkLimits::default();
    let downstream = world.store.get_downstream(input.id, limits).await.unwrap();
    let made: Vec<_> = downstream.nodes.iter().map(|node| &node.artifact).collect();
    assert_eq!(made, [&output]);
}

pub(crate) async fn a_superseded_artifact_says_so(world: &World) {
    let old = publish(world, request("test_artifact", "test/key", "a\n1\n")).await;
    let new = publish(world, request("test_artifact", "test/key", "a\n2\n")).await;
    world.store.supersede(new.id, old.id, None).await.unwrap();
    let old = world.store.get_artifact(old.id).await.unwrap();
    assert_eq!(old.status, ArtifactStatus::Superseded);
    assert_eq!(old.superseded_by, Some(new.id));
    let new = world.store.get_artifact(new.id).await.unwrap();
    assert_eq!(new.status, ArtifactStatus::Active);
    assert_eq!(new.supersedes, [old.id]);
}
