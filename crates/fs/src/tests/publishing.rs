use std::os::unix::fs::PermissionsExt as _;

use artstore_core::ErrorKind;
use artstore_core::backend::PublicationLog as _;
use artstore_core::backend::{SettledItem, StagedLocation};
use artstore_core::format::Intent;
use rustix::io::Errno;

use super::*;

async fn publish(world: &World, items: Vec<PublicationItem>) -> Vec<Result<()>> {
    world
        .store
        .publish(&permit(), publication(items))
        .await
        .unwrap()
}

/// A directory that exists durably.
async fn with_directory(directory: &str) -> World {
    let world = World::new().await;
    std::fs::create_dir_all(world.at(directory)).unwrap();
    world
}

fn syncs(effects: &[String]) -> Vec<&str> {
    let syncs = effects.iter().filter(|effect| effect.starts_with("sync"));
    syncs.map(String::as_str).collect()
}

async fn intents(world: &World) -> Vec<Intent> {
    world.store.intents(&permit()).await.unwrap()
}

fn kind(result: &Result<()>) -> Option<ErrorKind> {
    result.as_ref().err().map(|error| error.kind())
}

#[tokio::test]
async fn a_lone_publish_costs_three_syncs_in_the_right_order() {
    let world = with_directory("a/d").await;
    // The first use makes the owner's and the intents' directories.
    let first = world.pair("a/d/first").await;
    assert!(publish(&world, vec![first]).await[0].is_ok());
    world.vfs.effects();

    let item = world.pair("a/d/x").await;
    let publication = publication(vec![item]);
    let id = publication.id;
    let published = world.store.publish(&permit(), publication).await.unwrap();
    assert!(published[0].is_ok());
    let intent = format!("intents/artifacts/{id}.json");
    let expected = [
        "create staging/*.data 444",
        "write staging/*.data",
        "sync staging/*.data",
        "create staging/*.json 444",
        "write staging/*.json",
        "sync staging/*.json",
        &format!("create {intent} 644"),
        &format!("write {intent}"),
        "rename staging/*.data -> a/d/x.data",
        "rename staging/*.json -> a/d/x.json",
        "sync directory a/d",
    ];
    let effects: Vec<String> = world.vfs.effects();
    let without_attempts: Vec<&String> = effects
        .iter()
        .filter(|effect| !effect.starts_with("mkdir"))
        .collect();
    assert_eq!(without_attempts, expected);

    let found = intents(&world).await;
    assert!(
        found
            .iter()
            .any(|intent| intent.id == id && intent.items.len() == 1)
    );
    assert_eq!(world.store.pending(Domain::Artifacts).await.unwrap(), 2);
    world.store.finish(&permit(), id).await.unwrap();
    world.store.finish(&permit(), id).await.unwrap();
    assert_eq!(world.store.pending(Domain::Artifacts).await.unwrap(), 1);
    for name in ["a/d/x.data", "a/d/x.json"] {
        let mode = world.at(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o333, 0, "{name}");
    }
}

#[tokio::test]
async fn directories_are_durable_before_anything_is_named_in_them() {
    let world = World::new().await;
    let item = world.pair("a/b/c/x").await;
    world.vfs.effects();
    assert!(publish(&world, vec![item]).await[0].is_ok());
    let effects = world.vfs.effects();
    let expected = [
        "sync directory .",
        "sync directory a",
        "sync directory a/b",
        "sync directory a/b/c",
    ];
    assert_eq!(syncs(&effects), expected);
    let position = |start: &str| effects.iter().position(|e| e.starts_with(start)).unwrap();
    assert!(position("sync directory a/b") < position("rename"));
    assert!(position("rename") < position("sync directory a/b/c"));
}

#[tokio::test]
async fn a_batch_syncs_each_document_and_each_directory_once() {
    let world = with_directory("d").await;
    let mut items = Vec::new();
    for number in 0..20 {
        let data = world.stage_bytes(b"data").await;
        let record = Bytes::from(format!("record {number}"));
        items.push(PublicationItem {
            op_id: OpId::new(format!("op {number}")).unwrap(),
            files: vec![(data, path(&format!("d/{number}.data")))],
            document: Some((path(&format!("d/{number}.json")), record)),
        });
    }
    world.vfs.effects();
    assert!(publish(&world, items).await.iter().all(Result::is_ok));
    let effects = world.vfs.effects();
    assert_eq!(syncs(&effects).len(), 21);
    for number in 0..20 {
        let record = std::fs::read_to_string(world.at(&format!("d/{number}.json"))).unwrap();
        assert_eq!(record, format!("record {number}"));
    }
    assert_eq!(staged_files(&world), Vec::<String>::new());
}

