//! Sources that are missing, no files, changing or vanishing.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::ErrorKind;
use artstore_core::artifact::ArtifactSource;
use artstore_tests::store::LocalStore;
use artstore_tests::trial::script::Meddler;
use artstore_tests::trial::{Trial, find, read, request};
use rustix::fs::{CWD, FileType, Mode, mknodat, symlink};

use crate::{check_clean, files, refused};

/// What cannot be published, with the kind of its error.
fn bad_sources(trial: &Trial) -> Vec<(PathBuf, ErrorKind)> {
    let path = |name: &str| trial.sources().join(name);
    trial.source("file", b"x");
    std::fs::create_dir(path("directory")).unwrap();
    mknodat(CWD, path("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    symlink("circle", path("circle")).unwrap();
    drop(UnixListener::bind(path("socket")).unwrap());
    vec![
        (path("missing"), ErrorKind::NotFound),
        (path("file/below"), ErrorKind::NotFound),
        (path("dangling"), ErrorKind::NotFound),
        (path("directory"), ErrorKind::Invalid),
        (path("fifo"), ErrorKind::Invalid),
        (path("socket"), ErrorKind::Invalid),
        (path("circle"), ErrorKind::Invalid),
        (PathBuf::from("/dev/null"), ErrorKind::Invalid),
    ]
}

#[tokio::test]
async fn what_is_no_file_is_refused_by_its_path() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let kept = port.publish_artifact(request("kept", "kept", "kept")).await;
    let kept = kept.unwrap().artifact().id;
    store.close().await;
    let before = files(&trial.root());
    for (path, kind) in bad_sources(&trial) {
        for source in [
            ArtifactSource::File(path.clone()),
            ArtifactSource::AdoptFile(path.clone()),
        ] {
            let adopts = matches!(source, ArtifactSource::AdoptFile(_));
            let is_link = path.is_symlink();
            let mut request = request("k", "", "op");
            request.source = source;
            let result = port.publish_artifact(request).await;
            // What adopting says of a link is said before the link is followed, or after.
            let error = match result {
                Err(error) if adopts && is_link && error.kind() == ErrorKind::Invalid => error,
                result => refused(result, kind),
            };
            let shown = path.display().to_string();
            assert_eq!(
                error.context_value("path"),
                Some(shown.as_str()),
                "{error:?}"
            );
        }
    }
    store.close().await;
    assert_eq!(files(&trial.root()), before);
    assert_eq!(read(&*port, kept).await.unwrap(), "kept");
    drop((port, store));
    check_clean(&trial.root()).await;
}

#[tokio::test]
async fn what_cannot_be_adopted_stays_where_it_is() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let linked = trial.source("linked", b"two names");
    std::fs::hard_link(&linked, trial.sources().join("other")).unwrap();
    let target = trial.source("target", b"behind a link");
    let link = trial.sources().join("link");
    symlink(&target, &link).unwrap();
    let inside = trial.root().join("inside");
    std::fs::write(&inside, "in the store").unwrap();
    for path in [linked, link, inside] {
        let mut request = request("k", "", "op");
        request.source = ArtifactSource::AdoptFile(path.clone());
        let error = refused(port.publish_artifact(request).await, ErrorKind::Invalid);
        assert!(error.hint_text().is_some(), "{error:?}");
        assert!(path.exists(), "{error:?}");
    }
    assert_eq!(find(&*port, "k").await.unwrap(), []);
    store.close().await;
    assert_eq!(trial.files_in("artifacts"), Vec::<String>::new());
    assert_eq!(trial.files_in("staging"), Vec::<String>::new());
}

/// Publishes a file while `deed` is done to it before the call named `before`.
async fn meddle(
    adopts: bool,
    before: &'static str,
    deed: fn(&std::path::Path),
    kind: ErrorKind,
) -> Trial {
    let trial = Trial::new();
    let path = trial.source("source.bin", &[b'x'; 100_000]);
    let meddler = {
        let path = path.clone();
        Arc::new(Meddler::new(before, move || deed(&path)))
    };
    let store = LocalStore::open_observed(&trial.root(), meddler.clone()).await;
    let store = store.unwrap();
    let port = store.artifacts();
    let mut request = request("k", "", "op");
    request.source = match adopts {
        true => ArtifactSource::AdoptFile(path.clone()),
        false => ArtifactSource::File(path.clone()),
    };
    let error = refused(port.publish_artifact(request.clone()).await, kind);
    assert!(meddler.is_done());
    let shown = path.display().to_string();
    assert_eq!(
        error.context_value("path"),
        Some(shown.as_str()),
        "{error:?}"
    );
    store.close().await;
    assert_eq!(trial.files_in("artifacts"), Vec::<String>::new());
    assert_eq!(trial.files_in("staging"), Vec::<String>::new());
    assert_eq!(trial.files_in("intents"), Vec::<String>::new());
    // Once it stands still it is published.
    std::fs::write(&path, "calm").unwrap();
    let result = port.publish_artifact(request).await.unwrap();
    assert_eq!(read(&*port, result.artifact().id).await.unwrap(), "calm");
    store.close().await;
    drop((port, store));
    check_clean(&trial.root()).await;
    trial
}

fn append(path: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    file.write_all(b"more").unwrap();
}

fn remove(path: &std::path::Path) {
    std::fs::remove_file(path).unwrap();
}

fn exchange(path: &std::path::Path) {
    let other = path.with_extension("other");
    std::fs::write(&other, [b'y'; 100_000]).unwrap();
    std::fs::rename(other, path).unwrap();
}

#[tokio::test]
async fn a_source_that_changes_while_it_is_read_is_refused() {
    for deed in [append, remove, exchange] {
        meddle(false, "staged-data.write", deed, ErrorKind::Conflict).await;
    }
}

#[tokio::test]
async fn a_file_that_changes_before_it_is_adopted_stays_where_it_is() {
    meddle(true, "intent.create", append, ErrorKind::Conflict).await;
    meddle(true, "intent.create", exchange, ErrorKind::Conflict).await;
    meddle(true, "intent.create", remove, ErrorKind::NotFound).await;
}
