//! What is done to a store before it crashes.

use std::fmt;
use std::path::{Path, PathBuf};

use artstore_core::artifact::{
    Artifact, ArtifactInput, ArtifactSource, ArtifactStatus, PublishArtifactRequest,
    PublishArtifactResult,
};
use artstore_core::digest::Digest;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::ports::{ArtifactStorePort, ArtifactTypeRegistry};
use artstore_core::registry::{RegisteredType, TypeDefinition, TypeRegistration};
use artstore_core::table::TableFormat;
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{ErrorKind, Result};
use artstore_engine::Engine;

use crate::model_fs::{ModelVfs, OUTSIDE, ROOT};
use crate::spelling::{Row, Spelling, rows};

/// What the artifact that every workload finds is about.
const BASE_KEY: &str = "base";
const BASE_CONTENT: &str = "the artifact that is there from the beginning";
const OTHER_KEY: &str = "other";
const OTHER_CONTENT: &str = "the artifact that is there, too";
/// A registered type whose tables are sorted before they are hashed.
const TIDY: &str = "tidy";
const TABLE_KEY: &str = "table";

/// Files of users below the root, which no recovery may touch.
const USER_FILES: [&str; 5] = [
    "notes.txt",
    "artifacts/notes.json",
    "artifacts/report/v1/2026-11-20/my__own.csv",
    "events/artifacts/readme.json",
    "types/readme.txt",
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
    /// A CSV file is published as a new table.
    PublishTable,
    /// The table that is there is published again in other bytes, with a new tag.
    PublishEqualTable,
    /// Bytes that were made from what is there are published.
    PublishDerived,
    /// What is there already is published again with a new input.
    PublishDuplicateWithInputs,
    /// An artifact replaces another one.
    Supersede,
    /// An artifact is withdrawn.
    Tombstone,
    /// A type is registered.
    RegisterType,
    /// Another definition of a registered type is registered.
    ReplaceType,
}

impl Step {
    /// Every operation.
    pub const ALL: [Self; 14] = [
        Self::PublishNew,
        Self::PublishDuplicate,
        Self::PublishDuplicateWithTags,
        Self::PublishAdopting,
        Self::Tag,
        Self::PublishInNewType,
        Self::PublishTable,
        Self::PublishEqualTable,
        Self::PublishDerived,
        Self::PublishDuplicateWithInputs,
        Self::Supersede,
        Self::Tombstone,
        Self::RegisterType,
        Self::ReplaceType,
    ];
}

/// A sequence of operations on a store that holds two files and a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload(Vec<Step>);

