//! A store written in the plainest way, and the ways in which it can be wrong.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactInput, ArtifactSource, ArtifactStatus, DedupMode, Merged,
    PublishArtifactRequest, PublishArtifactResult, new_inputs,
};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::format::event::EventOrigin;
use artstore_core::format::{ArtifactEvent, ArtifactEventChange};
use artstore_core::id::{ArtifactId, EventId};
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::lineage::{
    ArtifactLineage, LineageEdge, LineageNode, Supersession, Walk, WalkLimits, walk,
};
use artstore_core::page::{Cursor, ListPart, Page, PageRequest};
use artstore_core::ports::{ArtifactReader, ArtifactStorePort, ByteRange};
use artstore_core::table::TableFormat;
use artstore_core::tags::{TagChange, Tags};
use artstore_core::time::Timestamp;
use artstore_core::{Error, Result};
use artstore_testkit::environment::sequential_id;
use artstore_testkit::samples::{artifact, ch1, op_id, time};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    NoDeduplication,
    DuplicateOfAnotherKey,
    DuplicateOfAnotherKind,
    DuplicateOfInactive,
    ContentHashIgnored,
    ContentHashFirst,
    TagsNotMerged,
    InputsNotMerged,
    CirclesMerged,
    CirclesNotTold,
    MissingInputsAccepted,
    OperationForgotten,
    OperationNotCompared,
    ListLosesEqualTimes,
    OverlapsIgnored,
    FindByTimeOnly,
    WrongBytes,
    RevisionStays,
    OtherRevisionStays,
    InactiveReplaced,
    InactiveReplaces,
    OtherTypeReplaces,
    ReplacedAgain,
    WithdrawnAgain,
    ReplacedIsNotWithdrawn,
    DeepestFirst,
    RolesForgotten,
    TruncationNotTold,
    OnlyDirectPredecessors,
    BatchBackwards,
    BatchAnswersElsewhere,
    BatchAnswersTooFew,
    BatchEndsAtFailure,
    BatchOperationsForgotten,
    BatchTagsNotMerged,
}

/// What a table of this text is: pretended tables, for a store that reads none.
pub(crate) struct Pretended {
    pub(crate) content_hash: Option<ContentHash>,
    pub(crate) row_count: u64,
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

pub(crate) fn pretended(text: &str) -> Pretended {
    let length = i64::try_from(text.len()).unwrap();
    Pretended {
        content_hash: (!text.contains("hashless")).then(|| ch1(text)),
        row_count: text.len() as u64,
        times: (!text.contains("timeless")).then(|| (time(length), time(2 * length))),
    }
}

/// The bytes that are stored of a source, and of a table its text.
fn stored(request: &PublishArtifactRequest) -> (Bytes, Option<String>) {
    let ArtifactSource::Bytes(content) = request.source.clone() else {
        panic!("bytes only");
    };
    let text = || String::from_utf8(content.to_vec()).unwrap();
    match request.table {
        None => (content, None),
        Some(TableFormat::Csv(_)) => {
            let says = text().trim().to_owned();
            (format!("written:{says}").into(), Some(says))
        }
        Some(TableFormat::Parquet) => {
            let says = text().split_once(':').unwrap().1.to_owned();
            (content, Some(says))
        }
    }
}

#[derive(Debug)]
pub(crate) struct PlainStore {
    flaw: Flaw,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    artifacts: Vec<(Artifact, Bytes)>,
    operations: Vec<(OpId, String, Outcome)>,
    events: u64,
}

#[derive(Debug, Clone)]
enum Outcome {
    Published(ArtifactId),
    Merged(ArtifactId, DedupMode, Merged),
    Changed(ArtifactId),
}

/// A call: its operation and what makes it this call.
type Call = (Option<OpId>, String);

impl Held {
    fn find(&self, id: ArtifactId) -> Result<&(Artifact, Bytes)> {
        let found = self
            .artifacts
            .iter()
            .find(|(artifact, _)| artifact.id == id);
        found.ok_or_else(|| Error::not_found("no such artifact"))
    }

