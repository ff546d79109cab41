use artstore_core::artifact::{Artifact, ArtifactKind, ArtifactStatus, DedupMode, DedupScope};
use artstore_core::backend::{ArtifactCatalog, ArtifactProbe, Duplicate};
use artstore_core::digest::{ContentHash, Digest};

use super::{CatalogHarness, apply, created, created_with, publish_probe, put, scope_of};
use crate::samples::{artifact, artifact_type, ch1, logical_key, table, time};

async fn duplicate(catalog: &dyn ArtifactCatalog, probe: ArtifactProbe) -> Option<Duplicate> {
    let mut examination = catalog.examine(vec![probe]).await.unwrap();
    assert_eq!(examination.answers.len(), 1);
    let answer = examination.answers.remove(0);
    assert_eq!(answer.artifacts, [], "a publish asks for a duplicate only");
    answer.duplicate
}

async fn answered(catalog: &dyn ArtifactCatalog, probe: ArtifactProbe) -> Option<Artifact> {
    duplicate(catalog, probe).await.map(|found| found.artifact)
}

/// The probe of a publish of other bytes that say `content_hash`, in the scope of `artifact`.
fn content_probe(artifact: &Artifact, content_hash: ContentHash) -> ArtifactProbe {
    hashes_probe(artifact, Digest::of(b"other bytes"), content_hash)
}

fn hashes_probe(artifact: &Artifact, bytes: Digest, says: ContentHash) -> ArtifactProbe {
    let mut probe = publish_probe(artifact);
    if let ArtifactProbe::Publish {
        file_hash,
        content_hash,
        ..
    } = &mut probe
    {
        *file_hash = bytes;
        *content_hash = Some(says);
    }
    probe
}

/// Only an active artifact of the same type, schema version and logical key with the same hash is a duplicate.
pub async fn duplicates_are_of_one_scope_and_hash(harness: &dyn CatalogHarness) {
    let original = artifact(1);
    let catalog = created_with(harness, std::slice::from_ref(&original)).await;
    let found = answered(&*catalog, publish_probe(&original)).await;
    assert_eq!(found.as_ref(), Some(&original));

    let mut other_type = original.clone();
    other_type.artifact_type = artifact_type("SAMPLE_v1");
    let mut other_version = original.clone();
    other_version.schema_version = 2;
    let mut other_key = original.clone();
    other_key.logical_key = logical_key("N=1");
    let mut other_hash = original.clone();
    other_hash.file_hash = Digest::of(b"other");
    let mut other_kind = original.clone();
    other_kind.kind = ArtifactKind::Table;
    for other in [other_type, other_version, other_key, other_hash, other_kind] {
        assert_eq!(answered(&*catalog, publish_probe(&other)).await, None);
    }
}

/// Without a content hash duplicates are recognised by the hash of the stored bytes, not by that of the content.
pub async fn duplicates_are_recognised_by_file_hash(harness: &dyn CatalogHarness) {
    let mut one = table(1);
    one.content_hash = Digest::of(b"what it says").into();
    let catalog = created_with(harness, &[one.clone()]).await;
    let by_file = duplicate(&*catalog, publish_probe(&one)).await.unwrap();
    assert_eq!(by_file.artifact, one);
    assert_eq!(by_file.mode, DedupMode::FileHash);
    one.file_hash = Digest::of(b"what it says");
    assert_eq!(answered(&*catalog, publish_probe(&one)).await, None);
}

/// With a content hash a table that says the same in other bytes is a duplicate; the algorithm is part of the hash.
pub async fn duplicates_are_recognised_by_content_hash(harness: &dyn CatalogHarness) {
    let one = table(1);
    let catalog = created_with(harness, &[one.clone(), table(2)]).await;
    let expected = Duplicate {
        artifact: one.clone(),
        mode: DedupMode::ContentHash,
    };
    let found = duplicate(&*catalog, content_probe(&one, one.content_hash)).await;
    assert_eq!(found, Some(expected));
    let same_digits: ContentHash = one.content_hash.digest.into();
    for other in [ch1("other"), table(2).content_hash, same_digits] {
        assert_eq!(duplicate(&*catalog, content_probe(&one, other)).await, None);
    }
}

/// An artifact with the same bytes comes before one that says the same, also where that was created first.
pub async fn the_file_hash_comes_first(harness: &dyn CatalogHarness) {
    let says_the_same = table(1);
    let mut has_the_bytes = table(2);
    has_the_bytes.logical_key = says_the_same.logical_key.clone();
    let catalog = created_with(harness, &[says_the_same.clone(), has_the_bytes.clone()]).await;
    let (bytes, says) = (has_the_bytes.file_hash, says_the_same.content_hash);
    let probe = || hashes_probe(&says_the_same, bytes, says);
    let first = duplicate(&*catalog, probe()).await.unwrap();
    assert_eq!(first.artifact, has_the_bytes);
    assert_eq!(first.mode, DedupMode::FileHash);
    has_the_bytes.status = ArtifactStatus::Tombstoned;
    apply(&*catalog, vec![put(&has_the_bytes)]).await;
    let second = duplicate(&*catalog, probe()).await.unwrap();
    assert_eq!(second.artifact, says_the_same);
    assert_eq!(second.mode, DedupMode::ContentHash);
}

