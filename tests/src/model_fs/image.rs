//! What a crash leaves.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use super::disk::{Disk, Inode, Node, UserMove};

/// So many unsynced changes are tried in every combination.
const EXHAUSTIVE_CHANGES: usize = 12;

/// A disk as a crash left it.
#[derive(Debug, Clone)]
pub struct DurableImage {
    disk: Disk,
}

impl DurableImage {
    pub(super) fn after_kill(disk: &Disk) -> Self {
        let mut disk = disk.clone();
        disk.forget_unreachable();
        Self { disk }
    }

    pub(super) fn into_disk(self) -> Disk {
        self.disk
    }

    /// The disk that the crash left.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (inode, node) in &self.disk.nodes {
            inode.hash(&mut hasher);
            match node.as_ref() {
                Node::File(file) => file.bytes.hash(&mut hasher),
                Node::Directory(directory) => directory.entries.hash(&mut hasher),
            }
        }
        hasher.finish()
    }
}

impl Disk {
    /// What a kill leaves.
    pub fn kill_image(&self) -> DurableImage {
        DurableImage::after_kill(self)
    }

    /// What a loss of power may leave; see [`super::ModelVfs::crash_states`].
    pub fn crash_states(&self, limit: usize, seed: u64) -> CrashStates {
        CrashStates::of(self, limit, seed)
    }
}

/// What a loss of power may leave of one disk, without repetitions.
#[derive(Debug)]
pub struct CrashStates {
    disk: Arc<Disk>,
    choices: Arc<[Choice]>,
    planned: std::vec::IntoIter<Vec<usize>>,
    random: Random,
    /// How many more states may be made by chance.
    tries: usize,
    limit: usize,
    seen: BTreeSet<u64>,
}

/// Something that may survive in several ways: the first is as if nothing unsynced survived.
#[derive(Debug)]
struct Choice {
    subject: Subject,
    /// How many ways there are.
    ways: usize,
    /// The way in which everything survives.
    everything: usize,
}

#[derive(Debug)]
enum Subject {
    /// What a name stands for.
    Name {
        directory: Inode,
        name: OsString,
        results: Vec<(Option<Inode>, Option<UserMove>)>,
    },
    /// What a file holds.
    File {
        inode: Inode,
        contents: Vec<Vec<u8>>,
    },
}

impl CrashStates {
    pub(super) fn of(disk: &Disk, limit: usize, seed: u64) -> Self {
        let choices = choices_of(disk);
        let mut random = Random::new(seed);
        let plan = plan_of(&choices, limit, &mut random);
        Self {
            disk: Arc::new(disk.clone()),
            choices: choices.into(),
            planned: plan.selections.into_iter(),
            random,
            tries: if plan.is_complete { 0 } else { 2 * limit },
            limit: limit.max(2),
            seen: BTreeSet::new(),
        }
    }

    fn by_chance(&mut self) -> Option<Vec<usize>> {
        self.tries = self.tries.checked_sub(1)?;
        let random = &mut self.random;
        Some(
            self.choices
                .iter()
                .map(|choice| random.below(choice.ways))
                .collect(),
        )
    }

    fn image(&self, selection: &[usize]) -> DurableImage {
        let mut disk = (*self.disk).clone();
        for node in disk.nodes.values_mut() {
            let is_clean = match node.as_ref() {
                Node::File(file) => file.unsynced.is_empty() && !file.sync_failed,
                Node::Directory(directory) => directory.unsynced.is_empty(),
            };
            if is_clean {
                continue;
            }
            match Arc::make_mut(node) {
                Node::File(file) => {
                    file.bytes.clone_from(&file.durable);
                    file.unsynced.clear();
                    file.sync_failed = false;
                }
                Node::Directory(directory) => {
                    directory.entries.clone_from(&directory.durable);
                    directory.unsynced.clear();
                }
            }
        }
        for (choice, way) in self.choices.iter().zip(selection) {
            choice.make(*way, &mut disk);
        }
        self.keep_moves_whole(&mut disk);
        for node in disk.nodes.values_mut() {
            match Arc::make_mut(node) {
                Node::File(file) => file.durable.clone_from(&file.bytes),
                Node::Directory(directory) => directory.durable.clone_from(&directory.entries),
            }
        }
        disk.forget_unreachable();
        DurableImage { disk }
    }