    fn get(&self, id: ArtifactId) -> Result<Artifact> {
        Ok(self.find(id)?.0.clone())
    }

    fn remember(&mut self, call: Call, outcome: Outcome) {
        if let (Some(op_id), asked) = call {
            self.operations.push((op_id, asked, outcome));
        }
    }

    /// One step from an artifact to what it was made from, or to what was made from it.
    fn steps(&self, from: ArtifactId, is_back: bool) -> Vec<(ArtifactId, Option<String>)> {
        let all = self.artifacts.iter().map(|(artifact, _)| artifact);
        let uses = all.flat_map(|output| output.inputs.iter().map(move |input| (output.id, input)));
        uses.filter_map(|(output, input)| {
            let (start, end) = match is_back {
                true => (output, input.id),
                false => (input.id, output),
            };
            (start == from).then(|| (end, input.role.clone()))
        })
        .collect()
    }

    fn walk(&self, id: ArtifactId, limits: WalkLimits, is_back: bool) -> Walk {
        let walked: Result<Walk> = walk(id, limits, |from, _, found| {
            found.extend(self.steps(from, is_back));
            Ok(())
        });
        walked.unwrap()
    }
}

impl PlainStore {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self {
            flaw,
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    fn known(&self, held: &Held, (op_id, asked): &Call) -> Result<Option<Outcome>> {
        let mut known = held.operations.iter();
        let known = known.find(|(known, _, _)| Some(known) == op_id.as_ref());
        match known {
            _ if self.flaw == Flaw::OperationForgotten => Ok(None),
            Some((_, first, outcome))
                if first == asked || self.flaw == Flaw::OperationNotCompared =>
            {
                Ok(Some(outcome.clone()))
            }
            Some(_) => Err(Error::conflict(
                "the operation id was used for another request",
            )),
            None => Ok(None),
        }
    }

    /// Makes an event and applies it to everything that it changes.
    fn change(&self, held: &mut Held, id: ArtifactId, change: ArtifactEventChange) -> Result<()> {
        held.events += 1;
        let origin = EventOrigin {
            id: EventId::from_uuid(sequential_id(held.events)),
            sequence: held.events,
            op_id: op_id("any"),
            request_digest: Digest::of(b"any"),
            actor: "test".to_owned(),
            created_at: time(0),
        };
        let event = ArtifactEvent::new(origin, &held.get(id)?, change);
        let changed: Vec<_> = event.changed().collect();
        for (artifact, _) in &mut held.artifacts {
            if changed.contains(&artifact.id) {
                let before = artifact.revision;
                event.apply_to(artifact);
                let stays = match artifact.id == id {
                    true => Flaw::RevisionStays,
                    false => Flaw::OtherRevisionStays,
                };
                if self.flaw == stays {
                    artifact.revision = before;
                }
            }
        }
        Ok(())
    }

    fn duplicate(
        &self,
        held: &Held,
        request: &PublishArtifactRequest,
        file_hash: Digest,
        content_hash: Option<ContentHash>,
    ) -> Option<(ArtifactId, DedupMode)> {
        let flaw = self.flaw;
        let candidates = || {
            let all = held.artifacts.iter().map(|(artifact, _)| artifact);
            all.filter(|one| {
                (one.kind == request.kind() || flaw == Flaw::DuplicateOfAnotherKind)
                    && (one.logical_key == request.logical_key
                        || flaw == Flaw::DuplicateOfAnotherKey)
                    && (one.status == ArtifactStatus::Active || flaw == Flaw::DuplicateOfInactive)
                    && one.artifact_type == request.artifact_type
                    && one.schema_version == request.schema_version
                    && flaw != Flaw::NoDeduplication
            })
        };
        let by_file = || {
            let found = candidates().find(|one| one.file_hash == file_hash);
            found.map(|one| (one.id, DedupMode::FileHash))
        };
        let by_content = || {
            let wanted = content_hash.filter(|_| flaw != Flaw::ContentHashIgnored)?;
            let found = candidates().find(|one| one.content_hash == wanted);
            found.map(|one| (one.id, DedupMode::ContentHash))
        };
        match flaw {
            Flaw::ContentHashFirst => by_content().or_else(by_file),
            _ => by_file().or_else(by_content),
        }
    }

