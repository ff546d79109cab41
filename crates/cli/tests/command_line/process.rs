//! Help, completions, signals.

use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::world::World;

#[test]
fn help_and_version_are_answers() {
    let world = World::new();
    let help = world.ok(&["--help"]);
    for command in [
        "init",
        "publish",
        "get",
        "list",
        "find",
        "lineage",
        "downstream",
        "supersede",
        "tombstone",
        "history",
        "tag",
        "cat",
        "export",
        "type",
        "status",
        "admin",
    ] {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command}: {help}"
        );
    }
    assert!(world.ok(&["--version"]).starts_with("artstore "));
    assert!(world.ok(&["publish", "--help"]).contains("--adopt"));
    assert!(world.ok(&["publish", "--help"]).contains("decimal(P,S)"));
    assert!(world.ok(&["type", "--help"]).contains("\n  register "));
    assert_eq!(world.run(&[]).status(), 2);
    world.fails(&["fly"], 2, "invalid", "unrecognized subcommand 'fly'");
}

#[test]
fn completions_need_no_store() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.ok(&["completions", shell]);
        assert!(
            script.contains("artstore") && script.contains("publish"),
            "{shell}"
        );
    }
    assert!(!world.root().exists());
}

#[test]
fn a_signal_ends_a_command() {
    let world = World::new();
    // More than a pipe holds: the command waits for its reader.
    let id = world.publish("k", vec![b'x'; 400_000]);
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let mut child = world
            .command(&["cat", &id])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let process = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status();
        assert!(sent.unwrap().success());
        // Its output is held open and not read until it has ended.
        let _unread = child.stdout.take();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
}
