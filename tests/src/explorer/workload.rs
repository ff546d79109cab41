//! What is done to a store before it crashes.

use std::fmt;
use std::path::{Path, PathBuf};

use artstore_core::Result;
use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactSource, ArtifactStatus, PublishArtifactRequest,
    PublishArtifactResult,
};
use artstore_core::digest::Digest;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::page::PageRequest;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::tags::{TagChange, Tags};

use crate::model_fs::{ModelVfs, OUTSIDE, ROOT};

/// What the artifact that every workload finds is about.
const BASE_KEY: &str = "base";
const BASE_CONTENT: &str = "the artifact that is there from the beginning";

/// Files of users below the root, which no recovery may touch.
const USER_FILES: [&str; 4] = [
    "notes.txt",
    "artifacts/notes.json",
    "artifacts/report/v1/2026-11-20/my__own.csv",
    "events/artifacts/readme.json",
];

/// One operation of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A copy of a file is published as a new artifact.
    PublishNew,
    /// What is there already is published again.
    PublishDuplicate,
    /// What is there already is published again with a new tag.
    PublishDuplicateWithTags,
    /// A file is moved into the store as a new artifact.
    PublishAdopting,
    /// An artifact is tagged.
    Tag,
    /// Bytes are published as the first artifact of a type, for which directories are made.
    PublishInNewType,
}

impl Step {
    /// Every operation.
    pub const ALL: [Self; 6] = [
        Self::PublishNew,
        Self::PublishDuplicate,
        Self::PublishDuplicateWithTags,
        Self::PublishAdopting,
        Self::Tag,
        Self::PublishInNewType,
    ];
}

/// A sequence of operations on a store that holds one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload(Vec<Step>);

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Workload {
    /// The workload of these operations.
    pub fn new(steps: impl Into<Vec<Step>>) -> Self {
        Self(steps.into())
    }

    /// Every sequence of `length` operations.
    pub fn every(length: usize) -> Vec<Self> {
        let mut sequences = vec![Vec::new()];
        for _ in 0..length {
            sequences = sequences
                .iter()
                .flat_map(|sequence| {
                    Step::ALL.map(|step| {
                        let mut longer: Vec<Step> = sequence.clone();
                        longer.push(step);
                        longer
                    })
                })
                .collect();
        }
        sequences.into_iter().map(Self).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts the files that the operations take, and those that must not be touched.
    pub(super) fn prepare(&self, vfs: &ModelVfs) {
        for (position, step) in self.0.iter().enumerate() {
            if let Some(path) = source_path(*step, position) {
                vfs.put_file(&path, content(position).as_bytes());
            }
        }
        for name in USER_FILES {
            vfs.put_file(&Path::new(ROOT).join(name), name.as_bytes());
        }
    }

    /// Makes the artifact that is there from the beginning.
    pub(super) async fn begin(&self, store: &dyn ArtifactStorePort) -> Result<Artifact> {
        let request = request(
            "report",
            BASE_KEY,
            ArtifactSource::Bytes(BASE_CONTENT.into()),
            "setup",
        )?;
        let result = store.publish_artifact(request).await?;
        Ok(result.artifact().clone())
    }

    /// Does the operation at `position`; with the same `base` always the same request.
    pub(super) async fn act(
        &self,
        position: usize,
        store: &dyn ArtifactStorePort,
        base: &Artifact,
    ) -> Result<Outcome> {
        let op_id = format!("step-{position}");
        let key = format!("key-{position}");
        let request = match self.0[position] {
            Step::Tag => {
                let change = TagChange {
                    add: Tags::try_from([("tagged", position.to_string())])?,
                    remove: Vec::new(),
                };
                let tagged = store.tag(base.id, change, Some(OpId::new(op_id)?)).await?;
                return Ok(Outcome::Tagged(tagged));
            }
            step @ (Step::PublishNew | Step::PublishAdopting) => {
                let path = source_path(step, position).unwrap_or_default();
                let source = match step {
                    Step::PublishAdopting => ArtifactSource::AdoptFile(path),
                    _ => ArtifactSource::File(path),
                };
                request("report", &key, source, &op_id)?
            }
            Step::PublishInNewType => {
                let source = ArtifactSource::Bytes(content(position).into());
                request(&format!("type-{position}"), &key, source, &op_id)?
            }
            step @ (Step::PublishDuplicate | Step::PublishDuplicateWithTags) => {
                let source = ArtifactSource::Bytes(BASE_CONTENT.into());
                let mut request = request("report", BASE_KEY, source, &op_id)?;
                if step == Step::PublishDuplicateWithTags {
                    request.tags.insert("republished", position.to_string())?;
                }
                request
            }
        };
        store
            .publish_artifact(request)
            .await
            .map(Outcome::Published)
    }

    /// What the artifact with this digest holds.
    pub(super) fn content_of(&self, digest: Digest) -> Option<Vec<u8>> {
        let contents = (0..self.len()).map(content);
        contents
            .chain([BASE_CONTENT.to_owned()])
            .map(String::into_bytes)
            .find(|content| Digest::of(content) == digest)
    }

    /// What became of a user's file that should not have become of it.
    pub(super) fn harmed_file(&self, vfs: &ModelVfs) -> Option<String> {
        let disk = vfs.disk();
        let files = disk.files();
        let holds = |path: &Path, content: &[u8]| {
            let matches =
                |(name, bytes): &(String, &[u8])| Path::new(name) == path && *bytes == content;
            files.iter().any(matches)
        };
        // An empty workload begins without a store, and so without files of users in it.
        for name in USER_FILES.iter().filter(|_| !self.0.is_empty()) {
            if !holds(&Path::new(ROOT).join(name), name.as_bytes()) {
                return Some(format!("the user's file {name} was touched"));
            }
        }
        for (position, step) in self.0.iter().enumerate() {
            let Some(path) = source_path(*step, position) else {
                continue;
            };
            let content = content(position);
            let exists = match step {
                Step::PublishAdopting => {
                    files.iter().any(|(_, bytes)| *bytes == content.as_bytes())
                }
                _ => holds(&path, content.as_bytes()),
            };
            if !exists {
                return Some(format!("the source {} is lost", path.display()));
            }
        }
        None
    }
}

/// What an operation returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Published(PublishArtifactResult),
    Tagged(Artifact),
}