    fn merge(
        &self,
        held: &mut Held,
        (id, mode): (ArtifactId, DedupMode),
        request: &PublishArtifactRequest,
        call: Call,
    ) -> Result<PublishArtifactResult> {
        let existing = held.get(id)?;
        let new = match self.flaw {
            Flaw::InputsNotMerged => Vec::new(),
            _ => new_inputs(&existing.inputs, &request.inputs),
        };
        let made_from_it = held.walk(id, WalkLimits::UNLIMITED, false).nodes;
        let is_circle = |input: &ArtifactInput| {
            self.flaw != Flaw::CirclesMerged
                && (input.id == id || made_from_it.iter().any(|node| node.id == input.id))
        };
        let (mut skipped_inputs, inputs): (Vec<_>, Vec<_>) = new.into_iter().partition(is_circle);
        if self.flaw == Flaw::CirclesNotTold {
            skipped_inputs.clear();
        }
        let merged = Merged {
            tags: match self.flaw {
                Flaw::TagsNotMerged => Tags::new(),
                _ => existing.tags.missing_from(&request.tags),
            },
            inputs,
            skipped_inputs,
        };
        if !merged.tags.is_empty() || !merged.inputs.is_empty() {
            let change = ArtifactEventChange::Republished {
                tags: existing.tags.merged_with(&merged.tags)?,
                merged_tags: merged.tags.clone(),
                mode,
                merged_inputs: merged.inputs.clone(),
                skipped_inputs: merged.skipped_inputs.clone(),
            };
            self.change(held, id, change)?;
            held.remember(call, Outcome::Merged(id, mode, merged.clone()));
        }
        Ok(PublishArtifactResult::Duplicate {
            existing: held.get(id)?,
            mode,
            merged,
        })
    }

    fn matching(&self, wanted: impl Fn(&Artifact) -> bool) -> Vec<Artifact> {
        let held = self.held();
        let all = held.artifacts.iter().map(|(artifact, _)| artifact.clone());
        let mut items: Vec<_> = all.filter(wanted).collect();
        items.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
        items
    }

    /// The page of `items` after the cursor; `part_of` says in which part of the list an item is.
    fn page(
        &self,
        mut items: Vec<Artifact>,
        page: &PageRequest,
        part_of: impl Fn(&Artifact) -> ListPart,
    ) -> Page<Artifact> {
        items.sort_by_key(&part_of);
        let is_after = |one: &Artifact| {
            page.cursor().is_none_or(|cursor| {
                let (part, place) = (part_of(one), (one.created_at, one.id));
                part > cursor.part
                    || (part == cursor.part
                        && match self.flaw {
                            Flaw::ListLosesEqualTimes => one.created_at < cursor.created_at,
                            _ => place < (cursor.created_at, cursor.id),
                        })
            })
        };
        items.retain(is_after);
        let limit = usize::try_from(page.limit()).unwrap();
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().map(|last| Cursor {
            created_at: last.created_at,
            id: last.id,
            part: part_of(last),
        });
        Page {
            items,
            next: last.filter(|_| has_more),
        }
    }

