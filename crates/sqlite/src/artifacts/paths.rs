//! How the paths of an artifact's two files are kept small.
//!
//! Both lie in the same directory as hundreds of others, and their names hold the artifact's id.

use std::borrow::Cow;

use artstore_core::Result;
use artstore_core::artifact::Artifact;
use artstore_core::id::ArtifactId;
use artstore_core::path::RelPath;
use uuid::Uuid;

use crate::error::damaged;

/// Stands for the text of the id; no name can hold it.
const ID: char = '/';

/// What follows the id in the usual name of a record.
const RECORD: &str = ".json";

/// The paths of an artifact's files as they are stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredPaths<'a> {
    /// The directory of the data; empty for the root.
    pub(crate) directory: Cow<'a, str>,
    /// The data's name with [`ID`] in place of the id.
    pub(crate) data_name: Cow<'a, str>,
    /// The directory of the record where it is another one.
    pub(crate) record_directory: Option<Cow<'a, str>>,
    /// The record's name with [`ID`] in place of the id, unless it follows from the data's name.
    pub(crate) record_name: Option<Cow<'a, str>>,
}

impl StoredPaths<'static> {
    pub(crate) fn of(artifact: &Artifact) -> Self {
        let id = artifact.id.to_string();
        let (directory, data_name) = split(&artifact.data_path, &id);
        let (record_directory, record_name) = split(&artifact.record_path, &id);
        let follows =
            usual_record_name(&data_name).is_some_and(|parts| parts.concat() == record_name);
        Self {
            record_directory: (record_directory != directory).then_some(record_directory.into()),
            record_name: (!follows).then_some(record_name.into()),
            directory: directory.into(),
            data_name: data_name.into(),
        }
    }
}

impl StoredPaths<'_> {
    /// The paths of the data and of the record.
    pub(crate) fn restore(&self, id: ArtifactId) -> Result<(RelPath, RelPath)> {
        let mut buffer = Uuid::encode_buffer();
        let id: &str = id.as_uuid().hyphenated().encode_lower(&mut buffer);
        let record_directory = self.record_directory.as_ref().unwrap_or(&self.directory);
        let record = match (&self.record_name, usual_record_name(&self.data_name)) {
            (Some(name), _) => join(record_directory, name, id)?,
            (None, Some([before, _, after])) => concatenate(record_directory, [before, id, after])?,
            (None, None) => return Err(damaged("the catalog holds a record without a name")),
        };
        Ok((join(&self.directory, &self.data_name, id)?, record))
    }
}

fn split(path: &RelPath, id: &str) -> (String, String) {
    let directory = path.parent().map(|parent| parent.as_str().to_owned());
    let name = path.file_name();
    let name = match name.split_once(id) {
        Some((before, after)) => format!("{before}{ID}{after}"),
        None => name.to_owned(),
    };
    (directory.unwrap_or_default(), name)
}

fn join(directory: &str, name: &str, id: &str) -> Result<RelPath> {
    match name.split_once(ID) {
        Some((before, after)) => concatenate(directory, [before, id, after]),
        None => concatenate(directory, [name, "", ""]),
    }
}

fn concatenate(directory: &str, name: [&str; 3]) -> Result<RelPath> {
    let length = name.iter().map(|part| part.len()).sum::<usize>();
    let mut path = String::with_capacity(directory.len() + 1 + length);
    path.push_str(directory);
    if !directory.is_empty() {
        path.push('/');
    }
    for part in name {
        path.push_str(part);
    }
    RelPath::new(path)
}

/// `<hint>__<id>.json`, of `<hint>__<id>.<anything>`, around [`ID`].
fn usual_record_name(data_name: &str) -> Option<[&str; 3]> {
    let (before, _) = data_name.split_once(ID)?;
    Some([before, "/", RECORD])
}
