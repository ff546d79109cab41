//! Every statement can be prepared, and every list walks an index in its order.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use crate::artifacts::statements::{
    ALL, FIND, FIND_CONTENT_DUPLICATE, FIND_DUPLICATE, FIND_INPUTS, FIND_KEY, FIND_OUTPUTS,
    FIND_PREDECESSORS, FIND_SUCCESSOR, MAY_HAVE_ACTIVE_OF_SIZE, SCAN, SCAN_EVENTS,
};
use crate::schema;

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    schema::create(&connection).unwrap();
    connection
}

#[test]
fn every_file_is_embedded_and_can_be_prepared() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sql/artifacts");
    let files: BTreeSet<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let embedded: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, embedded);
    let connection = database();
    for (name, text) in ALL {
        let prepared = connection.prepare(text);
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

fn plan(connection: &Connection, text: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {text}"))
        .unwrap();
    let lines = statement
        .raw_query()
        .mapped(|row| row.get(3))
        .collect::<rusqlite::Result<_>>();
    lines.unwrap()
}

fn check(text: &str, first: &str) {
    let connection = database();
    let plan = plan(&connection, text);
    assert_eq!(plan[0], first, "{plan:#?}");
    for line in &plan {
        assert!(!line.contains("TEMP B-TREE"), "{plan:#?}");
        assert!(
            !line.starts_with("SCAN ") || line.starts_with("SCAN wanted VIRTUAL"),
            "{plan:#?}"
        );
    }
}

#[test]
fn lists_walk_an_index_in_their_order() {
    let lists: BTreeSet<&str> = ALL
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| name.starts_with("list_"))
        .collect();
    let expected = [
        (
            "list_by_creation",
            "SEARCH a USING INDEX artifact_by_creation (created_at>? AND (created_at,artifact_id)<(?,?))",
        ),
        (
            "list_by_type",
            "SEARCH a USING INDEX artifact_by_type (type_key=? AND created_at>? AND (created_at,artifact_id)<(?,?))",
        ),
        (
            "list_active_by_key",
            "SEARCH a USING INDEX artifact_active_by_key (type_key=? AND logical_key=? AND created_at>? AND (created_at,artifact_id)<(?,?))",
        ),
        (
            "list_by_status",
            "SEARCH a USING INDEX artifact_by_status (status=? AND created_at>? AND (created_at,artifact_id)<(?,?))",
        ),
        (
            "list_by_status_and_type",
            "SEARCH a USING INDEX artifact_by_status_and_type (status=? AND type_key=? AND created_at>? AND (created_at,artifact_id)<(?,?))",
        ),
        (
            "list_inactive_by_key",
            "SEARCH a USING INDEX artifact_inactive_by_key (type_key=? AND logical_key=? AND created_at>? AND (created_at,artifact_id)<(?,?))",
        ),
        (
            "list_by_tag",
            "SEARCH t USING PRIMARY KEY (tag_key=? AND tag_value=? AND created_at>? AND (created_at,artifact_id)<(?,?))",
        ),
    ];
    assert_eq!(lists, expected.iter().map(|(name, _)| *name).collect());
    for (name, first) in expected {
        let (_, text) = ALL.iter().find(|(known, _)| *known == name).unwrap();
        check(text, first);
    }
}

#[test]
fn other_queries_search_too() {
    let expected = [
        (FIND, "SEARCH a USING INDEX artifact_by_id (artifact_id=?)"),
        (SCAN, "SEARCH a USING INDEX artifact_by_id (artifact_id>?)"),
        (SCAN_EVENTS, "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"),
        (
            FIND_KEY,
            "SEARCH artifact USING COVERING INDEX artifact_by_id (artifact_id=?)",
        ),
    ];
    for (text, first) in expected {
        check(text, first);
    }
}

#[test]
fn a_size_is_looked_for_in_the_index() {
    let connection = database();
    let plan = plan(&connection, MAY_HAVE_ACTIVE_OF_SIZE);
    let search =
        "SEARCH a USING COVERING INDEX artifact_active_by_key (type_key=? AND logical_key=?)";
    assert!(plan.iter().any(|line| line == search), "{plan:#?}");
}

#[test]
fn a_step_of_a_walk_is_one_search_without_sorting() {
    check(
        FIND_INPUTS,
        "SEARCH artifact_input USING PRIMARY KEY (artifact_id=?)",
    );
    check(
        FIND_OUTPUTS,
        "SEARCH artifact_input USING COVERING INDEX artifact_input_by_input (input_id=?)",
    );
    for text in [FIND_SUCCESSOR, FIND_PREDECESSORS] {
        check(
            text,
            "SEARCH artifact USING INDEX artifact_by_id (artifact_id=?)",
        );
    }
}

#[test]
fn duplicates_are_searched_by_their_fingerprint() {
    let connection = database();
    for text in [FIND_DUPLICATE, FIND_CONTENT_DUPLICATE] {
        let plan = plan(&connection, text);
        assert_eq!(plan[0], "SEARCH f USING PRIMARY KEY (fingerprint=?)");
        assert_eq!(plan[1], "SEARCH a USING INTEGER PRIMARY KEY (rowid=?)");
    }
}

/// What has no test of its own above either: a new statement that reads cannot scan or sort unnoticed.
#[test]
fn nothing_is_scanned_but_what_is_known_to_be_short() {
    let connection = database();
    let queries = ALL.iter().filter(|(_, text)| text.starts_with("SELECT"));
    for (name, text) in queries {
        for line in plan(&connection, text) {
            let is_short = match *name {
                // One row.
                "counts" | "head" => line == "SCAN catalog",
                // As many as are looked through at most.
                "may_have_active_of_size" => line == "SCAN newest",
                // Those with one fingerprint, hardly ever more than one.
                "find_duplicate" | "find_content_duplicate" => {
                    line == "USE TEMP B-TREE FOR ORDER BY"
                }
                // The tags that are asked for.
                _ => name.starts_with("list_") && line.starts_with("SCAN wanted VIRTUAL"),
            };
            let is_long = line.starts_with("SCAN ") || line.contains("TEMP B-TREE");
            assert!(is_short || !is_long, "{name}: {line}");
        }
    }
}
