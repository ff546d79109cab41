use std::str::FromStr;

use artstore_core::Error;
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{ArtifactLineage, WalkLimits};
use artstore_wire::LineageDocument;
use clap::{Args, ValueEnum};

use super::Session;
use crate::failure::Failure;
use crate::graph;
use crate::output::Format;
use crate::tree::{Direction, tree};

#[derive(Debug, Args)]
pub(crate) struct Lineage {
    #[command(flatten)]
    walk: WalkOptions,
}

impl Lineage {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let view = self.walk.view(session)?;
        let limits = self.walk.limits()?;
        let store = session.context.artifact_store().await?;
        let lineage = store.get_lineage(self.walk.id, limits).await?;
        view.print(session, lineage, Direction::Inputs).await
    }
}

/// Where a walk begins, how far it goes and how it is shown.
#[derive(Debug, Args)]
pub(super) struct WalkOptions {
    /// The artifact
    pub(super) id: ArtifactId,
    /// How many steps to go at most, or `all`
    #[arg(long, value_name = "N", default_value = "all")]
    depth: Depth,
    /// How to show it [default: tree, with --json json]
    #[arg(long, value_name = "FORMAT")]
    format: Option<View>,
    /// How many artifacts at most
    #[arg(long, value_name = "N", default_value_t = WalkLimits::DEFAULT_NODES)]
    limit: usize,
}

impl WalkOptions {
    pub(super) fn limits(&self) -> artstore_core::Result<WalkLimits> {
        WalkLimits::new(self.depth.0, self.limit)
    }

    pub(super) fn view(&self, session: &Session) -> artstore_core::Result<View> {
        match (session.output.format(), self.format) {
            (Format::Text, view) => Ok(view.unwrap_or(View::Tree)),
            (Format::Json, None | Some(View::Json)) => Ok(View::Json),
            (Format::Json, Some(_)) => Err(Error::invalid(
                "with --json the answer has no other format than json",
            )
            .hint("leave --json or --format out")),
        }
    }
}

/// A number of steps; `None` for any number.
#[derive(Debug, Clone, Copy)]
struct Depth(Option<u32>);

impl FromStr for Depth {
    type Err = Error;

    fn from_str(text: &str) -> artstore_core::Result<Self> {
        if text == "all" {
            return Ok(Self(None));
        }
        match text.parse() {
            Ok(depth) => Ok(Self(Some(depth))),
            Err(_) => Err(Error::invalid("a depth is a number of steps, or `all`")),
        }
    }
}

/// How a lineage is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum View {
    /// A tree for people
    Tree,
    /// A JSON document
    Json,
    /// A graph for Graphviz
    Dot,
    /// A Mermaid flowchart
    Mermaid,
}

impl View {
    pub(super) async fn print(
        self,
        session: &Session,
        lineage: ArtifactLineage,
        direction: Direction,
    ) -> Result<(), Failure> {
        let text = match self {
            Self::Tree => tree(&lineage, direction),
            Self::Dot => graph::graphviz(&lineage),
            Self::Mermaid => graph::mermaid(&lineage),
            Self::Json => {
                let root = session.context.root();
                let document = LineageDocument::new(lineage, root);
                return session.output.json(&document).await;
            }
        };
        session.output.text(text).await
    }
}