/// What is there before the operations of a workload.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// A file.
    pub(super) first: Artifact,
    /// Another one of the same type.
    pub(super) other: Artifact,
    /// A table of a registered type.
    pub(super) table: Artifact,
}

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

    /// A number that tells workloads from each other.
    pub(super) fn number(&self) -> usize {
        let place = |step: &Step| Step::ALL.iter().position(|other| other == step);
        let places = self.0.iter().filter_map(place);
        places.fold(0, |number, place| 3 * number + place)
    }

    /// Whether its first operation is about types, which have no rows and no events.
    pub(super) fn begins_with_a_registration(&self) -> bool {
        let first = self.0.first();
        matches!(first, Some(Step::RegisterType | Step::ReplaceType))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts the files that the operations take, and those that must not be touched.
    pub(super) fn prepare(&self, vfs: &ModelVfs) {
        for (position, step) in self.0.iter().enumerate() {
            if let Some(path) = source_path(*step, position) {
                vfs.put_file(&path, &content(*step, position));
            }
        }
        for name in USER_FILES {
            vfs.put_file(&Path::new(ROOT).join(name), name.as_bytes());
        }
    }

    /// Makes the artifact that is there from the beginning.
    pub(super) async fn begin(&self, store: &dyn ArtifactStorePort) -> Result<Artifact> {
        let source = ArtifactSource::Bytes(BASE_CONTENT.into());
        let request = request("report", BASE_KEY, source, "setup")?;
        let result = store.publish_artifact(request).await?;
        Ok(result.artifact().clone())
    }

    /// Makes everything else that is there before the operations.
    pub(super) async fn furnish(&self, engine: &Engine) -> Result<Base> {
        let store = engine.artifact_store();
        let first = self.begin(store.as_ref()).await?;
        let source = ArtifactSource::Bytes(OTHER_CONTENT.into());
        let other = request("report", OTHER_KEY, source, "setup-other")?;
        let other = store.publish_artifact(other).await?;
        let definition = tidy_definition(&["ts"])?;
        let registration = TypeRegistration::KeepExisting;
        let types = engine.artifact_types();
        types.register_type(definition, registration).await?;
        let source = ArtifactSource::Bytes(Spelling::Csv.of(&base_rows()));
        let table = table_request(TIDY, TABLE_KEY, source, "setup-table")?;
        let table = store.publish_artifact(table).await?;
        Ok(Base {
            first,
            other: other.artifact().clone(),
            table: table.artifact().clone(),
        })
    }

    /// Does the operation at `position`; with the same `base` always the same request.
    pub(super) async fn act(
        &self,
        position: usize,
        engine: &Engine,
        base: &Base,
    ) -> Result<Outcome> {
        let step = self.0[position];
        let op_id = OpId::new(format!("step-{position}"))?;
        let store = engine.artifact_store();
        let types = engine.artifact_types();
        let changed = match step {
            Step::Tag => {
                let change = TagChange {
                    add: Tags::try_from([("tagged", position.to_string())])?,
                    remove: Vec::new(),
                };
                store.tag(base.first.id, change, Some(op_id)).await
            }
            Step::Supersede => {
                let (new, old) = (base.other.id, base.first.id);
                store.supersede(new, old, Some(op_id)).await
            }
            Step::Tombstone => {
                let reason = format!("wrong since step {position}");
                store.tombstone(base.first.id, &reason, Some(op_id)).await
            }
            Step::RegisterType | Step::ReplaceType => {
                return register(types.as_ref(), step, position).await;
            }
            _ => {
                let request = publish_request(step, position, base)?;
                let published = store.publish_artifact(request).await?;
                return Ok(Outcome::Published(published));
            }
        };
        match changed {
            Ok(artifact) => Ok(Outcome::Changed(artifact)),
            // What was withdrawn before cannot be replaced.
            Err(error) if step == Step::Supersede && error.kind() == ErrorKind::Conflict => {
                Ok(Outcome::Refused)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether these may be the bytes of a file that was published; what is converted is known by its hash alone.
    pub(super) fn may_hold(&self, artifact: &Artifact, bytes: &[u8]) -> bool {
        if artifact.row_count.is_some() {
            return bytes.starts_with(b"PAR1");
        }
        let contents = (0..self.len()).map(|position| content(self.0[position], position));
        contents
            .chain([BASE_CONTENT, OTHER_CONTENT].map(|content| content.as_bytes().to_vec()))
            .any(|content| content == bytes)
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
            let content = content(*step, position);
            let exists = match step {
                Step::PublishAdopting => files.iter().any(|(_, bytes)| *bytes == content),
                _ => holds(&path, &content),
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
    Changed(Artifact),
    Registered(RegisteredType),
    /// It contradicts an operation before it.
    Refused,
}

impl Outcome {
    /// The artifact that it is about, if it is about one that must be there.
    pub(super) fn artifact(&self) -> Option<&Artifact> {
        match self {
            Self::Published(result) => Some(result.artifact()),
            Self::Changed(artifact) => Some(artifact),
            Self::Registered(_) | Self::Refused => None,
        }
    }
}

/// What a store holds, apart from ids and times: equal for a store in which an operation happened at once and one in which
/// it was repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    artifacts: Vec<ArtifactShape>,
    types: Vec<(TypeDefinition, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ArtifactShape {
    artifact_type: String,
    logical_key: String,
    file_hash: String,
    content_hash: String,
    row_count: Option<u64>,
    status: ArtifactStatus,
    tags: Vec<(String, String)>,
    inputs: Vec<ArtifactInput>,
    superseded_by: Option<Digest>,
    supersedes: Vec<Digest>,
    tombstone_reason: Option<String>,
    revision: u64,
    op_id: OpId,
}

impl Shape {
    /// The shape of these artifacts and types.
    pub(super) fn of(artifacts: &[Artifact], types: &[RegisteredType]) -> Self {
        let mut shapes: Vec<_> = artifacts
            .iter()
            .map(|artifact| ArtifactShape::of(artifact, artifacts))
            .collect();
        shapes.sort();
        let types = types.iter();
        Self {
            artifacts: shapes,
            types: types
                .map(|found| (found.definition.clone(), found.revision))
                .collect(),
        }
    }
}

impl ArtifactShape {
    fn of(artifact: &Artifact, all: &[Artifact]) -> Self {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let bytes_of = |id: &_| {
            let found = all.iter().find(|other| other.id == *id);
            found.map_or(Digest::of(b"nothing"), |other| other.file_hash)
        };
        Self {
            artifact_type: artifact.artifact_type.to_string(),
            logical_key: artifact.logical_key.to_string(),
            file_hash: artifact.file_hash.to_hex(),
            content_hash: artifact.content_hash.to_string(),
            row_count: artifact.row_count,
            status: artifact.status,
            tags: artifact.tags.pairs().map(pair).collect(),
            inputs: artifact.inputs.clone(),
            superseded_by: artifact.superseded_by.as_ref().map(bytes_of),
            supersedes: artifact.supersedes.iter().map(bytes_of).collect(),
            tombstone_reason: artifact.tombstone_reason.clone(),
            revision: artifact.revision,
            op_id: artifact.op_id.clone(),
        }
    }
}

async fn register(
    types: &dyn ArtifactTypeRegistry,
    step: Step,
    position: usize,
) -> Result<Outcome> {
    let (definition, registration) = match step {
        Step::ReplaceType => {
            let required = [&["ts", "n"][..], &["ts", "name"], &["name"]];
            let definition = tidy_definition(required[position % required.len()])?;
            (definition, TypeRegistration::Replace)
        }
        _ => {
            let name = ArtifactType::new(format!("type-{position}"))?;
            (TypeDefinition::new(name), TypeRegistration::KeepExisting)
        }
    };
    let registered = types.register_type(definition, registration).await?;
    Ok(Outcome::Registered(registered))
}

fn tidy_definition(required: &[&str]) -> Result<TypeDefinition> {
    Ok(TypeDefinition {
        required_columns: required.iter().map(|name| (*name).to_owned()).collect(),
        sort_keys: vec!["n".to_owned()],
        ..TypeDefinition::new(ArtifactType::new(TIDY)?)
    })
}

fn publish_request(step: Step, position: usize, base: &Base) -> Result<PublishArtifactRequest> {
    let op_id = format!("step-{position}");
    let key = format!("key-{position}");
    let path = source_path(step, position).unwrap_or_default();
    let bytes = || ArtifactSource::Bytes(content(step, position).into());
    let again = || {
        let source = ArtifactSource::Bytes(BASE_CONTENT.into());
        request("report", BASE_KEY, source, &op_id)
    };
    match step {
        Step::PublishNew => request("report", &key, ArtifactSource::File(path), &op_id),
        Step::PublishAdopting => request("report", &key, ArtifactSource::AdoptFile(path), &op_id),
        Step::PublishInNewType => request(&format!("type-{position}"), &key, bytes(), &op_id),
        Step::PublishTable => table_request("loose", &key, ArtifactSource::File(path), &op_id),
        Step::PublishEqualTable => {
            let mut request = table_request(TIDY, TABLE_KEY, bytes(), &op_id)?;
            request.tags.insert("respelled", position.to_string())?;
            Ok(request)
        }
        Step::PublishDerived => {
            let mut request = request("report", &key, bytes(), &op_id)?;
            request.inputs = vec![
                ArtifactInput {
                    role: Some("prices".to_owned()),
                    ..ArtifactInput::new(base.table.id)
                },
                ArtifactInput::new(base.first.id),
            ];
            Ok(request)
        }
        Step::PublishDuplicateWithTags => {
            let mut request = again()?;
            request.tags.insert("republished", position.to_string())?;
            Ok(request)
        }
        Step::PublishDuplicateWithInputs => {
            let mut request = again()?;
            request.inputs = vec![ArtifactInput {
                role: Some(format!("role {position}")),
                ..ArtifactInput::new(base.other.id)
            }];
            Ok(request)
        }
        _ => again(),
    }
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

fn table_request(
    artifact_type: &str,
    key: &str,
    source: ArtifactSource,
    op_id: &str,
) -> Result<PublishArtifactRequest> {
    Ok(PublishArtifactRequest {
        table: Some(TableFormat::Csv(Default::default())),
        ..request(artifact_type, key, source, op_id)?
    })
}

fn base_rows() -> Vec<Row> {
    rows(0, 4)
}

/// What the operation at `position` publishes, unless that is there already.
fn content(step: Step, position: usize) -> Vec<u8> {
    match step {
        Step::PublishTable => Spelling::Csv.of(&rows(1 + position as u64, 3)).into(),
        // The type sorts its tables: their rows in another order are the same table in other bytes.
        Step::PublishEqualTable => {
            let mut rows = base_rows();
            rows.rotate_left(1 + position % 3);
            Spelling::Csv.of(&rows).into()
        }
        _ => format!("content of step {position}").into(),
    }
}

fn source_path(step: Step, position: usize) -> Option<PathBuf> {
    let name = match step {
        Step::PublishNew => format!("copied-{position}.txt"),
        Step::PublishAdopting => format!("adopted-{position}.txt"),
        Step::PublishTable => format!("table-{position}.csv"),
        _ => return None,
    };
    Some(Path::new(OUTSIDE).join(name))
}
