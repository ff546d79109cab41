//! What operations meant.

use std::collections::BTreeSet;

use artstore_core::ErrorKind;
use artstore_core::artifact::{Artifact, ArtifactFilter, ArtifactInput, ArtifactStatus};
use artstore_core::lineage::WalkLimits;
use artstore_core::page::PageRequest;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::registry::TypeDefinition;
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use artstore_testkit::samples;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::trial::{Trial, dump, find, read};

use crate::{csv, definition, names, publish, record_of, refused, register, spelled};

async fn file(port: &dyn ArtifactStorePort, name: &str) -> Artifact {
    publish(port, samples::request(name, name.to_owned())).await
}

async fn file_made_from(
    port: &dyn ArtifactStorePort,
    name: &str,
    inputs: &[(&Artifact, Option<&str>)],
) -> Artifact {
    let mut request = samples::request(name, name.to_owned());
    let input = |(artifact, role): &(&Artifact, Option<&str>)| ArtifactInput {
        id: artifact.id,
        role: role.map(str::to_owned),
    };
    request.inputs = inputs.iter().map(input).collect();
    publish(port, request).await
}

/// An artifact could replace itself, two could replace each other, and both were out of use then.
#[tokio::test]
async fn nothing_replaces_itself_or_what_replaced_it() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let (a, b, c) = (
        file(&*port, "a").await,
        file(&*port, "b").await,
        file(&*port, "c").await,
    );
    refused(port.supersede(a.id, a.id, None).await, ErrorKind::Conflict);
    port.supersede(b.id, a.id, None).await.unwrap();
    port.supersede(c.id, b.id, None).await.unwrap();
    for (new, old) in [(a.id, b.id), (a.id, c.id), (b.id, c.id)] {
        refused(port.supersede(new, old, None).await, ErrorKind::Conflict);
    }
    let still = port.get_artifact(c.id).await.unwrap();
    assert_eq!(still.status, ArtifactStatus::Active);
    store.close().await;
}

/// A second replacement by the same artifact overwrote the first one, which then was out of use without a trace of why.
#[tokio::test]
async fn everything_that_was_replaced_names_its_successor_and_the_other_way_round() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let (a, b) = (file(&*port, "a").await, file(&*port, "b").await);
    let (new, newest) = (file(&*port, "new").await, file(&*port, "newest").await);
    for old in [&a, &b, &a] {
        let old = port.supersede(new.id, old.id, None).await.unwrap();
        assert_eq!(old.superseded_by, Some(new.id));
    }
    port.supersede(newest.id, new.id, None).await.unwrap();
    let refusal = port.supersede(newest.id, a.id, None).await;
    refused(refusal, ErrorKind::Conflict);
    let chain = port.get_supersession(a.id).await.unwrap();
    let ids = |artifacts: &[Artifact]| artifacts.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(&chain.successors), [new.id, newest.id]);
    let chain = port.get_supersession(newest.id).await.unwrap();
    assert_eq!(ids(&chain.predecessors), [new.id, a.id, b.id]);
    let all = dump(&*store.maintenance()).await.unwrap();
    let history = all.matches("\"superseded\"").count();
    assert!(history >= 3, "each replacement is an event: {all}");
    store.close().await;
}

/// Artifacts of any types replaced each other, also such that did not exist or were withdrawn, which made these look
/// replaced only.
#[tokio::test]
async fn only_what_is_in_use_replaces_what_is_in_use_and_of_its_type() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let (a, b) = (file(&*port, "a").await, file(&*port, "b").await);
    let mut other = samples::request("other", "other");
    other.artifact_type = samples::artifact_type("other_v1");
    let other = publish(&*port, other).await;
    refused(
        port.supersede(other.id, a.id, None).await,
        ErrorKind::Conflict,
    );
    let nobody = samples::artifact_id(7);
    refused(
        port.supersede(a.id, nobody, None).await,
        ErrorKind::NotFound,
    );
    refused(
        port.supersede(nobody, a.id, None).await,
        ErrorKind::NotFound,
    );
    port.tombstone(b.id, "wrong", None).await.unwrap();
    refused(port.supersede(a.id, b.id, None).await, ErrorKind::Conflict);
    refused(port.supersede(b.id, a.id, None).await, ErrorKind::Conflict);
    let found = port.get_artifacts(&[a.id, b.id]).await.unwrap();
    let found = found.into_iter().map(|found| found.unwrap().status);
    let expected = [ArtifactStatus::Active, ArtifactStatus::Tombstoned];
    assert!(found.eq(expected));
    store.close().await;
}

