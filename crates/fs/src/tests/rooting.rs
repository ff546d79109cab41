use artstore_core::ErrorKind;
use artstore_core::backend::RootState;
use rustix::io::Errno;

use super::*;

const DOCUMENT: Bytes = Bytes::from_static(b"document");

#[tokio::test]
async fn a_root_is_made_durably() {
    let world = World::empty();
    assert_eq!(world.store.state().await.unwrap(), RootState::Empty);
    assert!(!world.at("").exists());
    assert_eq!(world.store.initialize(DOCUMENT).await.unwrap(), DOCUMENT);
    let effects = world.vfs.effects();
    assert_eq!(effects[0], "create root");
    assert!(effects[1].starts_with("create .artstore.json."));
    assert!(effects[3].starts_with("sync .artstore.json."));
    assert!(effects[4].ends_with("-> artstore.json"));
    assert_eq!(effects[5], "sync directory .");
    assert_eq!(
        world.store.state().await.unwrap(),
        RootState::Store(DOCUMENT)
    );

    let other = world.store.initialize(Bytes::from_static(b"other")).await;
    assert_eq!(other.unwrap(), DOCUMENT);
    assert_eq!(world.names(""), ["artstore.json"]);
}

#[tokio::test]
async fn of_many_initialisers_one_wins() {
    let world = World::empty();
    let attempts = (0..8).map(|number| {
        let vfs = Arc::new(RealVfs::new(world.at("")));
        let store = FsStore::new(vfs, Arc::new(Ids));
        async move { store.initialize(Bytes::from(format!("{number}"))).await }
    });
    let documents: Vec<Bytes> = futures_util::future::try_join_all(attempts).await.unwrap();
    let winner = std::fs::read(world.at("artstore.json")).unwrap();
    assert!(documents.iter().all(|document| *document == winner));
    assert_eq!(world.names(""), ["artstore.json"]);
}

#[tokio::test]
async fn foreign_directories_are_left_alone() {
    let world = World::empty();
    std::fs::create_dir(world.at("")).unwrap();
    let leftover = format!(".artstore.json.{}", Uuid::now_v7());
    std::fs::write(world.at(&leftover), "").unwrap();
    assert_eq!(world.store.state().await.unwrap(), RootState::Empty);
    std::fs::write(world.at("thesis.doc"), "x").unwrap();
    let foreign = RootState::Foreign("thesis.doc".to_owned());
    assert_eq!(world.store.state().await.unwrap(), foreign);
    let error = world.store.initialize(DOCUMENT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(world.names(""), [leftover.as_str(), "thesis.doc"]);
}

#[tokio::test]
async fn a_file_is_no_root() {
    let world = World::empty();
    let file = world.source("root", b"x");
    assert_eq!(
        world.store.state().await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    let below = FsStore::new(Arc::new(RealVfs::new(file.join("deep"))), Arc::new(Ids));
    assert_eq!(below.state().await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(
        below.initialize(DOCUMENT).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[tokio::test]
async fn a_failed_initialisation_can_be_repeated() {
    for fault in ["create .artstore", "write", "sync .artstore", "rename"] {
        let world = World::empty();
        world.vfs.fail(fault, Errno::NOSPC);
        let error = world.store.initialize(DOCUMENT).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{fault}");
        assert_eq!(world.names(""), Vec::<String>::new());
        assert_eq!(world.store.initialize(DOCUMENT).await.unwrap(), DOCUMENT);
    }
}
