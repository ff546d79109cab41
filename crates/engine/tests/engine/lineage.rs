//! Lineage, and what replaces or withdraws an artifact.

use std::time::Duration;

use artstore_core::ErrorKind;
use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactInput, ArtifactStatus, Merged, PublishArtifactRequest,
    PublishArtifactResult,
};
use artstore_core::id::ArtifactId;
use artstore_core::key::ArtifactType;
use artstore_core::lineage::{ArtifactLineage, WalkLimits};
use artstore_core::page::PageRequest;
use artstore_core::tags::{TagChange, Tags};

use crate::support::{World, error_of, op, request, with_key};

fn made_from(key: &str, inputs: &[&Artifact]) -> PublishArtifactRequest {
    let mut request = request(key, key);
    request.inputs = inputs
        .iter()
        .map(|input| ArtifactInput::new(input.id))
        .collect();
    request
}

async fn make(world: &World, key: &str, inputs: &[&Artifact]) -> Artifact {
    let request = made_from(key, inputs);
    match world.port().publish_artifact(request).await.unwrap() {
        PublishArtifactResult::Published(artifact) => artifact,
        other => panic!("expected a new artifact, not {other:?}"),
    }
}

async fn merge(world: &World, request: PublishArtifactRequest) -> (Artifact, Merged) {
    match world.port().publish_artifact(request).await.unwrap() {
        PublishArtifactResult::Duplicate {
            existing, merged, ..
        } => (existing, merged),
        other => panic!("expected a duplicate, not {other:?}"),
    }
}

fn unknown() -> ArtifactId {
    "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap()
}

fn keys(lineage: &ArtifactLineage) -> Vec<(&str, u32)> {
    let nodes = lineage.nodes.iter();
    nodes
        .map(|node| (node.artifact.logical_key.as_str(), node.depth))
        .collect()
}

async fn check_rebuild(world: &World) {
    world.quiet().await;
    let dump = world.dump().await;
    world.catalog.delete();
    assert_eq!(world.another_process().dump().await, dump);
}

#[tokio::test]
async fn inputs_and_downstream_are_walked_with_roles_and_depth() {
    let world = World::new();
    let raw = make(&world, "raw", &[]).await;
    let mut request = made_from("clean", &[&raw]);
    request.inputs[0].role = Some("source".into());
    world.port().publish_artifact(request).await.unwrap();
    let clean = world.find("clean").await;
    let left = make(&world, "left", &[&clean]).await;
    let right = make(&world, "right", &[&clean, &raw]).await;
    let joined = make(&world, "joined", &[&left, &right]).await;

    let port = world.port();
    let all = WalkLimits::default();
    let lineage = port.get_lineage(joined.id, all).await.unwrap();
    let expected = [("left", 1), ("right", 1), ("clean", 2), ("raw", 2)];
    assert_eq!(keys(&lineage), expected);
    assert_eq!((lineage.depth, lineage.truncated), (2, false));
    assert_eq!(lineage.edges.len(), 6);
    let with_role: Vec<_> = lineage
        .edges
        .iter()
        .filter(|edge| edge.role.as_deref() == Some("source"))
        .map(|edge| (edge.input, edge.output))
        .collect();
    assert_eq!(with_role, [(raw.id, clean.id)]);

    let downstream = port.get_downstream(raw.id, all).await.unwrap();
    let expected = [("clean", 1), ("right", 1), ("left", 2), ("joined", 2)];
    assert_eq!(keys(&downstream), expected);
    assert_eq!(downstream.nodes[0].role.as_deref(), Some("source"));
    let near = WalkLimits::new(Some(1), 10).unwrap();
    let near = port.get_downstream(raw.id, near).await.unwrap();
    assert_eq!(keys(&near), [("clean", 1), ("right", 1)]);
    let few = WalkLimits::new(None, 1).unwrap();
    let few = port.get_lineage(joined.id, few).await.unwrap();
    assert!(few.truncated && few.nodes.len() == 1);
    check_rebuild(&world).await;
}

