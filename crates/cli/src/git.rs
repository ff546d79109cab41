//! The state of the source code around a file, asked of `git`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use artstore_core::artifact::GitState;

/// The state of the repository that the file at `path` is in, or else the working directory. `None` if neither is in a
/// repository, or if there is no `git`.
pub(crate) async fn state_around(path: &Path) -> Option<GitState> {
    let beside = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .map(Path::to_owned);
    let here = PathBuf::from(".");
    let directories = beside.into_iter().chain([here]);
    let asked = tokio::task::spawn_blocking(move || directories.into_iter().find_map(state_of));
    asked.await.ok().flatten()
}

fn state_of(directory: PathBuf) -> Option<GitState> {
    let commit = ask(&directory, &["rev-parse", "--verify", "HEAD"])?;
    let changes = ask(&directory, &["status", "--porcelain", "-uno"])?;
    Some(GitState {
        commit: commit.trim().to_owned(),
        dirty: !changes.trim().is_empty(),
    })
}

fn ask(directory: &Path, question: &[&str]) -> Option<String> {
    let answer = Command::new("git")
        // Asking must not write: no index refresh, and nobody to ask for a password.
        .args(["--no-optional-locks", "-C"])
        .arg(directory)
        .args(question)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    answer
        .status
        .success()
        .then(|| String::from_utf8(answer.stdout).ok())?
}
