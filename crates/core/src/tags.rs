//! Tags: a key may have several values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};
use crate::key::check_text;

/// The tags of one thing: each key has one or more values.
///
/// In documents they are an object of arrays, `{"env": ["prod", "test"]}`, keys and values in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// In ascending order, each once. A list of tags is short, and every row of a long list of artifacts has one.
    pairs: Vec<(String, String)>,
}

impl Tags {
    /// The greatest length of a key in bytes.
    pub const MAX_KEY_BYTES: usize = 128;
    /// The greatest length of a value in bytes.
    pub const MAX_VALUE_BYTES: usize = 1024;
    /// The greatest number of key-value pairs of one thing.
    pub const MAX_PAIRS: usize = 256;

    /// No tags.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value to a key. Adding what is there already changes nothing.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the key is empty, too long or holds `=` or a control character, if
    /// the value is too long or holds a control character, or if there would be more than [`Self::MAX_PAIRS`] pairs.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) -> Result<()> {
        let (key, value) = (key.into(), value.into());
        check_key(&key)?;
        check_value(&key, &value)?;
        let Err(place) = self.find(&key, &value) else {
            return Ok(());
        };
        if self.len() >= Self::MAX_PAIRS {
            return Err(too_many());
        }
        self.pairs.insert(place, (key, value));
        Ok(())
    }

    /// Removes a value of a key, and the key with its last value.
    pub fn remove(&mut self, key: &str, value: &str) {
        if let Ok(place) = self.find(key, value) {
            self.pairs.remove(place);
        }
    }

    /// Removes a key with all its values.
    pub fn remove_key(&mut self, key: &str) {
        self.pairs.retain(|(found, _)| found != key);
    }

    /// Whether `key` has `value`.
    pub fn contains(&self, key: &str, value: &str) -> bool {
        self.find(key, value).is_ok()
    }

    /// Whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The number of key-value pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Every key-value pair, sorted.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The pairs of `other` that are not here.
    pub fn missing_from(&self, other: &Self) -> Self {
        let missing = other
            .pairs
            .iter()
            .filter(|(key, value)| !self.contains(key, value));
        Self {
            pairs: missing.cloned().collect(),
        }
    }

    fn of_pairs(mut pairs: Vec<(String, String)>) -> Result<Self> {
        pairs.sort_unstable();
        pairs.dedup();
        for (key, value) in &pairs {
            check_key(key)?;
            check_value(key, value)?;
        }
        if pairs.len() > Self::MAX_PAIRS {
            return Err(too_many());
        }
        Ok(Self { pairs })
    }

    /// Where the pair is, or where it would be.
    fn find(&self, key: &str, value: &str) -> Result<usize, usize> {
        self.pairs
            .binary_search_by(|(other, found)| (other.as_str(), found.as_str()).cmp(&(key, value)))
    }

    /// These tags and those of `other`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if there would be more than [`Self::MAX_PAIRS`] pairs.
    pub fn merged_with(&self, other: &Self) -> Result<Self> {
        let mut merged = self.clone();
        for (key, value) in other.pairs() {
            merged.insert(key, value)?;
        }
        Ok(merged)
    }
}

fn too_many() -> Error {
    Error::invalid("too many tags").with("limit", Tags::MAX_PAIRS)
}

fn check_key(key: &str) -> Result<()> {
    check_text(key, "tag key", Tags::MAX_KEY_BYTES)?;
    if key.contains('=') {
        return Err(Error::invalid("the tag key holds `=`").with("key", key));
    }
    Ok(())
}

fn check_value(key: &str, value: &str) -> Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    check_text(value, "tag value", Tags::MAX_VALUE_BYTES).map_err(|error| error.with("key", key))
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut groups = serializer.serialize_map(None)?;
        for group in self.pairs.chunk_by(|one, next| one.0 == next.0) {
            if let Some((key, _)) = group.first() {
                let values: Vec<&str> = group.iter().map(|(_, value)| value.as_str()).collect();
                groups.serialize_entry(key, &values)?;
            }
        }
        groups.end()
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Groups)
    }
}

struct Groups;

