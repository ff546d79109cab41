//! The environment variables that matter here, as a value.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use artstore_core::{Error, Result};

/// Prefix of the variables that are settings.
pub(crate) const PREFIX: &str = "ARTSTORE_";
/// Names the configuration file.
pub(crate) const CONFIG: &str = "ARTSTORE_CONFIG";
/// Prefix of variables that a run hands to its children; they are not settings.
pub(crate) const RUN_PREFIX: &str = "ARTSTORE_RUN_";
/// The root, under the name that earlier programs used.
pub(crate) const SEED_ROOT: &str = "ARTIFACTS_ROOT";
/// The path of the catalog's database, under the name that earlier programs used.
pub(crate) const SEED_MANIFEST: &str = "ARTIFACT_MANIFEST_DB";
pub(crate) const HOME: &str = "HOME";
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
pub(crate) const USER: &str = "USER";
pub(crate) const LOGNAME: &str = "LOGNAME";

const OTHERS: [&str; 6] = [
    SEED_ROOT,
    SEED_MANIFEST,
    HOME,
    XDG_CONFIG_HOME,
    USER,
    LOGNAME,
];

/// The environment variables that settings are read from. Others are not kept. An empty variable counts as not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The environment of this process.
    pub fn from_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of the variable `name`.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>> {
        self.0
            .get(OsStr::new(name))
            .map(|value| utf8(value, name))
            .transpose()
    }

    /// Every variable that is a setting by its name, known or not, with its value.
    pub(crate) fn settings(&self) -> impl Iterator<Item = Result<(&str, &str)>> {
        let is_setting = |name: &str| {
            name.starts_with(PREFIX) && !name.starts_with(RUN_PREFIX) && name != CONFIG
        };
        self.0.iter().filter_map(move |(name, value)| {
            let name = name.to_str().filter(|name| is_setting(name))?;
            Some(utf8(value, name).map(|value| (name, value)))
        })
    }
}

fn utf8<'a>(value: &'a OsStr, name: &str) -> Result<&'a str> {
    value.to_str().ok_or_else(|| {
        Error::invalid("the environment variable is not UTF-8")
            .with("variable", name)
            .with("value", value.to_string_lossy())
    })
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        let is_kept = |name: &OsStr| {
            name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
                || OTHERS.iter().any(|other| name == *other)
        };
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        Self(
            variables
                .filter(|(name, value)| is_kept(name) && !value.is_empty())
                .collect(),
        )
    }
}

impl<K: Into<OsString>, V: Into<OsString>, const N: usize> From<[(K, V); N]> for Environment {
    fn from(variables: [(K, V); N]) -> Self {
        variables.into_iter().collect()
    }
}