    fn trace(&self, id: ArtifactId, limits: WalkLimits, is_back: bool) -> Result<ArtifactLineage> {
        let held = self.held();
        let artifact = held.get(id)?;
        let walk = held.walk(id, limits, is_back);
        let role = |role: Option<String>| role.filter(|_| self.flaw != Flaw::RolesForgotten);
        let nodes = walk.nodes.iter().map(|node| {
            let mut steps = walk.steps.iter();
            let first = steps.find(|step| step.to == node.id).unwrap();
            LineageNode {
                artifact: held.get(node.id).unwrap(),
                depth: node.depth,
                role: role(first.role.clone()),
            }
        });
        let mut nodes: Vec<_> = nodes.collect();
        if self.flaw == Flaw::DeepestFirst {
            nodes.reverse();
        }
        let edges = walk.steps.iter().map(|step| {
            let (output, input) = match is_back {
                true => (step.from, step.to),
                false => (step.to, step.from),
            };
            let role = role(step.role.clone());
            LineageEdge {
                input,
                output,
                role,
            }
        });
        Ok(ArtifactLineage {
            artifact,
            edges: edges.collect(),
            missing: Vec::new(),
            depth: nodes.iter().map(|node| node.depth).max().unwrap_or(0),
            truncated: walk.truncated && self.flaw != Flaw::TruncationNotTold,
            nodes,
        })
    }

    fn check_replacement(&self, new: &Artifact, old: &Artifact) -> Result<()> {
        let flaw = self.flaw;
        let is_right = new.id != old.id
            && (old.status == ArtifactStatus::Active || flaw == Flaw::InactiveReplaced)
            && (new.status == ArtifactStatus::Active || flaw == Flaw::InactiveReplaces)
            && (new.artifact_type == old.artifact_type || flaw == Flaw::OtherTypeReplaces);
        match is_right {
            true => Ok(()),
            false => Err(Error::conflict("it cannot be replaced")),
        }
    }
}

#[async_trait]
impl ArtifactStorePort for PlainStore {
    async fn publish_artifact(
        &self,
        request: PublishArtifactRequest,
    ) -> Result<PublishArtifactResult> {
        let mut held = self.held();
        let call = (request.op_id.clone(), format!("{request:?}"));
        match self.known(&held, &call)? {
            Some(Outcome::Merged(id, mode, merged)) => {
                return Ok(PublishArtifactResult::Duplicate {
                    existing: held.get(id)?,
                    mode,
                    merged,
                });
            }
            Some(Outcome::Published(id) | Outcome::Changed(id)) => {
                return Ok(PublishArtifactResult::Published(held.get(id)?));
            }
            None => {}
        }
        if self.flaw != Flaw::MissingInputsAccepted {
            for input in &request.inputs {
                held.find(input.id)?;
            }
        }
        let (content, text) = stored(&request);
        let table = text.as_deref().map(pretended);
        let content_hash = table.as_ref().and_then(|table| table.content_hash);
        let file_hash = Digest::of(&content);
        if let Some(found) = self.duplicate(&held, &request, file_hash, content_hash) {
            return self.merge(&mut held, found, &request, call);
        }
        let number = held.artifacts.len() as u64;
        let times = table.as_ref().and_then(|table| table.times);
        let new = Artifact {
            kind: request.kind(),
            artifact_type: request.artifact_type,
            schema_version: request.schema_version,
            logical_key: request.logical_key,
            tags: request.tags,
            inputs: new_inputs(&[], &request.inputs),
            file_hash,
            content_hash: content_hash.unwrap_or_else(|| file_hash.into()),
            size_bytes: content.len() as u64,
            row_count: table.as_ref().map(|table| table.row_count),
            min_timestamp: times.map(|(earliest, _)| earliest),
            max_timestamp: times.map(|(_, latest)| latest),
            created_at: time(i64::try_from(number / 4).unwrap()),
            op_id: request.op_id.unwrap_or_else(|| op_id("made up")),
            ..artifact(number)
        };
        held.remember(call, Outcome::Published(new.id));
        held.artifacts.push((new.clone(), content));
        Ok(PublishArtifactResult::Published(new))
    }

