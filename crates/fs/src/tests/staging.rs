use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Mutex;

use artstore_core::ErrorKind;
use artstore_core::backend::{Progress, PublicationLog as _, StagedLocation, SweepReport};
use artstore_core::digest::Digest;
use rustix::io::Errno;

use super::*;

fn staged_path(world: &World, file: &StagedFile) -> PathBuf {
    match &file.location {
        StagedLocation::Staging(path) => world.at(path.as_str()),
        StagedLocation::Source(path) => path.clone(),
    }
}

#[tokio::test]
async fn what_is_staged_is_what_was_given() {
    let world = World::new().await;
    for size in [0, 1, MIB - 1, MIB, MIB + 1, 4 * MIB, 13 * MIB] {
        let content = content(size);
        let file = world.source("source", &content);
        let digest = Digest::of(&content);
        let bytes = ArtifactSource::Bytes(content.clone().into());
        for source in [
            ArtifactSource::File(file.clone()),
            bytes,
            ArtifactSource::AdoptFile(file),
        ] {
            let hashed = world
                .store
                .hash_source(&source, Arc::new(NoProgress))
                .await
                .unwrap();
            let staged = world.stage(source.clone()).await.unwrap();
            assert_eq!(staged.facts.size_bytes, size as u64, "{source:?}");
            assert!(staged.facts.digest == digest, "{size}");
            assert!(hashed == staged.facts);
            assert_eq!(world.store.source_size(&source).await.unwrap(), size as u64);
            let at = staged_path(&world, &staged.file);
            assert!(std::fs::read(&at).unwrap() == content, "{size}");
            if let StagedLocation::Staging(_) = staged.file.location {
                assert_eq!(at.metadata().unwrap().permissions().mode() & 0o333, 0);
            }
            world.store.discard(vec![staged.file]).await;
        }
    }
    assert_eq!(staged_files(&world), Vec::<String>::new());
}

#[tokio::test]
async fn a_small_source_costs_one_sync_and_a_large_one_is_written_back_early() {
    let world = World::new().await;
    world.stage_bytes(b"x").await;
    world.vfs.effects();
    world.stage_bytes(b"y").await;
    let small = [
        "create staging/*.data 444",
        "write staging/*.data",
        "sync staging/*.data",
    ];
    assert_eq!(world.vfs.effects(), small);

    let file = world.source("large", &content(5 * MIB));
    world.stage(ArtifactSource::File(file)).await.unwrap();
    let effects = world.vfs.effects();
    assert_eq!(
        effects[..2],
        ["create staging/*.data 444", "reserve staging/*.data"]
    );
    assert!(effects.contains(&"sync staging/*.data early".to_owned()));
    assert_eq!(effects.last().unwrap(), "sync staging/*.data");
}

#[tokio::test]
async fn after_a_failed_write_back_nothing_is_synced_again_and_nothing_stays() {
    let world = World::new().await;
    let file = world.source("large", &content(13 * MIB));
    for fault in [
        "sync staging/*.data early",
        "sync staging/*.data",
        "write",
        "reserve",
    ] {
        world.vfs.effects();
        world.vfs.fail(fault, Errno::IO);
        let error = world
            .stage(ArtifactSource::File(file.clone()))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{fault}");
        let effects = world.vfs.effects();
        assert!(
            !effects.contains(&"sync staging/*.data".to_owned()),
            "{fault}: {effects:?}"
        );
        assert_eq!(effects.last().unwrap(), "remove staging/*.data");
        assert_eq!(staged_files(&world), Vec::<String>::new());
    }
}

/// Changes a file when it is first told of progress.
#[derive(Debug)]
struct Meddler(Mutex<Option<PathBuf>>, fn(&Path));

impl Progress for Meddler {
    fn report(&self, _activity: &'static str, _done: u64, _total: Option<u64>) {
        if let Some(path) = self.0.lock().unwrap().take() {
            self.1(&path);
        }
    }
}

