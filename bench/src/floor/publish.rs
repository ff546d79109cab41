//! The floor of `publish`: the same system calls, grouped in the same way, without the store's code.
//!
//! Per publish 8 KiB are hashed, and the bytes and a record of 1.5 KiB are written to a staging directory and synced. A
//! group commit renames both of every publish of the group into one directory, never replacing anything, syncs that directory
//! once, and writes as many pages to a log as a database writes for the rows, with one sync. There is no intent, no lock
//! between processes and no database: each process has a log of its own, the directory is shared.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use rustix::fs::{RenameFlags, renameat_with};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Syncer, committer::Committer};
use crate::contender::{Contender, Syncs, World};

const STAGING: &str = "staging";
const PUBLISHED: &str = "published";

const PAYLOAD_BYTES: usize = 8 * 1024;
const RECORD_BYTES: usize = 1536;

const FRAME_BYTES: usize = 4096;
/// Pages that a commit changes however few its rows are: tree roots, indexes, counters.
const FRAMES_PER_GROUP: usize = 5;
const LOG_BYTES: u64 = 8 * 1024 * 1024;

struct PublishFloor {
    staging_path: PathBuf,
    staging: File,
    published: File,
    log: File,
    log_offset: AtomicU64,
    committer: Committer<String>,
    syncer: Syncer,
}

/// Makes the directories.
pub(crate) fn set_up(directory: &Path) -> Result<()> {
    for name in [STAGING, PUBLISHED] {
        let path = directory.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
    }
    Ok(())
}

/// Opens the directories and makes the log of this process.
pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    let directory = &world.directory;
    let log_path = directory.join(format!("log-{}", world.process));
    let log = create(&log_path)?;
    log.write_all_at(&vec![0; usize::try_from(LOG_BYTES)?], 0)
        .and_then(|()| log.sync_all())
        .with_context(|| format!("cannot fill {}", log_path.display()))?;
    let open = |name: &str| {
        let path = directory.join(name);
        File::open(&path).with_context(|| format!("cannot open {}", path.display()))
    };
    Ok(Box::new(PublishFloor {
        staging_path: directory.join(STAGING),
        staging: open(STAGING)?,
        published: open(PUBLISHED)?,
        log,
        log_offset: AtomicU64::new(0),
        committer: Committer::new(),
        syncer: Syncer::default(),
    }))
}

impl Contender for PublishFloor {
    fn work(&self, publisher: usize, n: usize) -> Result<u64> {
        let name = format!("{publisher:03}-{n:09}");
        let payload = payload(publisher, n);
        let digest = Sha256::digest(&payload);
        self.stage(&data_name(&name), &payload)?;
        self.stage(&record_name(&name), &record(&name, &digest))?;
        self.committer.commit(name, |group| self.commit(&group))?;
        Ok(1)
    }

    fn syncs(&self) -> Syncs {
        self.syncer.count()
    }
}

impl PublishFloor {
    fn stage(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.staging_path.join(name);
        let mut file = create(&path)?;
        file.write_all(bytes)
            .and_then(|()| self.syncer.data(&file))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn commit(&self, group: &[String]) -> Result<()> {
        for name in group {
            self.rename(&data_name(name))?;
            self.rename(&record_name(name))?;
        }
        self.syncer
            .all(&self.published)
            .context("cannot sync the directory")?;

        let bytes = vec![0x5a; (FRAMES_PER_GROUP + group.len()) * FRAME_BYTES];
        self.log
            .write_all_at(&bytes, self.next_offset(bytes.len() as u64))
            .and_then(|()| self.syncer.commit(&self.log))
            .context("cannot write the log")
    }

    fn rename(&self, name: &str) -> Result<()> {
        renameat_with(
            &self.staging,
            name,
            &self.published,
            name,
            RenameFlags::NOREPLACE,
        )
        .with_context(|| format!("cannot rename {name}"))
    }

    /// Goes round in the log, whose length never changes. Only the leader of a group comes here.
    fn next_offset(&self, bytes: u64) -> u64 {
        let next = self.log_offset.load(Ordering::Relaxed);
        let offset = if next + bytes > LOG_BYTES { 0 } else { next };
        self.log_offset.store(offset + bytes, Ordering::Relaxed);
        offset
    }
}

fn create(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))
}

fn data_name(name: &str) -> String {
    format!("{name}.data")
}

fn record_name(name: &str) -> String {
    format!("{name}.json")
}

/// 8 KiB that no other call has.
pub(crate) fn payload(publisher: usize, n: usize) -> Vec<u8> {
    let mut payload = vec![0xa5; PAYLOAD_BYTES];
    payload[..8].copy_from_slice(&(publisher as u64).to_le_bytes());
    payload[8..16].copy_from_slice(&(n as u64).to_le_bytes());
    payload
}

fn record(name: &str, digest: &[u8]) -> Vec<u8> {
    let mut record = json!({"name": name, "sha256": digest, "padding": ""});
    let length = record.to_string().len();
    record["padding"] = " ".repeat(RECORD_BYTES.saturating_sub(length)).into();
    record.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_publish_costs_four_syncs_and_leaves_two_files() {
        let directory = tempfile::tempdir().unwrap();
        set_up(directory.path()).unwrap();
        let floor = open(&World::at(directory.path())).unwrap();

        assert_eq!(floor.work(7, 1).unwrap(), 1);

        let syncs = Syncs {
            fsync: 1,
            fdatasync: 3,
            commits: 1,
        };
        assert_eq!(floor.syncs(), syncs);
        let published = directory.path().join(PUBLISHED);
        assert_eq!(
            fs::read(published.join("007-000000001.data")).unwrap(),
            payload(7, 1)
        );
        let record = fs::read(published.join("007-000000001.json")).unwrap();
        assert_eq!(record.len(), RECORD_BYTES);
        assert_eq!(
            fs::read_dir(directory.path().join(STAGING))
                .unwrap()
                .count(),
            0
        );
    }

    #[test]
    fn the_log_never_grows() {
        let directory = tempfile::tempdir().unwrap();
        set_up(directory.path()).unwrap();
        let world = World {
            process: 3,
            ..World::at(directory.path())
        };
        let floor = open(&world).unwrap();
        // 6 frames each: more than fit into the log once.
        let rounds = usize::try_from(LOG_BYTES).unwrap() / (6 * FRAME_BYTES) + 2;
        for n in 0..rounds {
            floor.work(0, n).unwrap();
        }
        let log = directory.path().join("log-3");
        assert_eq!(fs::metadata(log).unwrap().len(), LOG_BYTES);
    }

    #[test]
    fn a_published_name_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        set_up(directory.path()).unwrap();
        let floor = open(&World::at(directory.path())).unwrap();
        floor.work(0, 0).unwrap();
        let error = floor.work(0, 0).unwrap_err();
        assert!(error.to_string().starts_with("cannot rename"), "{error}");
    }
}
