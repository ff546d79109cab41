//! One source of settings; every value knows where it came from.

use std::path::{Path, PathBuf, absolute};

use artstore_core::{Error, Result};
use config::{Config, ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::Settings;
use crate::catalog_url::SQLITE;
use crate::environment::{
    CONFIG, Environment, HOME, LOGNAME, PREFIX, SEED_MANIFEST, SEED_ROOT, USER, XDG_CONFIG_HOME,
};

/// Settings from one source.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

impl Layer {
    /// What holds where nothing is said.
    pub(super) fn defaults(environment: &Environment) -> Result<Self> {
        let settings = Settings {
            actor: default_actor(environment)?,
            ..Settings::default()
        };
        let internal = |error: ConfigError| {
            Error::internal("the default settings are not settings").caused_by(error)
        };
        let values = Config::try_from(&settings)
            .and_then(|defaults| defaults.cache.into_table())
            .map_err(internal)?;
        let mut layer = Self::default();
        for (name, value) in values {
            layer.set(&name, "default", value.kind);
        }
        Ok(layer)
    }

    /// The configuration file: `told`, or the one that the environment names, or the usual one if it is there.
    pub(super) fn file(environment: &Environment, told: Option<&Path>) -> Result<Option<Self>> {
        let named = match (told, environment.get(CONFIG)?) {
            (Some(path), _) => Some((path.to_owned(), "override".to_owned())),
            (None, Some(path)) => Some((PathBuf::from(path), origin_of(CONFIG))),
            (None, None) => None,
        };
        if let Some((path, from)) = named {
            let text = std::fs::read_to_string(&path).map_err(|error| {
                unreadable_file(&path, &error)
                    .with("setting", "config")
                    .with("from", from)
            })?;
            return Self::parse_file(&path, &text).map(Some);
        }
        let Some(path) = usual_file(environment)? else {
            return Ok(None);
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse_file(&path, &text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable_file(&path, &error)),
        }
    }

    fn parse_file(path: &Path, text: &str) -> Result<Self> {
        let origin = path.display().to_string();
        let values = File::from_str(text, FileFormat::Toml)
            .collect()
            .map_err(|error| {
                Error::invalid("the configuration file is not TOML")
                    .with("path", &origin)
                    .with("problem", error.to_string().trim_end().replace('\n', " "))
            })?;
        let mut layer = Self::default();
        for (name, value) in values {
            if !Settings::NAMES.contains(&name.as_str()) {
                return Err(Error::invalid("unknown setting")
                    .with("setting", name.escape_debug())
                    .with("from", &origin)
                    .with("known", Settings::NAMES.join(", ")));
            }
            // A file says where a store is as seen from itself, not from wherever the program was started.
            let kind = match value.kind {
                ValueKind::String(root) if name == "root" => {
                    beside(path, &root).map_err(|error| error.with("from", &origin))?
                }
                other => other,
            };
            layer.set(&name, &origin, kind);
        }
        Ok(layer)
    }

    /// The variables `ARTSTORE_*`, and the two that earlier programs used.
    pub(super) fn environment(environment: &Environment) -> Result<Self> {
        let mut layer = Self::default();
        for variable in environment.settings() {
            let (variable, value) = variable?;
            let name = Settings::NAMES
                .into_iter()
                .find(|name| variable == variable_of(name))
                .ok_or_else(|| unknown_variable(variable))?;
            layer.set(name, &origin_of(variable), ValueKind::from(value));
        }
        layer.set_seed_root(environment)?;
        layer.set_seed_manifest(environment)?;
        Ok(layer)
    }

    fn set_seed_root(&mut self, environment: &Environment) -> Result<()> {
        let Some(seed) = environment.get(SEED_ROOT)? else {
            return Ok(());
        };
        let ours = variable_of("root");
        if let Some(root) = environment.get(&ours)?
            && absolute(root).ok() != absolute(seed).ok()
        {
            return Err(disagreement(&ours, root, SEED_ROOT, seed));
        }
        self.set("root", &origin_of(SEED_ROOT), ValueKind::from(seed));
        Ok(())
    }

    fn set_seed_manifest(&mut self, environment: &Environment) -> Result<()> {
        let Some(seed) = environment.get(SEED_MANIFEST)? else {
            return Ok(());
        };
        let path = absolute(seed).map_err(|error| {
            Error::invalid("the path of the manifest cannot be made absolute")
                .with("variable", SEED_MANIFEST)
                .with("path", seed)
                .caused_by(error)
        })?;
        let url = format!("{SQLITE}:{}", path.display());
        let ours = variable_of("catalog");
        if let Some(catalog) = environment.get(&ours)?
            && catalog != url
        {
            return Err(disagreement(&ours, catalog, SEED_MANIFEST, seed));
        }
        self.set("catalog", &origin_of(SEED_MANIFEST), ValueKind::from(url));
        Ok(())
    }

    fn set(&mut self, name: &str, origin: &str, kind: ValueKind) {
        let value = Value::new(Some(&origin.to_owned()), kind);
        self.0.insert(name.to_owned(), value);
    }
}

fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.to_uppercase())
}

fn origin_of(variable: &str) -> String {
    format!("environment variable {variable}")
}

fn unknown_variable(variable: &str) -> Error {
    let known = Settings::NAMES.map(variable_of).join(", ");
    Error::invalid("unknown environment variable")
        .with("variable", variable.escape_debug())
        .with("known", format_args!("{known}, {CONFIG}"))
        .hint("correct its name or unset it")
}

fn disagreement(ours: &str, our_value: &str, seed: &str, seed_value: &str) -> Error {
    Error::invalid("two environment variables disagree")
        .with("first", format_args!("{ours}={our_value}"))
        .with("second", format_args!("{seed}={seed_value}"))
        .hint(format!("unset {seed}, or give both the same value"))
}

fn beside(file: &Path, root: &str) -> Result<ValueKind> {
    let directory = file.parent().unwrap_or(Path::new(""));
    let path = absolute(directory.join(root)).map_err(|error| {
        Error::invalid("the root cannot be made absolute")
            .with("setting", "root")
            .caused_by(error)
    })?;
    let text = path.into_os_string().into_string().map_err(|path| {
        Error::invalid("the root is not UTF-8")
            .with("setting", "root")
            .with("root", path.to_string_lossy())
            .hint("give it on the command line")
    })?;
    Ok(ValueKind::String(text))
}

fn usual_file(environment: &Environment) -> Result<Option<PathBuf>> {
    let base = match environment.get(XDG_CONFIG_HOME)? {
        Some(base) if Path::new(base).is_absolute() => Some(PathBuf::from(base)),
        _ => environment
            .get(HOME)?
            .map(|home| Path::new(home).join(".config")),
    };
    Ok(base.map(|base| base.join("artstore").join("config.toml")))
}

fn unreadable_file(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid("the configuration file cannot be read")
        .with("path", path.display())
        .with("problem", error)
}

fn default_actor(environment: &Environment) -> Result<String> {
    let user = match environment.get(USER)? {
        Some(user) => Some(user),
        None => environment.get(LOGNAME)?,
    };
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    Ok(user.map_or_else(|| "unknown".to_owned(), |user| format!("{user}@{host}")))
}
