//! Settings: defaults, then a file, then the environment, then what the program was told.

mod layer;

use std::collections::HashMap;
use std::path::PathBuf;

use artstore_core::key::check_text;
use artstore_core::{Error, Result};
use config::{Config, ConfigError};
use serde::{Deserialize, Serialize};

use crate::catalog_url::CatalogUrl;
use crate::environment::Environment;
use layer::Layer;

/// How a store is found and used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The directory of the store.
    pub root: PathBuf,
    /// Where the catalog of a new store is, `sqlite:<path>`; a store that exists knows its catalog, and the setting must
    /// agree with it. `sqlite:catalog.sqlite` for a new store if not set.
    pub catalog: Option<String>,
    /// Who makes the changes; kept in records and events.
    pub actor: String,
    /// How long a change waits for its turn, in seconds, before it is given up as busy.
    pub lock_patience_seconds: u64,
    /// How many connections read the SQLite catalog at a time.
    pub sqlite_readers: usize,
    /// How long SQLite waits for a lock of its own, in milliseconds.
    pub sqlite_busy_timeout_milliseconds: u64,
    /// What is logged: a filter as `tracing` knows it (`warn`, `artstore_engine=debug`).
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// How log events are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line of text for people.
    #[default]
    Text,
    /// A line of JSON for programs.
    Json,
}

/// Settings that the program was told, on its command line or by its caller. They win over everything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsOverrides {
    /// Read this file instead of the usual one.
    pub config_file: Option<PathBuf>,
    /// As [`Settings::root`].
    pub root: Option<PathBuf>,
    /// As [`Settings::catalog`].
    pub catalog: Option<String>,
    /// As [`Settings::actor`].
    pub actor: Option<String>,
    /// As [`Settings::log`].
    pub log: Option<String>,
    /// As [`Settings::log_format`].
    pub log_format: Option<LogFormat>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            root: PathBuf::from("artstore-data"),
            catalog: None,
            actor: "unknown".to_owned(),
            lock_patience_seconds: 30,
            sqlite_readers: 4,
            sqlite_busy_timeout_milliseconds: 5000,
            log: "warn".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

impl Settings {
    /// The name of every setting, as in a configuration file. In the environment a setting is `ARTSTORE_` and its name
    /// in capitals.
    pub const NAMES: [&str; 8] = [
        "root",
        "catalog",
        "actor",
        "lock_patience_seconds",
        "sqlite_readers",
        "sqlite_busy_timeout_milliseconds",
        "log",
        "log_format",
    ];

    /// Puts settings together. Reads the configuration file; blocks for as long as that takes.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid), naming the setting and where its value came from;
    /// [`Unavailable`](artstore_core::ErrorKind::Unavailable) if the configuration file cannot be read.
    pub fn load(environment: &Environment, overrides: SettingsOverrides) -> Result<Self> {
        let layers = [
            Some(Layer::defaults(environment)?),
            Layer::file(environment, overrides.config_file.as_deref())?,
            Some(Layer::environment(environment)?),
        ];
        let mut builder = Config::builder();
        for layer in layers.into_iter().flatten() {
            builder = builder.add_source(layer);
        }
        let merged = builder
            .build()
            .map_err(|error| unreadable(&error, &HashMap::new()))?;
        let mut origins = origins_of(&merged);
        let mut settings: Self = merged
            .try_deserialize()
            .map_err(|error| unreadable(&error, &origins))?;
        settings.take(overrides, &mut origins);
        settings.check().map_err(|(name, error)| {
            let error = error.with("setting", name);
            match origins.get(name) {
                Some(origin) => error.with("from", origin),
                None => error,
            }
        })?;
        Ok(settings)
    }

    fn take(&mut self, overrides: SettingsOverrides, origins: &mut HashMap<String, String>) {
        let mut overridden = |name: &str| {
            origins.insert(name.to_owned(), "override".to_owned());
        };
        if let Some(root) = overrides.root {
            self.root = root;
            overridden("root");
        }
        if let Some(catalog) = overrides.catalog {
            self.catalog = Some(catalog);
            overridden("catalog");
        }
        if let Some(actor) = overrides.actor {
            self.actor = actor;
            overridden("actor");
        }
        if let Some(log) = overrides.log {
            self.log = log;
            overridden("log");
        }
        if let Some(log_format) = overrides.log_format {
            self.log_format = log_format;
            overridden("log_format");
        }
    }

    /// Checks what types do not, and names the setting that is wrong.
    pub(crate) fn check(&self) -> Result<(), (&'static str, Error)> {
        if self.root.as_os_str().is_empty() {
            return Err(("root", Error::invalid("the root is empty")));
        }
        if let Some(catalog) = &self.catalog {
            CatalogUrl::parse(catalog).map_err(|error| ("catalog", error))?;
        }
        check_text(&self.actor, "actor", 200).map_err(|error| ("actor", error))?;
        check_range(
            "lock_patience_seconds",
            self.lock_patience_seconds,
            0,
            86_400,
        )?;
        check_range("sqlite_readers", self.sqlite_readers as u64, 1, 64)?;
        let busy_timeout = self.sqlite_busy_timeout_milliseconds;
        check_range("sqlite_busy_timeout_milliseconds", busy_timeout, 0, 600_000)
    }
}

fn check_range(
    name: &'static str,
    value: u64,
    least: u64,
    greatest: u64,
) -> Result<(), (&'static str, Error)> {
    if (least..=greatest).contains(&value) {
        return Ok(());
    }
    let error = Error::invalid("the setting is out of range")
        .with("value", value)
        .with("allowed", format_args!("{least} to {greatest}"));
    Err((name, error))
}

fn origins_of(merged: &Config) -> HashMap<String, String> {
    let values = merged.cache.clone().into_table().unwrap_or_default();
    values
        .into_iter()
        .map(|(name, value)| (name, value.origin().unwrap_or("default").to_owned()))
        .collect()
}

fn unreadable(error: &ConfigError, origins: &HashMap<String, String>) -> Error {
    let (name, problem) = match error {
        ConfigError::Type {
            unexpected,
            expected,
            key,
            ..
        } => (key.as_deref(), format!("{unexpected} is not {expected}")),
        ConfigError::At { error, key, .. } => (key.as_deref(), error.to_string()),
        other => (None, other.to_string()),
    };
    let invalid = Error::invalid("the setting cannot be understood").with("problem", problem);
    let Some(name) = name else {
        return invalid;
    };
    let origin = origins.get(name).map_or("default", String::as_str);
    invalid.with("setting", name).with("from", origin)
}

#[cfg(test)]
mod tests;
