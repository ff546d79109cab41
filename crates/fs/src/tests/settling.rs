use artstore_core::ErrorKind;
use artstore_core::backend::{PublicationLog as _, SettledItem};
use artstore_core::format::IntentItem;
use rustix::io::Errno;

use super::*;

fn item(before: &[&str], marker: &str, adopted_from: Option<&Path>) -> IntentItem {
    IntentItem {
        op_id: OpId::new("op").unwrap(),
        before: before.iter().map(|name| path(name)).collect(),
        marker: path(marker),
        adopted_from: adopted_from.map(|path| path.to_str().unwrap().to_owned()),
    }
}

async fn settle(world: &World, item: &IntentItem) -> SettledItem {
    world.store.settle_item(&permit(), item).await.unwrap()
}

async fn with_data() -> World {
    let world = World::new().await;
    std::fs::create_dir_all(world.at("a/d")).unwrap();
    std::fs::write(world.at("a/d/x.data"), "data").unwrap();
    world.vfs.effects();
    world
}

#[tokio::test]
async fn an_item_with_its_marker_happened_and_is_made_durable() {
    let world = with_data().await;
    std::fs::write(world.at("a/d/x.json"), "record").unwrap();
    let item = item(&["a/d/x.data"], "a/d/x.json", None);
    assert_eq!(settle(&world, &item).await, SettledItem::Happened);
    let expected = ["sync directory .", "sync directory a", "sync directory a/d"];
    assert_eq!(world.vfs.effects(), expected);

    world.vfs.fail("sync directory a", Errno::IO);
    let failed = world.store.settle_item(&permit(), &item).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn data_without_its_marker_goes_to_quarantine() {
    let world = with_data().await;
    let item = item(&["a/d/x.data"], "a/e/x.json", None);
    let SettledItem::TakenBack(now_at) = settle(&world, &item).await else {
        panic!("it did not happen");
    };
    assert!(now_at[0].starts_with("quarantine/") && now_at[0].ends_with("__a_d_x.data"));
    assert_eq!(std::fs::read(world.at(&now_at[0])).unwrap(), b"data");
    let effects = world.vfs.effects();
    for synced in [".", "a", "a/d", "quarantine"] {
        assert!(
            effects.contains(&format!("sync directory {synced}")),
            "{synced}"
        );
    }
    assert_eq!(
        settle(&world, &item).await,
        SettledItem::TakenBack(Vec::new())
    );
}

#[tokio::test]
async fn an_adopted_file_goes_home_if_its_name_is_free() {
    let world = with_data().await;
    let home = world.directory.path().join("home");
    let item = item(&["a/d/x.data"], "a/d/x.json", Some(&home));
    let went_home = SettledItem::TakenBack(vec![home.to_str().unwrap().to_owned()]);
    assert_eq!(settle(&world, &item).await, went_home);
    assert_eq!(std::fs::read(&home).unwrap(), b"data");

    std::fs::write(world.at("a/d/x.data"), "second").unwrap();
    let SettledItem::TakenBack(now_at) = settle(&world, &item).await else {
        panic!("it did not happen");
    };
    assert!(now_at[0].starts_with("quarantine/"));
    assert_eq!(std::fs::read(&home).unwrap(), b"data");
}

#[tokio::test]
async fn quarantine_keeps_names_apart_and_findable() {
    let world = with_data().await;
    let first = world
        .store
        .quarantine(&permit(), &path("a/d/x.data"))
        .await
        .unwrap();
    std::fs::write(world.at("a/d/x.data"), "again").unwrap();
    let second = world
        .store
        .quarantine(&permit(), &path("a/d/x.data"))
        .await
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(std::fs::read(world.at(first.as_str())).unwrap(), b"data");

    let long = format!("a/{}", "語".repeat(80));
    std::fs::write(world.at(&long), "x").unwrap();
    let long = world
        .store
        .quarantine(&permit(), &path(&long))
        .await
        .unwrap();
    assert!(long.as_str().ends_with("語語"));

    let missing = world.store.quarantine(&permit(), &path("a/d/none")).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn torn_intents_are_removed_and_newer_ones_are_not() {
    let world = World::new().await;
    let directory = world.at("intents/artifacts");
    std::fs::create_dir_all(&directory).unwrap();
    let torn = directory.join(format!("{}.json", Uuid::now_v7()));
    std::fs::write(&torn, "{\"format\": \"artstore.int").unwrap();
    std::fs::write(directory.join("notes.txt"), "x").unwrap();
    assert_eq!(world.store.pending(Domain::Artifacts).await.unwrap(), 1);
    assert_eq!(world.store.intents(&permit()).await.unwrap(), []);
    assert!(!torn.exists() && directory.join("notes.txt").exists());

    let newer = "{\"format\": \"artstore.intent\", \"format_version\": 99}";
    std::fs::write(&torn, newer).unwrap();
    let error = world.store.intents(&permit()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(torn.exists());
}