#[tokio::test]
async fn what_fails_before_a_name_exists_leaves_nothing() {
    for fault in [
        "create intents",
        "write intents",
        "mkdir x/y",
        "sync directory x",
    ] {
        let world = World::new().await;
        let item = world.pair("x/y/z").await;
        world.vfs.fail(fault, Errno::NOSPC);
        let failed = world
            .store
            .publish(&permit(), publication(vec![item]))
            .await;
        let error = failed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{fault}");
        assert!(error.hint_text().is_some());
        assert!(!world.at("x").exists(), "{fault}");
        assert_eq!(intents(&world).await, []);
        assert_eq!(staged_files(&world).len(), 2);
    }
}

#[tokio::test]
async fn an_item_that_fails_is_taken_back_and_its_siblings_are_not() {
    let world = with_directory("d").await;
    for (errno, expected) in [
        (Errno::IO, ErrorKind::Unavailable),
        (Errno::EXIST, ErrorKind::Conflict),
    ] {
        let (good, bad) = (world.pair("d/good").await, world.pair("d/bad").await);
        let staged = bad.files.clone();
        world.vfs.fail("rename staging/*.json -> d/bad.json", errno);
        world.vfs.effects();
        let results = publish(&world, vec![bad, good]).await;
        assert_eq!(kind(&results[0]), Some(expected));
        assert!(results[1].is_ok());
        assert_eq!(world.names("d"), ["good.data", "good.json"]);
        let back = |file: &StagedFile| match &file.location {
            StagedLocation::Staging(path) => world.at(path.as_str()).exists(),
            StagedLocation::Source(_) => false,
        };
        assert!(staged.iter().all(|(file, _)| back(file)));
        assert_eq!(syncs(&world.vfs.effects()), ["sync directory d"]);
        std::fs::remove_file(world.at("d/good.data")).unwrap();
        std::fs::remove_file(world.at("d/good.json")).unwrap();
    }
}

#[tokio::test]
async fn names_taken_back_are_synced_before_the_failure_is_told() {
    let world = with_directory("d").await;
    let item = world.pair("d/x").await;
    world.vfs.fail("rename staging/*.json", Errno::IO);
    world.vfs.effects();
    let results = publish(&world, vec![item]).await;
    assert_eq!(kind(&results[0]), Some(ErrorKind::Unavailable));
    assert_eq!(syncs(&world.vfs.effects()), ["sync directory d"]);
    assert_eq!(intents(&world).await, []);

    // If even that fails, nobody knows what a power loss would leave.
    let item = world.pair("d/y").await;
    world.vfs.fail("rename staging/*.json", Errno::IO);
    world.vfs.fail("sync directory d", Errno::IO);
    let results = publish(&world, vec![item]).await;
    assert_eq!(kind(&results[0]), Some(ErrorKind::CommitUnknown));
    assert_eq!(intents(&world).await.len(), 1);
}

#[tokio::test]
async fn names_that_exist_are_never_replaced() {
    let world = with_directory("d").await;
    for existing in ["d/x.data", "d/x.json"] {
        std::fs::write(world.at(existing), "mine").unwrap();
        let item = world.pair("d/x").await;
        let results = publish(&world, vec![item]).await;
        assert_eq!(kind(&results[0]), Some(ErrorKind::Conflict));
        assert_eq!(std::fs::read(world.at(existing)).unwrap(), b"mine");
        assert_eq!(world.names("d").len(), 1);
        assert_eq!(intents(&world).await, []);
        std::fs::remove_file(world.at(existing)).unwrap();
    }
}

#[tokio::test]
async fn an_unclear_end_is_said_and_settling_finds_out() {
    let world = with_directory("d").await;
    let item = world.pair("d/x").await;
    world.vfs.fail("sync directory d", Errno::IO);
    let results = publish(&world, vec![item]).await;
    assert_eq!(kind(&results[0]), Some(ErrorKind::CommitUnknown));
    let error = results[0].as_ref().unwrap_err();
    assert_eq!(error.context_value("op_id"), Some("d/x"));
    let intent = intents(&world).await.remove(0);
    let settled = world
        .store
        .settle_item(&permit(), &intent.items[0])
        .await
        .unwrap();
    assert_eq!(settled, SettledItem::Happened);
    world.store.finish(&permit(), intent.id).await.unwrap();

    // Taking back fails as well: the data stays, without its marker.
    let item = world.pair("d/y").await;
    world
        .vfs
        .fail("rename staging/*.json -> d/y.json", Errno::IO);
    world.vfs.fail("rename d/y.data", Errno::IO);
    let results = publish(&world, vec![item]).await;
    assert_eq!(kind(&results[0]), Some(ErrorKind::CommitUnknown));
    let intent = intents(&world).await.remove(0);
    let settled = world
        .store
        .settle_item(&permit(), &intent.items[0])
        .await
        .unwrap();
    assert!(matches!(&settled, SettledItem::TakenBack(now) if now.len() == 1));
    assert_eq!(world.names("d"), ["x.data", "x.json"]);
}

