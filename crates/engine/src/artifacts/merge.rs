//! What a duplicate brings to the artifact that was there: tags and inputs, except for inputs that were made from it.

use std::collections::HashSet;

use artstore_core::artifact::{Artifact, ArtifactInput, Merged, new_inputs};
use artstore_core::backend::Duplicate;
use artstore_core::format::ArtifactEventChange;
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{Relation, WalkLimits};
use artstore_core::tags::Tags;
use artstore_core::{Error, Result};

use super::decide::Batch;
use super::limits;
use super::rules::{ArtifactOutcome, ArtifactRules, ArtifactWork};
use crate::protocol::Verdict;

/// How much of what was made from an artifact is looked through at once.
const NEAR: WalkLimits = WalkLimits {
    depth: None,
    nodes: 1_000,
};

impl ArtifactRules {
    pub(super) async fn decide_merge(
        &self,
        work: &ArtifactWork,
        found: Duplicate,
        tags: &Tags,
        inputs: &[ArtifactInput],
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        let existing = &found.artifact;
        let new = new_inputs(&existing.inputs, inputs);
        if !new.is_empty() && batch.claims.inputs_added {
            return Ok(Verdict::Defer);
        }
        let (inputs, skipped_inputs) = self.without_cycles(existing, new).await?;
        let merged = Merged {
            tags: existing.tags.missing_from(tags),
            inputs,
            skipped_inputs,
        };
        if merged.tags.is_empty() && merged.inputs.is_empty() {
            let outcome = ArtifactOutcome::duplicate(found, merged);
            return Ok(Verdict::Answer(Ok(outcome)));
        }
        let adds_inputs = !merged.inputs.is_empty();
        if adds_inputs {
            check_room_for_inputs(existing, &merged.inputs)?;
        }
        let change = ArtifactEventChange::Republished {
            tags: existing.tags.merged_with(&merged.tags)?,
            merged_tags: merged.tags.clone(),
            mode: found.mode,
            merged_inputs: merged.inputs.clone(),
            skipped_inputs: merged.skipped_inputs.clone(),
        };
        let mode = found.mode;
        let outcome = |artifact| ArtifactOutcome::duplicate(Duplicate { artifact, mode }, merged);
        let verdict = self
            .write_event(work, found.artifact, None, change, batch, outcome)
            .await?;
        if adds_inputs && matches!(verdict, Verdict::Write(_)) {
            batch.claims.inputs_added = true;
        }
        Ok(verdict)
    }

    /// Those of `new` that `existing` can be said to be made from, then those that were made from it, directly or by way of
    /// others.
    async fn without_cycles(
        &self,
        existing: &Artifact,
        new: Vec<ArtifactInput>,
    ) -> Result<(Vec<ArtifactInput>, Vec<ArtifactInput>)> {
        if new.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let near = self.made_from(existing, NEAR).await?;
        let made_from_it = match near {
            Some(all) => all,
            None => self.made_from_among(existing, &new).await?,
        };
        let closes_cycle = |id: ArtifactId| id == existing.id || made_from_it.contains(&id);
        Ok(new.into_iter().partition(|input| !closes_cycle(input.id)))
    }

    /// What was made from `existing`; `None` if there is more than `limits` allow.
    async fn made_from(
        &self,
        existing: &Artifact,
        limits: WalkLimits,
    ) -> Result<Option<HashSet<ArtifactId>>> {
        let catalog = &self.parts.catalogs.artifacts;
        let walk = catalog
            .walk(existing.id, Relation::Downstream, limits)
            .await?;
        let walk = walk.filter(|walk| !walk.truncated);
        Ok(walk.map(|walk| walk.nodes.into_iter().map(|node| node.id).collect()))
    }

    /// Those of `new` that were made from `existing`, from which much was made: what they were made from is looked through
    /// instead, which usually is little, so that the lock is not held for long.
    async fn made_from_among(
        &self,
        existing: &Artifact,
        new: &[ArtifactInput],
    ) -> Result<HashSet<ArtifactId>> {
        let catalog = &self.parts.catalogs.artifacts;
        let mut found = HashSet::new();
        let mut left = WalkLimits::MAX_NODES;
        for input in new {
            let limits = WalkLimits {
                depth: None,
                nodes: left,
            };
            let walk = catalog.walk(input.id, Relation::Inputs, limits).await?;
            let Some(walk) = walk else {
                continue;
            };
            if walk.nodes.iter().any(|node| node.id == existing.id) {
                found.insert(input.id);
            } else if walk.truncated {
                let all = self.made_from(existing, WalkLimits::UNLIMITED).await?;
                return Ok(all.unwrap_or_default());
            }
            left = left.saturating_sub(walk.nodes.len());
        }
        Ok(found)
    }
}

fn check_room_for_inputs(existing: &Artifact, new: &[ArtifactInput]) -> Result<()> {
    let mut all = existing.inputs.clone();
    all.extend_from_slice(new);
    limits::check_inputs(&all).map_err(|error: Error| {
        error
            .with("artifact", existing.id)
            .hint("repeat without inputs")
    })
}
