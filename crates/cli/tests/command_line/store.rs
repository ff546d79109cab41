//! init, status, admin, and roots that are no stores.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt};

use serde_json::json;

use crate::world::{NOBODY, World, overwrite, text_of};

#[test]
fn init_is_idempotent() {
    let world = World::new();
    let first = world.json(&["init"]);
    assert_eq!(text_of(&first, "root"), world.root().to_str().unwrap());
    assert_eq!(
        (
            &first["counts"],
            &first["bytes"],
            &first["pending"],
            &first["healthy"]
        ),
        (
            &json!({"artifacts": {"active": 0, "superseded": 0, "tombstoned": 0}}),
            &json!(0),
            &json!(0),
            &json!(true)
        )
    );
    assert!(first.get("dumpDigest").is_none());
    assert_eq!(world.json(&["init"]), first);
    assert_eq!(world.json(&["status"]), first);
}

#[test]
fn status_in_text() {
    let world = World::new();
    world.publish("k", "hello");
    let document = world.json(&["status", "--digest"]);
    let expected = format!(
        "store: {}\nroot: {}\ncreated: {}\nartifacts: 1 active, 0 superseded, 0 tombstoned\nbytes: 5\npending: 0\n\
         healthy: yes\ndump digest: {}\n",
        text_of(&document, "storeId"),
        world.root().display(),
        text_of(&document, "createdAt"),
        text_of(&document, "dumpDigest"),
    );
    assert_eq!(world.ok(&["status", "--digest"]), expected);
}

#[test]
fn reading_needs_a_store() {
    let world = World::new();
    let message = format!("there is no store at {}", world.root().display());
    for arguments in [
        &["list"][..],
        &["get", NOBODY],
        &["find", "t", "k"],
        &["cat", NOBODY],
        &["export", NOBODY, "-o", "x"],
        &["tag", NOBODY, "a=1"],
        &["lineage", NOBODY],
        &["downstream", NOBODY],
        &["supersede", NOBODY, NOBODY],
        &["tombstone", NOBODY, "--reason", "x"],
        &["history", NOBODY],
        &["type", "list"],
        &["type", "show", "t"],
        &["status"],
        &["admin", "settle"],
        &["admin", "rebuild"],
        &["admin", "dump", "--canonical"],
    ] {
        world.fails(arguments, 3, "not_found", &message);
    }
    let said = world.run(&["list"]).failed(3);
    assert_eq!(
        said,
        format!("error: {message}\nhint: make one with `artstore init`\n")
    );
    assert!(!world.root().exists());
}

#[test]
fn a_foreign_directory_is_refused() {
    let world = World::new();
    std::fs::create_dir(world.root()).unwrap();
    world.write("store/mine.txt", "mine");
    world.write("a.txt", "hello");
    let message = "the directory is not a store and not empty";
    world.fails(&["init"], 4, "conflict", message);
    world.fails(
        &["publish", "a.txt", "--type", "t", "--key", "k"],
        4,
        "conflict",
        message,
    );
    world.fails(&["list"], 4, "conflict", message);
    assert_eq!(std::fs::read_dir(world.root()).unwrap().count(), 1);
}

#[test]
fn a_file_is_no_root() {
    let world = World::new();
    world.write("store", "mine");
    world.fails(
        &["init"],
        2,
        "invalid",
        "the store's root is not a directory",
    );
}

#[test]
fn a_damaged_store_document_is_told() {
    let world = World::new();
    world.json(&["init"]);
    overwrite(&world.path("store/artstore.json"), "garbage");
    world.fails(&["list"], 5, "corrupt", "");
    world.fails(&["init"], 5, "corrupt", "");
    assert_eq!(
        std::fs::read(world.path("store/artstore.json")).unwrap(),
        b"garbage"
    );
}

#[test]
fn a_newer_store_is_refused_by_name() {
    let world = World::new();
    world.json(&["init"]);
    let path = world.path("store/artstore.json");
    let text = std::fs::read_to_string(&path).unwrap();
    overwrite(
        &path,
        text.replace("\"format_version\": 1", "\"format_version\": 99"),
    );
    world.fails(&["list"], 7, "unsupported", "");
    let said = world.run(&["list"]).failed(7);
    assert!(said.contains("99"), "{said}");
}

