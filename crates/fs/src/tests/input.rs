use std::io::Write as _;
use std::os::unix::fs::symlink;

use artstore_core::ErrorKind;
use artstore_core::backend::{RandomRead, StagedLocation};
use rustix::io::Errno;

use super::*;

/// `content` as every kind of source.
fn sources(world: &World, content: &[u8]) -> [ArtifactSource; 3] {
    let file = world.source("source", content);
    [
        ArtifactSource::File(file.clone()),
        ArtifactSource::AdoptFile(file),
        ArtifactSource::Bytes(content.to_vec().into()),
    ]
}

/// Opened as a source and as what it is staged as.
async fn opened(world: &World, source: &ArtifactSource) -> [Arc<dyn RandomRead>; 2] {
    let staged = world.stage(source.clone()).await.unwrap().file;
    [
        world.store.open_source(source).await.unwrap(),
        world.store.open_staged(&staged).await.unwrap(),
    ]
}

fn in_staging(text: &str) -> StagedFile {
    StagedFile {
        id: staging_id(),
        location: StagedLocation::Staging(path(text)),
        fingerprint: None,
    }
}

#[tokio::test]
async fn any_position_is_read_by_several_threads_at_once() {
    let world = World::new().await;
    for size in [0, 1, MIB, 3 * MIB + 7] {
        let content = content(size);
        for source in sources(&world, &content) {
            for input in opened(&world, &source).await {
                assert_eq!(input.size(), size as u64);
                std::thread::scope(|scope| {
                    for part in 0..4 {
                        let (start, end) = (size * part / 4, size * (part + 1) / 4);
                        let (input, expected) = (Arc::clone(&input), &content[start..end]);
                        scope.spawn(move || {
                            let mut buffer = vec![0; end - start];
                            input.read_exact_at(start as u64, &mut buffer).unwrap();
                            assert!(buffer == expected, "{start}..{end}");
                        });
                    }
                });
                input.check_unchanged().unwrap();
            }
        }
    }
}

#[tokio::test]
async fn beyond_the_end_there_is_nothing() {
    let world = World::new().await;
    for source in sources(&world, b"0123456789") {
        for input in opened(&world, &source).await {
            for position in [7, 10, u64::MAX - 1, u64::MAX] {
                let read = input.read_exact_at(position, &mut [0; 4]);
                assert_eq!(read.unwrap_err().kind(), ErrorKind::Conflict, "{position}");
            }
            input.read_exact_at(10, &mut []).unwrap();
            let mut end = [0; 4];
            input.read_exact_at(6, &mut end).unwrap();
            assert_eq!(&end, b"6789");
        }
    }
}

#[tokio::test]
async fn what_changes_while_it_is_read_is_a_conflict() {
    let world = World::new().await;
    let append = |path: &Path| {
        let mut file = std::fs::File::options().append(true).open(path).unwrap();
        file.write_all(b"more").unwrap();
    };
    let shrink = |path: &Path| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_len(17).unwrap();
    };
    let exchange = |path: &Path| {
        let other = path.with_extension("other");
        std::fs::write(&other, content(100)).unwrap();
        std::fs::rename(&other, path).unwrap();
    };
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let changes: [fn(&Path); 4] = [append, shrink, exchange, remove];
    for (number, change) in changes.into_iter().enumerate() {
        for kind in 0..2 {
            for way in 0..2 {
                let sources = sources(&world, &content(100));
                let input = Arc::clone(&opened(&world, &sources[kind]).await[way]);
                let ArtifactSource::File(file) = &sources[0] else {
                    panic!("not a file");
                };
                let is_copy = (kind, way) == (0, 1);
                input.check_unchanged().unwrap();
                change(file);
                if is_copy {
                    input.check_unchanged().unwrap();
                    continue;
                }
                let error = input.check_unchanged().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Conflict, "{number}");
                assert_eq!(error.context_value("path"), file.to_str());
                let read = input.read_exact_at(50, &mut [0; 50]);
                let is_short = number == 1;
                let kind = read.err().map(|error| error.kind());
                assert_eq!(kind, is_short.then_some(ErrorKind::Conflict), "{number}");
            }
        }
    }
}

