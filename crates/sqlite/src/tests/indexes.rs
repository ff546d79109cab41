//! What leads to rows is the same however they became what they are.

use artstore_core::artifact::ArtifactInput;
use artstore_core::digest::{ContentHash, HashAlgorithm};
use rusqlite::Connection;

use super::*;

/// What leads to rows from elsewhere, without keys, which tell in what order rows came.
const DERIVED: [&str; 3] = [
    "SELECT hex(a.artifact_id) || f.fingerprint
     FROM artifact_fingerprint AS f JOIN artifact AS a USING (artifact_key) ORDER BY 1",
    "SELECT t.tag_key || t.tag_value || t.created_at || hex(t.artifact_id) || (t.artifact_id = a.artifact_id)
     FROM artifact_tag AS t JOIN artifact AS a USING (artifact_key) ORDER BY 1",
    "SELECT hex(artifact_id) || position || hex(input_id) || ifnull(role, '-') FROM artifact_input ORDER BY 1",
];

fn derived(world: &World) -> Vec<Vec<String>> {
    let connection = Connection::open(world.path()).unwrap();
    let rows = |query: &str| {
        let mut statement = connection.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<Vec<String>>>().unwrap()
    };
    DERIVED.iter().map(|query| rows(query)).collect()
}

/// States of an artifact that differ in everything that leads to it.
fn states(number: u64) -> Vec<Artifact> {
    let first = artifact(number);
    let tags = |pairs: [(&str, &str); 2]| Tags::try_from(pairs).unwrap();
    let change = |change: &dyn Fn(&mut Artifact)| {
        let mut changed = first.clone();
        change(&mut changed);
        changed
    };
    vec![
        first.clone(),
        change(&|state| state.tags = tags([("a", "1"), ("b", "2")])),
        change(&|state| state.tags = tags([("a", "1"), ("c", "3")])),
        change(&|state| {
            state.tags = tags([("a", "1"), ("c", "3")]);
            state.created_at = time(-1);
        }),
        change(&|state| state.inputs = vec![ArtifactInput::new(id(70))]),
        change(&|state| {
            state.inputs = vec![ArtifactInput::new(id(70)), ArtifactInput::new(id(71))];
        }),
        change(&|state| state.inputs = vec![ArtifactInput::new(id(71))]),
        change(&|state| state.status = ArtifactStatus::Tombstoned),
        change(&|state| state.file_hash = Digest::of(b"other")),
        change(&|state| {
            state.content_hash = ContentHash {
                algorithm: HashAlgorithm::Ch1,
                digest: state.file_hash,
            };
        }),
    ]
}

#[tokio::test]
async fn every_change_of_state_leaves_what_a_rebuild_makes() {
    let world = World::empty().await;
    let all = states(1);
    for (from, before) in all.iter().enumerate() {
        for (to, after) in all.iter().enumerate() {
            world.put(std::slice::from_ref(before)).await;
            world.put(std::slice::from_ref(after)).await;
            let changed = derived(&world);
            let rebuilt = World::without_database();
            let chunk = ArtifactCommit {
                changes: vec![put(after)],
            };
            rebuilt.rebuild(vec![Ok(chunk)]).await.unwrap();
            assert_eq!(changed, derived(&rebuilt), "from {from} to {to}");
        }
    }
}
