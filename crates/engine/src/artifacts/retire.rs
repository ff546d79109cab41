//! Taking artifacts out of use: which may be replaced by which, and which may be withdrawn.

use artstore_core::artifact::{Artifact, ArtifactStatus};
use artstore_core::format::ArtifactEventChange;
use artstore_core::{Error, Result};

use super::decide::Batch;
use super::rules::{ArtifactOutcome, ArtifactRules, ArtifactWork};
use crate::protocol::Verdict;

impl ArtifactRules {
    /// Only an active artifact replaces an active one. Therefore nothing comes back, and no chain closes: an artifact that
    /// was replaced is active no more.
    pub(super) async fn decide_supersede(
        &self,
        work: &ArtifactWork,
        new: Artifact,
        old: Artifact,
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        if old.superseded_by == Some(new.id) {
            return Ok(Verdict::Answer(Ok(ArtifactOutcome::Changed(old))));
        }
        check_replacement(&new, &old)?;
        if new.supersedes.len() >= Artifact::MAX_SUPERSEDES {
            return Err(Error::conflict("the artifact has replaced too many others")
                .with("new", new.id)
                .with("limit", Artifact::MAX_SUPERSEDES)
                .hint("withdraw the old one instead"));
        }
        let change = ArtifactEventChange::Superseded {
            by: new.id,
            by_revision: new.revision + 1,
        };
        self.write_event(
            work,
            old,
            Some(new),
            change,
            batch,
            ArtifactOutcome::Changed,
        )
        .await
    }

    pub(super) async fn decide_tombstone(
        &self,
        work: &ArtifactWork,
        artifact: Artifact,
        reason: &str,
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        if artifact.status == ArtifactStatus::Tombstoned {
            return Ok(Verdict::Answer(Ok(ArtifactOutcome::Changed(artifact))));
        }
        let change = ArtifactEventChange::Tombstoned {
            reason: reason.to_owned(),
        };
        self.change_artifact(work, artifact, change, batch).await
    }
}

fn check_replacement(new: &Artifact, old: &Artifact) -> Result<()> {
    let refusal = |why: &str| {
        Error::conflict(format!("the artifact cannot be replaced: {why}"))
            .with("old", old.id)
            .with("new", new.id)
    };
    if new.id == old.id {
        return Err(refusal("it would replace itself"));
    }
    if new.artifact_type != old.artifact_type {
        return Err(refusal("their types differ")
            .with("old_type", &old.artifact_type)
            .with("new_type", &new.artifact_type));
    }
    match (old.status, old.superseded_by) {
        (ArtifactStatus::Active, _) => {}
        (ArtifactStatus::Superseded, Some(by)) => {
            return Err(refusal("another one has replaced it").with("superseded_by", by));
        }
        (status, _) => return Err(refusal("it is not active").with("status", status)),
    }
    match (new.status, new.superseded_by) {
        (ArtifactStatus::Active, _) => Ok(()),
        (ArtifactStatus::Superseded, Some(by)) if by == old.id => {
            Err(refusal("it has replaced the other one itself"))
        }
        (ArtifactStatus::Superseded, Some(by)) => {
            Err(refusal("the other one was replaced itself").with("superseded_by", by))
        }
        (status, _) => Err(refusal("the other one is not active").with("status", status)),
    }
}
