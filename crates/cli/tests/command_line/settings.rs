//! Where settings come from, and what is told about wrong ones.

use crate::world::{World, answer, text_of};

#[test]
fn the_command_line_wins() {
    let world = World::new();
    world.json(&["init", "--root", "other"]);
    assert!(world.path("other/artstore.json").exists() && !world.root().exists());
    let document = answer(
        world
            .command(&["init", "--json"])
            .env_remove("ARTSTORE_ROOT"),
    )
    .ok();
    assert!(
        document.contains(world.path("artstore-data").to_str().unwrap()),
        "{document}"
    );
}

#[test]
fn a_file_is_read() {
    let world = World::new();
    world.write("config.toml", "root = 'from-file'\n");
    let mut command = world.command(&["init", "--config", "config.toml"]);
    answer(command.env_remove("ARTSTORE_ROOT")).ok();
    assert!(world.path("from-file/artstore.json").exists());
    world.fails(
        &["list", "--config", "missing.toml"],
        2,
        "invalid",
        "the configuration file cannot be read",
    );
}

#[test]
fn wrong_variables_are_named() {
    let world = World::new();
    let said = answer(world.command(&["list"]).env("ARTSTORE_ROOTS", "x")).failed(2);
    assert!(
        said.starts_with(
            "error: unknown environment variable (variable: ARTSTORE_ROOTS, known: ARTSTORE_ROOT,"
        ),
        "{said}"
    );
    let said = answer(world.command(&["list"]).env("ARTIFACTS_ROOT", "/elsewhere")).failed(2);
    let expected = "error: two environment variables disagree (first: ARTSTORE_ROOT=store, second: ARTIFACTS_ROOT=/elsewhere)\n\
                    hint: unset ARTIFACTS_ROOT, or give both the same value\n";
    assert_eq!(said, expected);
    let said = answer(world.command(&["init"]).env("ARTSTORE_CATALOG", "oracle:x")).failed(2);
    assert!(
        said.contains("known: sqlite") && said.contains("environment variable ARTSTORE_CATALOG"),
        "{said}"
    );
}

#[test]
fn a_catalog_elsewhere_is_remembered() {
    let world = World::new();
    let catalog = world.path("elsewhere.sqlite");
    let mut command = world.command(&["init"]);
    answer(command.env("ARTIFACT_MANIFEST_DB", &catalog)).ok();
    let id = world.publish("k", "hello");
    assert!(catalog.exists() && !world.path("store/catalog.sqlite").exists());
    assert_eq!(text_of(&world.json(&["get", &id]), "artifactId"), id);
    let mut command = world.command(&["list"]);
    let said = answer(command.env("ARTSTORE_CATALOG", "sqlite:catalog.sqlite")).failed(4);
    assert!(
        said.starts_with("error: the store has another catalog than the settings say"),
        "{said}"
    );
}

#[test]
fn logs_go_to_standard_error() {
    let world = World::new();
    let answer = world.run(&[
        "init",
        "--log",
        "artstore_context=debug",
        "--log-format",
        "json",
    ]);
    assert_eq!(answer.status(), 0);
    let line: serde_json::Value =
        serde_json::from_str(answer.stderr().lines().next().unwrap()).unwrap();
    assert_eq!(line["fields"]["message"], "store opened");
    let answer = world.run(&["status", "--log", "artstore_context=debug"]);
    assert!(
        answer.stderr().contains("store opened"),
        "{}",
        answer.stderr()
    );
    world.fails(
        &["list", "--log", "=/="],
        2,
        "invalid",
        "the log filter is not understood",
    );
    world.fails(
        &["list", "--log-format", "xml"],
        2,
        "invalid",
        "invalid value 'xml' for '--log-format <FORMAT>'",
    );
}
