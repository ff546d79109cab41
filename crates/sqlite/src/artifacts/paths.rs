//! How the paths of an artifact's two files are kept small.
//!
//! Both lie in the same directory as hundreds of others, and their names hold the artifact's id.

use artstore_core::Result;
use artstore_core::artifact::Artifact;
use artstore_core::id::ArtifactId;
use artstore_core::path::RelPath;

/// Stands for the text of the id; no name can hold it.
const ID: &str = "/";

/// The paths of an artifact's files as they are stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredPaths {
    /// The directory of the data; empty for the root.
    pub(crate) directory: String,
    /// The data's name with [`ID`] in place of the id.
    pub(crate) data_name: String,
    /// The directory of the record where it is another one.
    pub(crate) record_directory: Option<String>,
    /// The record's name with [`ID`] in place of the id, unless it follows from the data's name.
    pub(crate) record_name: Option<String>,
}

impl StoredPaths {
    pub(crate) fn of(artifact: &Artifact) -> Self {
        let id = artifact.id.to_string();
        let (directory, data_name) = split(&artifact.data_path, &id);
        let (record_directory, record_name) = split(&artifact.record_path, &id);
        let follows = usual_record_name(&data_name).is_some_and(|usual| usual == record_name);
        Self {
            record_directory: (record_directory != directory).then_some(record_directory),
            record_name: (!follows).then_some(record_name),
            directory,
            data_name,
        }
    }

    /// The paths of the data and of the record.
    pub(crate) fn restore(&self, id: ArtifactId) -> Result<(RelPath, RelPath)> {
        let id = id.to_string();
        let usual = usual_record_name(&self.data_name).unwrap_or_default();
        let record_directory = self.record_directory.as_ref().unwrap_or(&self.directory);
        let record_name = self.record_name.as_ref().unwrap_or(&usual);
        Ok((
            join(&self.directory, &self.data_name, &id)?,
            join(record_directory, record_name, &id)?,
        ))
    }
}

fn split(path: &RelPath, id: &str) -> (String, String) {
    let directory = path.parent().map(|parent| parent.as_str().to_owned());
    (
        directory.unwrap_or_default(),
        path.file_name().replacen(id, ID, 1),
    )
}

fn join(directory: &str, name: &str, id: &str) -> Result<RelPath> {
    let name = name.replacen(ID, id, 1);
    if directory.is_empty() {
        return RelPath::new(name);
    }
    RelPath::new(format!("{directory}/{name}"))
}

/// `<hint>__<id>.json`, of `<hint>__<id>.<anything>`.
fn usual_record_name(data_name: &str) -> Option<String> {
    let (before, _) = data_name.split_once(ID)?;
    Some(format!("{before}{ID}.json"))
}