#[tokio::test]
async fn an_item_whose_document_fails_is_out_alone() {
    let world = with_directory("d").await;
    let document = |name: &str| PublicationItem {
        op_id: OpId::new(name).unwrap(),
        files: Vec::new(),
        document: Some((path(&format!("d/{name}")), Bytes::from_static(b"event"))),
    };
    // The owner's directory exists from here on.
    world.stage_bytes(b"x").await;
    world.vfs.fail("sync staging/*.json", Errno::IO);
    let results = publish(&world, vec![document("one"), document("two")]).await;
    let failed = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(failed, 1);
    assert_eq!(world.names("d").len(), 1);
    assert_eq!(staged_files(&world).len(), 1);
}

async fn adopting(world: &World, source: &Path) -> PublicationItem {
    let source = ArtifactSource::AdoptFile(source.to_owned());
    let data = world.stage(source).await.unwrap().file;
    PublicationItem {
        op_id: OpId::new("adopt").unwrap(),
        files: vec![(data, path("d/x.data"))],
        document: Some((path("d/x.json"), Bytes::from_static(b"record"))),
    }
}

#[tokio::test]
async fn adopting_moves_the_file_and_protects_it() {
    let world = with_directory("d").await;
    let source = world.source("source", b"mine");
    let item = adopting(&world, &source).await;
    assert!(source.exists());
    assert!(publish(&world, vec![item]).await[0].is_ok());
    assert!(!source.exists());
    let mode = world
        .at("d/x.data")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o222, 0);
    assert_eq!(
        intents(&world).await[0].items[0].adopted_from.as_deref(),
        source.to_str()
    );
}

#[tokio::test]
async fn a_file_that_is_not_adopted_is_as_it_was() {
    for fault in ["rename", "protect", "adopt"] {
        let world = with_directory("d").await;
        let source = world.source("source", b"mine");
        let before = source.metadata().unwrap().permissions().mode();
        let item = adopting(&world, &source).await;
        world.vfs.fail(fault, Errno::PERM);
        let results = publish(&world, vec![item]).await;
        assert_eq!(kind(&results[0]), Some(ErrorKind::Unavailable), "{fault}");
        assert_eq!(source.metadata().unwrap().permissions().mode(), before);
        assert_eq!(std::fs::read(&source).unwrap(), b"mine");
        assert_eq!(world.names("d"), Vec::<String>::new());
        assert_eq!(staged_files(&world), Vec::<String>::new());
    }
}

#[tokio::test]
async fn only_what_was_hashed_is_adopted() {
    let changes: [fn(&Path); 3] = [
        |path| std::fs::write(path, "more than it was").unwrap(),
        |path| std::fs::hard_link(path, path.with_extension("second")).unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
    ];
    let kinds = [ErrorKind::Conflict, ErrorKind::Invalid, ErrorKind::NotFound];
    for (change, expected) in changes.into_iter().zip(kinds) {
        let world = with_directory("d").await;
        let source = world.source("source", b"mine");
        let item = adopting(&world, &source).await;
        change(&source);
        let results = publish(&world, vec![item]).await;
        assert_eq!(kind(&results[0]), Some(expected));
        assert_eq!(world.names("d"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_replaced_document_is_never_torn() {
    let world = with_directory("d").await;
    std::fs::write(world.at("d/r.json"), "old").unwrap();
    world.stage_bytes(b"x").await;
    world.vfs.effects();
    let replace = || async {
        let new = Bytes::from_static(b"new");
        world
            .store
            .replace_document(&permit(), &path("d/r.json"), new)
            .await
    };
    world.vfs.fail("sync", Errno::IO);
    assert!(replace().await.is_err());
    world.vfs.fail("replace", Errno::IO);
    assert!(replace().await.is_err());
    assert_eq!(std::fs::read(world.at("d/r.json")).unwrap(), b"old");
    assert_eq!(staged_files(&world).len(), 1);
    world.vfs.effects();
    replace().await.unwrap();
    assert_eq!(std::fs::read(world.at("d/r.json")).unwrap(), b"new");
    assert_eq!(syncs(&world.vfs.effects()), ["sync staging/*.json"]);
}
