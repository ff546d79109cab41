//! Where the demo happens, and its data.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use artstore_context::{Context, Settings};
use artstore_core::{Error, Result};
use serde_json::json;
use tempfile::TempDir;

use super::teller::Step;

pub(super) const TABLE: &str = "weather.csv";
pub(super) const RESPELLED: &str = "weather-semicolons.csv";
pub(super) const CORRECTED: &str = "weather-corrected.csv";
pub(super) const REPORT: &str = "report.txt";

/// `demo/README.md` tells where they come from.
const FILES: [(&str, &[u8]); 4] = [
    (REPORT, include_bytes!("../../../demo/report.txt")),
    (
        CORRECTED,
        include_bytes!("../../../demo/weather-corrected.csv"),
    ),
    (
        RESPELLED,
        include_bytes!("../../../demo/weather-semicolons.csv"),
    ),
    (TABLE, include_bytes!("../../../demo/weather.csv")),
];

/// A temporary directory with the data, and a store: in it, or where it is to be kept.
#[derive(Debug)]
pub(super) struct Place {
    /// Removed when it is dropped, should nobody have left.
    temporary: Option<TempDir>,
    directory: PathBuf,
    kept: Option<PathBuf>,
}

impl Place {
    /// Makes the directory and writes the data into it. The store is to be at `kept`, which is checked to be new or empty.
    pub(super) async fn make(kept: Option<PathBuf>) -> Result<Self> {
        on_a_thread(move || {
            if let Some(kept) = &kept {
                check_free(kept)?;
            }
            let temporary = make_temporary()?;
            let directory = temporary.path().to_owned();
            for (name, content) in FILES {
                let path = directory.join(name);
                std::fs::write(&path, content).map_err(|error| {
                    Error::unavailable("the data of the demo cannot be written")
                        .with("path", path.display())
                        .caused_by(error)
                })?;
            }
            Ok(Self {
                temporary: Some(temporary),
                directory,
                kept,
            })
        })
        .await
    }

    /// The store, as one command opens it.
    pub(super) fn context(&self) -> Result<Context> {
        let settings = Settings {
            root: match &self.kept {
                Some(kept) => kept.clone(),
                None => self.directory.join("store"),
            },
            actor: "demo".to_owned(),
            ..Settings::default()
        };
        Context::builder().settings(settings).build()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory, and the commands after which the others can be typed as they are told.
    pub(super) fn introduction(&self, root: &Path) -> Result<Step> {
        let names = FILES.map(|(name, _)| name);
        let command = format!(
            "cd {}; export ARTSTORE_ROOT={}; ls",
            word(&self.directory.to_string_lossy()),
            word(&root.to_string_lossy()),
        );
        let result = json!({ "files": names, "root": root.to_string_lossy() });
        let title = "Two months of weather in Seattle (NOAA, public domain) and an empty place for a store.";
        Step::new(title, command, &result, names.join("\n"))
    }

    /// Removes the directory.
    pub(super) async fn leave(&mut self) -> Result<()> {
        let Some(temporary) = self.temporary.take() else {
            return Ok(());
        };
        on_a_thread(move || {
            let path = temporary.path().to_owned();
            temporary.close().map_err(|error| {
                Error::unavailable("the temporary directory cannot be removed")
                    .with("path", path.display())
                    .caused_by(error)
            })
        })
        .await
    }

    /// What was left behind.
    pub(super) fn farewell(&self) -> Result<Step> {
        let directory = self.directory.to_string_lossy();
        let command = format!("cd; rm -r {}", word(&directory));
        let kept = self.kept.as_ref().map(|kept| kept.to_string_lossy());
        let title = match &kept {
            None => "That was all: the directory goes, and the store with it.".to_owned(),
            Some(kept) => format!(
                "That was all: the directory goes. Look at the store, which is kept, with: artstore --root {} list",
                word(kept)
            ),
        };
        let result = json!({ "removed": directory, "kept": kept });
        let step = Step::new(title, command, &result, String::new())?;
        step.expect("the directory is gone", !self.directory.exists())?;
        Ok(step)
    }
}

/// `text` as a shell reads it as one word.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "/._-+=:@%,".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

fn make_temporary() -> Result<TempDir> {
    let parent = std::env::temp_dir();
    // Without links, as the store tells its paths.
    let parent = parent.canonicalize().unwrap_or(parent);
    let made = tempfile::Builder::new()
        .prefix("artstore-demo-")
        .tempdir_in(&parent);
    made.map_err(|error| {
        Error::unavailable("there is no place for a temporary directory")
            .with("path", parent.display())
            .caused_by(error)
            .hint("set TMPDIR to a directory that can be written")
    })
}

fn check_free(directory: &Path) -> Result<()> {
    let taken = |message| {
        Err(Error::already_exists(message)
            .with("path", directory.display())
            .hint("name a directory that is new or empty"))
    };
    match std::fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => taken("the directory is not empty"),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            taken("the path is not a directory")
        }
        Err(error) => Err(Error::unavailable("the directory cannot be read")
            .with("path", directory.display())
            .caused_by(error)),
    }
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::internal("the demo was given up").caused_by(error))?
}
