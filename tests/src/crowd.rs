//! What many processes or tasks publish at once, and what is there afterwards.
//!
//! Every member publishes artifacts of its own, tags some of them, and publishes what all others publish, too, with and
//! without a tag.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use artstore_core::artifact::{Artifact, ArtifactFilter, PublishArtifactRequest};
use artstore_core::id::ArtifactId;
use artstore_core::page::PageRequest;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{Error, Result};

use crate::trial::{read, request};

/// How many artifacts all members publish.
const SHARED: u64 = 10;

/// Everybody.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// How many members there are.
    pub members: u64,
    /// How many publishes each of them makes; a multiple of 100 lets each tag every shared artifact.
    pub publishes: u64,
}

/// One process or task.
#[derive(Debug, Clone, Copy)]
pub struct Member(pub u64);

/// A publish of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Own,
    OwnThenTag,
    Shared(u64),
    SharedWithTag(u64),
}

impl Member {
    /// Starts the program `crowd-worker`, which waits for a line before it publishes, and ends early when its input does.
    ///
    /// # Errors
    /// That the program cannot be started.
    pub fn start(self, program: &Path, root: &Path, publishes: u64) -> std::io::Result<Child> {
        Command::new(program)
            .arg(root)
            .args([self.0.to_string(), publishes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
    }

    fn turn(self, number: u64) -> Turn {
        let shared = (number / 10 + self.0) % SHARED;
        match number % 10 {
            0 => Turn::SharedWithTag(shared),
            3 => Turn::OwnThenTag,
            5 => Turn::Shared(shared),
            _ => Turn::Own,
        }
    }

    fn key(self, number: u64) -> String {
        match self.turn(number) {
            Turn::Shared(shared) | Turn::SharedWithTag(shared) => format!("shared-{shared}"),
            Turn::Own | Turn::OwnThenTag => format!("own-{}-{number}", self.0),
        }
    }

    /// The `number`th publish.
    ///
    /// # Errors
    /// None that is expected.
    pub fn request(self, number: u64) -> Result<PublishArtifactRequest> {
        let (key, op_id) = (self.key(number), format!("member-{}-{number}", self.0));
        let mut request = request(&key, &content(&key), &op_id);
        if let Turn::SharedWithTag(_) = self.turn(number) {
            request.tags = self.tag()?;
        }
        Ok(request)
    }

    fn tag(self) -> Result<Tags> {
        Tags::try_from([("member", self.0.to_string())])
    }

    /// Makes the `number`th publish, and tags what it published if it is the turn for that.
    ///
    /// # Errors
    /// As the port; and that a publish had another outcome than it should.
    pub async fn publish(self, port: &dyn ArtifactStorePort, number: u64) -> Result<ArtifactId> {
        let result = port.publish_artifact(self.request(number)?).await?;
        let (turn, id) = (self.turn(number), result.artifact().id);
        let is_own = matches!(turn, Turn::Own | Turn::OwnThenTag);
        if is_own && result.is_duplicate() {
            return Err(Error::internal("an artifact of its own was there before")
                .with("member", self.0)
                .with("publish", number));
        }
        if turn == Turn::OwnThenTag {
            let change = TagChange {
                add: self.tag()?,
                remove: Vec::new(),
            };
            port.tag(id, change, None).await?;
        }
        Ok(id)
    }
}

/// Between nothing and some kilobytes.
fn content(key: &str) -> String {
    let length = key
        .bytes()
        .fold(0_usize, |sum, byte| (sum * 31 + usize::from(byte)) % 4096);
    key.chars().cycle().take(length).collect()
}

impl Crowd {
    /// Everybody.
    pub fn members(self) -> impl Iterator<Item = Member> {
        (0..self.members).map(Member)
    }

    /// Every key with the tags that its artifact should have.
    fn wanted(self) -> Result<BTreeMap<String, Tags>> {
        let mut wanted = BTreeMap::<String, Tags>::new();
        for member in self.members() {
            for number in 0..self.publishes {
                let tags = wanted.entry(member.key(number)).or_default();
                if let Turn::OwnThenTag | Turn::SharedWithTag(_) = member.turn(number) {
                    tags.insert("member", member.0.to_string())?;
                }
            }
        }
        Ok(wanted)
    }

    /// What is not in the store as it should be after all publishes, looked at through the port. `told` are the ids that
    /// members were told.
    ///
    /// # Errors
    /// As the port.
    pub async fn differences(
        self,
        port: &dyn ArtifactStorePort,
        told: &BTreeSet<ArtifactId>,
    ) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let mut wanted = self.wanted()?;
        let mut found = BTreeSet::new();
        for artifact in list_all(port).await? {
            let key = artifact.logical_key.as_str();
            found.insert(artifact.id);
            match wanted.remove(key) {
                None => wrong.push(format!("{key} is there twice or should not be there")),
                Some(tags) => wrong.extend(difference(port, &artifact, &tags).await),
            }
        }
        wrong.extend(wanted.keys().map(|key| format!("{key} is not there")));
        if found != *told {
            let (found, told) = (found.len(), told.len());
            wrong.push(format!("{found} artifacts, but {told} ids were told"));
        }
        Ok(wrong)
    }
}

/// In what an artifact is not what it should be.
async fn difference(
    port: &dyn ArtifactStorePort,
    artifact: &Artifact,
    tags: &Tags,
) -> Option<String> {
    let key = artifact.logical_key.as_str();
    if artifact.tags != *tags {
        return Some(format!("{key} has the tags {:?}", artifact.tags));
    }
    // Each tag came with an event of its own, but for the tag with which a shared artifact may have been published.
    let events = artifact.revision - 1;
    let tags = tags.len() as u64;
    let is_right = events == tags || (key.starts_with("shared") && events + 1 == tags);
    if !is_right {
        return Some(format!("{key} has {tags} tags after {events} events"));
    }
    let is_got = port.get_artifact(artifact.id).await;
    if is_got.as_ref().ok() != Some(artifact) {
        return Some(format!("{key} is listed as {artifact:?}, but {is_got:?}"));
    }
    match read(port, artifact.id).await {
        Ok(bytes) if bytes == content(key) => None,
        Ok(_) => Some(format!("{key} has other bytes")),
        Err(error) => Some(format!("{key} cannot be read: {error:?}")),
    }
}

/// All artifacts by pages.
///
/// # Errors
/// As [`ArtifactStorePort::list_artifacts`].
pub async fn list_all(port: &dyn ArtifactStorePort) -> Result<Vec<Artifact>> {
    let mut all = Vec::new();
    let mut page = PageRequest::first(PageRequest::MAX_LIMIT)?;
    loop {
        let found = port
            .list_artifacts(&ArtifactFilter::default(), &page)
            .await?;
        all.extend(found.items);
        match found.next {
            Some(next) => page = page.after(next),
            None => return Ok(all),
        }
    }
}
