//! Lineages as trees of text.

use std::collections::{HashMap, VecDeque};

use artstore_core::artifact::Artifact;
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{ArtifactLineage, LineageEdge};

use crate::text::on_one_line;

/// How deep a tree is drawn before the rest of a branch becomes a tree of its own, so that lines stay readable and a
/// long chain does not fill the screen with indentation.
const MAX_INDENT: usize = 24;

/// Which way a lineage was walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To what an artifact was made from.
    Inputs,
    /// To what was made from it.
    Downstream,
}

/// Draws `lineage` as a tree. What is reached by several ways is drawn with its branches once, and referred to elsewhere.
pub(crate) fn tree(lineage: &ArtifactLineage, direction: Direction) -> String {
    let mut drawing = Drawing {
        family: Family::new(lineage, direction),
        reached: HashMap::new(),
        rest: VecDeque::from([lineage.artifact.id]),
        text: String::new(),
    };
    while let Some(top) = drawing.rest.pop_front() {
        if !drawing.text.is_empty() {
            drawing.text.push('\n');
        }
        drawing.draw_from(top);
    }
    if lineage.truncated {
        let count = lineage.nodes.len();
        drawing.text.push_str(&format!(
            "\ntruncated: there are more than these {count} artifacts; ask for more with --limit\n"
        ));
    }
    drawing.text
}

/// Who comes below whom.
struct Family<'a> {
    artifacts: HashMap<ArtifactId, &'a Artifact>,
    branches: HashMap<ArtifactId, Vec<Branch<'a>>>,
}

/// An artifact below another one, with the roles of the input between them.
struct Branch<'a> {
    id: ArtifactId,
    roles: Vec<&'a str>,
}

impl<'a> Family<'a> {
    fn new(lineage: &'a ArtifactLineage, direction: Direction) -> Self {
        let nodes = lineage.nodes.iter().map(|node| &node.artifact);
        let artifacts = nodes.chain([&lineage.artifact]);
        let mut branches: HashMap<_, Vec<Branch<'_>>> = HashMap::new();
        let mut places: HashMap<_, usize> = HashMap::new();
        for edge in &lineage.edges {
            let (above, below) = ends(edge, direction);
            let siblings = branches.entry(above).or_default();
            let place = *places.entry((above, below)).or_insert_with(|| {
                siblings.push(Branch {
                    id: below,
                    roles: Vec::new(),
                });
                siblings.len() - 1
            });
            siblings[place].roles.extend(edge.role.as_deref());
        }
        Self {
            artifacts: artifacts.map(|artifact| (artifact.id, artifact)).collect(),
            branches,
        }
    }

    fn below(&self, id: ArtifactId) -> &[Branch<'a>] {
        self.branches.get(&id).map_or(&[], Vec::as_slice)
    }

    fn describe(&self, id: ArtifactId, roles: &[&str]) -> String {
        let mut line = match self.artifacts.get(&id) {
            Some(artifact) => format!(
                "{id}  {}  {}  {}",
                on_one_line(artifact.artifact_type.as_str()),
                on_one_line(artifact.logical_key.as_str()),
                artifact.status
            ),
            None => format!("{id}  (its record is lost)"),
        };
        if !roles.is_empty() {
            line.push_str("  as ");
            line.push_str(&on_one_line(&roles.join(", ")));
        }
        line
    }
}

fn ends(edge: &LineageEdge, direction: Direction) -> (ArtifactId, ArtifactId) {
    match direction {
        Direction::Inputs => (edge.output, edge.input),
        Direction::Downstream => (edge.input, edge.output),
    }
}

struct Drawing<'a> {
    family: Family<'a>,
    reached: HashMap<ArtifactId, Place>,
    rest: VecDeque<ArtifactId>,
    text: String,
}

/// Where an artifact's branches are drawn.
#[derive(Clone, Copy)]
enum Place {
    Above,
    Below,
}

impl Drawing<'_> {
    /// Draws one tree. The branches still to draw are kept in a list: calls would be as many as the tree is deep.
    fn draw_from(&mut self, top: ArtifactId) {
        self.reached.insert(top, Place::Above);
        self.text.push_str(&self.family.describe(top, &[]));
        self.text.push('\n');
        // Of every level, whether more comes below at it.
        let mut is_open = Vec::new();
        let mut waiting = vec![(top, 0)];
        while let Some((above, index)) = waiting.pop() {
            let siblings = self.family.below(above);
            let Some(branch) = siblings.get(index) else {
                continue;
            };
            let is_last = index + 1 == siblings.len();
            waiting.push((above, index + 1));
            let level = waiting.len();
            is_open.truncate(level - 1);
            for open in &is_open {
                self.text.push_str(if *open { "│  " } else { "   " });
            }
            is_open.push(!is_last);
            self.text.push_str(if is_last { "└─ " } else { "├─ " });
            self.text
                .push_str(&self.family.describe(branch.id, &branch.roles));
            let id = branch.id;
            match self.enter(id, level) {
                Some(remark) => self.text.push_str(remark),
                None => waiting.push((id, 0)),
            }
            self.text.push('\n');
        }
    }

    /// Whether the branches of `id` are drawn here, at this level: if not, what is said instead.
    fn enter(&mut self, id: ArtifactId, level: usize) -> Option<&'static str> {
        match self.reached.get(&id) {
            Some(Place::Above) => return Some("  (see above)"),
            Some(Place::Below) => return Some("  (see below)"),
            None => {}
        }
        if level >= MAX_INDENT && !self.family.below(id).is_empty() {
            self.reached.insert(id, Place::Below);
            self.rest.push_back(id);
            return Some("  (continued below)");
        }
        self.reached.insert(id, Place::Above);
        None
    }
}

#[cfg(test)]
mod tests;
