use std::os::unix::fs::{PermissionsExt as _, symlink};

use artstore_core::ErrorKind;
use artstore_core::backend::{PublicationLog as _, StagedLocation, StagingWriter};
use artstore_core::digest::Digest;
use rustix::io::Errno;

use super::*;

fn write_in(writer: &mut Box<dyn StagingWriter>, content: &[u8], piece: usize) -> Result<()> {
    content
        .chunks(piece)
        .try_for_each(|piece| writer.write_all(piece))
}

async fn begin(store: &FsStore) -> Result<Box<dyn StagingWriter>> {
    store.begin_staging(staging_id()).await
}

/// Writes `content` in pieces of one MiB.
async fn stage_made(world: &World, content: &[u8]) -> Result<StagedSource> {
    let mut writer = begin(&world.store).await?;
    write_in(&mut writer, content, MIB)?;
    writer.finish()
}

fn staged_at(world: &World, file: &StagedFile) -> PathBuf {
    match &file.location {
        StagedLocation::Staging(path) => world.at(path.as_str()),
        StagedLocation::Source(path) => panic!("{} is not in staging", path.display()),
    }
}

#[tokio::test]
async fn what_is_written_is_what_is_staged() {
    let world = World::new().await;
    for size in [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 13 * MIB + 5] {
        for piece in [1000, MIB - 1, MIB, 5 * MIB + 3] {
            let content = content(size);
            let id = staging_id();
            let mut writer = world.store.begin_staging(id).await.unwrap();
            write_in(&mut writer, &content, piece).unwrap();
            writer.write_all(b"").unwrap();
            let staged = writer.finish().unwrap();
            assert_eq!(staged.facts.size_bytes, size as u64, "by {piece}");
            assert!(
                staged.facts.digest == Digest::of(&content),
                "{size} by {piece}"
            );
            assert_eq!((staged.file.id, &staged.file.fingerprint), (id, &None));
            let at = staged_at(&world, &staged.file);
            assert!(std::fs::read(&at).unwrap() == content, "{size} by {piece}");
            assert_eq!(at.metadata().unwrap().permissions().mode() & 0o333, 0);
            world.store.discard(vec![staged.file]).await;
        }
    }
    assert_eq!(staged_files(&world), Vec::<String>::new());
}

#[tokio::test]
async fn little_costs_one_write_and_one_sync_and_much_is_written_back_early() {
    let world = World::new().await;
    stage_made(&world, b"").await.unwrap();
    world.vfs.effects();
    let mut writer = begin(&world.store).await.unwrap();
    write_in(&mut writer, b"many small pieces", 3).unwrap();
    writer.finish().unwrap();
    let little = [
        "create staging/*.data 444",
        "write staging/*.data",
        "sync staging/*.data",
    ];
    assert_eq!(world.vfs.effects(), little);
    stage_made(&world, &content(6 * MIB)).await.unwrap();
    let effects = world.vfs.effects();
    let count = |effect: &str| effects.iter().filter(|found| *found == effect).count();
    assert_eq!(count("write staging/*.data"), 6);
    assert_eq!(count("sync staging/*.data early"), 1);
    assert_eq!(effects.last().unwrap(), "sync staging/*.data");
    assert_eq!(effects.len(), 9);
}

#[tokio::test]
async fn wherever_the_disk_fails_it_is_said_and_nothing_stays() {
    let content = content(6 * MIB);
    let clean = World::new().await;
    stage_made(&clean, &content).await.unwrap();
    let calls = clean.vfs.effects().len();
    assert_eq!(calls, 11);
    for errno in [Errno::IO, Errno::NOSPC, Errno::ROFS] {
        for good in 0..calls {
            let world = World::new().await;
            world.vfs.fail_after(good, errno);
            let error = stage_made(&world, &content).await.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::Unavailable,
                "{errno:?} after {good}"
            );
            assert_eq!(error.hint_text().is_some(), errno != Errno::IO);
            assert!(error.context_value("path").is_some());
            assert_eq!(staged_files(&world), Vec::<String>::new(), "after {good}");
            let effects = world.vfs.effects();
            let created = effects.iter().any(|effect| effect.starts_with("create"));
            if created {
                assert_eq!(effects.last().unwrap(), "remove staging/*.data");
                assert!(!effects.contains(&"sync staging/*.data".to_owned()));
            }
            // The next one is as good as new.
            stage_made(&world, b"x").await.unwrap();
        }
    }
}