    async fn publish_artifacts(
        &self,
        requests: Vec<PublishArtifactRequest>,
    ) -> Vec<Result<PublishArtifactResult>> {
        let mut requests = requests;
        if self.flaw == Flaw::BatchBackwards {
            requests.reverse();
        }
        let mut results = Vec::new();
        for mut request in requests {
            match self.flaw {
                Flaw::BatchOperationsForgotten => request.op_id = None,
                Flaw::BatchTagsNotMerged if !results.is_empty() => request.tags = Tags::new(),
                Flaw::BatchEndsAtFailure if results.iter().any(Result::is_err) => {
                    results.push(Err(Error::unavailable("another request failed")));
                    continue;
                }
                _ => {}
            }
            results.push(self.publish_artifact(request).await);
        }
        match self.flaw {
            Flaw::BatchBackwards => results.reverse(),
            Flaw::BatchAnswersElsewhere => results.rotate_left(1),
            Flaw::BatchAnswersTooFew => drop(results.pop()),
            _ => {}
        }
        results
    }

    async fn get_artifact(&self, id: ArtifactId) -> Result<Artifact> {
        self.held().get(id)
    }

    async fn get_artifacts(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        let held = self.held();
        Ok(ids.iter().map(|id| held.get(*id).ok()).collect())
    }

    async fn list_artifacts(
        &self,
        filter: &ArtifactFilter,
        page: &PageRequest,
    ) -> Result<Page<Artifact>> {
        let overlaps = filter
            .overlaps
            .filter(|_| self.flaw != Flaw::OverlapsIgnored);
        let items = self.matching(|one| {
            let wanted_type = filter.artifact_type.as_ref();
            let prefix = filter.key_prefix.as_ref();
            let times = one.min_timestamp.zip(one.max_timestamp);
            let created = one.created_at;
            wanted_type.is_none_or(|wanted| *wanted == one.artifact_type)
                && filter.status.is_none_or(|wanted| wanted == one.status)
                && one.tags.missing_from(&filter.tags).is_empty()
                && prefix.is_none_or(|prefix| one.logical_key.as_str().starts_with(prefix))
                && filter.created_from.is_none_or(|from| created >= from)
                && filter.created_before.is_none_or(|before| created < before)
                && overlaps.is_none_or(|span| {
                    times.is_some_and(|(earliest, latest)| span.overlaps(earliest, latest))
                })
        });
        Ok(self.page(items, page, |_| ListPart::First))
    }

    async fn find_by_logical_key(
        &self,
        artifact_type: &ArtifactType,
        logical_key: &LogicalKey,
        page: &PageRequest,
    ) -> Result<Page<Artifact>> {
        let items = self
            .matching(|one| one.artifact_type == *artifact_type && one.logical_key == *logical_key);
        let part_of = |one: &Artifact| match one.status {
            ArtifactStatus::Active => ListPart::First,
            _ if self.flaw == Flaw::FindByTimeOnly => ListPart::First,
            _ => ListPart::Inactive,
        };
        Ok(self.page(items, page, part_of))
    }

    async fn get_lineage(&self, id: ArtifactId, limits: WalkLimits) -> Result<ArtifactLineage> {
        self.trace(id, limits, true)
    }

    async fn get_downstream(&self, id: ArtifactId, limits: WalkLimits) -> Result<ArtifactLineage> {
        self.trace(id, limits, false)
    }

