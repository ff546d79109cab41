//! Where things lie below a store's root.
//!
//! Every function is total for validated input; directories follow time, so that a batch shares one directory.

use crate::digest::Digest;
use crate::domain::Domain;
use crate::error::Result;
use crate::id::ArtifactId;
use crate::key::{ArtifactType, LogicalKey};
use crate::path::{RelPath, file_name_component};
use crate::time::Timestamp;

/// The document that makes a directory a store.
pub const STORE_DOCUMENT: &str = "artstore.json";
/// Artifacts: bytes with their records beside them.
pub const ARTIFACTS: &str = "artifacts";
/// Registered artifact types.
pub const TYPES: &str = "types";
/// Events of every domain.
pub const EVENTS: &str = "events";
/// Files not yet published.
pub const STAGING: &str = "staging";
/// Intents of publications under way.
pub const INTENTS: &str = "intents";
/// Files set aside because something was wrong with them.
pub const QUARANTINE: &str = "quarantine";
/// Lock files.
pub const LOCKS: &str = "locks";

/// The greatest length in bytes of the readable part of an artifact's file name.
const HINT_BYTES: usize = 120;
/// The greatest length in bytes of an extension that is kept.
const EXTENSION_BYTES: usize = 16;

/// The names of an artifact's two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactPaths {
    /// The stored bytes.
    pub data: RelPath,
    /// The record beside them.
    pub record: RelPath,
}

/// What decides the names of an artifact's files.
#[derive(Debug, Clone, Copy)]
pub struct ArtifactNaming<'a> {
    /// The artifact's id, which alone makes the names unique.
    pub id: ArtifactId,
    /// Its type.
    pub artifact_type: &'a ArtifactType,
    /// The version of the type's schema.
    pub schema_version: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// The readable part of the name; the logical key if there is none.
    pub hint: Option<&'a str>,
    /// Its logical key.
    pub logical_key: &'a LogicalKey,
    /// The name of the source, for its extension.
    pub source_name: Option<&'a str>,
}

/// `artifacts/<type>/v<schema>/<YYYY-MM-DD>/<hint>__<artifact id>.<ext>` and `.json`.
///
/// # Errors
/// Never for valid parts; the result is checked as every path is.
pub fn artifact_paths(naming: &ArtifactNaming<'_>) -> Result<ArtifactPaths> {
    let directory = format!(
        "{ARTIFACTS}/{}/v{}/{}",
        file_name_component(naming.artifact_type.as_str(), 200),
        naming.schema_version,
        naming.created_at.date(),
    );
    let hint = naming
        .hint
        .filter(|hint| !hint.is_empty())
        .unwrap_or(naming.logical_key.as_str());
    let stem = format!("{}__{}", file_name_component(hint, HINT_BYTES), naming.id);
    let extension = extension_of(naming.source_name.unwrap_or_default());
    Ok(ArtifactPaths {
        data: RelPath::new(format!("{directory}/{stem}{extension}"))?,
        record: RelPath::new(format!("{directory}/{stem}.json"))?,
    })
}

/// The extension of a source's name with its dot, made safe; two of them where the last is a compression
/// (`.csv.gz`); `.data` where there is none, and before `.json`, which is the record's.
fn extension_of(source_name: &str) -> String {
    let name = source_name.rsplit('/').next().unwrap_or(source_name);
    let safe = |extension: &str| {
        let usable = !extension.is_empty()
            && extension.len() <= EXTENSION_BYTES
            && extension
                .chars()
                .all(|character| character.is_alphanumeric());
        usable.then(|| format!(".{extension}"))
    };
    let mut parts = name.trim_start_matches('.').rsplit('.');
    let (last, before) = (parts.next().unwrap_or(""), parts.next());
    let Some(before) = before else {
        return ".data".to_owned();
    };
    let Some(extension) = safe(last) else {
        return ".data".to_owned();
    };
    let is_compression = ["gz", "bz2", "xz", "zst"]
        .iter()
        .any(|known| last.eq_ignore_ascii_case(known));
    match safe(before) {
        Some(inner) if is_compression && parts.next().is_some() => format!("{inner}{extension}"),
        _ if last.eq_ignore_ascii_case("json") => format!(".data{extension}"),
        _ => extension,
    }
}

/// The artifact id in the name of an artifact's file (record or data), and whether it is a record.
///
/// `None` for names that the store did not make.
pub fn artifact_of_file_name(file_name: &str) -> Option<(ArtifactId, ArtifactFile)> {
    let (_, rest) = file_name.rsplit_once("__")?;
    let (id, extension) = rest.split_at_checked(36)?;
    let file = match extension {
        ".json" => ArtifactFile::Record,
        _ if extension.starts_with('.') => ArtifactFile::Data,
        _ => return None,
    };
    Some((id.parse().ok()?, file))
}

/// Which of an artifact's two files a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactFile {
    /// The record.
    Record,
    /// The stored bytes.
    Data,
}

/// `events/<domain>/<YYYY-MM>/<sequence:020>-<kind>.json`.
///
/// # Errors
/// Never for valid parts; the result is checked as every path is.
pub fn event_path(domain: Domain, sequence: u64, kind: &str, at: Timestamp) -> Result<RelPath> {
    RelPath::new(format!(
        "{EVENTS}/{domain}/{}/{sequence:020}-{kind}.json",
        at.month()
    ))
}

