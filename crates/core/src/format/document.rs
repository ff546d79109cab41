//! What all documents share: how they are written, how their own digest is computed and checked, how their format
//! and version are read.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::error::{Error, Result};

/// The key of a document's own digest.
pub const RECORD_DIGEST: &str = "record_digest";
/// The greatest size of a document in bytes.
pub const MAX_DOCUMENT_BYTES: u64 = 4 * 1024 * 1024;

const ZERO_DIGITS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A JSON document as it stands on disk, every key kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(Map<String, Value>);

impl Document {
    /// The document of a typed value. Its digest is computed by [`Self::into_bytes`].
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) if `value` is not a JSON object.
    pub fn of(value: &impl Serialize) -> Result<Self> {
        match serde_json::to_value(value) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(Error::internal("a document must be an object")),
            Err(error) => Err(Error::internal("a document could not be written").caused_by(error)),
        }
    }

    /// Reads a document of `format` and checks its own digest.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if it is not JSON, of another format, or its digest is wrong;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if its format version is newer than `newest`.
    pub fn parse(bytes: &[u8], format: &str, newest: u64) -> Result<Self> {
        let map: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| {
            Error::corrupt("not a JSON document")
                .with("expected", format)
                .caused_by(error)
        })?;
        let found = map.get("format").and_then(Value::as_str).unwrap_or("none");
        if found != format {
            return Err(Error::corrupt("a document of another format")
                .with("expected", format)
                .with("found", found.escape_debug()));
        }
        let version = map.get("format_version").and_then(Value::as_u64);
        match version {
            Some(version) if (1..=newest).contains(&version) => {}
            Some(version) if version > newest => {
                return Err(
                    Error::unsupported("the document was written by a newer artstore")
                        .with("format", format)
                        .with("version", version)
                        .with("newest_known", newest)
                        .hint("use a newer artstore for this store"),
                );
            }
            _ => {
                return Err(
                    Error::corrupt("a document without format version").with("format", format)
                );
            }
        }
        check_digest(bytes, &map)?;
        Ok(Self(map))
    }

    /// The typed value of the document; keys that the type does not know are left out.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if a key is missing or has a wrong value.
    pub fn to_typed<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(Value::Object(self.0.clone()))
            .map_err(|error| Error::corrupt(format!("a document with a wrong value: {error}")))
    }

    /// Takes every key of `value` over, in place where the key is there already; other keys are kept.
    ///
    /// Objects are merged key by key only at the top level.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) if `value` is not a JSON object.
    pub fn set_all(&mut self, value: &impl Serialize) -> Result<()> {
        for (key, value) in Self::of(value)?.0 {
            self.0.insert(key, value);
        }
        Ok(())
    }

    /// Gives `key` of the object under `object` this value; its other keys are kept.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if there is no such object.
    pub fn set_within(&mut self, object: &str, key: &str, value: &impl Serialize) -> Result<()> {
        let value = serde_json::to_value(value)
            .map_err(|error| Error::internal("a document could not be written").caused_by(error))?;
        let Some(Value::Object(inner)) = self.0.get_mut(object) else {
            return Err(Error::corrupt("a document lacks an object").with("key", object));
        };
        inner.insert(key.to_owned(), value);
        Ok(())
    }

    /// The document's bytes, with its digest as the last key.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it is larger than [`MAX_DOCUMENT_BYTES`].
    pub fn into_bytes(self) -> Result<Bytes> {
        let mut map = self.0;
        map.shift_remove(RECORD_DIGEST);
        map.insert(
            RECORD_DIGEST.to_owned(),
            Value::String(format!("sha256:{ZERO_DIGITS}")),
        );
        let mut bytes = serde_json::to_vec_pretty(&map)
            .map_err(|error| Error::internal("a document could not be written").caused_by(error))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(Error::invalid("the record would be too large")
                .with("bytes", bytes.len())
                .with("limit", MAX_DOCUMENT_BYTES)
                .hint("shorten params, tags, inputs or the names of columns"));
        }
        let digits = Digest::of(&bytes).to_hex();
        // The digest is the last value: its digits end before `"\n}\n`.
        let end = bytes.len() - "\"\n}\n".len();
        bytes
            .get_mut(end - digits.len()..end)
            .ok_or_else(|| Error::internal("a document without digest"))?
            .copy_from_slice(digits.as_bytes());
        Ok(bytes.into())
    }
}

fn check_digest(bytes: &[u8], map: &Map<String, Value>) -> Result<()> {
    let recorded = map.get(RECORD_DIGEST).and_then(Value::as_str);
    let digest: Digest = recorded
        .ok_or_else(|| Error::corrupt("a document without record digest"))?
        .parse()
        .map_err(|error: Error| {
            Error::corrupt("a document with a malformed record digest").caused_by(error)
        })?;
    let digits = digest.to_hex();
    let position = digits_position(bytes, digits.as_bytes())
        .ok_or_else(|| Error::corrupt("a document with a misplaced record digest"))?;
    let mut zeroed = bytes.to_vec();
    if let Some(place) = zeroed.get_mut(position..position + digits.len()) {
        place.copy_from_slice(ZERO_DIGITS.as_bytes());
    }
    let actual = Digest::of(&zeroed);
    if actual != digest {
        return Err(Error::corrupt("the document does not have its own digest")
            .with("expected", digest)
            .with("found", actual)
            .hint("it was damaged or edited by hand"));
    }
    Ok(())
}

/// Where the digits stand: after the last occurrence of the key.
fn digits_position(bytes: &[u8], digits: &[u8]) -> Option<usize> {
    let key = format!("\"{RECORD_DIGEST}\"");
    let key_position = bytes
        .windows(key.len())
        .rposition(|window| window == key.as_bytes())?;
    let after_key = bytes.get(key_position..)?;
    after_key
        .windows(digits.len())
        .position(|window| window == digits)
        .map(|offset| key_position + offset)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Document {
        Document::of(&json!({"format": "artstore.test", "format_version": 1, "name": "ä", "later": {"kept": 0.1}}))
            .unwrap()
    }

    fn parse(bytes: &[u8]) -> Result<Document> {
        Document::parse(bytes, "artstore.test", 1)
    }

    #[test]
    fn documents_check_themselves() {
        let bytes = sample().into_bytes().unwrap();
        assert!(bytes.ends_with(b"\"\n}\n"));
        let read = parse(&bytes).unwrap();
        assert_eq!(read.into_bytes().unwrap(), bytes);
    }

    #[test]
    fn every_single_bit_flip_is_seen() {
        let bytes = sample().into_bytes().unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn unknown_keys_are_kept_when_rewriting() {
        let mut document = parse(&sample().into_bytes().unwrap()).unwrap();
        document.set_all(&json!({"name": "b"})).unwrap();
        let text = String::from_utf8(document.into_bytes().unwrap().to_vec()).unwrap();
        assert!(
            text.contains("\"kept\": 0.1") && text.contains("\"name\": \"b\""),
            "{text}"
        );
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn newer_and_foreign_formats_are_refused_by_name() {
        let newer = Document::of(&json!({"format": "artstore.test", "format_version": 2})).unwrap();
        let error = parse(&newer.into_bytes().unwrap()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Unsupported);
        for wrong in [
            "",
            "[]",
            "{}",
            "{\"format\":\"artstore.test\"}",
            "{\"format\":\"x\",\"format_version\":1}",
        ] {
            assert_eq!(
                parse(wrong.as_bytes()).unwrap_err().kind(),
                crate::ErrorKind::Corrupt,
                "{wrong}"
            );
        }
    }
}