/// The record beside the bytes was never written again: it went on to say that the artifact is in use.
#[tokio::test]
async fn records_follow_what_becomes_of_their_artifacts() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let (a, b) = (file(&*port, "a").await, file(&*port, "b").await);
    let replaced = port.supersede(b.id, a.id, None).await.unwrap();
    let replacing = port.get_artifact(b.id).await.unwrap();
    assert_eq!(record_of(&trial, &a).into_artifact(), replaced);
    assert_eq!(record_of(&trial, &b).into_artifact(), replacing);
    let withdrawn = port.tombstone(b.id, "wrong prices", None).await.unwrap();
    assert_eq!(record_of(&trial, &b).into_artifact(), withdrawn);
    store.close().await;
}

/// Lineage showed the direct inputs only, without roles.
#[tokio::test]
async fn lineage_goes_as_deep_as_it_is_and_tells_roles() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let raw = file(&*port, "raw").await;
    let clean = file_made_from(&*port, "clean", &[(&raw, Some("source"))]).await;
    let config = file(&*port, "config").await;
    let inputs = [
        (&clean, Some("prices")),
        (&config, None),
        (&raw, Some("check")),
    ];
    let result = file_made_from(&*port, "result", &inputs).await;
    let lineage = port.get_lineage(result.id, WalkLimits::default()).await;
    let lineage = lineage.unwrap();
    assert_eq!((lineage.nodes.len(), lineage.edges.len()), (3, 4));
    let found = lineage.nodes.iter().map(|node| {
        let role = node.role.as_deref();
        (node.artifact.id, node.depth, role)
    });
    assert!(found.eq([
        (clean.id, 1, Some("prices")),
        (config.id, 1, None),
        (raw.id, 1, Some("check")),
    ]));
    let downstream = port.get_downstream(raw.id, WalkLimits::default()).await;
    let downstream = downstream.unwrap();
    let found: BTreeSet<_> = downstream
        .nodes
        .iter()
        .map(|node| node.artifact.id)
        .collect();
    assert_eq!(found, BTreeSet::from([clean.id, result.id]));
    let shallow = port.get_lineage(result.id, WalkLimits::new(Some(1), 2).unwrap());
    let shallow = shallow.await.unwrap();
    assert_eq!((shallow.nodes.len(), shallow.truncated), (2, true));
    store.close().await;
}

/// Whoever asked about an unknown artifact was told that it has no inputs.
#[tokio::test]
async fn lineage_of_what_does_not_exist_is_an_error() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let (nobody, limits) = (samples::artifact_id(7), WalkLimits::default());
    refused(port.get_lineage(nobody, limits).await, ErrorKind::NotFound);
    refused(
        port.get_downstream(nobody, limits).await,
        ErrorKind::NotFound,
    );
    refused(port.get_supersession(nobody).await, ErrorKind::NotFound);
    refused(port.get_artifact(nobody).await, ErrorKind::NotFound);
    store.close().await;
}

/// A query that follows every way takes for ever where ways part and meet again, and for ever in a circle.
#[tokio::test]
async fn ways_that_part_and_meet_again_are_walked_once() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let first = file(&*port, "0").await;
    let mut last = first.clone();
    for level in 1..=30 {
        let left = file_made_from(&*port, &format!("{level} left"), &[(&last, None)]).await;
        let right = file_made_from(&*port, &format!("{level} right"), &[(&last, None)]).await;
        let inputs = [(&left, None), (&right, None)];
        last = file_made_from(&*port, &level.to_string(), &inputs).await;
    }
    let lineage = port.get_lineage(last.id, WalkLimits::default()).await;
    let lineage = lineage.unwrap();
    assert_eq!((lineage.nodes.len(), lineage.edges.len()), (90, 120));
    assert_eq!((lineage.depth, lineage.truncated), (60, false));
    // What would close a circle is left out, and named.
    let mut again = samples::request("0", "0");
    again.inputs = vec![ArtifactInput::new(last.id)];
    let (found, _, merged) = crate::publish_again(&*port, again).await;
    assert_eq!((found.id, found.inputs), (first.id, Vec::new()));
    assert_eq!(merged.skipped_inputs, [ArtifactInput::new(last.id)]);
    store.close().await;
}