impl Outcome {
    pub(super) fn artifact(&self) -> &Artifact {
        match self {
            Self::Published(result) => result.artifact(),
            Self::Tagged(artifact) => artifact,
        }
    }
}

/// What a store holds, apart from ids and times: equal for a store in which an operation happened at once and one in which
/// it was repeated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    artifact_type: String,
    logical_key: String,
    file_hash: String,
    status: ArtifactStatus,
    tags: Vec<(String, String)>,
    revision: u64,
    op_id: OpId,
}

impl Shape {
    fn of(artifact: &Artifact) -> Self {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            artifact_type: artifact.artifact_type.to_string(),
            logical_key: artifact.logical_key.to_string(),
            file_hash: artifact.file_hash.to_hex(),
            status: artifact.status,
            tags: artifact.tags.pairs().map(pair).collect(),
            revision: artifact.revision,
            op_id: artifact.op_id.clone(),
        }
    }
}

/// All artifacts of a small store.
pub(super) async fn all_artifacts(store: &dyn ArtifactStorePort) -> Result<Vec<Artifact>> {
    let page = PageRequest::first(1000)?;
    let listed = store
        .list_artifacts(&ArtifactFilter::default(), &page)
        .await?;
    Ok(listed.items)
}

/// The shape of all artifacts, sorted.
pub(super) fn shapes(artifacts: &[Artifact]) -> Vec<Shape> {
    let mut shapes: Vec<_> = artifacts.iter().map(Shape::of).collect();
    shapes.sort();
    shapes
}

fn request(
    artifact_type: &str,
    key: &str,
    source: ArtifactSource,
    op_id: &str,
) -> Result<PublishArtifactRequest> {
    let mut request = PublishArtifactRequest::file(
        ArtifactType::new(artifact_type)?,
        LogicalKey::new(key)?,
        source,
    );
    request.op_id = Some(OpId::new(op_id)?);
    Ok(request)
}

fn content(position: usize) -> String {
    format!("content of step {position}")
}

fn source_path(step: Step, position: usize) -> Option<PathBuf> {
    let name = match step {
        Step::PublishNew => format!("copied-{position}.txt"),
        Step::PublishAdopting => format!("adopted-{position}.txt"),
        _ => return None,
    };
    Some(Path::new(OUTSIDE).join(name))
}
