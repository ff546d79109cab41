//! What is asked.

use artstore_core::Error;
use artstore_core::artifact::{ArtifactFilter, PublishArtifactRequest};
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::lineage::WalkLimits;
use artstore_core::page::PageRequest;
use artstore_core::tags::{TagChange, TagRemoval};
use serde_json::Value;

use super::error::{Fault, OpsError, UNKNOWN};
use super::fields::{Fields, Spelling, wrong_type};
use super::{filter, publish};

pub(super) const HEALTH_CHECK: &str = "health_check";

/// How many artifacts one answer tells at most where nothing else limits them.
pub(super) const MOST_AT_ONCE: usize = PageRequest::MAX_LIMIT as usize;

/// What every request may say. A store knows where its catalog is and how it is made, so that the `manifest` fields of
/// earlier programs have no effect.
const COMMON: [&str; 4] = ["operation", "artifacts_root", "manifest_db", "manifest_sql"];

/// Reads the fields of an operation.
type Read = fn(Fields) -> Result<Operation, Fault>;

/// Every operation: its name, its fields, and how they are read.
const OPERATIONS: [(&str, &[&str], Read); 13] = [
    ("get_artifact", &["artifact_id"], |mut fields| {
        let id = fields.required("artifact_id", Fields::artifact_id)?;
        Ok(Operation::GetArtifact(id))
    }),
    ("get_artifacts_batch", &["artifact_ids"], |mut fields| {
        let ids = fields.required("artifact_ids", Fields::texts)?;
        if ids.len() > MOST_AT_ONCE {
            return Err(too_many_ids(ids.len()));
        }
        let ids = ids.iter().map(|id| id.parse().ok()).collect();
        Ok(Operation::GetArtifacts(ids))
    }),
    ("list_artifacts", &["filter", "page"], list),
    (
        "find_by_logical_key",
        &["artifact_type", "logical_key", "page"],
        |mut fields| {
            let artifact_type = fields.required("artifact_type", Fields::parsed)?;
            let logical_key = fields.required("logical_key", Fields::parsed)?;
            let page = filter::page(fields.any("page"))?;
            let page = page.map(|page| page.request(PageRequest::default()));
            Ok(Operation::Find(artifact_type, logical_key, page))
        },
    ),
    ("publish_artifact", publish::KNOWN, |fields| {
        Ok(Operation::Publish(Box::new(publish::request(fields)?)))
    }),
    ("publish_artifacts_batch", &["requests"], |mut fields| {
        let items = fields.required("requests", Fields::list)?;
        let read = |(place, item)| {
            Fields::new(item, place, Spelling::Snake, publish::KNOWN).and_then(publish::request)
        };
        Ok(Operation::PublishBatch(
            items.into_iter().map(read).collect(),
        ))
    }),
    (
        "get_lineage",
        &["artifact_id", "depth", "limit"],
        |mut fields| Ok(Operation::Lineage(Walk::read(&mut fields)?)),
    ),
    (
        "get_downstream",
        &["artifact_id", "depth", "limit"],
        |mut fields| Ok(Operation::Downstream(Walk::read(&mut fields)?)),
    ),
    ("get_supersession", &["artifact_id"], |mut fields| {
        let id = fields.required("artifact_id", Fields::artifact_id)?;
        Ok(Operation::Supersession(id))
    }),
    (
        "supersede",
        &["new_artifact_id", "old_artifact_id", "op_id"],
        |mut fields| {
            let new = fields.required("new_artifact_id", Fields::artifact_id)?;
            let old = fields.required("old_artifact_id", Fields::artifact_id)?;
            Ok(Operation::Supersede(new, old, fields.parsed("op_id")?))
        },
    ),
    (
        "tombstone",
        &["artifact_id", "reason", "op_id"],
        |mut fields| {
            let id = fields.required("artifact_id", Fields::artifact_id)?;
            let reason = fields.required("reason", Fields::text)?;
            Ok(Operation::Tombstone(id, reason, fields.parsed("op_id")?))
        },
    ),
    (
        "tag",
        &["artifact_id", "add", "remove", "op_id"],
        |mut fields| {
            let id = fields.required("artifact_id", Fields::artifact_id)?;
            let removals = fields.texts("remove")?.unwrap_or_default();
            let change = TagChange {
                add: fields.tags("add")?,
                remove: removals.into_iter().map(removal).collect(),
            };
            Ok(Operation::Tag(id, change, fields.parsed("op_id")?))
        },
    ),
    (HEALTH_CHECK, &[], |_| Ok(Operation::HealthCheck)),
];

/// One request.
#[derive(Debug)]
pub struct OpsRequest {
    pub(super) name: &'static str,
    pub(super) operation: Operation,
    artifacts_root: Option<String>,
}

#[derive(Debug)]
pub(super) enum Operation {
    GetArtifact(ArtifactId),
    /// `None` for each text that is no id.
    GetArtifacts(Vec<Option<ArtifactId>>),
    List(ArtifactFilter, PageRequest, ListForm),
    /// One page of a key's artifacts, or all of them.
    Find(ArtifactType, LogicalKey, Option<PageRequest>),
    Publish(Box<PublishArtifactRequest>),
    PublishBatch(Vec<Result<PublishArtifactRequest, Fault>>),
    Lineage(Walk),
    Downstream(Walk),
    Supersession(ArtifactId),
    Supersede(ArtifactId, ArtifactId, Option<OpId>),
    Tombstone(ArtifactId, String, Option<OpId>),
    Tag(ArtifactId, TagChange, Option<OpId>),
    HealthCheck,
}