    async fn get_supersession(&self, id: ArtifactId) -> Result<Supersession> {
        let held = self.held();
        let artifact = held.get(id)?;
        let mut predecessors = Vec::new();
        let mut level = artifact.supersedes.clone();
        while !level.is_empty() {
            let found: Vec<_> = level.iter().map(|id| held.get(*id).unwrap()).collect();
            level = found
                .iter()
                .flat_map(|one| one.supersedes.clone())
                .collect();
            predecessors.extend(found);
            if self.flaw == Flaw::OnlyDirectPredecessors {
                break;
            }
        }
        let mut successors = Vec::new();
        let mut next = artifact.superseded_by;
        while let Some(id) = next {
            let found = held.get(id)?;
            next = found.superseded_by;
            successors.push(found);
        }
        Ok(Supersession {
            artifact,
            predecessors,
            successors,
            missing: Vec::new(),
            truncated: false,
        })
    }

    async fn supersede(
        &self,
        new: ArtifactId,
        old: ArtifactId,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        let mut held = self.held();
        let call = (op_id, format!("supersede {new} {old}"));
        if let Some(Outcome::Changed(id)) = self.known(&held, &call)? {
            return held.get(id);
        }
        let (by, replaced) = (held.get(new)?, held.get(old)?);
        if replaced.superseded_by == Some(new) && self.flaw != Flaw::ReplacedAgain {
            return Ok(replaced);
        }
        if self.flaw != Flaw::ReplacedAgain || replaced.superseded_by.is_none() {
            self.check_replacement(&by, &replaced)?;
        }
        let change = ArtifactEventChange::Superseded {
            by: new,
            by_revision: by.revision + 1,
        };
        self.change(&mut held, old, change)?;
        held.remember(call, Outcome::Changed(old));
        held.get(old)
    }

    async fn tombstone(
        &self,
        id: ArtifactId,
        reason: &str,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        let mut held = self.held();
        if reason.is_empty() || reason.len() > 1000 || reason.contains(char::is_control) {
            return Err(Error::invalid("no reason"));
        }
        let call = (op_id, format!("tombstone {id} {reason}"));
        if let Some(Outcome::Changed(id)) = self.known(&held, &call)? {
            return held.get(id);
        }
        let found = held.get(id)?;
        let stays = match found.status {
            ArtifactStatus::Active => false,
            ArtifactStatus::Superseded => self.flaw == Flaw::ReplacedIsNotWithdrawn,
            ArtifactStatus::Tombstoned => self.flaw != Flaw::WithdrawnAgain,
        };
        if stays {
            return Ok(found);
        }
        let reason = reason.to_owned();
        self.change(&mut held, id, ArtifactEventChange::Tombstoned { reason })?;
        held.remember(call, Outcome::Changed(id));
        held.get(id)
    }

    async fn tag(
        &self,
        id: ArtifactId,
        change: TagChange,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        let mut held = self.held();
        let call = (op_id, format!("{id} {change:?}"));
        if let Some(Outcome::Changed(id)) = self.known(&held, &call)? {
            return held.get(id);
        }
        let found = held.get(id)?;
        let tags = change.applied_to(&found.tags)?;
        if tags != found.tags {
            self.change(&mut held, id, ArtifactEventChange::Tagged { tags })?;
            held.remember(call, Outcome::Changed(id));
        }
        held.get(id)
    }

    async fn open(&self, id: ArtifactId, range: Option<ByteRange>) -> Result<ArtifactReader> {
        let (artifact, content) = self.held().find(id)?.clone();
        let start = range.map_or(0, |range| usize::try_from(range.offset).unwrap());
        let mut bytes = content.slice(start..);
        if let Some(length) = range.and_then(|range| range.length) {
            bytes.truncate(usize::try_from(length).unwrap());
        }
        if self.flaw == Flaw::WrongBytes {
            bytes = bytes.iter().map(|byte| byte ^ 1).collect();
        }
        let length = bytes.len() as u64;
        let bytes = Box::pin(stream::iter([Ok(bytes)]));
        Ok(ArtifactReader {
            artifact,
            length,
            bytes,
        })
    }

    async fn local_path(&self, _id: ArtifactId) -> Result<PathBuf> {
        Err(Error::unsupported("in memory"))
    }

    async fn is_available(&self) -> bool {
        true
    }
}
