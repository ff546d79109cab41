//! publish --input, lineage, downstream.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{NOBODY, World, text_of};

/// `report` was made from `left` (as prices) and `right`, both from `source`.
struct Diamond {
    world: World,
    source: String,
    left: String,
    right: String,
    report: String,
}

fn diamond() -> Diamond {
    let world = World::new();
    let source = world.publish("source", "source");
    let left = world.publish_with("left", "left", &["--input", &source]);
    let right = world.publish_with("right", "right", &["--input", &source]);
    let prices = format!("{left}:prices");
    let report = world.publish_with("report", "report", &["--input", &prices, "--input", &right]);
    Diamond {
        world,
        source,
        left,
        right,
        report,
    }
}

fn ids<'a>(document: &'a Value, key: &str) -> Vec<&'a str> {
    let items = document[key].as_array().unwrap().iter();
    items.map(|item| text_of(item, "artifactId")).collect()
}

#[test]
fn inputs_are_kept() {
    let diamond = diamond();
    let document = diamond.world.json(&["get", &diamond.report]);
    assert_eq!(
        document["inputs"],
        json!([{"artifactId": diamond.left, "role": "prices"}, {"artifactId": diamond.right}])
    );
    let text = diamond.world.ok(&["get", &diamond.report]);
    let expected = format!(
        "\ninput: {} (prices)\ninput: {}\n",
        diamond.left, diamond.right
    );
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn inputs_must_exist() {
    let world = World::new();
    world.write("a.txt", "hello");
    let publish = |input| {
        [
            "publish", "a.txt", "--type", "t", "--key", "k", "--input", input,
        ]
    };
    world.json(&["init"]);
    world.fails(&publish(NOBODY), 3, "not_found", "");
    assert_eq!(world.json(&["list"]), json!({"items": []}));
    let empty_role = format!("{NOBODY}:");
    for (input, problem) in [
        ("x", "not a valid artifact id"),
        (&empty_role, "the input's role is empty"),
    ] {
        let message = format!("invalid value '{input}' for '--input <ID[:ROLE]>': {problem}");
        world.fails(&publish(input), 2, "invalid", &message);
    }
}

#[test]
fn new_inputs_of_a_duplicate_are_merged() {
    let Diamond {
        world,
        source,
        left,
        report,
        ..
    } = diamond();
    let again = |content: &str, options: &[&str]| {
        world.write("source.txt", content);
        let arguments = ["publish", "source.txt", "--type", "note", "--key", content];
        let text = world.ok(&[&arguments[..], options].concat());
        (world.json(&[&arguments[..], options].concat()), text)
    };
    let as_raw = format!("{source}:raw");
    world.write("source.txt", "report");
    let merging = [
        "publish",
        "source.txt",
        "--type",
        "note",
        "--key",
        "report",
        "--input",
        &as_raw,
    ];
    let document = world.json(&merging);
    assert_eq!(document["existingArtifactId"], json!(report));
    assert_eq!(
        document["mergedInputs"],
        json!([{"artifactId": source, "role": "raw"}])
    );
    assert!(document.get("skippedInputs").is_none());
    assert!(
        world.json(&merging).get("mergedInputs").is_none(),
        "they are there already"
    );

    // What was made from an artifact cannot become its input.
    let (document, text) = again("left", &["--input", &report]);
    assert_eq!(document["skippedInputs"], json!([{"artifactId": report}]));
    assert!(document.get("mergedInputs").is_none());
    let expected =
        format!("duplicate of: {left}\nrecognised by: file_hash\nskipped input: {report}\n");
    assert_eq!(text, expected);
}

#[test]
fn lineage_of_a_diamond() {
    let Diamond {
        world,
        source,
        left,
        right,
        report,
    } = diamond();
    let document = world.json(&["lineage", &report]);
    assert_eq!(document["artifactId"], json!(report));
    assert_eq!(
        (&document["depth"], &document["truncated"]),
        (&json!(2), &json!(false))
    );
    assert_eq!(ids(&document, "inputs"), [&left, &right, &source]);
    assert_eq!(
        document["edges"],
        json!([
            [left, report],
            [right, report],
            [source, left],
            [source, right]
        ])
    );
    assert!(document.get("missing").is_none());
    let nearest = &document["inputs"][0];
    assert_eq!(
        (&nearest["depth"], &nearest["role"]),
        (&json!(1), &json!("prices"))
    );
    let farthest = &document["inputs"][2];
    assert_eq!(
        (&farthest["depth"], farthest.get("role")),
        (&json!(2), None)
    );
    let artifact = world.json(&["get", &left]);
    for (key, value) in artifact.as_object().unwrap() {
        assert_eq!(&nearest[key], value);
    }
    let format_json = world.ok(&["lineage", &report, "--format", "json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&format_json).unwrap(),
        document
    );
}

#[test]
fn downstream_of_a_diamond() {
    let Diamond {
        world,
        source,
        left,
        right,
        report,
    } = diamond();
    let document = world.json(&["downstream", &source]);
    assert_eq!(document["artifactId"], json!(source));
    let found = ids(&document, "inputs");
    assert_eq!(
        BTreeSet::from_iter(&found[..2]),
        BTreeSet::from([&left.as_str(), &right.as_str()])
    );
    assert_eq!(found[2..], [&report]);
    let edges = document["edges"].as_array().unwrap();
    for edge in [
        [&source, &left],
        [&source, &right],
        [&left, &report],
        [&right, &report],
    ] {
        assert!(edges.contains(&json!(edge)), "{document}");
    }
    assert_eq!(edges.len(), 4);
    let text = world.ok(&["downstream", &source]);
    assert!(
        text.starts_with(&format!("{source}  note  source  active\n├─ ")),
        "{text}"
    );
    assert!(
        text.contains(&format!("─ {report}  note  report  active  as prices")),
        "{text}"
    );
    assert_eq!(text.matches("(see above)").count(), 1, "{text}");
    assert_eq!(
        ids(&world.json(&["downstream", &report]), "inputs").len(),
        0
    );
}

#[test]
fn lineage_as_a_tree() {
    let Diamond {
        world,
        source,
        left,
        right,
        report,
    } = diamond();
    let expected = format!(
        "{report}  note  report  active\n\
         ├─ {left}  note  left  active  as prices\n\
         │  └─ {source}  note  source  active\n\
         └─ {right}  note  right  active\n   \
            └─ {source}  note  source  active  (see above)\n"
    );
    assert_eq!(world.ok(&["lineage", &report]), expected);
    assert_eq!(
        world.ok(&["lineage", &report, "--format", "tree"]),
        expected
    );
    assert_eq!(
        world.ok(&["lineage", &source]),
        format!("{source}  note  source  active\n")
    );
}

#[test]
fn lineage_as_a_graph() {
    let Diamond {
        world,
        source,
        left,
        right,
        report,
    } = diamond();
    world.ok(&["tombstone", &right, "--reason", "wrong"]);
    let dot = format!(
        r#"digraph lineage {{
  rankdir=LR;
  node [shape=box];
  n0 [label="note\nreport\n{report}\nactive", style=bold];
  n1 [label="note\nleft\n{left}\nactive"];
  n2 [label="note\nright\n{right}\ntombstoned", style=dashed];
  n3 [label="note\nsource\n{source}\nactive"];
  n1 -> n0 [label="prices"];
  n2 -> n0;
  n3 -> n1;
  n3 -> n2;
}}
"#
    );
    assert_eq!(world.ok(&["lineage", &report, "--format", "dot"]), dot);
    let mermaid = format!(
        r#"flowchart LR
  n0["note<br/>report<br/>{report}<br/>active"]
  style n0 stroke-width:3px
  n1["note<br/>left<br/>{left}<br/>active"]
  n2["note<br/>right<br/>{right}<br/>tombstoned"]
  style n2 stroke-dasharray:4
  n3["note<br/>source<br/>{source}<br/>active"]
  n1 -->|"prices"| n0
  n2 --> n0
  n3 --> n1
  n3 --> n2
"#
    );
    assert_eq!(
        world.ok(&["lineage", &report, "--format", "mermaid"]),
        mermaid
    );
    // Arrows follow the data, whichever way was walked.
    let downstream = world.ok(&["downstream", &left, "--format", "dot"]);
    assert!(
        downstream.contains("  n0 -> n1 [label=\"prices\"];\n"),
        "{downstream}"
    );

    let both = world
        .run(&["--json", "lineage", &report, "--format", "dot"])
        .failed(2);
    assert!(
        both.contains("with --json the answer has no other format than json"),
        "{both}"
    );
}

