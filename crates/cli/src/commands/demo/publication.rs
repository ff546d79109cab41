//! A publish: what one types, and what is asked for.

use artstore_core::artifact::{ArtifactInput, ArtifactSource, PublishArtifactRequest};
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_core::{Error, Result};

use super::place::{Place, word};

/// What everything in the demo is about.
const KEY: &str = "city=seattle/from=2012-01";

#[derive(Debug, Clone, Copy)]
pub(super) struct Publication<'a> {
    pub(super) file: &'a str,
    pub(super) artifact_type: &'a str,
    pub(super) delimiter: Option<char>,
    pub(super) input: Option<(ArtifactId, &'a str)>,
}

impl Publication<'_> {
    pub(super) fn command(&self) -> String {
        let mut command = format!(
            "artstore publish {} --type {} --key {}",
            self.file,
            self.artifact_type,
            word(KEY)
        );
        if let Some(delimiter) = self.delimiter {
            command += &format!(" --delimiter {}", word(&delimiter.to_string()));
        }
        if let Some((id, role)) = self.input {
            command += &format!(" --input {id}:{role}");
        }
        command
    }

    pub(super) fn request(&self, place: &Place) -> Result<PublishArtifactRequest> {
        let mut table = TableFormat::of_file_name(self.file);
        if let Some(delimiter) = self.delimiter {
            let delimiter = u8::try_from(delimiter)
                .map_err(|error| Error::internal("a wide delimiter").caused_by(error))?;
            table = Some(TableFormat::Csv(CsvOptions {
                delimiter,
                ..CsvOptions::default()
            }));
        }
        let inputs = self.input.map(|(id, role)| ArtifactInput {
            id,
            role: Some(role.to_owned()),
        });
        let source = ArtifactSource::File(place.file(self.file));
        Ok(PublishArtifactRequest {
            table,
            inputs: inputs.into_iter().collect(),
            ..PublishArtifactRequest::file(
                ArtifactType::new(self.artifact_type)?,
                LogicalKey::new(KEY)?,
                source,
            )
        })
    }
}