/// Times were compared as text, so that a time with a fraction came before the same one without.
#[tokio::test]
async fn lists_compare_times_as_times() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let table = publish(&*port, csv("k", "t\n2026-01-27T07:04:10.779Z\n")).await;
    let listed = |from: &str, before: &str| {
        let span = format!("{from}..{before}");
        let filter = ArtifactFilter {
            overlaps: Some(span.parse().unwrap()),
            ..ArtifactFilter::default()
        };
        let port = store.artifacts();
        async move {
            let listed = port.list_artifacts(&filter, &PageRequest::default()).await;
            listed.unwrap().items.len()
        }
    };
    assert_eq!(listed("2026-01-27T07:04:10Z", "").await, 1);
    assert_eq!(listed("2026-01-27T08:04:10.779+01:00", "").await, 1);
    assert_eq!(listed("2026-01-27T07:04:10.780Z", "").await, 0);
    assert_eq!(listed("2026-01-27", "2026-01-28").await, 1);
    let created = |from: Option<Timestamp>, before: Option<Timestamp>| {
        let filter = ArtifactFilter {
            created_from: from,
            created_before: before,
            ..ArtifactFilter::default()
        };
        let port = store.artifacts();
        async move {
            let listed = port.list_artifacts(&filter, &PageRequest::default()).await;
            listed.unwrap().items.len()
        }
    };
    let at = Some(table.created_at);
    assert_eq!((created(at, None).await, created(None, at).await), (1, 0));
    store.close().await;
}

/// Lists ended after a hundred artifacts without saying so; there were no pages, and artifacts of one moment had no order.
#[tokio::test]
async fn a_list_says_that_it_goes_on_and_misses_nothing() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let mut published = BTreeSet::new();
    for number in 0..103 {
        published.insert(file(&*port, &number.to_string()).await.id);
    }
    let filter = ArtifactFilter::default();
    let mut page = PageRequest::default();
    let mut listed = Vec::new();
    loop {
        let found = port.list_artifacts(&filter, &page).await.unwrap();
        listed.extend(
            found
                .items
                .into_iter()
                .map(|item| (item.created_at, item.id)),
        );
        let Some(next) = found.next else { break };
        page = page.after(next);
    }
    assert!(listed.is_sorted_by(|one, other| one > other));
    let listed: BTreeSet<_> = listed.into_iter().map(|(_, id)| id).collect();
    assert_eq!(listed, published);
    store.close().await;
}

/// Tags with a hyphen or a dot in their key could be given and not be asked for, and values that look like a database's
/// language were refused.
#[tokio::test]
async fn every_tag_that_can_be_given_can_be_asked_for() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let pairs = [
        ("a-b", "--"),
        ("a.b", "/* x */"),
        ("a_b", "' OR '1'='1"),
        ("日本", "x;DROP TABLE artifact"),
    ];
    let mut request = samples::request("k", "k");
    request.tags = Tags::try_from(pairs).unwrap();
    let tagged = publish(&*port, request).await;
    file(&*port, "untagged").await;
    for pair in pairs {
        let filter = ArtifactFilter {
            tags: Tags::try_from([pair]).unwrap(),
            ..ArtifactFilter::default()
        };
        let listed = port.list_artifacts(&filter, &PageRequest::default()).await;
        let listed = listed.unwrap().items;
        assert_eq!(
            listed.iter().map(|item| item.id).collect::<Vec<_>>(),
            [tagged.id]
        );
    }
    store.close().await;
}