/// The document of a registered type, `types/<type>.json`. Types whose names become the same file name have
/// different ones: what cannot stand in a name is told apart by a digest.
///
/// # Errors
/// Never for valid parts; the result is checked as every path is.
pub fn type_path(artifact_type: &ArtifactType) -> Result<RelPath> {
    let text = artifact_type.as_str();
    let name = file_name_component(text, 200);
    // Where names ignore case, `A` and `a` would be one file.
    let has_capitals = text.chars().any(char::is_uppercase);
    let is_itself = name == text && !has_capitals && !ends_in_digest(text);
    if is_itself {
        return RelPath::new(format!("{TYPES}/{name}.json"));
    }
    let digest = Digest::of(text.as_bytes()).to_hex();
    let digits = digest.get(..16).unwrap_or(&digest);
    RelPath::new(format!("{TYPES}/{name}__{digits}.json"))
}

/// Whether `text` looks as if [`type_path`] had told it apart from others.
fn ends_in_digest(text: &str) -> bool {
    text.rsplit_once("__").is_some_and(|(_, digits)| {
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The sequence in the name of an event's file; `None` for names that the store did not make.
pub fn event_sequence_of_file_name(file_name: &str) -> Option<u64> {
    let (sequence, rest) = file_name.split_at_checked(20)?;
    let is_event = rest.starts_with('-') && rest.ends_with(".json");
    let digits = sequence.bytes().all(|byte| byte.is_ascii_digit());
    (is_event && digits)
        .then(|| sequence.parse().ok())
        .flatten()
}

/// The directory of a domain's events.
///
/// # Errors
/// Never for valid parts; the result is checked as every path is.
pub fn events_directory(domain: Domain) -> Result<RelPath> {
    RelPath::new(format!("{EVENTS}/{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_types_share_a_document() {
        let path = |name: &str| type_path(&ArtifactType::new(name).unwrap()).unwrap();
        assert_eq!(path("prices_v1").as_str(), "types/prices_v1.json");
        let slash = path("a/b");
        let stem = slash.file_name().strip_suffix(".json").unwrap().to_owned();
        let others = ["a/b", "a_b", "a b", "A_b", "a_B", stem.as_str()].map(path);
        let distinct: std::collections::BTreeSet<_> = others
            .iter()
            .map(|path| path.as_str().to_lowercase())
            .collect();
        assert_eq!(distinct.len(), others.len());
    }

    fn names(hint: Option<&str>, key: &str, source: Option<&str>) -> (String, String) {
        let paths = artifact_paths(&ArtifactNaming {
            id: "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap(),
            artifact_type: &ArtifactType::new("alerts/v1").unwrap(),
            schema_version: 2,
            created_at: "2026-11-20T09:30:00Z".parse().unwrap(),
            hint,
            logical_key: &LogicalKey::new(key).unwrap(),
            source_name: source,
        })
        .unwrap();
        (paths.data.to_string(), paths.record.to_string())
    }

    #[test]
    fn artifacts_lie_by_type_version_and_day() {
        let (data, record) = names(None, "day=1/chain=x", Some("a.CSV"));
        let stem =
            "artifacts/alerts_v1/v2/2026-11-20/day=1_chain=x__01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";
        assert_eq!(data, format!("{stem}.CSV"));
        assert_eq!(record, format!("{stem}.json"));
    }

    #[test]
    fn data_and_record_never_share_a_name() {
        for source in [
            "x.json",
            "x.JSON",
            "json",
            ".json",
            "x.",
            "x",
            "a.b c",
            "x.tar.gz",
            "x.json.gz",
        ] {
            let (data, record) = names(Some("h"), "k", Some(source));
            assert_ne!(data.to_lowercase(), record, "{source}");
            let name = data.rsplit('/').next().unwrap();
            assert_eq!(
                artifact_of_file_name(name).unwrap().1,
                ArtifactFile::Data,
                "{source}"
            );
        }
        assert!(names(None, "k", Some("x.tar.gz")).0.ends_with(".tar.gz"));
        assert!(names(None, "k", Some("v1.gz")).0.ends_with("11.gz"));
        assert!(names(None, "k", None).0.ends_with("11.data"));
    }

    #[test]
    fn file_names_tell_their_artifact() {
        let id = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";
        let (parsed, file) = artifact_of_file_name(&format!("a__b__{id}.json")).unwrap();
        assert_eq!(
            (parsed.to_string().as_str(), file),
            (id, ArtifactFile::Record)
        );
        for foreign in [
            "notes.json",
            "a__b.json",
            &format!("{id}.json"),
            &format!("a__{id}"),
            "__é",
        ] {
            assert_eq!(artifact_of_file_name(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn event_names_tell_their_sequence() {
        let at = "2026-11-20T09:30:00Z".parse().unwrap();
        let path = event_path(Domain::Artifacts, 42, "tagged", at).unwrap();
        assert_eq!(
            path.as_str(),
            "events/artifacts/2026-11/00000000000000000042-tagged.json"
        );
        assert_eq!(event_sequence_of_file_name(path.file_name()), Some(42));
        for foreign in [
            "42-tagged.json",
            "notes.txt",
            "0000000000000000004x-tagged.json",
            "é",
        ] {
            assert_eq!(event_sequence_of_file_name(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn long_names_fit_into_a_component() {
        let key = "語".repeat(341);
        let (data, record) = names(None, &key, Some("x.parquet"));
        for path in [data, record] {
            assert!(path.rsplit('/').next().unwrap().len() <= 255);
        }
    }
}