/// How a list is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListForm {
    /// `[...]`
    Bare,
    /// `{"items": [...], "next": ...}`
    Page,
}

/// A walk from an artifact.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) id: ArtifactId,
    pub(super) limits: WalkLimits,
    /// Whether the caller says how many artifacts are enough.
    pub(super) is_limited_by_caller: bool,
}

impl OpsRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// A text that is not JSON, an operation that is not known, a field that is missing, not known, or wrong: each is named.
    pub fn parse(request: &[u8]) -> Result<Self, OpsError> {
        let value = parse_json(request).map_err(|fault| OpsError::new(UNKNOWN, fault))?;
        Self::from_value(value)
    }

    /// Reads a request that is JSON already.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_value(request: Value) -> Result<Self, OpsError> {
        let name = match request.get("operation") {
            Some(Value::String(name)) => name.clone(),
            Some(other) if !other.is_null() => {
                return Err(OpsError::new(
                    UNKNOWN,
                    wrong_type("operation", "a text", other),
                ));
            }
            _ => {
                let fault = match Fields::of_any_names(request, "", Spelling::Snake) {
                    Ok(fields) => fields.missing("operation"),
                    Err(fault) => fault,
                };
                return Err(OpsError::new(UNKNOWN, fault));
            }
        };
        let Some((name, known, read)) = OPERATIONS.iter().find(|(known, ..)| *known == name) else {
            let names: Vec<_> = OPERATIONS.iter().map(|(name, ..)| *name).collect();
            let error = Error::invalid(format!("Unknown operation: {name}"))
                .with("known", names.join(", "));
            return Err(OpsError::new(name, error));
        };
        let known = [&COMMON, *known].concat();
        let parsed = Fields::new(request, "", Spelling::Snake, &known).and_then(|mut fields| {
            Ok(Self {
                name,
                artifacts_root: fields.filled_text("artifacts_root")?,
                operation: read(fields)?,
            })
        });
        parsed.map_err(|fault| OpsError::new(*name, fault))
    }

    /// The name of the operation.
    pub fn operation(&self) -> &'static str {
        self.name
    }

    /// Whether a store is made for this request if there is none.
    pub fn makes_store(&self) -> bool {
        matches!(
            self.operation,
            Operation::Publish(_) | Operation::PublishBatch(_)
        )
    }

    /// The root of the store that the request is for, if it names it. The caller checks that it is the store's.
    pub fn artifacts_root(&self) -> Option<&str> {
        self.artifacts_root.as_deref()
    }

    /// The error that the request is for another store than the one at `root`.
    pub fn other_store(&self, root: &std::path::Path) -> OpsError {
        let given = self.artifacts_root().unwrap_or_default();
        let error = Error::invalid("the request is for another store")
            .with("artifacts_root", given)
            .with("root", root.display())
            .hint("start the program with --root or ARTSTORE_ROOT, or leave artifacts_root out");
        OpsError::new(self.name, error)
    }
}

fn list(mut fields: Fields) -> Result<Operation, Fault> {
    let (filter, first) = filter::filter(fields.any("filter"))?;
    Ok(match filter::page(fields.any("page"))? {
        None => Operation::List(filter, first, ListForm::Bare),
        Some(page) => Operation::List(filter, page.request(first), ListForm::Page),
    })
}

fn too_many_ids(given: usize) -> Fault {
    Error::invalid("more artifacts are asked for than are told at once")
        .with("field", "artifact_ids")
        .with("given", given)
        .with("limit", MOST_AT_ONCE)
        .into()
}

/// `K` or `K=V`: no key holds `=`.
fn removal(text: String) -> TagRemoval {
    match text.split_once('=') {
        Some((key, value)) => TagRemoval::Pair(key.to_owned(), value.to_owned()),
        None => TagRemoval::Key(text),
    }
}

impl Walk {
    fn read(fields: &mut Fields) -> Result<Self, Fault> {
        let id = fields.required("artifact_id", Fields::artifact_id)?;
        let limit = fields.number("limit")?;
        let nodes = limit.map_or(WalkLimits::DEFAULT_NODES, |limit| limit as usize);
        Ok(Self {
            id,
            limits: WalkLimits::new(depth(fields)?, nodes)?,
            is_limited_by_caller: limit.is_some(),
        })
    }
}

/// One step if nothing is said; `None` for any number.
fn depth(fields: &mut Fields) -> Result<Option<u32>, Fault> {
    const NAME: &str = "depth";
    match fields.any(NAME) {
        None => Ok(Some(1)),
        Some(Value::String(word)) if word == "all" => Ok(None),
        Some(value) => {
            let depth = value.as_u64().and_then(|depth| u32::try_from(depth).ok());
            match depth {
                Some(depth) => Ok(Some(depth)),
                None => Err(fields.wrong_type(NAME, "a number of steps or \"all\"", &value)),
            }
        }
    }
}

/// Reads JSON.
pub(super) fn parse_json(text: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(text).map_err(|error| {
        let message = format!("the request is not JSON: {error}");
        Fault::of_class("JSONDecodeError", Error::invalid(message))
    })
}