#[tokio::test]
async fn a_source_that_changes_is_a_conflict() {
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
        std::fs::write(&other, "other").unwrap();
        std::fs::rename(&other, path).unwrap();
    };
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let changes: [fn(&Path); 4] = [append, shrink, exchange, remove];
    for change in changes {
        for size in [100, 3 * MIB, 9 * MIB] {
            for adopt in [false, true] {
                let file = world.source("source", &content(size));
                let source = match adopt {
                    true => ArtifactSource::AdoptFile(file.clone()),
                    false => ArtifactSource::File(file.clone()),
                };
                let meddler = Arc::new(Meddler(Mutex::new(Some(file)), change));
                let staged = world.store.stage(staging_id(), &source, meddler).await;
                assert_eq!(staged.unwrap_err().kind(), ErrorKind::Conflict, "{size}");
            }
        }
    }
    assert_eq!(staged_files(&world), Vec::<String>::new());
}

#[tokio::test]
async fn only_regular_files_are_sources() {
    let world = World::new().await;
    let directory = world.directory.path().to_owned();
    let missing = directory.join("missing");
    for (path, kind) in [
        (directory, ErrorKind::Invalid),
        (missing, ErrorKind::NotFound),
    ] {
        for source in [
            ArtifactSource::File(path.clone()),
            ArtifactSource::AdoptFile(path),
        ] {
            let staged = world.stage(source.clone()).await;
            assert_eq!(staged.unwrap_err().kind(), kind);
            let size = world.store.source_size(&source).await;
            assert_eq!(size.unwrap_err().kind(), kind);
            let hash = world.store.hash_source(&source, Arc::new(NoProgress)).await;
            assert_eq!(hash.unwrap_err().kind(), kind);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_adopted_is_refused_with_a_hint() {
    let world = World::new().await;
    let file = world.source("file", b"x");
    let link = world.directory.path().join("link");
    symlink(&file, &link).unwrap();
    let (one, two) = (
        world.source("one", b"x"),
        world.directory.path().join("two"),
    );
    std::fs::hard_link(&one, two).unwrap();
    std::fs::write(world.at("inside"), "x").unwrap();
    let by_link = world.directory.path().join("by-link");
    symlink(world.at(""), &by_link).unwrap();
    for (path, why) in [
        (link, "symbolic link"),
        (one, "other hard links"),
        (world.at("inside"), "inside the store"),
        (by_link.join("inside"), "inside the store"),
        #[cfg(target_os = "linux")]
        (PathBuf::from("/proc/self/status"), "another filesystem"),
    ] {
        let error = world
            .stage(ArtifactSource::AdoptFile(path))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(why), "{error}");
        assert!(error.hint_text().is_some());
    }
}

#[test]
fn what_a_dropped_caller_staged_does_not_stay() {
    let one_thread = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    one_thread.block_on(async {
        let world = World::new().await;
        let first = world.stage_bytes(b"first").await;
        world.vfs.effects();
        let (let_go, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let source = ArtifactSource::Bytes(content(3 * MIB).into());
        let document = world
            .store
            .stage_document(staging_id(), content(100).into());
        let (mut source, mut document) = (Box::pin(world.stage(source)), Box::pin(document));
        assert!(futures_util::poll!(source.as_mut()).is_pending());
        assert!(futures_util::poll!(document.as_mut()).is_pending());
        drop((source, document));
        let_go.send(()).unwrap();
        busy.await.unwrap().unwrap();
        // The closures of the dropped calls come before this one.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert_eq!(staged_files(&world), [format!("{}.data", first.id)]);
        assert!(
            !world
                .vfs
                .effects()
                .contains(&"sync staging/*.data".to_owned())
        );
    });
}

#[tokio::test]
async fn an_emptied_staging_area_is_made_anew() {
    let world = World::new().await;
    world.stage_bytes(b"lost").await;
    std::fs::remove_dir_all(world.at("staging")).unwrap();
    let staged = world.stage_bytes(b"kept").await;
    let document = world.stage_document(b"kept").await;
    assert_eq!(staged_files(&world).len(), 2);
    world.store.discard(vec![staged, document]).await;
}

#[tokio::test]
async fn sweeping_removes_what_the_dead_left_and_nothing_else() {
    let world = World::new().await;
    let other = sibling(&world);
    let document = Bytes::from_static(b"x");
    other.stage_document(staging_id(), document).await.unwrap();
    world.stage_bytes(b"own").await;
    let dead = format!("staging/{}", Uuid::now_v7());
    std::fs::create_dir(world.at(&dead)).unwrap();
    std::fs::write(world.at(&format!("{dead}/{}.data", Uuid::now_v7())), "x").unwrap();
    std::fs::write(world.at(&format!("{dead}/{}.json", Uuid::now_v7())), "x").unwrap();
    std::fs::write(world.at(&format!("{dead}.lock")), "").unwrap();
    let without_lock = format!("staging/{}", Uuid::now_v7());
    std::fs::create_dir(world.at(&without_lock)).unwrap();
    let stray_lock = format!("staging/{}.lock", Uuid::now_v7());
    std::fs::write(world.at(&stray_lock), "").unwrap();
    let foreign = format!("staging/{}", Uuid::now_v7());
    std::fs::create_dir_all(world.at(&foreign).join("deep")).unwrap();
    std::fs::write(world.at(&foreign).join("notes.txt"), "x").unwrap();
    std::fs::create_dir(world.at("staging/mine")).unwrap();
    std::fs::write(world.at("staging/mine/a.data"), "x").unwrap();

    let expected = SweepReport {
        removed: 2,
        living_owners: 2,
    };
    let report = world.store.sweep_staging(&permit()).await.unwrap();
    assert_eq!(report, expected);
    for gone in [&dead, &format!("{dead}.lock"), &without_lock, &stray_lock] {
        assert!(!world.at(gone).exists(), "{gone}");
    }
    assert!(world.at(&foreign).join("notes.txt").exists());
    assert!(world.at("staging/mine/a.data").exists());
    assert_eq!(
        staged_files(&world).iter().filter(|n| n.len() > 36).count(),
        2
    );

    drop(other);
    let report = world.store.sweep_staging(&permit()).await.unwrap();
    assert_eq!((report.removed, report.living_owners), (1, 1));
}

#[tokio::test]
async fn an_instance_cleans_up_after_itself() {
    let world = World::new().await;
    let other = sibling(&world);
    let document = Bytes::from_static(b"x");
    let staged = other.stage_document(staging_id(), document).await.unwrap();
    assert_eq!(world.names("staging").len(), 2);
    other.discard(vec![staged]).await;
    drop(other);
    assert_eq!(world.names("staging"), Vec::<String>::new());
}

#[test]
fn an_owner_whose_lock_file_is_swept_before_it_is_locked_still_gets_its_own() {
    // Sweepers and owners race; every owner must keep what it stages.
    let directory = tempfile::tempdir().unwrap();
    let vfs: Arc<dyn crate::vfs::Vfs> = Arc::new(RealVfs::new(directory.path().to_owned()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let sweeper = FsStore::new(Arc::clone(&vfs), Arc::new(Ids));
                for _ in 0..300 {
                    sweeper.inner().staging.sweep().unwrap();
                }
            });
            scope.spawn(|| {
                for _ in 0..100 {
                    let owner = FsStore::new(Arc::clone(&vfs), Arc::new(Ids));
                    let path = owner.inner().stage_document(staging_id(), b"x").unwrap();
                    assert!(vfs.metadata(&path).is_ok());
                    owner.inner().remove_quietly(&path);
                }
            });
        }
    });
    assert_eq!(
        names_in(&directory.path().join("staging")),
        Vec::<String>::new()
    );
}