#[tokio::test]
async fn staged_files_that_change_are_a_conflict_too() {
    let world = World::new().await;
    for change in [std::fs::remove_file, |path: PathBuf| {
        std::fs::rename(&path, path.with_extension("elsewhere"))?;
        std::fs::write(path, "data")
    }] {
        let staged = world.stage_bytes(b"data").await;
        let input = world.store.open_staged(&staged).await.unwrap();
        let StagedLocation::Staging(at) = &staged.location else {
            panic!("not in staging");
        };
        input.check_unchanged().unwrap();
        change(world.at(at.as_str())).unwrap();
        let error = input.check_unchanged().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.context_value("path").unwrap().ends_with(".data"));
    }
}

#[tokio::test]
async fn what_cannot_be_staged_cannot_be_opened() {
    let world = World::new().await;
    let directory = world.directory.path().to_owned();
    let linked = world.source("linked", b"x");
    std::fs::hard_link(&linked, directory.join("other name")).unwrap();
    for source in [
        ArtifactSource::File(directory.clone()),
        ArtifactSource::AdoptFile(directory.clone()),
        ArtifactSource::File(directory.join("missing")),
        ArtifactSource::AdoptFile(directory.join("missing")),
        ArtifactSource::AdoptFile(linked),
    ] {
        let staged = world.stage(source.clone()).await.unwrap_err();
        let opened = world.store.open_source(&source).await.unwrap_err();
        assert_eq!(opened.kind(), staged.kind(), "{source:?}");
        assert_eq!(opened.message(), staged.message());
    }
}

#[tokio::test]
async fn a_staged_source_is_opened_only_as_it_was_staged() {
    let world = World::new().await;
    let file = world.source("mine", b"mine");
    let source = ArtifactSource::AdoptFile(file.clone());
    let staged = world.stage(source).await.unwrap().file;
    world.store.open_staged(&staged).await.unwrap();
    std::fs::write(&file, "yours!").unwrap();
    let opened = world.store.open_staged(&staged).await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Conflict);
    std::fs::remove_file(&file).unwrap();
    let opened = world.store.open_staged(&staged).await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn nothing_outside_the_root_is_opened_as_staged() {
    let world = World::new().await;
    let secret = world.source("secret.data", b"secret");
    std::fs::create_dir(world.at("staging")).unwrap();
    symlink(&secret, world.at("staging/a.data")).unwrap();
    symlink(world.directory.path(), world.at("staging/owner")).unwrap();
    std::fs::create_dir(world.at("staging/directory")).unwrap();
    for (wrong, kind) in [
        ("staging/a.data", ErrorKind::Corrupt),
        ("staging/owner/secret.data", ErrorKind::Corrupt),
        ("staging/directory", ErrorKind::Corrupt),
        ("staging/missing.data", ErrorKind::NotFound),
    ] {
        let opened = world.store.open_staged(&in_staging(wrong)).await;
        assert_eq!(opened.unwrap_err().kind(), kind, "{wrong}");
    }
    std::fs::remove_dir_all(world.at("")).unwrap();
    let opened = world.store.open_staged(&in_staging("staging/x")).await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_disk_that_fails_is_unavailable() {
    let world = World::new().await;
    let file = world.source("source", b"0123456789");
    for input in opened(&world, &ArtifactSource::File(file)).await {
        world.vfs.fail("read", Errno::IO);
        let error = input.read_exact_at(0, &mut [0; 4]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.context_value("operation"), Some("read"));
        assert!(error.context_value("path").is_some());
        input.read_exact_at(0, &mut [0; 4]).unwrap();
    }
}
