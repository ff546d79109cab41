use artstore_core::artifact::ArtifactStatus;
use artstore_core::lineage::WalkLimits;

use super::*;
use crate::samples::{id, lineage};

/// The tree of `uses` with `n<number>` for ids.
fn drawn(uses: &[(u32, u32, &str)]) -> String {
    let lineage = lineage(uses, WalkLimits::UNLIMITED);
    short(&tree(&lineage, Direction::Inputs))
}

fn short(text: &str) -> String {
    text.replace("01932c07-7f3e-7cc2-9a52-00000000000", "n")
}

#[test]
fn a_lone_artifact_is_one_line() {
    assert_eq!(drawn(&[]), "n0  step  key 0  active\n");
}

#[test]
fn a_diamond_is_drawn_once_and_referred_to() {
    let uses = [
        (0, 1, "left"),
        (0, 2, "right"),
        (1, 3, ""),
        (2, 3, ""),
        (3, 4, "raw"),
    ];
    let expected = "\
n0  step  key 0  active
├─ n1  step  key 1  active  as left
│  └─ n3  step  key 3  active
│     └─ n4  step  key 4  active  as raw
└─ n2  step  key 2  active  as right
   └─ n3  step  key 3  active  (see above)
";
    assert_eq!(drawn(&uses), expected);
}

#[test]
fn several_roles_of_one_input_share_a_line() {
    let uses = [(0, 1, "a"), (0, 2, ""), (0, 1, "b\nc")];
    let expected = "\
n0  step  key 0  active
├─ n1  step  key 1  active  as a, b\\nc
└─ n2  step  key 2  active
";
    assert_eq!(drawn(&uses), expected);
}

#[test]
fn downstream_is_drawn_the_other_way() {
    let mut lineage = lineage(&[(0, 1, "a")], WalkLimits::UNLIMITED);
    for edge in &mut lineage.edges {
        std::mem::swap(&mut edge.input, &mut edge.output);
    }
    lineage.nodes[0].artifact.status = ArtifactStatus::Superseded;
    assert_eq!(
        short(&tree(&lineage, Direction::Downstream)),
        "n0  step  key 0  active\n└─ n1  step  key 1  superseded  as a\n"
    );
}

#[test]
fn what_is_left_out_or_lost_is_told() {
    let mut lineage = lineage(&[(0, 1, ""), (0, 2, "")], WalkLimits::new(None, 1).unwrap());
    assert!(lineage.truncated);
    lineage.missing.push(id(1));
    lineage.nodes.clear();
    assert_eq!(
        short(&tree(&lineage, Direction::Inputs)),
        "n0  step  key 0  active\n└─ n1  (its record is lost)\n\n\
         truncated: there are more than these 0 artifacts; ask for more with --limit\n"
    );
}

#[test]
fn a_cycle_ends() {
    let text = drawn(&[(0, 1, ""), (1, 0, "")]);
    assert!(
        text.ends_with("└─ n0  step  key 0  active  (see above)\n"),
        "{text}"
    );
}

#[test]
fn two_to_the_thirtieth_ways_are_as_many_lines_as_edges() {
    let mut uses = Vec::new();
    for level in 0..30 {
        for side in [1, 2] {
            uses.push((level * 3, level * 3 + side, ""));
            uses.push((level * 3 + side, level * 3 + 3, ""));
        }
    }
    let text = drawn(&uses);
    let top_lines = text
        .lines()
        .filter(|line| !line.starts_with(['│', '├', '└', ' ']));
    // Every branch that goes on below begins with a line of its own, after an empty one.
    let added = (top_lines.filter(|line| !line.is_empty()).count() - 1) * 2;
    assert_eq!(text.lines().count(), 1 + uses.len() + added);
}

#[test]
fn a_long_chain_goes_on_below() {
    const LENGTH: u32 = 100_000;
    let uses: Vec<_> = (0..LENGTH).map(|number| (number, number + 1, "")).collect();
    let lineage = lineage(&uses, WalkLimits::UNLIMITED);
    let text = tree(&lineage, Direction::Inputs);
    for number in 0..=LENGTH {
        if number % 9973 == 0 || number == LENGTH {
            assert!(text.contains(&id(number).to_string()), "{number}");
        }
    }
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest < 200, "{longest}");
    assert!(!text.contains("see"), "nothing is reached twice");
    let deferred = text.matches("(continued below)").count();
    assert_eq!(deferred, text.matches("\n\n").count());
    let lines = text.lines().filter(|line| !line.is_empty()).count();
    assert_eq!(lines, LENGTH as usize + 1 + deferred);
}