#[test]
fn a_root_that_may_not_be_written_is_told() {
    if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        return;
    }
    let world = World::new();
    world.write("a.txt", "hello");
    std::fs::create_dir(world.root()).unwrap();
    std::fs::set_permissions(world.root(), PermissionsExt::from_mode(0o555)).unwrap();
    world.fails(&["init"], 6, "unavailable", "permission denied");
    std::fs::set_permissions(world.root(), PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_deleted_catalog_comes_back() {
    let world = World::new();
    let id = world.publish("a", "one");
    world.publish("b", "two");
    world.ok(&["tag", &id, "k=v"]);
    let before = world.ok(&["list", "--json"]);
    let digest = text_of(&world.json(&["status", "--digest"]), "dumpDigest").to_owned();
    for entry in std::fs::read_dir(world.root()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("catalog.sqlite")
        {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(world.ok(&["list", "--json"]), before);
    assert_eq!(
        text_of(&world.json(&["status", "--digest"]), "dumpDigest"),
        digest
    );
}

#[test]
fn rebuild_changes_no_fact() {
    let world = World::new();
    let id = world.publish("a", "one");
    world.ok(&["tag", &id, "k=v"]);
    let dump = world.ok(&["admin", "dump", "--canonical"]);
    assert_eq!(dump.lines().count(), 2);
    for line in dump.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let report = world.json(&["admin", "rebuild"]);
    assert_eq!(
        (
            &report["records"],
            &report["events"],
            &report["checked"],
            &report["faults"]
        ),
        (&json!(1), &json!(1), &json!(2), &json!([]))
    );
    assert_eq!(text_of(&report, "summary"), "1 record, 1 event, no faults");
    assert_eq!(world.ok(&["admin", "dump", "--canonical"]), dump);
    let text = world.ok(&["admin", "rebuild"]);
    assert!(
        text.starts_with("rebuilt from: 1 record, 1 event, no faults\n"),
        "{text}"
    );
    world.fails(
        &["admin", "dump"],
        2,
        "invalid",
        "the following required arguments were not provided",
    );
}

#[test]
fn settle_reports_what_it_found() {
    let world = World::new();
    let id = world.publish("a", "one");
    assert_eq!(
        world.ok(&["admin", "settle"]),
        "settled: 0 intents, 0 adopted, 0 files swept, no faults\n"
    );
    std::fs::remove_file(world.stored(&id)).unwrap();
    let answer = world.run(&["--json", "--log", "off", "admin", "settle"]);
    assert_eq!((answer.status(), answer.stderr().as_str()), (5, ""));
    let report: serde_json::Value = serde_json::from_slice(&answer.0.stdout).unwrap();
    assert_eq!(report["checked"], 1);
    assert_eq!(report["comparedAll"], true);
    assert_eq!(
        report["faults"][0]["kind"], "record_without_bytes",
        "{report}"
    );
}

#[test]
fn a_held_lock_makes_changes_busy() {
    let world = World::new();
    let id = world.publish("a", "one");
    let locks: Vec<_> = std::fs::read_dir(world.path("store/locks"))
        .unwrap()
        .map(|entry| std::fs::File::open(entry.unwrap().path()).unwrap())
        .collect();
    for lock in &locks {
        lock.lock().unwrap();
    }
    let mut command = world.command(&["tag", &id, "a=1"]);
    command.env("ARTSTORE_LOCK_PATIENCE_SECONDS", "0");
    let said = crate::world::answer(&mut command).failed(6);
    assert!(said.starts_with("error: "), "{said}");
    // Readers wait for nobody.
    assert_eq!(world.json(&["get", &id])["tags"], json!({}));
}

#[test]
fn a_command_leaves_nothing_in_staging() {
    let world = World::new();
    for number in 0..20 {
        world.publish(&number.to_string(), number.to_string());
        let left = std::fs::read_dir(world.path("store/staging")).unwrap();
        assert_eq!(left.count(), 0, "after publish {number}");
    }
}
