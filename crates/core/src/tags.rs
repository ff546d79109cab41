//! Tags: a key may have several values.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::key::check_text;

/// The tags of one thing: each key has one or more values, in sorted order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, BTreeSet<String>>",
    into = "BTreeMap<String, BTreeSet<String>>"
)]
pub struct Tags(BTreeMap<String, BTreeSet<String>>);

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
        let is_new = !self.contains(&key, &value);
        if is_new && self.len() >= Self::MAX_PAIRS {
            return Err(too_many());
        }
        self.0.entry(key).or_default().insert(value);
        Ok(())
    }

    /// Removes a value of a key, and the key with its last value.
    pub fn remove(&mut self, key: &str, value: &str) {
        if let Some(values) = self.0.get_mut(key) {
            values.remove(value);
            if values.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// Removes a key with all its values.
    pub fn remove_key(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Whether `key` has `value`.
    pub fn contains(&self, key: &str, value: &str) -> bool {
        self.0.get(key).is_some_and(|values| values.contains(value))
    }

    /// Whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of key-value pairs.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Every key-value pair, sorted.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(key, values)| {
            values
                .iter()
                .map(move |value| (key.as_str(), value.as_str()))
        })
    }

    /// Every key with its values, sorted.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.0.iter().map(|(key, values)| (key.as_str(), values))
    }

    /// The pairs of `other` that are not here.
    pub fn missing_from(&self, other: &Self) -> Self {
        let mut missing = Self::new();
        for (key, value) in other
            .pairs()
            .filter(|(key, value)| !self.contains(key, value))
        {
            missing
                .0
                .entry(key.to_owned())
                .or_default()
                .insert(value.to_owned());
        }
        missing
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

impl TryFrom<BTreeMap<String, BTreeSet<String>>> for Tags {
    type Error = Error;

    fn try_from(mut groups: BTreeMap<String, BTreeSet<String>>) -> Result<Self> {
        groups.retain(|_, values| !values.is_empty());
        for (key, values) in &groups {
            check_key(key)?;
            for value in values {
                check_value(key, value)?;
            }
        }
        let tags = Self(groups);
        if tags.len() > Self::MAX_PAIRS {
            return Err(too_many());
        }
        Ok(tags)
    }
}

impl From<Tags> for BTreeMap<String, BTreeSet<String>> {
    fn from(tags: Tags) -> Self {
        tags.0
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
