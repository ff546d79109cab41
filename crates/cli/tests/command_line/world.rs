//! A directory, a store in it, and the binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// An id that nothing has.
pub(crate) const NOBODY: &str = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";

/// A directory that commands run in; the store is `store` in it.
pub(crate) struct World {
    _directory: TempDir,
    path: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        Self {
            _directory: directory,
            path,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path("store")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A command that knows nothing of the environment of the tests but where programs are.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_artstore"));
        command
            .args(arguments)
            .current_dir(&self.path)
            .env_clear()
            .env("HOME", &self.path)
            .env("ARTSTORE_ROOT", "store")
            .stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        answer(&mut self.command(arguments))
    }

    /// Runs a command that must succeed and say nothing but its answer.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).ok()
    }

    /// As [`Self::ok`], and gives the one JSON document that was the answer.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[&["--json"], arguments].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// Runs a command that must fail in this way, in text and in JSON, without any answer.
    pub(crate) fn fails(&self, arguments: &[&str], status: i32, code: &str, message: &str) {
        let text = self.run(arguments).failed(status);
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with(&format!("error: {message}")), "{text}");
        let json = self.run(&[&["--json"], arguments].concat()).failed(status);
        let document: Value = serde_json::from_str(&json).unwrap();
        let error = &document["error"];
        assert_eq!(error["code"], code, "{json}");
        let said = error["message"].as_str().unwrap();
        assert!(said.starts_with(message), "{json}");
    }

    /// Publishes a file with this content and gives its id.
    pub(crate) fn publish(&self, key: &str, content: impl AsRef<[u8]>) -> String {
        self.publish_with(key, content, &[])
    }

    /// Publishes a file with this content and these options and gives its id.
    pub(crate) fn publish_with(
        &self,
        key: &str,
        content: impl AsRef<[u8]>,
        options: &[&str],
    ) -> String {
        self.write("source.txt", content);
        let arguments = ["publish", "source.txt", "--type", "note", "--key", key];
        let document = self.json(&[&arguments[..], options].concat());
        document["artifactId"].as_str().unwrap().to_owned()
    }

    /// Everything in the store but the catalog, which remembers nothing of its own.
    pub(crate) fn listing(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut directories = vec![self.root()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if name.starts_with("catalog.sqlite") {
                    continue;
                }
                if path.is_dir() {
                    directories.push(path.clone());
                    found.insert(path, None);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    found.insert(path, Some(bytes));
                }
            }
        }
        found
    }

    /// Where the bytes of an artifact are.
    pub(crate) fn stored(&self, id: &str) -> PathBuf {
        PathBuf::from(self.json(&["get", id])["pathParquet"].as_str().unwrap())
    }
}

/// What a command did.
pub(crate) struct Answer(pub(crate) Output);

pub(crate) fn answer(command: &mut Command) -> Answer {
    Answer(command.output().unwrap())
}

impl Answer {
    pub(crate) fn status(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub(crate) fn ok(&self) -> String {
        assert_eq!((self.status(), self.stderr().as_str()), (0, ""));
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn failed(&self, status: i32) -> String {
        assert_eq!(self.status(), status, "{}", self.stderr());
        assert_eq!(String::from_utf8_lossy(&self.0.stdout), "");
        self.stderr()
    }
}

pub(crate) fn text_of<'a>(document: &'a Value, key: &str) -> &'a str {
    document[key].as_str().unwrap()
}

/// Replaces a file that the store made read-only.
pub(crate) fn overwrite(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, content).unwrap();
}