#[tokio::test]
async fn an_unknown_artifact_has_no_lineage() {
    let world = World::new();
    let port = world.port();
    let limits = WalkLimits::default();
    for error in [
        error_of(port.get_lineage(unknown(), limits).await),
        error_of(port.get_downstream(unknown(), limits).await),
        error_of(port.get_supersession(unknown()).await),
        error_of(port.supersede(unknown(), unknown(), None).await),
        error_of(port.tombstone(unknown(), "gone", None).await),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_missing_input_is_refused_before_anything_is_staged() {
    let world = World::new();
    let raw = make(&world, "raw", &[]).await;
    world.quiet().await;
    let files = world.files.files();
    let mut request = made_from("made", &[&raw]);
    request.inputs.push(ArtifactInput::new(unknown()));
    let error = error_of(world.port().publish_artifact(request).await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.context_value("missing"),
        Some(unknown().to_string().as_str())
    );
    assert_eq!(world.files.files(), files);
    assert_eq!(world.faults.calls("stage"), 1);
}

#[tokio::test]
async fn inputs_have_limits() {
    let world = World::new();
    let mut request = made_from("made", &[]);
    request.inputs = vec![ArtifactInput::new(unknown()); ArtifactInput::MAX_COUNT + 1];
    let error = error_of(world.port().publish_artifact(request).await);
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let mut request = made_from("made", &[]);
    request.inputs = vec![ArtifactInput {
        id: unknown(),
        role: Some("x".repeat(ArtifactInput::MAX_ROLE_BYTES + 1)),
    }];
    let error = error_of(world.port().publish_artifact(request).await);
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_duplicate_brings_its_inputs_but_closes_no_cycle() {
    let world = World::new();
    let raw = make(&world, "raw", &[]).await;
    let clean = make(&world, "clean", &[&raw]).await;
    let report = make(&world, "report", &[&clean]).await;
    let other = make(&world, "other", &[]).await;

    // `clean` was found to be made from `other`, too; that it was made from itself or its report is nonsense.
    let (merged, what) = merge(&world, made_from("clean", &[&raw, &report, &other, &clean])).await;
    assert_eq!(what.inputs, [ArtifactInput::new(other.id)]);
    assert_eq!(
        what.skipped_inputs,
        [ArtifactInput::new(report.id), ArtifactInput::new(clean.id)]
    );
    let expected = [&raw, &other].map(|input| ArtifactInput::new(input.id));
    assert_eq!(merged.inputs, expected);
    assert_eq!(merged.revision, 2);
    let record = world.document(clean.record_path.as_str());
    assert_eq!(
        record["provenance"]["inputs"][1]["id"],
        other.id.to_string()
    );

    // Only cycles: nothing is written.
    let commits = world.faults.calls("apply");
    let (_, what) = merge(&world, made_from("clean", &[&report])).await;
    assert!(what.inputs.is_empty() && what.skipped_inputs.len() == 1);
    assert_eq!(world.faults.calls("apply"), commits);
    check_rebuild(&world).await;
}

#[tokio::test]
async fn a_cycle_is_found_also_where_much_was_made_from_the_artifact() {
    let world = World::new();
    let raw = make(&world, "raw", &[]).await;
    let clean = make(&world, "clean", &[&raw]).await;
    let reports = (0..1_100).map(|number| made_from(&format!("report {number}"), &[&clean]));
    let reports = world.port().publish_artifacts(reports.collect()).await;
    let last = reports.last().unwrap().clone().unwrap();
    let last = last.artifact();
    let other = make(&world, "other", &[]).await;

    let (_, what) = merge(&world, made_from("raw", &[last, &other, &clean])).await;
    assert_eq!(what.inputs, [ArtifactInput::new(other.id)]);
    let skipped = [last, &clean].map(|input| ArtifactInput::new(input.id));
    assert_eq!(what.skipped_inputs, skipped);
}

#[tokio::test]
async fn merges_that_would_close_a_cycle_together_do_not() {
    let world = World::new();
    let mut artifacts = Vec::new();
    for number in 0..8 {
        artifacts.push(make(&world, &format!("artifact {number}"), &[]).await);
    }
    let merges = artifacts.iter().enumerate().map(|(number, artifact)| {
        let key = artifact.logical_key.to_string();
        let next = &artifacts[(number + 1) % artifacts.len()];
        let request = made_from(&key, &[next]);
        let port = world.port();
        tokio::spawn(async move { port.publish_artifact(request).await.unwrap() })
    });
    let mut skipped = 0;
    for merge in merges.collect::<Vec<_>>() {
        match merge.await.unwrap() {
            PublishArtifactResult::Duplicate { merged, .. } => {
                skipped += merged.skipped_inputs.len();
            }
            other => panic!("expected a duplicate, not {other:?}"),
        }
    }
    assert_eq!(skipped, 1, "the last one would have closed the ring");
    check_rebuild(&world).await;
}

#[tokio::test]
async fn repeating_a_merge_tells_what_it_merged() {
    let world = World::new();
    let raw = make(&world, "raw", &[]).await;
    let made = make(&world, "made", &[]).await;
    let mut request = made_from("made", &[&raw, &made]);
    request.op_id = Some(op("merge"));
    let first = merge(&world, request.clone()).await;
    assert_eq!(first.1.inputs.len(), 1);
    assert_eq!(merge(&world, request).await, first);
}

#[tokio::test]
async fn the_new_artifact_replaces_the_old_and_both_say_so() {
    let world = World::new();
    let old = make(&world, "one", &[]).await;
    let new = make(&world, "two", &[]).await;
    let port = world.port();
    let replaced = port.supersede(new.id, old.id, None).await.unwrap();
    assert_eq!(replaced.status, ArtifactStatus::Superseded);
    assert_eq!(replaced.superseded_by, Some(new.id));
    let by = port.get_artifact(new.id).await.unwrap();
    assert_eq!((by.supersedes.clone(), by.revision), (vec![old.id], 2));
    let record = world.document(old.record_path.as_str());
    assert_eq!(record["status"], "superseded");
    let record = world.document(new.record_path.as_str());
    assert_eq!(record["supersedes"][0], old.id.to_string());
    let commits = world.faults.calls("apply");
    assert_eq!(
        port.supersede(new.id, old.id, None).await.unwrap(),
        replaced,
        "asking again changes nothing"
    );
    assert_eq!(world.faults.calls("apply"), commits);
    // The same content again is a new artifact: what was replaced is never answered.
    assert!(!world.publish("one", "one").await.unwrap().is_duplicate());
    check_rebuild(&world).await;
}

#[tokio::test]
async fn nothing_that_contradicts_the_past_is_superseded() {
    let world = World::new();
    let [a, b, c, gone] = ["a", "b", "c", "gone"];
    let a = make(&world, a, &[]).await;
    let b = make(&world, b, &[]).await;
    let c = make(&world, c, &[]).await;
    let gone = make(&world, gone, &[]).await;
    let mut other_type = request("d", "d");
    other_type.artifact_type = ArtifactType::new("another").unwrap();
    let other_type = world.port().publish_artifact(other_type).await.unwrap();
    let port = world.port();
    port.supersede(b.id, a.id, None).await.unwrap();
    port.tombstone(gone.id, "wrong", None).await.unwrap();
    let before = world.dump().await;
    let check = async |new: ArtifactId, old: ArtifactId, why: &str| {
        let error = error_of(world.port().supersede(new, old, None).await);
        assert_eq!(error.kind(), ErrorKind::Conflict, "{why}");
        assert!(error.message().contains(why), "{error}");
    };
    check(a.id, a.id, "itself").await;
    check(a.id, b.id, "it has replaced the other one").await;
    check(c.id, a.id, "another one has replaced it").await;
    check(a.id, c.id, "the other one was replaced itself").await;
    check(gone.id, c.id, "the other one is not active").await;
    check(c.id, gone.id, "it is not active").await;
    check(other_type.artifact().id, c.id, "types differ").await;
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn chains_are_told_from_every_link() {
    let world = World::new();
    let one = make(&world, "one", &[]).await;
    let other = make(&world, "other", &[]).await;
    let two = make(&world, "two", &[]).await;
    let three = make(&world, "three", &[]).await;
    let port = world.port();
    port.supersede(two.id, one.id, None).await.unwrap();
    port.supersede(two.id, other.id, None).await.unwrap();
    port.supersede(three.id, two.id, None).await.unwrap();
    let ids = |artifacts: &[Artifact]| artifacts.iter().map(|found| found.id).collect::<Vec<_>>();
    let chain = port.get_supersession(three.id).await.unwrap();
    assert_eq!(ids(&chain.predecessors), [two.id, one.id, other.id]);
    assert!(chain.successors.is_empty());
    let chain = port.get_supersession(one.id).await.unwrap();
    assert_eq!(ids(&chain.successors), [two.id, three.id]);
    assert!(chain.predecessors.is_empty() && !chain.truncated);
    check_rebuild(&world).await;
}

#[tokio::test]
async fn a_tombstoned_artifact_stays_so_and_is_never_answered() {
    let world = World::new();
    let artifact = make(&world, "one", &[]).await;
    let port = world.port();
    let withdrawn = port
        .tombstone(artifact.id, "wrong source", Some(op("t")))
        .await
        .unwrap();
    assert_eq!(withdrawn.status, ArtifactStatus::Tombstoned);
    assert_eq!(withdrawn.tombstone_reason.as_deref(), Some("wrong source"));
    let again = port.tombstone(artifact.id, "another reason", None).await;
    assert_eq!(again.unwrap(), withdrawn);
    let repeated = port
        .tombstone(artifact.id, "wrong source", Some(op("t")))
        .await;
    assert_eq!(repeated.unwrap(), withdrawn);
    let error = error_of(port.tombstone(artifact.id, "x", Some(op("t"))).await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    for wrong in ["", "a\nb", &"x".repeat(1001)] {
        let error = error_of(port.tombstone(artifact.id, wrong, None).await);
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert_eq!(world.bytes(artifact.id).await.unwrap(), "one");
    assert!(!world.publish("one", "one").await.unwrap().is_duplicate());
    check_rebuild(&world).await;
}

#[tokio::test]
async fn what_was_replaced_may_still_be_withdrawn() {
    let world = World::new();
    let old = make(&world, "one", &[]).await;
    let new = make(&world, "two", &[]).await;
    let port = world.port();
    port.supersede(new.id, old.id, None).await.unwrap();
    let withdrawn = port.tombstone(old.id, "wrong", None).await.unwrap();
    assert_eq!(withdrawn.status, ArtifactStatus::Tombstoned);
    assert_eq!(withdrawn.superseded_by, Some(new.id));
    let again = port.supersede(new.id, old.id, None).await.unwrap();
    assert_eq!(again, withdrawn, "it is so already, and nothing comes back");
    check_rebuild(&world).await;
}

#[tokio::test]
async fn many_changes_at_once_lead_to_one_history() {
    let world = World::new();
    let old = make(&world, "old", &[]).await;
    let mut tasks = Vec::new();
    for number in 0..10 {
        let candidate = make(&world, &format!("candidate {number}"), &[]).await;
        let (port, old) = (world.port(), old.id);
        tasks.push(tokio::spawn(async move {
            port.supersede(candidate.id, old, None).await
        }));
    }
    let mut replaced = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => replaced += 1,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
        }
    }
    assert_eq!(replaced, 1);
    check_rebuild(&world).await;
}

#[tokio::test]
async fn find_shows_active_artifacts_first_page_by_page() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..7 {
        world.clock.advance(Duration::from_secs(1));
        ids.push(world.published("key", &format!("content {number}")).await);
    }
    let port = world.port();
    for number in [1, 3, 6] {
        port.tombstone(ids[number].id, "wrong", None).await.unwrap();
    }
    let expected: Vec<ArtifactId> = [5, 4, 2, 0, 6, 3, 1]
        .map(|number: usize| ids[number].id)
        .into();
    let (artifact_type, key) = (&ids[0].artifact_type, &ids[0].logical_key);
    for limit in 1..=8 {
        let mut found = Vec::new();
        let mut page = PageRequest::first(limit).unwrap();
        loop {
            let answer = port
                .find_by_logical_key(artifact_type, key, &page)
                .await
                .unwrap();
            assert!(answer.items.len() <= limit as usize);
            found.extend(answer.items.into_iter().map(|artifact| artifact.id));
            match answer.next {
                Some(next) => page = PageRequest::first(limit).unwrap().after(next),
                None => break,
            }
        }
        assert_eq!(found, expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_change_that_its_record_could_not_show_is_refused() {
    let world = World::new();
    let mut wide = request("wide", "wide");
    let text = "x".repeat(PublishArtifactRequest::MAX_PARAMS_BYTES - 100);
    wide.params.insert("text".into(), text.into());
    let artifact = world.port().publish_artifact(wide).await.unwrap();
    let artifact = artifact.artifact().clone();
    let path = artifact.record_path.clone();
    let record = &world.files.files()[&path];
    let filler = "x".repeat(4 * 1024 * 1024 - record.len() - 3000);
    world.files.plant(&path, with_key(record, "later", &filler));
    let other = make(&world, "other", &[]).await;
    let port = world.port();
    port.tombstone(other.id, "room enough", None).await.unwrap();
    let before = world.dump().await;
    let reason = "x".repeat(1000);
    let mut many = Tags::new();
    for number in 0..100 {
        many.insert(format!("key {number}"), "value").unwrap();
    }
    let change = TagChange {
        add: many,
        remove: Vec::new(),
    };
    let error = error_of(port.tag(artifact.id, change, None).await);
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(world.dump().await, before);
    let withdrawn = port.tombstone(artifact.id, &reason, None).await.unwrap();
    assert_eq!(withdrawn.status, ArtifactStatus::Tombstoned);
    let record = world.document(path.as_str());
    assert_eq!(record["status"], "tombstoned", "what fits is shown");
}

#[tokio::test]
async fn an_old_record_of_a_replaced_artifact_is_brought_up_when_everything_is_compared() {
    let world = World::new();
    let old = make(&world, "one", &[]).await;
    let new = make(&world, "two", &[]).await;
    let records = [&old, &new].map(|artifact| {
        let path = artifact.record_path.clone();
        let record = world.files.files()[&path].clone();
        (path, record)
    });
    world.port().supersede(new.id, old.id, None).await.unwrap();
    world.quiet().await;
    for (path, record) in records {
        world.files.plant(&path, record);
    }
    world.lock.reboot();
    let next = world.after_death();
    let report = next.maintenance().settle().await.unwrap();
    assert!(report.faults.is_empty(), "{report:?}");
    let record = next.document(old.record_path.as_str());
    assert_eq!(record["status"], "superseded");
    let record = next.document(new.record_path.as_str());
    assert_eq!(record["supersedes"][0], old.id.to_string());
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let world = World::new();
    let artifact = make(&world, "one", &[]).await;
    let cursor = format!("0.{}.inactive", artifact.id).parse().unwrap();
    let page = PageRequest::default().after(cursor);
    let error = error_of(
        world
            .port()
            .list_artifacts(&ArtifactFilter::default(), &page)
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn lost_artifacts_of_a_chain_are_named() {
    let world = World::new();
    let old = make(&world, "one", &[]).await;
    let new = make(&world, "two", &[]).await;
    world.port().supersede(new.id, old.id, None).await.unwrap();
    world.quiet().await;
    world.files.remove(&new.record_path);
    world.files.remove(&new.data_path);
    world.catalog.delete();
    let chain = world.port().get_supersession(old.id).await.unwrap();
    assert_eq!(chain.missing, [new.id]);
    assert!(chain.successors.is_empty());
}