    /// A user's file that was moved across the border has either the old name or the new one.
    fn keep_moves_whole(&self, disk: &mut Disk) {
        for choice in self.choices.iter() {
            let Subject::Name {
                directory,
                name,
                results,
            } = &choice.subject
            else {
                continue;
            };
            let Some(user_move) = results.iter().find_map(|(_, user_move)| *user_move) else {
                continue;
            };
            let names = disk.links(user_move.inode);
            let Some(Node::Directory(directory)) = disk.nodes.get_mut(directory).map(Arc::make_mut)
            else {
                continue;
            };
            match directory.entries.get(name) {
                None if names == 0 => {
                    directory.entries.insert(name.clone(), user_move.inode);
                }
                Some(inode) if *inode == user_move.inode && names > 1 => {
                    directory.entries.remove(name);
                }
                _ => {}
            }
        }
    }
}

impl Iterator for CrashStates {
    type Item = DurableImage;

    fn next(&mut self) -> Option<DurableImage> {
        while self.seen.len() < self.limit {
            let selection = self.planned.next().or_else(|| self.by_chance())?;
            let image = self.image(&selection);
            if self.seen.insert(image.fingerprint()) {
                return Some(image);
            }
        }
        None
    }
}

impl Choice {
    fn make(&self, way: usize, disk: &mut Disk) {
        match &self.subject {
            Subject::Name {
                directory,
                name,
                results,
            } => {
                let Some(Node::Directory(node)) = disk.nodes.get_mut(directory).map(Arc::make_mut)
                else {
                    return;
                };
                match results[way].0 {
                    Some(inode) => node.entries.insert(name.clone(), inode),
                    None => node.entries.remove(name),
                };
            }
            Subject::File { inode, contents } => {
                if let Some(Node::File(node)) = disk.nodes.get_mut(inode).map(Arc::make_mut) {
                    node.bytes.clone_from(&contents[way]);
                }
            }
        }
    }
}

/// Since changes survive in any subset and order, each name by itself ends as any one of its changes left it, or as it
/// was durably.
fn choices_of(disk: &Disk) -> Vec<Choice> {
    let mut choices = Vec::new();
    for (inode, node) in &disk.nodes {
        match node.as_ref() {
            Node::File(file) if file.unsynced.is_empty() => {}
            Node::File(file) => {
                let contents = file.survivors();
                let everything = contents.iter().position(|content| *content == file.bytes);
                choices.push(Choice {
                    ways: contents.len(),
                    everything: everything.unwrap_or_default(),
                    subject: Subject::File {
                        inode: *inode,
                        contents,
                    },
                });
            }
            Node::Directory(directory) => {
                let names: BTreeSet<_> = directory
                    .unsynced
                    .iter()
                    .map(|change| &change.name)
                    .collect();
                for name in names {
                    let mut results = vec![(directory.durable.get(name).copied(), None)];
                    for change in &directory.unsynced {
                        let is_known = results.iter().any(|known| known.0 == change.result);
                        if change.name == *name && !is_known {
                            results.push((change.result, change.user_move));
                        }
                    }
                    let now = directory.entries.get(name).copied();
                    let everything = results.iter().position(|result| result.0 == now);
                    choices.push(Choice {
                        ways: results.len(),
                        everything: everything.unwrap_or_default(),
                        subject: Subject::Name {
                            directory: *inode,
                            name: name.clone(),
                            results,
                        },
                    });
                }
            }
        }
    }
    choices.retain(|choice| choice.ways > 1);
    choices
}

/// Which ways of the choices are tried together.
struct Plan {
    selections: Vec<Vec<usize>>,
    is_complete: bool,
}

fn plan_of(choices: &[Choice], limit: usize, random: &mut Random) -> Plan {
    let nothing = vec![0; choices.len()];
    let everything: Vec<usize> = choices.iter().map(|choice| choice.everything).collect();
    let mut selections = vec![nothing.clone(), everything.clone()];
    let combinations = choices
        .iter()
        .try_fold(1_usize, |product, choice| product.checked_mul(choice.ways))
        .unwrap_or(usize::MAX);
    if choices.len() <= EXHAUSTIVE_CHANGES && combinations <= limit {
        selections.extend((0..combinations).map(|number| digits(number, choices)));
        return Plan {
            selections,
            is_complete: true,
        };
    }
    // One change against all others finds most mistakes; the rest is left to chance.
    for (position, choice) in choices.iter().enumerate() {
        for way in 0..choice.ways {
            for base in [&nothing, &everything] {
                let mut selection = base.clone();
                selection[position] = way;
                selections.push(selection);
            }
        }
    }
    random.shuffle(&mut selections[2..]);
    Plan {
        selections,
        is_complete: false,
    }
}

fn digits(mut number: usize, choices: &[Choice]) -> Vec<usize> {
    let digit = |choice: &Choice| {
        let digit = number % choice.ways;
        number /= choice.ways;
        digit
    };
    choices.iter().map(digit).collect()
}

/// A small generator of numbers that are the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for position in (1..items.len()).rev() {
            items.swap(position, self.below(position + 1));
        }
    }
}
