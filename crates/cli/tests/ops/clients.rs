//! The client programs of the guide.

use std::path::{Path, PathBuf};
use std::process::Command;

use oxc_allocator::Allocator;
use oxc_codegen::Codegen;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use oxc_transformer::{TransformOptions, Transformer};
use serde_json::json;

use crate::world::{Answer, World, answer};

fn guide(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/guides")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(guide(name)).unwrap()
}

/// A program that says something unasked and is `artstore` then.
fn odd_store(world: &World) -> PathBuf {
    let ours = world.command(&[]);
    let ours = ours.get_program().to_str().unwrap();
    let unasked = r#"{"id":null,"error":"unasked","code":"invalid"}"#;
    let script = format!("#!/bin/sh\necho '{unasked}'\nexec '{ours}' \"$@\"\n");
    let path = world.path("odd_store");
    // Not written by this process: one of another test, just forked, would hold it open, and it could not be run.
    let write = r#"printf %s "$1" >"$0" && chmod 755 "$0""#;
    let mut shell = Command::new("sh");
    let written = shell.args(["-c", write]).arg(&path).arg(script).status();
    assert!(written.unwrap().success());
    path
}

/// Runs a client program with these files, in a world that knows only where programs are.
fn run(world: &World, interpreter: &str, program: &Path, files: &[&str]) -> Answer {
    let ours = world.command(&[]);
    let mut command = Command::new(interpreter);
    command
        .arg(program)
        .arg(odd_store(world))
        .args(files)
        .current_dir(world.path(""))
        .env_clear();
    for (name, value) in ours.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let found = Command::new(interpreter).arg("--version").output();
    assert!(
        found.is_ok_and(|found| found.status.success()),
        "the client for {interpreter} cannot be tested: install {interpreter}"
    );
    answer(&mut command)
}

/// What every client does: publishes all files at once, gets what it published, and fails with what the store says.
fn check(interpreter: &str, program: impl Fn(&World) -> PathBuf) {
    let world = World::new();
    let program = program(&world);
    let names: Vec<_> = (0..100).map(|number| format!("{number} é.txt")).collect();
    for name in &names {
        world.write(name, format!("content of {name}"));
    }
    let files: Vec<_> = names.iter().map(String::as_str).collect();
    let first = run(&world, interpreter, &program, &files).ok();
    let keys: Vec<_> = first
        .lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(keys, files);
    assert_eq!(
        run(&world, interpreter, &program, &files).ok(),
        first,
        "duplicates"
    );
    let counts = &world.json(&["status"])["counts"]["artifacts"];
    assert_eq!(counts["active"], json!(100));
    let failed = run(&world, interpreter, &program, &["missing.txt"]);
    assert_eq!(failed.status(), 1);
    let told = failed.stderr();
    assert!(
        told.contains("not_found") && told.contains("there is no source file"),
        "{told}"
    );
}

#[test]
fn the_python_client_publishes_and_gets() {
    check("python3", |_| guide("clients/client.py"));
}

#[test]
fn the_typescript_client_publishes_and_gets() {
    check("node", |world| {
        // Closing what is closed ends too.
        let program = without_types(&read("clients/client.ts")) + "await store.close();\n";
        world.write("client.mjs", program)
    });
}

/// The program without its types, as every TypeScript compiler and newer versions of node make it.
fn without_types(program: &str) -> String {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, program, SourceType::ts()).parse();
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let mut program = parsed.program;
    let scoping = SemanticBuilder::new()
        .build(&program)
        .semantic
        .into_scoping();
    let options = TransformOptions::default();
    let erased = Transformer::new(&allocator, Path::new("client.ts"), &options)
        .build_with_scoping(scoping, &mut program);
    assert!(erased.diagnostics.is_empty(), "{:?}", erased.diagnostics);
    Codegen::new().build(&program).code
}

#[test]
fn the_guide_shows_the_programs_as_they_are() {
    let guide = read("json-ops.md");
    for (language, name) in [("python", "clients/client.py"), ("ts", "clients/client.ts")] {
        let block = format!("```{language}\n{}```\n", read(name));
        assert!(guide.contains(&block), "the guide shows another {name}");
        assert!(guide.contains(&format!("[{name}]({name})")));
    }
}