/// A table and a file are never duplicates of each other, whatever their hashes.
pub async fn kinds_do_not_mix(harness: &dyn CatalogHarness) {
    let kept_table = table(1);
    let mut kept_file = artifact(2);
    kept_file.logical_key = kept_table.logical_key.clone();
    let catalog = created_with(harness, &[kept_table.clone(), kept_file.clone()]).await;
    for (of, kind, expected) in [
        (&kept_table, ArtifactKind::Table, true),
        (&kept_table, ArtifactKind::File, false),
        (&kept_file, ArtifactKind::Table, false),
        (&kept_file, ArtifactKind::File, true),
    ] {
        let mut asked = of.clone();
        asked.kind = kind;
        let by_bytes = answered(&*catalog, publish_probe(&asked)).await;
        assert_eq!(by_bytes.as_ref(), expected.then_some(of), "{kind}");
        let probe = content_probe(&asked, of.content_hash);
        let by_content = answered(&*catalog, probe).await;
        assert_eq!(by_content.as_ref(), expected.then_some(of), "{kind}");
        let has = catalog
            .may_have_active_of_size(&scope_of(&asked), of.size_bytes)
            .await;
        assert_eq!(has.unwrap(), expected, "{kind}");
    }
}

/// A table that says the same elsewhere is no duplicate: the content hash is looked for in the scope only.
pub async fn content_hashes_are_of_one_scope(harness: &dyn CatalogHarness) {
    let original = table(1);
    let catalog = created_with(harness, std::slice::from_ref(&original)).await;
    let mut other_type = original.clone();
    other_type.artifact_type = artifact_type("sample_v2");
    let mut other_version = original.clone();
    other_version.schema_version = 2;
    let mut other_key = original.clone();
    other_key.logical_key = logical_key("n=10");
    for other in [other_type, other_version, other_key] {
        let probe = content_probe(&other, original.content_hash);
        assert_eq!(answered(&*catalog, probe).await, None);
    }
}

/// Superseded and tombstoned artifacts are never answered as duplicates, and are again once they are active.
pub async fn only_active_artifacts_are_duplicates(harness: &dyn CatalogHarness) {
    let mut one = table(1);
    let catalog = created(harness).await;
    for status in ArtifactStatus::ALL.iter().chain(&[ArtifactStatus::Active]) {
        one.status = *status;
        apply(&*catalog, vec![put(&one)]).await;
        let found = answered(&*catalog, publish_probe(&one)).await;
        assert_eq!(
            found.is_some(),
            *status == ArtifactStatus::Active,
            "{status}"
        );
        let probe = content_probe(&one, one.content_hash);
        let says_the_same = answered(&*catalog, probe).await;
        assert_eq!(
            says_the_same.is_some(),
            *status == ArtifactStatus::Active,
            "{status}"
        );
        let has = catalog
            .may_have_active_of_size(&scope_of(&one), one.size_bytes)
            .await;
        assert_eq!(has.unwrap(), *status == ArtifactStatus::Active, "{status}");
    }
}

/// Of several duplicates the one created first is answered, however they were put and whatever their ids; of those
/// created at one time the one with the least id.
pub async fn the_oldest_duplicate_is_answered(harness: &dyn CatalogHarness) {
    let same = |number: u64, seconds: i64| {
        let mut one = table(number);
        one.logical_key = logical_key("same");
        one.file_hash = Digest::of(b"same");
        one.content_hash = ch1("same");
        one.created_at = time(seconds);
        one
    };
    let late = same(1, 30);
    let in_order = [same(5, 10), same(3, 20), same(4, 20), late.clone()];
    let put_first = [&in_order[1], &late, &in_order[2], &in_order[0]].map(Clone::clone);
    let catalog = created_with(harness, &put_first).await;
    for mut oldest in in_order {
        let by_bytes = answered(&*catalog, publish_probe(&late)).await;
        assert_eq!(by_bytes.as_ref(), Some(&oldest));
        let by_content = answered(&*catalog, content_probe(&late, ch1("same"))).await;
        assert_eq!(by_content.as_ref(), Some(&oldest));
        oldest.status = ArtifactStatus::Superseded;
        apply(&*catalog, vec![put(&oldest)]).await;
    }
    assert_eq!(answered(&*catalog, publish_probe(&late)).await, None);
}

/// Whether something active has a size is asked within a scope.
pub async fn sizes_are_found_in_their_scope(harness: &dyn CatalogHarness) {
    let one = artifact(1);
    let catalog = created_with(harness, &[one.clone(), artifact(2)]).await;
    let scope = scope_of(&one);
    let has = async |scope: &DedupScope, size| {
        catalog.may_have_active_of_size(scope, size).await.unwrap()
    };
    assert!(has(&scope, one.size_bytes).await);
    assert!(!has(&scope, one.size_bytes + 1).await);
    assert!(!has(&scope_of(&artifact(2)), one.size_bytes).await);
    for other in [
        DedupScope {
            artifact_type: artifact_type("other"),
            ..scope.clone()
        },
        DedupScope {
            schema_version: 2,
            ..scope.clone()
        },
        DedupScope {
            logical_key: logical_key("n=%"),
            ..scope.clone()
        },
    ] {
        assert!(!has(&other, one.size_bytes).await, "{other:?}");
    }
}
