use artstore_core::artifact::ArtifactStatus;
use artstore_core::key::LogicalKey;
use artstore_core::lineage::WalkLimits;
use proptest::prelude::*;

use super::*;
use crate::samples::{id, lineage};

const USES: [(u32, u32, &str); 4] = [(0, 1, "left"), (0, 2, ""), (1, 3, ""), (2, 3, "")];

fn diamond() -> ArtifactLineage {
    let mut lineage = lineage(&USES, WalkLimits::UNLIMITED);
    lineage.nodes[1].artifact.status = ArtifactStatus::Tombstoned;
    lineage
}

fn short(text: &str) -> String {
    text.replace("01932c07-7f3e-7cc2-9a52-00000000000", "id-")
}

#[test]
fn a_diamond_for_graphviz() {
    let expected = r#"digraph lineage {
  rankdir=LR;
  node [shape=box];
  n0 [label="step\nkey 0\nid-0\nactive", style=bold];
  n1 [label="step\nkey 1\nid-1\nactive"];
  n2 [label="step\nkey 2\nid-2\ntombstoned", style=dashed];
  n3 [label="step\nkey 3\nid-3\nactive"];
  n1 -> n0 [label="left"];
  n2 -> n0;
  n3 -> n1;
  n3 -> n2;
}
"#;
    assert_eq!(short(&graphviz(&diamond())), expected);
}

#[test]
fn a_diamond_for_mermaid() {
    let expected = r#"flowchart LR
  n0["step<br/>key 0<br/>id-0<br/>active"]
  style n0 stroke-width:3px
  n1["step<br/>key 1<br/>id-1<br/>active"]
  n2["step<br/>key 2<br/>id-2<br/>tombstoned"]
  style n2 stroke-dasharray:4
  n3["step<br/>key 3<br/>id-3<br/>active"]
  n1 -->|"left"| n0
  n2 --> n0
  n3 --> n1
  n3 --> n2
"#;
    assert_eq!(short(&mermaid(&diamond())), expected);
}

#[test]
fn what_is_left_out_or_lost_is_told() {
    let mut lineage = diamond();
    lineage.truncated = true;
    lineage.missing.push(id(3));
    lineage.nodes.pop();
    let dot = short(&graphviz(&lineage));
    assert!(
        dot.contains("  n3 [label=\"id-3\\nits record is lost\", style=dashed];\n"),
        "{dot}"
    );
    assert!(
        dot.ends_with("  // truncated: there are more artifacts\n}\n"),
        "{dot}"
    );
    let flowchart = short(&mermaid(&lineage));
    assert!(
        flowchart.contains("  n3[\"id-3<br/>its record is lost\"]\n"),
        "{flowchart}"
    );
    assert!(
        flowchart.ends_with("  %% truncated: there are more artifacts\n"),
        "{flowchart}"
    );
}

#[test]
fn signs_are_escaped() {
    let check = |text: &str, for_graphviz: &str, for_mermaid: &str| {
        assert_eq!(graphviz_text(text), for_graphviz);
        assert_eq!(mermaid_text(text), for_mermaid);
    };
    check("day=1/x_y a-b", "day=1/x_y a-b", "day=1/x_y a-b");
    check(r#"a"b\"#, r#"a\"b\\"#, "a#34;b#92;");
    check("<b>&lt;", "<b>&amp;lt;", "#60;b#62;#38;lt#59;");
    check("1. x", "1. x", "1#46;#32;x");
    check("- `x`", "- `x`", "#45;#32;#96;x#96;");
    check("a--b]", "a--b]", "a#45;#45;b#93;");
    check("日本語 🦀", "日本語 🦀", "日本語#32;#129408;");
    check("end", "end", "end");
    assert_eq!(on_one_line("a\n\u{202e}b"), "a\\n\\u{202e}b");
}

/// A statement of a graph: the name of a node, or of the two ends of an edge, with the lines of its label.
type Statement = (Vec<String>, Vec<String>);

fn expected(lineage: &ArtifactLineage) -> Vec<Statement> {
    let nodes = [&lineage.artifact]
        .into_iter()
        .chain(lineage.nodes.iter().map(|node| &node.artifact));
    let names: HashMap<_, _> = nodes
        .clone()
        .enumerate()
        .map(|(number, artifact)| (artifact.id, format!("n{number}")))
        .collect();
    let told = nodes.map(|artifact| (vec![names[&artifact.id].clone()], described(artifact)));
    let edges = lineage.edges.iter().map(|edge| {
        let ends = vec![names[&edge.input].clone(), names[&edge.output].clone()];
        (
            ends,
            edge.role
                .iter()
                .map(|role| on_one_line(role).into_owned())
                .collect(),
        )
    });
    told.chain(edges).collect()
}

/// The words of Graphviz's language; a quoted text is one, without its closing quote.
fn graphviz_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let mut word = String::from(first);
        if first == '"' {
            loop {
                match rest.next().expect("every quoted text ends") {
                    '"' => break,
                    '\\' => word.extend(['\\', rest.next().unwrap()]),
                    '\n' => panic!("a quoted text goes over several lines"),
                    other => word.push(other),
                }
            }
        } else if first.is_ascii_alphanumeric() || first == '-' {
            while let Some(next) = rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '>')
            {
                word.push(next);
            }
        } else if first.is_whitespace() {
            continue;
        }
        words.push(word);
    }
    words
}