impl<'de> Visitor<'de> for Groups {
    type Value = Tags;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of arrays of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut groups: A) -> Result<Tags, A::Error> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        while let Some(mut key) = groups.next_key::<String>()? {
            // A key that comes again replaces what it had before, as everywhere in JSON.
            pairs.retain(|(former, _)| *former != key);
            let values: Vec<String> = groups.next_value()?;
            let count = values.len();
            for (position, value) in values.into_iter().enumerate() {
                let key = match position + 1 == count {
                    true => std::mem::take(&mut key),
                    false => key.clone(),
                };
                pairs.push((key, value));
            }
            // Whoever sends more than is allowed is not listened to any longer.
            if pairs.len() > Tags::MAX_PAIRS {
                return Err(serde::de::Error::custom(too_many()));
            }
        }
        Tags::of_pairs(pairs).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<BTreeMap<String, BTreeSet<String>>> for Tags {
    type Error = Error;

    fn try_from(groups: BTreeMap<String, BTreeSet<String>>) -> Result<Self> {
        let pairs = groups
            .into_iter()
            .flat_map(|(key, values)| values.into_iter().map(move |value| (key.clone(), value)));
        Self::of_pairs(pairs.collect())
    }
}

impl From<Tags> for BTreeMap<String, BTreeSet<String>> {
    fn from(tags: Tags) -> Self {
        let mut groups = Self::new();
        for (key, value) in tags.pairs {
            groups.entry(key).or_default().insert(value);
        }
        groups
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> TryFrom<[(K, V); N]> for Tags {
    type Error = Error;

    fn try_from(pairs: [(K, V); N]) -> Result<Self> {
        let mut tags = Self::new();
        for (key, value) in pairs {
            tags.insert(key, value)?;
        }
        Ok(tags)
    }
}

/// A tag to remove: one value of a key, or the key with all its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TagRemoval {
    /// Remove this value of this key.
    Pair(String, String),
    /// Remove this key with all its values.
    Key(String),
}

/// A change of tags. Removals are made first, then additions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TagChange {
    /// Pairs to add.
    pub add: Tags,
    /// Pairs or keys to remove; what is not there is not missed.
    pub remove: Vec<TagRemoval>,
}

impl TagChange {
    /// The tags after the change.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if there would be more than [`Tags::MAX_PAIRS`] pairs.
    pub fn applied_to(&self, tags: &Tags) -> Result<Tags> {
        let mut changed = tags.clone();
        for removal in &self.remove {
            match removal {
                TagRemoval::Pair(key, value) => changed.remove(key, value),
                TagRemoval::Key(key) => changed.remove_key(key),
            }
        }
        changed.merged_with(&self.add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_have_several_values() {
        let tags = Tags::try_from([("env", "prod"), ("env", "test"), ("env", "prod")]).unwrap();
        assert_eq!(
            tags.pairs().collect::<Vec<_>>(),
            [("env", "prod"), ("env", "test")]
        );
    }

    #[test]
    fn changes_remove_before_they_add() {
        let tags = Tags::try_from([("a", "1"), ("a", "2"), ("b", "1")]).unwrap();
        let change = TagChange {
            add: Tags::try_from([("a", "3")]).unwrap(),
            remove: vec![
                TagRemoval::Key("a".into()),
                TagRemoval::Pair("b".into(), "9".into()),
            ],
        };
        let changed = change.applied_to(&tags).unwrap();
        assert_eq!(
            changed.pairs().collect::<Vec<_>>(),
            [("a", "3"), ("b", "1")]
        );
    }

    #[test]
    fn documents_are_objects_of_sorted_arrays() {
        let text = r#"{"z":["1"],"a":["2","1","2"],"none":[],"z":["3"]}"#;
        let tags: Tags = serde_json::from_str(text).unwrap();
        let written = serde_json::to_string(&tags).unwrap();
        assert_eq!(written, r#"{"a":["1","2"],"z":["3"]}"#);
        let groups = BTreeMap::from(tags.clone());
        assert_eq!(Tags::try_from(groups).unwrap(), tags);
    }

    #[test]
    fn limits_hold_when_reading_documents_too() {
        let long = "x".repeat(129);
        assert!(serde_json::from_str::<Tags>(&format!("{{\"{long}\":[\"v\"]}}")).is_err());
        assert!(serde_json::from_str::<Tags>("{\"k\":[\"\"]}").is_ok());
        let mut tags = Tags::new();
        for number in 0..Tags::MAX_PAIRS {
            tags.insert("k", number.to_string()).unwrap();
        }
        assert!(tags.insert("k", "one more").is_err());
        tags.insert("k", "0").unwrap();
    }
}
