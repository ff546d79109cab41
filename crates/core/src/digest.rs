//! Digests: SHA-256 of bytes, and content hashes that name their algorithm.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

const PREFIX: &str = "sha256:";

/// A SHA-256 digest (FIPS 180-4), written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of `data`.
    pub fn of(data: &[u8]) -> Self {
        Self(Sha256::digest(data).into())
    }

    /// The 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits without prefix.
    pub fn to_hex(&self) -> String {
        use fmt::Write as _;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.strip_prefix(PREFIX)
            .and_then(parse_hex)
            .map(Self)
            .ok_or_else(|| {
                Error::invalid("not a valid SHA-256 digest")
                    .with("given", text.escape_debug())
                    .hint("a digest is sha256: and 64 lower-case hexadecimal digits")
            })
    }
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * position..2 * position + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Computes a [`Digest`] piece by piece.
#[derive(Clone, Default)]
pub struct DigestBuilder(Sha256);

impl DigestBuilder {
    /// A builder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `data`.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of everything that was added.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Debug for DigestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestBuilder")
    }
}

/// How a content hash was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256 of the bytes: files, and tables that have no `ch1`.
    Sha256,
    /// The canonical hash of a table, version 1.
    Ch1,
}

impl HashAlgorithm {
    /// The prefix without colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Ch1 => "ch1",
        }
    }
}

/// The identity of what an artifact says: a digest together with its algorithm, written `sha256:...` or `ch1:...`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash {
    /// How the digest was computed.
    pub algorithm: HashAlgorithm,
    /// The 32 bytes.
    pub digest: Digest,
}

impl From<Digest> for ContentHash {
    /// The content hash of bytes that are not a table.
    fn from(digest: Digest) -> Self {
        Self {
            algorithm: HashAlgorithm::Sha256,
            digest,
        }
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.digest.to_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once(':').and_then(|(prefix, hex)| {
            let algorithm = [HashAlgorithm::Sha256, HashAlgorithm::Ch1]
                .into_iter()
                .find(|algorithm| algorithm.name() == prefix)?;
            let digest = Digest(parse_hex(hex)?);
            Some(Self { algorithm, digest })
        });
        parsed.ok_or_else(|| {
            Error::invalid("not a valid content hash")
                .with("given", text.escape_debug())
                .hint("a content hash is sha256: or ch1: and 64 lower-case hexadecimal digits")
        })
    }
}

macro_rules! serde_as_text {
    ($($type:ty),*) => {
        $(
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }
        )*
    };
}

serde_as_text!(Digest, ContentHash);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), text);
        assert_eq!(text.parse::<Digest>().unwrap(), Digest::of(b""));
    }

    #[test]
    fn pieces_give_the_digest_of_the_whole() {
        let mut builder = DigestBuilder::new();
        builder.update(b"ab");
        builder.update(b"c");
        assert_eq!(builder.finish(), Digest::of(b"abc"));
    }

    #[test]
    fn prefix_and_case_are_checked() {
        let hex = Digest::of(b"").to_hex();
        for wrong in [
            hex.clone(),
            format!("md5:{hex}"),
            format!("sha256:{}", hex.to_uppercase()),
        ] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
            assert!(wrong.parse::<ContentHash>().is_err(), "{wrong}");
        }
        assert!(format!("ch1:{hex}").parse::<ContentHash>().is_ok());
    }
}