/// The word for withdrawn artifacts existed, and no operation that withdrew one.
#[tokio::test]
async fn what_is_withdrawn_says_why_and_can_still_be_read_and_traced() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let input = file(&*port, "input").await;
    let wrong = file_made_from(&*port, "wrong", &[(&input, None)]).await;
    let withdrawn = port
        .tombstone(wrong.id, "wrong prices", None)
        .await
        .unwrap();
    assert_eq!(withdrawn.status, ArtifactStatus::Tombstoned);
    assert_eq!(withdrawn.tombstone_reason.as_deref(), Some("wrong prices"));
    let again = port.tombstone(wrong.id, "another reason", None).await;
    assert_eq!(again.unwrap(), withdrawn);
    assert_eq!(read(&*port, wrong.id).await.unwrap(), "wrong");
    let lineage = port.get_lineage(wrong.id, WalkLimits::default()).await;
    assert_eq!(lineage.unwrap().nodes[0].artifact.id, input.id);
    assert_eq!(find(&*port, "wrong").await.unwrap(), [withdrawn]);
    store.close().await;
}

/// Types were written into the source code, and a publish of any other one failed.
#[tokio::test]
async fn every_type_can_be_published_and_described() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    publish(&*port, csv("before", "a\n1\n")).await;
    register(
        &store,
        TypeDefinition {
            required_columns: names(["a", "b"]),
            ..definition()
        },
    )
    .await;
    publish(&*port, csv("complete", "b,c,a\n1,2,3\n")).await;
    // An intent goes after the answer.
    store.close().await;
    let before = trial.files_in("artifacts");
    let incomplete = port.publish_artifact(csv("incomplete", "a,c\n1,2\n")).await;
    let error = refused(incomplete, ErrorKind::Invalid);
    assert_eq!(error.context_value("missing"), Some("b"), "{error:?}");
    let mut other = csv("other", "a,c\n1,2\n");
    other.artifact_type = samples::artifact_type("other_v1");
    store.close().await;
    assert_eq!(trial.files_in("artifacts"), before);
    for directory in ["staging", "intents", "quarantine"] {
        assert_eq!(trial.files_in(directory), Vec::<String>::new());
    }
    publish(&*port, other).await;
    let types = store.types();
    assert_eq!(types.list_types().await.unwrap().len(), 1);
    store.close().await;
}

/// The record and the row of one artifact had two times of creation, of different precision.
#[tokio::test]
async fn record_and_row_tell_one_time_of_creation() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let table = publish(&*port, spelled("k", Spelling::Csv, &rows(1, 5))).await;
    let row = port.get_artifact(table.id).await.unwrap();
    assert_eq!(row.created_at, table.created_at);
    assert_eq!(record_of(&trial, &table).created_at, table.created_at);
    let all = dump(&*store.maintenance()).await.unwrap();
    assert!(all.contains(&format!("\"created_at\":\"{}\"", table.created_at)));
    store.close().await;
}

/// The column of times was one of a few known names, and its values were kept as they were written: numbers, or text in any
/// format.
#[tokio::test]
async fn the_times_of_a_table_are_times_whatever_their_column_is_called() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let times = |artifact: &Artifact| {
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        (text(artifact.min_timestamp), text(artifact.max_timestamp))
    };
    let both = |from: &str, to: &str| (Some(from.to_owned()), Some(to.to_owned()));
    let odd = "n,seen at\n1,2026-11-20T10:30:00+01:00\n2,2026-11-20T08:00:00Z\n3,\n";
    let odd = publish(&*port, csv("odd name", odd)).await;
    let expected = both("2026-11-20T08:00:00.000Z", "2026-11-20T09:30:00.000Z");
    assert_eq!(times(&odd), expected);
    let numbers = publish(&*port, csv("numbers", "timestamp\n1746057600000\n")).await;
    assert_eq!(times(&numbers), (None, None), "a number is no time");
    register(
        &store,
        TypeDefinition {
            timestamp_column: Some("b".to_owned()),
            ..definition()
        },
    )
    .await;
    let chosen = publish(&*port, csv("chosen", "a,b\n2026-01-01,2026-02-03\n")).await;
    let expected = both("2026-02-03T00:00:00.000Z", "2026-02-03T00:00:00.000Z");
    assert_eq!(times(&chosen), expected);
    let identity = record_of(&trial, &chosen).identity;
    assert_eq!(identity.timestamp_column.as_deref(), Some("b"));
    store.close().await;
}