#[tokio::test]
async fn after_an_error_every_write_fails_and_so_does_the_end() {
    let world = World::new().await;
    let mut writer = begin(&world.store).await.unwrap();
    world.vfs.fail("write", Errno::NOSPC);
    let error = write_in(&mut writer, &content(3 * MIB), MIB).unwrap_err();
    assert!(error.message().contains("no space"), "{error}");
    assert_eq!(staged_files(&world), Vec::<String>::new());
    for _ in 0..2 {
        let again = writer.write_all(b"x").unwrap_err();
        assert_eq!(again.message(), error.message());
    }
    world.vfs.effects();
    assert_eq!(writer.finish().unwrap_err().message(), error.message());
    assert_eq!(world.vfs.effects(), Vec::<String>::new());
}

#[tokio::test]
async fn a_failed_write_back_is_the_error_that_is_told() {
    let world = World::new().await;
    let mut writer = begin(&world.store).await.unwrap();
    world.vfs.fail("sync staging/*.data early", Errno::NOSPC);
    let piece = content(MIB);
    let failed = (0..1000).find_map(|_| writer.write_all(&piece).err());
    let error = failed.unwrap();
    assert!(error.message().contains("no space"), "{error}");
    assert_eq!(error.context_value("operation"), Some("sync"));
    drop(writer);
    let effects = world.vfs.effects();
    assert!(!effects.iter().any(|effect| effect.starts_with("sync")));
    assert_eq!(effects.last().unwrap(), "remove staging/*.data");
}

#[tokio::test]
async fn what_is_not_finished_does_not_stay() {
    let world = World::new().await;
    for size in [0, 10, 6 * MIB] {
        let mut writer = begin(&world.store).await.unwrap();
        write_in(&mut writer, &content(size), MIB).unwrap();
        assert_eq!(staged_files(&world).len(), 1);
        drop(writer);
        assert_eq!(staged_files(&world), Vec::<String>::new());
        let effects = world.vfs.effects();
        assert!(!effects.contains(&"sync staging/*.data".to_owned()));
    }
    // What cannot be removed is swept later.
    let writer = begin(&world.store).await.unwrap();
    world.vfs.fail("remove", Errno::IO);
    drop(writer);
    assert_eq!(staged_files(&world).len(), 1);
}

#[tokio::test]
async fn closing_does_not_pull_the_staging_area_away() {
    let world = World::new().await;
    let mut writer = begin(&world.store).await.unwrap();
    let owner = world.names("staging");
    assert_eq!(owner.len(), 2);
    world.store.close().await;
    writer.write_all(b"still here").unwrap();
    world.store.close().await;
    assert_eq!(world.names("staging"), owner);
    for store in [&sibling(&world), &world.store] {
        let report = store.sweep_staging(&permit()).await.unwrap();
        assert_eq!((report.removed, report.living_owners), (0, 1));
    }
    let staged = writer.finish().unwrap();
    let input = world.store.open_staged(&staged.file).await.unwrap();
    assert_eq!(input.size(), 10);
    world.store.discard(vec![staged.file]).await;
    world.store.close().await;
    assert_eq!(world.names("staging"), Vec::<String>::new());
}

#[tokio::test]
async fn a_writer_outlives_its_store() {
    let world = World::new().await;
    let other = sibling(&world);
    let mut writer = begin(&other).await.unwrap();
    let abandoned = begin(&other).await.unwrap();
    drop(other);
    let report = world.store.sweep_staging(&permit()).await.unwrap();
    assert_eq!((report.removed, report.living_owners), (0, 1));
    drop(abandoned);
    writer.write_all(b"x").unwrap();
    drop(writer);
    assert_eq!(world.names("staging"), Vec::<String>::new());
}

#[test]
fn what_a_dropped_caller_began_does_not_stay() {
    let one_thread = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    one_thread.block_on(async {
        let world = World::new().await;
        let (let_go, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let mut beginning = Box::pin(begin(&world.store));
        assert!(futures_util::poll!(beginning.as_mut()).is_pending());
        drop(beginning);
        let_go.send(()).unwrap();
        busy.await.unwrap().unwrap();
        // The closure of the dropped call comes before this one.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        let effects = world.vfs.effects();
        assert!(effects.contains(&"create staging/*.data 444".to_owned()));
        assert_eq!(staged_files(&world), Vec::<String>::new());
    });
}

#[tokio::test]
async fn nothing_is_staged_through_a_symbolic_link() {
    let world = World::new().await;
    let outside = world.directory.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    symlink(&outside, world.at("staging")).unwrap();
    let begun = begin(&world.store).await;
    assert_eq!(begun.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(names_in(&outside), Vec::<String>::new());
}
