//! Lineages as graphs: for Graphviz and for Mermaid. Arrows point the way data flows, from inputs to what was made from them.

use std::collections::HashMap;
use std::fmt::Write as _;

use artstore_core::artifact::{Artifact, ArtifactStatus};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::ArtifactLineage;

use crate::text::on_one_line;

/// What both languages say about a lineage whose rest was left out.
const TRUNCATED: &str = "truncated: there are more artifacts";

/// `lineage` in the language of Graphviz.
pub(crate) fn graphviz(lineage: &ArtifactLineage) -> String {
    let graph = Graph::new(lineage);
    let mut text = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
    for (number, node) in graph.nodes.iter().enumerate() {
        let lines: Vec<_> = node.lines.iter().map(|line| graphviz_text(line)).collect();
        let style = match node.look {
            Look::Start => ", style=bold",
            Look::Plain => "",
            Look::Faded => ", style=dashed",
        };
        add(
            &mut text,
            format_args!("  n{number} [label=\"{}\"{style}];\n", lines.join("\\n")),
        );
    }
    for edge in &graph.edges {
        let label = edge
            .role
            .map(|role| format!(" [label=\"{}\"]", graphviz_text(&on_one_line(role))));
        let label = label.unwrap_or_default();
        add(
            &mut text,
            format_args!("  n{} -> n{}{label};\n", edge.input, edge.output),
        );
    }
    if lineage.truncated {
        add(&mut text, format_args!("  // {TRUNCATED}\n"));
    }
    text.push_str("}\n");
    text
}

/// `lineage` as a Mermaid flowchart.
pub(crate) fn mermaid(lineage: &ArtifactLineage) -> String {
    let graph = Graph::new(lineage);
    let mut text = String::from("flowchart LR\n");
    for (number, node) in graph.nodes.iter().enumerate() {
        let lines: Vec<_> = node.lines.iter().map(|line| mermaid_text(line)).collect();
        add(
            &mut text,
            format_args!("  n{number}[\"{}\"]\n", lines.join("<br/>")),
        );
        let style = match node.look {
            Look::Start => "stroke-width:3px",
            Look::Plain => continue,
            Look::Faded => "stroke-dasharray:4",
        };
        add(&mut text, format_args!("  style n{number} {style}\n"));
    }
    for edge in &graph.edges {
        let label = edge
            .role
            .map(|role| format!("|\"{}\"|", mermaid_text(&on_one_line(role))));
        let label = label.unwrap_or_default();
        add(
            &mut text,
            format_args!("  n{} -->{label} n{}\n", edge.input, edge.output),
        );
    }
    if lineage.truncated {
        add(&mut text, format_args!("  %% {TRUNCATED}\n"));
    }
    text
}

/// A lineage with numbers for names, which are safe in every language.
struct Graph<'a> {
    nodes: Vec<Node>,
    edges: Vec<Edge<'a>>,
}

struct Node {
    lines: Vec<String>,
    look: Look,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The artifact that was asked about.
    Start,
    Plain,
    /// What is not in use any more.
    Faded,
}

struct Edge<'a> {
    input: usize,
    output: usize,
    role: Option<&'a str>,
}

impl<'a> Graph<'a> {
    fn new(lineage: &'a ArtifactLineage) -> Self {
        let mut numbers: HashMap<ArtifactId, usize> = HashMap::new();
        let mut nodes = Vec::new();
        let start = (&lineage.artifact, Some(Look::Start));
        let rest = lineage.nodes.iter().map(|node| (&node.artifact, None));
        for (artifact, look) in [start].into_iter().chain(rest) {
            numbers.insert(artifact.id, nodes.len());
            nodes.push(Node {
                lines: described(artifact),
                look: look.unwrap_or(look_of(artifact.status)),
            });
        }
        for id in &lineage.missing {
            numbers.insert(*id, nodes.len());
            nodes.push(Node {
                lines: vec![id.to_string(), "its record is lost".to_owned()],
                look: Look::Faded,
            });
        }
        let edges = lineage.edges.iter().filter_map(|edge| {
            Some(Edge {
                input: *numbers.get(&edge.input)?,
                output: *numbers.get(&edge.output)?,
                role: edge.role.as_deref().filter(|role| !role.is_empty()),
            })
        });
        let edges = edges.collect();
        Self { nodes, edges }
    }
}

fn described(artifact: &Artifact) -> Vec<String> {
    vec![
        on_one_line(artifact.artifact_type.as_str()).into_owned(),
        on_one_line(artifact.logical_key.as_str()).into_owned(),
        artifact.id.to_string(),
        artifact.status.to_string(),
    ]
}

fn look_of(status: ArtifactStatus) -> Look {
    match status {
        ArtifactStatus::Active => Look::Plain,
        ArtifactStatus::Superseded | ArtifactStatus::Tombstoned => Look::Faded,
    }
}

/// Text inside the double quotes of a Graphviz label, where backslashes begin escapes and `&` begins an entity.
fn graphviz_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '&' => escaped.push_str("&amp;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text inside the double quotes of a Mermaid label. Mermaid looks for comments, directives, Markdown, HTML and entities in
/// it, and which signs these need has changed with its versions; so every sign but those within words is told by its number.
fn mermaid_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut former = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let is_within =
            former.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        let is_plain = character.is_alphanumeric()
            || (is_within && matches!(character, ' ' | '-' | '_' | '=' | '/'));
        if is_plain {
            escaped.push(character);
        } else {
            add(&mut escaped, format_args!("#{};", u32::from(character)));
        }
        former = character;
    }
    escaped
}

fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = text.write_fmt(more);
}

#[cfg(test)]
mod tests;
