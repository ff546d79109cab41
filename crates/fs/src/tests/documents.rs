use std::os::unix::fs::{PermissionsExt as _, symlink};

use artstore_core::ErrorKind;
use artstore_core::backend::PublicationLog as _;
use rustix::io::Errno;

use super::*;

const OLD: &[u8] = b"{\"old\": 1}";
const NEW: &[u8] = b"{\"new\": 22}";

async fn put(world: &World, at: &str, document: &'static [u8]) -> Result<()> {
    let document = Bytes::from_static(document);
    world
        .store
        .put_document(&permit(), &path(at), document)
        .await
}

/// A store with an own staging directory, so that only what putting does is written down.
async fn warm() -> World {
    let world = World::new().await;
    let staged = world.stage_document(b"x").await;
    world.store.discard(vec![staged]).await;
    world.vfs.effects();
    world
}

#[tokio::test]
async fn a_document_is_put_durably() {
    let world = warm().await;
    put(&world, "types/deep/a.json", OLD).await.unwrap();
    let first = [
        "create staging/*.json 444",
        "write staging/*.json",
        "sync staging/*.json",
        "mkdir types/deep",
        "mkdir types",
        "mkdir types/deep",
        "sync directory types",
        "sync directory .",
        "replace staging/*.json -> types/deep/a.json",
        "sync directory types/deep",
    ];
    assert_eq!(world.vfs.effects(), first);

    put(&world, "types/deep/a.json", NEW).await.unwrap();
    // A directory that exists may have been made by somebody who was killed before it was synced.
    assert_eq!(world.vfs.effects()[4..], first[6..]);
    let read = world.store.read_document(&path("types/deep/a.json")).await;
    assert_eq!(read.unwrap().unwrap(), NEW);
    let mode = world
        .at("types/deep/a.json")
        .metadata()
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o333, 0);
    assert_eq!(staged_files(&world), Vec::<String>::new());

    put(&world, "top.json", NEW).await.unwrap();
    let effects = world.vfs.effects();
    assert_eq!(
        effects[3..],
        ["replace staging/*.json -> top.json", "sync directory ."]
    );
}

#[tokio::test]
async fn wherever_the_disk_fails_the_old_document_or_the_new_one_is_there() {
    for errno in [Errno::IO, Errno::NOSPC, Errno::ROFS] {
        for old in [None, Some(OLD)] {
            for good in 0.. {
                let world = warm().await;
                if let Some(old) = old {
                    put(&world, "types/a.json", old).await.unwrap();
                    world.vfs.effects();
                }
                world.vfs.fail_after(good, errno);
                let result = put(&world, "types/a.json", NEW).await;
                let there = std::fs::read(world.at("types/a.json")).ok();
                assert_eq!(staged_files(&world), Vec::<String>::new(), "after {good}");
                let Err(error) = result else {
                    assert!(good >= 6, "{good}");
                    assert_eq!(there.as_deref(), Some(NEW));
                    break;
                };
                assert_eq!(
                    error.kind(),
                    ErrorKind::Unavailable,
                    "{errno:?} after {good}"
                );
                assert_eq!(error.hint_text().is_some(), errno != Errno::IO);
                let effects = world.vfs.effects();
                let is_replaced = effects.iter().any(|effect| effect.starts_with("replace"));
                let expected = if is_replaced { Some(NEW) } else { old };
                assert_eq!(there.as_deref(), expected, "after {good}");
                let syncs = effects
                    .iter()
                    .filter(|effect| *effect == "sync directory .");
                if old.is_none() && syncs.count() == 0 {
                    assert!(!world.at("types").exists(), "after {good}");
                }
                put(&world, "types/a.json", NEW).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_put_through_a_symbolic_link() {
    let world = warm().await;
    let outside = world.directory.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let mine = world.source("mine.json", b"mine");
    symlink(&outside, world.at("types")).unwrap();
    for wrong in ["types/a.json", "types/deep/a.json"] {
        let result = put(&world, wrong, NEW).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Corrupt, "{wrong}");
    }
    assert_eq!(names_in(&outside), Vec::<String>::new());
    assert_eq!(staged_files(&world), Vec::<String>::new());

    // A link in its own place is replaced, not followed.
    symlink(&mine, world.at("link.json")).unwrap();
    put(&world, "link.json", NEW).await.unwrap();
    assert_eq!(std::fs::read(&mine).unwrap(), b"mine");
    assert!(!world.at("link.json").is_symlink());
}

#[tokio::test]
async fn a_directory_is_not_replaced_by_a_document() {
    let world = warm().await;
    std::fs::create_dir_all(world.at("types/a.json")).unwrap();
    let result = put(&world, "types/a.json", NEW).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(staged_files(&world), Vec::<String>::new());
}

#[test]
fn the_permit_is_kept_until_the_document_is_there() {
    let one_thread = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    one_thread.block_on(async {
        let world = World::new().await;
        let hold: Arc<dyn LockHold> = Arc::new(NoHold);
        let held = Arc::downgrade(&hold);
        let permit = LockPermit::new(Domain::Artifacts, hold);
        let (let_go, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let at = path("types/a.json");
        let document = Bytes::from_static(NEW);
        let mut putting = Box::pin(world.store.put_document(&permit, &at, document));
        assert!(futures_util::poll!(putting.as_mut()).is_pending());
        drop(putting);
        drop(permit);
        assert!(held.upgrade().is_some());
        let_go.send(()).unwrap();
        busy.await.unwrap().unwrap();
        // The closure of the dropped call comes before this one.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert!(held.upgrade().is_none());
        assert_eq!(std::fs::read(world.at("types/a.json")).unwrap(), NEW);
    });
}
