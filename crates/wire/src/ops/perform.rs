//! What is answered.

use std::collections::HashSet;
use std::path::Path;

use artstore_core::artifact::{Artifact, PublishArtifactRequest, PublishArtifactResult};
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::page::{Page, PageRequest};
use artstore_core::ports::ArtifactStorePort;
use artstore_core::{Error, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::document::{OpsArtifact, OpsLineage, OpsSupersession};
use super::error::{Fault, OpsError};
use super::request::{ListForm, MOST_AT_ONCE, Operation, OpsRequest, Walk};
use crate::{ListDocument, PublishDocument};

impl OpsRequest {
    /// Asks `store`, whose root is at the absolute path `root`, and makes the answer.
    ///
    /// # Errors
    /// Whatever the store answers, as the protocol tells it. A health check never fails here.
    pub async fn perform(
        self,
        store: &dyn ArtifactStorePort,
        root: &Path,
    ) -> Result<Value, OpsError> {
        let name = self.name;
        let answer = perform(self.operation, store, root).await;
        answer.map_err(|fault| OpsError::new(name, fault))
    }
}

async fn perform(
    operation: Operation,
    store: &dyn ArtifactStorePort,
    root: &Path,
) -> Result<Value, Fault> {
    let artifact = |artifact: Artifact| told(OpsArtifact::new(artifact, root));
    match operation {
        Operation::GetArtifact(id) => artifact(asked(store.get_artifact(id).await)?),
        Operation::GetArtifacts(ids) => get_artifacts(store, root, &ids).await,
        Operation::List(filter, page, form) => {
            let found = store.list_artifacts(&filter, &page).await?;
            match form {
                ListForm::Bare => told(OpsArtifact::list(found.items, root)),
                ListForm::Page => told_page(found, root),
            }
        }
        Operation::Find(artifact_type, logical_key, None) => {
            let found = find_all(store, &artifact_type, &logical_key).await?;
            told(OpsArtifact::list(found, root))
        }
        Operation::Find(artifact_type, logical_key, Some(page)) => {
            let found = store.find_by_logical_key(&artifact_type, &logical_key, &page);
            told_page(found.await?, root)
        }
        Operation::Publish(request) => {
            let result = store.publish_artifact(*request).await?;
            told(PublishDocument::new(&result, root))
        }
        Operation::PublishBatch(requests) => publish_batch(store, root, requests).await,
        Operation::Lineage(walk) => {
            let lineage = asked(store.get_lineage(walk.id, walk.limits).await)?;
            told(OpsLineage::new(lineage, walk.limits, root))
        }
        Operation::Downstream(walk) => downstream(store, root, walk).await,
        Operation::Supersession(id) => {
            let supersession = asked(store.get_supersession(id).await)?;
            told(OpsSupersession::new(supersession, root))
        }
        Operation::Supersede(new, old, op_id) => {
            asked(store.supersede(new, old, op_id).await)?;
            Ok(json!({"success": true}))
        }
        Operation::Tombstone(id, reason, op_id) => {
            artifact(asked(store.tombstone(id, &reason, op_id).await)?)
        }
        Operation::Tag(id, change, op_id) => artifact(asked(store.tag(id, change, op_id).await)?),
        Operation::HealthCheck => Ok(if store.is_available().await {
            json!({"available": true})
        } else {
            json!({"available": false, "error": "the store does not answer", "type": "OSError"})
        }),
    }
}

/// What a port answers to a question about artifacts.
fn asked<T>(answer: Result<T>) -> Result<T, Fault> {
    answer.map_err(Fault::from_port)
}

fn told(document: impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(document).map_err(|error| {
        let error = Error::internal("the answer cannot be written as JSON").caused_by(error);
        error.into()
    })
}

fn told_page(page: Page<Artifact>, root: &Path) -> Result<Value, Fault> {
    told(ListDocument::new(page, |artifact| {
        OpsArtifact::new(artifact, root)
    }))
}

async fn get_artifacts(
    store: &dyn ArtifactStorePort,
    root: &Path,
    ids: &[Option<ArtifactId>],
) -> Result<Value, Fault> {
    let known: Vec<_> = ids.iter().copied().flatten().collect();
    let mut found = store.get_artifacts(&known).await?.into_iter();
    let mut next = || found.next().flatten();
    let artifacts = ids.iter().map(|id| id.and_then(|_| next()));
    let documents = artifacts.map(|artifact| artifact.map(|found| OpsArtifact::new(found, root)));
    told(documents.collect::<Vec<_>>())
}

/// All artifacts of a key, if they are not more than is told at once: a bare list cannot tell that it is not whole.
async fn find_all(
    store: &dyn ArtifactStorePort,
    artifact_type: &ArtifactType,
    logical_key: &LogicalKey,
) -> Result<Vec<Artifact>, Fault> {
    let first = PageRequest::first(PageRequest::MAX_LIMIT)?;
    let mut request = first.clone();
    // One that is replaced meanwhile may be on two pages.
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    loop {
        let page = store
            .find_by_logical_key(artifact_type, logical_key, &request)
            .await?;
        found.extend(page.items.into_iter().filter(|item| seen.insert(item.id)));
        match page.next {
            None if found.len() <= MOST_AT_ONCE => return Ok(found),
            Some(cursor) if found.len() < MOST_AT_ONCE => request = first.clone().after(cursor),
            _ => return Err(too_many_of_one_key()),
        }
    }
}

fn too_many_of_one_key() -> Fault {
    Error::invalid("the key has more artifacts than are told without `page`")
        .with("limit", MOST_AT_ONCE)
        .hint("ask for a page at a time: with `page` {} first, then {\"after\": ...} with the answer's `next`")
        .into()
}

async fn downstream(
    store: &dyn ArtifactStorePort,
    root: &Path,
    walk: Walk,
) -> Result<Value, Fault> {
    let lineage = asked(store.get_downstream(walk.id, walk.limits).await)?;
    // A bare list cannot tell that it is not whole.
    if lineage.truncated && !walk.is_limited_by_caller {
        return Err(
            Error::invalid("more was made from the artifact than is told at once")
                .with("limit", walk.limits.nodes)
                .hint(
                    "say with `limit` how many are enough, at most 100000; the nearest come first",
                )
                .into(),
        );
    }
    let artifacts = lineage.nodes.into_iter().map(|node| node.artifact);
    told(OpsArtifact::list(artifacts, root))
}

async fn publish_batch(
    store: &dyn ArtifactStorePort,
    root: &Path,
    requests: Vec<Result<PublishArtifactRequest, Fault>>,
) -> Result<Value, Fault> {
    let mut understood = Vec::with_capacity(requests.len());
    let mut faults = Vec::with_capacity(requests.len());
    for request in requests {
        faults.push(request.map(|request| understood.push(request)).err());
    }
    let mut results = store.publish_artifacts(understood).await.into_iter();
    let answers = faults.into_iter().map(|fault| match fault {
        Some(fault) => Ok(fault.item()),
        None => match results.next() {
            Some(result) => item(result, root),
            None => Err(Error::internal("a request has no result").into()),
        },
    });
    Ok(Value::Array(answers.collect::<Result<_, Fault>>()?))
}

fn item(result: Result<PublishArtifactResult>, root: &Path) -> Result<Value, Fault> {
    match result {
        Ok(result) => told(PublishDocument::new(&result, root)),
        Err(error) => Ok(Fault::from(error).item()),
    }
}
