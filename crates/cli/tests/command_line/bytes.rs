//! cat, export.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::world::{NOBODY, World, overwrite};

#[test]
fn cat_writes_the_bytes_and_nothing_else() {
    let world = World::new();
    let content: Vec<u8> = (0..700_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let id = world.publish("k", &content);
    for arguments in [&["cat", &id][..], &["--json", "cat", &id]] {
        let answer = world.run(arguments);
        assert_eq!((answer.status(), answer.stderr().as_str()), (0, ""));
        assert!(answer.0.stdout == content);
    }
    let empty = world.publish("empty", "");
    assert_eq!(world.ok(&["cat", &empty]), "");
    world.fails(&["cat", NOBODY], 3, "not_found", "");
}

#[test]
fn cat_tells_damage_after_the_last_byte() {
    let world = World::new();
    let id = world.publish("k", "hello");
    overwrite(&world.stored(&id), "jello");
    let answer = world.run(&["cat", &id]);
    assert_eq!(answer.status(), 5);
    assert_eq!(answer.0.stdout, b"jello");
    assert!(answer.stderr().starts_with("error: "));
    overwrite(&world.stored(&id), "hell");
    world.fails(&["cat", &id], 5, "corrupt", "");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let world = World::new();
    let id = world.publish("k", vec![b'x'; 400_000]);
    let mut child = world
        .command(&["cat", &id])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_full_disk_is_told() {
    let world = World::new();
    let id = world.publish("k", "hello");
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let output = world.command(&["get", &id]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("error: standard output cannot be written\ncause: No space left"),
        "{stderr}"
    );
}

#[test]
fn export_makes_a_file() {
    let world = World::new();
    let id = world.publish("k", "hello");
    let target = world.path("out.txt");
    let document = world.json(&["export", &id, "-o", "out.txt"]);
    assert_eq!(
        document,
        json!({
            "artifactId": id,
            "path": target,
            "sizeBytes": 5,
            "fileHash": "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        })
    );
    assert_eq!(std::fs::read(&target).unwrap(), b"hello");
    let mode = std::fs::metadata(&target).unwrap().permissions().mode();
    let plain = world.write("plain.txt", "");
    assert_eq!(mode, std::fs::metadata(plain).unwrap().permissions().mode());
    let text = world.ok(&["export", &id, "--output", "again.txt"]);
    let again = world.path("again.txt");
    assert_eq!(
        text,
        format!("exported: {id}\nfile: {}\nbytes: 5\n", again.display())
    );
}

#[test]
fn export_replaces_only_when_told() {
    let world = World::new();
    let id = world.publish("k", "hello");
    world.write("out.txt", "mine");
    world.fails(
        &["export", &id, "-o", "out.txt"],
        4,
        "already_exists",
        "the target exists",
    );
    assert_eq!(std::fs::read(world.path("out.txt")).unwrap(), b"mine");
    world.ok(&["export", &id, "-o", "out.txt", "--force"]);
    assert_eq!(std::fs::read(world.path("out.txt")).unwrap(), b"hello");
    let refused = [
        (world.path("."), 2, "invalid", "the target is a directory"),
        (
            world.path("missing/x"),
            3,
            "not_found",
            "the target's directory does not exist",
        ),
    ];
    for (target, status, code, message) in refused {
        let arguments = ["export", &id, "--force", "-o", target.to_str().unwrap()];
        world.fails(&arguments, status, code, message);
    }
}

#[test]
fn export_leaves_nothing_of_damaged_bytes() {
    let world = World::new();
    let id = world.publish("k", "hello");
    overwrite(&world.stored(&id), "jello");
    std::fs::create_dir(world.path("out")).unwrap();
    world.fails(&["export", &id, "-o", "out/x"], 5, "corrupt", "");
    assert_eq!(std::fs::read_dir(world.path("out")).unwrap().count(), 0);
}
