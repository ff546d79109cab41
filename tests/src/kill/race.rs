//! What many processes do to the same few tables at once.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;

use artstore_core::artifact::{Artifact, ArtifactInput, ArtifactSource, PublishArtifactRequest};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::page::PageRequest;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::tags::Tags;
use artstore_core::{Error, ErrorKind, Result};

use crate::spelling::{Spelling, rows};

/// One process among others.
#[derive(Debug, Clone, Copy)]
pub struct Race {
    /// Which process.
    pub worker: u64,
    /// What it does.
    pub turn: Turn,
    /// How many tables there are.
    pub tables: u64,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Publishes every table in its own encoding, as made from another one: all of them together would make circles.
    Publish,
    /// Lets tables replace and withdraws them.
    Retire,
}

impl FromStr for Turn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "publish" => Ok(Self::Publish),
            "retire" => Ok(Self::Retire),
            _ => Err(format!("not a turn: {text}")),
        }
    }
}

impl Race {
    /// Starts the process.
    ///
    /// # Errors
    /// That the program cannot be started.
    pub fn start(&self, program: &Path, root: &Path) -> std::io::Result<Child> {
        let turn = match self.turn {
            Turn::Publish => "publish",
            Turn::Retire => "retire",
        };
        let numbers = [self.worker, self.tables].map(|number| number.to_string());
        Command::new(program)
            .arg(root)
            .args([&numbers[0], turn, &numbers[1]])
            .stdout(Stdio::piped())
            .spawn()
    }

    /// Takes the turn.
    ///
    /// # Errors
    /// Any but that another process was faster.
    pub async fn run(&self, port: &dyn ArtifactStorePort) -> Result<()> {
        for step in 0..self.tables {
            // Each begins elsewhere.
            let table = (self.worker + step) % self.tables;
            match self.turn {
                Turn::Publish => self.publish(port, table).await?,
                Turn::Retire => self.retire(port, table).await?,
            }
        }
        Ok(())
    }

    async fn publish(&self, port: &dyn ArtifactStorePort, table: u64) -> Result<()> {
        let spelling = Spelling::ALL[self.worker as usize % Spelling::ALL.len()];
        let mut request = PublishArtifactRequest::table(
            ArtifactType::new("shared")?,
            LogicalKey::new(key(table))?,
            ArtifactSource::Bytes(spelling.of(&rows(table, 20))),
            spelling.format(),
        );
        request.tags = Tags::try_from([("by", self.worker.to_string())])?;
        let other = (table + 1 + self.worker) % self.tables;
        let inputs = find(port, other).await?;
        request.inputs = inputs
            .iter()
            .map(|one| ArtifactInput::new(one.id))
            .collect();
        port.publish_artifact(request).await.map(drop)
    }

    async fn retire(&self, port: &dyn ArtifactStorePort, table: u64) -> Result<()> {
        let other = (table + 1 + self.worker) % self.tables;
        let (old, new) = (find(port, table).await?, find(port, other).await?);
        let (Some(old), Some(new)) = (old.first(), new.first()) else {
            return Err(Error::internal("a table is gone").with("table", table));
        };
        let retired = match (self.worker + table) % 5 {
            0 => {
                port.tombstone(old.id, &format!("says {}", self.worker), None)
                    .await
            }
            _ => port.supersede(new.id, old.id, None).await,
        };
        match retired {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }
}

/// The key of a table.
pub fn key(table: u64) -> String {
    format!("table={table}")
}

/// Every artifact of a table.
///
/// # Errors
/// As the port.
pub async fn find(port: &dyn ArtifactStorePort, table: u64) -> Result<Vec<Artifact>> {
    let (artifact_type, key) = (ArtifactType::new("shared")?, LogicalKey::new(key(table))?);
    let page = PageRequest::default();
    let found = port
        .find_by_logical_key(&artifact_type, &key, &page)
        .await?;
    Ok(found.items)
}
