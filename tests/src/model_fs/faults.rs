//! What can be made to go wrong: calls that fail, and steps that are left out while success is reported.

use std::collections::BTreeSet;
use std::io;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// A file is created.
    Create,
    /// A file below the root is opened for reading.
    Open,
    /// Something below the root is looked at.
    Metadata,
    /// A file gets another name.
    Rename,
    /// A file's name is removed.
    RemoveFile,
    /// Write permission is taken away.
    MakeReadOnly,
    /// A directory is created.
    CreateDirectory,
    /// A directory is removed.
    RemoveDirectory,
    /// The names in a directory are made durable.
    SyncDirectory,
    /// A directory is listed.
    ReadDirectory,
    /// A lock is asked for.
    Lock,
    /// A file outside the root is opened.
    OpenSource,
    /// A file outside the root is looked at.
    SourceMetadata,
    /// A file is moved in from outside the root.
    Adopt,
    /// A file is moved back to where it was outside the root.
    GiveBack,
    /// The root is created.
    CreateRoot,
    /// Some bytes of a file are read.
    Read,
    /// Some bytes are written to a file.
    Write,
    /// Space is reserved.
    Reserve,
    /// A file's bytes are made durable.
    Sync,
    /// A lock's file is read.
    ReadLock,
    /// A lock's file is written.
    WriteLock,
    /// The kind of filesystem or the boot id is asked for.
    Environment,
}

impl CallKind {
    /// Whether such a call changes what is on the disk or what survives.
    pub const fn is_mutating(self) -> bool {
        !matches!(
            self,
            Self::Open
                | Self::Metadata
                | Self::ReadDirectory
                | Self::OpenSource
                | Self::SourceMetadata
                | Self::Read
                | Self::ReadLock
                | Self::Environment
        )
    }
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number, counted from 1.
    pub number: u64,
    /// What it does.
    pub kind: CallKind,
    /// What it is about.
    pub subject: String,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No space is left.
    StorageFull,
    /// Permission is denied.
    PermissionDenied,
    /// The device fails.
    DeviceError,
    /// The filesystem became read-only.
    ReadOnlyFilesystem,
    /// A signal came.
    Interrupted,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 5] = [
        Self::StorageFull,
        Self::PermissionDenied,
        Self::DeviceError,
        Self::ReadOnlyFilesystem,
        Self::Interrupted,
    ];

    /// The error as the kernel gives it.
    pub fn to_error(self) -> io::Error {
        let number = match self {
            Self::StorageFull => 28,
            Self::PermissionDenied => 13,
            Self::DeviceError => 5,
            Self::ReadOnlyFilesystem => 30,
            Self::Interrupted => 4,
        };
        io::Error::from_raw_os_error(number)
    }
}

/// Which calls fail.
#[derive(Debug, Clone, Copy)]
pub struct FaultPlan {
    /// Only calls of this kind are counted, or all.
    pub kind: Option<CallKind>,
    /// The number of the first call that fails, counted from 1.
    pub first: u64,
    /// What happens to the calls after it.
    pub duration: FaultDuration,
    /// How they fail.
    pub failure: Failure,
}

/// How long a fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultDuration {
    /// One call fails.
    Once,
    /// All later calls fail too.
    ForEver,
}

impl FaultPlan {
    /// Whether the `count`-th call that the plan counts fails.
    pub(super) fn strikes(&self, count: u64) -> bool {
        match self.duration {
            FaultDuration::Once => count == self.first,
            FaultDuration::ForEver => count >= self.first,
        }
    }
}

/// A step that is left out while success is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// Published bytes are not synced.
    DataSync,
    /// Records are not synced.
    RecordSync,
    /// Events are not synced.
    EventSync,
    /// The names of files in a directory are not synced.
    DirectorySync,
    /// The names of directories in a directory are not synced.
    ParentDirectorySync,
    /// Bytes and documents are synced only after they got their final names.
    SyncAfterNaming,
    /// Intents are not written.
    Intent,
}

/// The lies of one model.
pub type Lies = BTreeSet<Lie>;

/// What a file's content is, told from the content itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Data,
    Record,
    Event,
    Other,
}

impl Content {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let start = &bytes[..bytes.len().min(80)];
        let text = String::from_utf8_lossy(start);
        let Some((_, format)) = text.split_once("\"format\": \"artstore.") else {
            return Self::Data;
        };
        match format.split('"').next() {
            Some("artifact") => Self::Record,
            Some("event") => Self::Event,
            _ => Self::Other,
        }
    }
}