#[test]
fn lineage_goes_as_far_as_told() {
    let Diamond {
        world,
        left,
        right,
        report,
        source,
    } = diamond();
    let near = world.json(&["lineage", &report, "--depth", "1"]);
    assert_eq!(ids(&near, "inputs"), [&left, &right]);
    assert_eq!(
        (&near["depth"], &near["truncated"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(near["edges"].as_array().unwrap().len(), 2);
    assert_eq!(
        world.json(&["lineage", &report, "--depth", "all"])["depth"],
        2
    );

    let few = world.json(&["lineage", &report, "--limit", "1"]);
    assert_eq!(ids(&few, "inputs").len(), 1);
    assert_eq!(few["truncated"], true);
    let text = world.ok(&["downstream", &source, "--limit", "2"]);
    let expected =
        "\n\ntruncated: there are more than these 2 artifacts; ask for more with --limit\n";
    assert!(text.ends_with(expected), "{text}");
    let dot = world.ok(&["lineage", &report, "--limit", "1", "--format", "dot"]);
    assert!(dot.contains("// truncated"), "{dot}");
}

#[test]
fn lineage_refuses_wrong_limits_and_unknown_artifacts() {
    let world = World::new();
    let id = world.publish("k", "hello");
    for command in ["lineage", "downstream"] {
        world.fails(&[command, NOBODY], 3, "not_found", "");
        world.fails(
            &[command, &id, "--depth", "0"],
            2,
            "invalid",
            "the depth must be at least 1",
        );
        world.fails(
            &[command, &id, "--limit", "0"],
            2,
            "invalid",
            "the node limit is out of range",
        );
        world.fails(
            &[command, &id, "--depth", "deep"],
            2,
            "invalid",
            "invalid value 'deep' for '--depth <N>': a depth is a number of steps, or `all`",
        );
        world.fails(
            &[command, &id, "--format", "png"],
            2,
            "invalid",
            "invalid value 'png' for '--format <FORMAT>'",
        );
    }
}