/// The lines of a Graphviz label as they are drawn.
fn graphviz_label(quoted: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = quoted.strip_prefix('"').unwrap();
    while let Some(first) = rest.chars().next() {
        let (drawn, used) = match first {
            '\\' => match rest.chars().nth(1).unwrap() {
                'n' => {
                    lines.push(String::new());
                    (None, 2)
                }
                sign @ ('\\' | '"') => (Some(sign), 2),
                other => panic!("\\{other} has a meaning of its own"),
            },
            '&' => {
                assert!(rest.starts_with("&amp;"), "{rest}");
                (Some('&'), 5)
            }
            other => (Some(other), other.len_utf8()),
        };
        lines.last_mut().unwrap().extend(drawn);
        rest = &rest[used..];
    }
    lines
}

fn read_graphviz(text: &str) -> Vec<Statement> {
    let words = graphviz_words(text);
    let body = words
        .strip_prefix(["digraph", "lineage", "{"].map(str::to_owned).as_slice())
        .unwrap();
    let body = body.strip_suffix(["}".to_owned()].as_slice()).unwrap();
    let statements = body
        .split(|word| word == ";")
        .skip(2)
        .filter(|words| !words.is_empty());
    let statements = statements.map(|words| {
        let head: Vec<_> = words
            .iter()
            .take_while(|word| *word != "[")
            .cloned()
            .collect();
        let label = match &words[head.len()..] {
            [] => Vec::new(),
            [open, name, equals, label, .., close] => {
                assert_eq!(
                    [open, name, equals, close].map(String::as_str),
                    ["[", "label", "=", "]"]
                );
                graphviz_label(label)
            }
            other => panic!("{other:?}"),
        };
        let ends = head.into_iter().filter(|word| word != "->").collect();
        (ends, label)
    });
    statements.collect()
}

/// The lines of a Mermaid label as they are drawn. Whatever could mean something is told by its number.
fn mermaid_label(quoted: &str) -> Vec<String> {
    let lines = quoted.split("<br/>").map(|line| {
        let mut drawn = String::new();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let mut used = first.len_utf8();
            if first == '#' {
                let end = rest.find(';').unwrap();
                drawn.push(char::from_u32(rest[1..end].parse().unwrap()).unwrap());
                used = end + 1;
            } else {
                assert!(first.is_alphanumeric() || " -_=/".contains(first), "{line}");
                drawn.push(first);
            }
            rest = &rest[used..];
        }
        for risky in ["--", "==", "//", "__", "  "] {
            assert!(!line.contains(risky), "{line}");
        }
        drawn
    });
    lines.collect()
}

fn read_mermaid(text: &str) -> Vec<Statement> {
    let body = text.strip_prefix("flowchart LR\n").unwrap();
    let lines = body
        .split_terminator('\n')
        .filter(|line| !line.starts_with("  style n"));
    let statements = lines.map(|line| {
        let line = line.strip_prefix("  ").unwrap();
        if let Some((name, label)) = line
            .strip_suffix("\"]")
            .and_then(|line| line.split_once("[\""))
        {
            return (vec![name.to_owned()], mermaid_label(label));
        }
        let (input, rest) = line.split_once(" -->").unwrap();
        let (label, output) = match rest.strip_prefix("|\"") {
            Some(rest) => {
                let (label, output) = rest.split_once("\"| ").unwrap();
                (mermaid_label(label), output)
            }
            None => (Vec::new(), rest.strip_prefix(' ').unwrap()),
        };
        (vec![input.to_owned(), output.to_owned()], label)
    });
    statements.collect()
}

/// Texts made of what means something in one of the languages.
fn risky_text() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "\"",
        "\\",
        "\\n",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "<b>",
        "&",
        "&amp;",
        "&#34;",
        "#",
        "#35;",
        "#quot;",
        ";",
        ":",
        "|",
        "--",
        "-->",
        "->",
        "%%",
        "%%{init}%%",
        "`",
        "*",
        "**",
        "_",
        "1. ",
        "- ",
        "# ",
        "end",
        "graph",
        "subgraph",
        "style x:y#1;",
        "//",
        "/*",
        "*/",
        "@{",
        "www.x.y",
        "<br/>",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\u{2028}",
        "\u{202e}",
        "日本語",
        "e\u{301}",
        "🦀",
        " ",
        "    ",
        "a",
        "Z9",
        "=",
    ]);
    let text =
        prop_oneof![3 => signs.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(text, 1..12).prop_map(|texts| texts.concat())
}

proptest! {
    #[test]
    fn whatever_a_text_holds_it_stays_a_text(keys in prop::collection::vec(risky_text(), 4), role in risky_text()) {
        let mut lineage = diamond();
        for (node, key) in lineage.nodes.iter_mut().zip(keys) {
            let key: String = key.chars().filter(|character| !character.is_control()).collect();
            node.artifact.logical_key = LogicalKey::new(format!("{key}.")).unwrap();
        }
        lineage.edges[0].role = Some(role);
        prop_assert_eq!(read_graphviz(&graphviz(&lineage)), expected(&lineage));
        prop_assert_eq!(read_mermaid(&mermaid(&lineage)), expected(&lineage));
    }
}
