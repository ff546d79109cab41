//! What a history does and what is there afterwards, from random numbers alone.

use std::collections::{BTreeMap, BTreeSet};

use artstore_core::artifact::ArtifactStatus;

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Publish new bytes from memory.
    Publish,
    /// Publish a new file by adopting it.
    Adopt,
    /// Publish a new table from CSV.
    Table,
    /// Publish new bytes that were made from an earlier artifact.
    Derive(u64),
    /// Publish what an earlier step has published again.
    Again(u64),
    /// Publish an earlier table again in another encoding, with a new tag.
    Respell(u64),
    /// Publish what an earlier step has published again with a new tag.
    Merge(u64),
    /// Publish what an earlier step has published again with a new input.
    MergeInput {
        /// What is published again.
        into: u64,
        /// The input.
        input: u64,
    },
    /// Tag the artifact of an earlier publish.
    Tag(u64),
    /// Replace an artifact by another one.
    Supersede {
        /// The one that replaces.
        new: u64,
        /// The one that is replaced.
        old: u64,
    },
    /// Withdraw an artifact.
    Tombstone(u64),
    /// Register a type with another definition.
    Describe,
}

impl Step {
    /// Whether the store remembers the operation, so that it can be repeated after later ones.
    pub fn is_remembered(self) -> bool {
        !matches!(self, Self::Again(_) | Self::Describe)
    }

    /// Whether step `number`, which is this one, can be given to the store in one call with the steps from `first` on.
    pub(super) fn fits_behind(self, first: u64, number: u64, before: &[Self]) -> bool {
        let of = self.publishes_content_of(number);
        // Only a source that is there can be adopted, and whether it is there is found out first.
        let is_of_adopted = before.get(of as usize) == Some(&Self::Adopt);
        let input = match self {
            Self::Derive(input) | Self::MergeInput { input, .. } => Some(input),
            _ => None,
        };
        self.is_publish()
            && !(of >= first && is_of_adopted)
            // What is published in the same call has no id yet.
            && input.is_none_or(|input| input < first)
    }

    /// Whether it is a publish.
    pub(super) fn is_publish(self) -> bool {
        match self {
            Self::Publish
            | Self::Adopt
            | Self::Table
            | Self::Derive(_)
            | Self::Again(_)
            | Self::Respell(_)
            | Self::Merge(_)
            | Self::MergeInput { .. } => true,
            Self::Tag(_) | Self::Supersede { .. } | Self::Tombstone(_) | Self::Describe => false,
        }
    }

    /// The step that published first what step `number`, which is this one, publishes.
    pub(super) fn publishes_content_of(self, number: u64) -> u64 {
        match self {
            Self::Again(of) | Self::Respell(of) | Self::Merge(of) => of,
            Self::MergeInput { into, .. } => into,
            _ => number,
        }
    }
}

/// The artifact that a step has published, as it should be.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Whether it is a table.
    pub is_table: bool,
    /// The steps that tagged it.
    pub tagged_by: BTreeSet<u64>,
    /// Its inputs, each with the step that gave it.
    pub inputs: Vec<(u64, u64)>,
    /// What replaced it.
    pub superseded_by: Option<u64>,
    /// What it replaced.
    pub supersedes: BTreeSet<u64>,
    /// The step that withdrew it.
    pub tombstoned_by: Option<u64>,
}

impl Wanted {
    /// Where it stands.
    pub fn status(&self) -> ArtifactStatus {
        match (self.tombstoned_by, self.superseded_by) {
            (Some(_), _) => ArtifactStatus::Tombstoned,
            (None, Some(_)) => ArtifactStatus::Superseded,
            (None, None) => ArtifactStatus::Active,
        }
    }
}

/// Steps, and what is there after them.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Every artifact by the step that published it.
    pub artifacts: BTreeMap<u64, Wanted>,
    /// The step that described the worker's type last.
    pub described: Option<u64>,
    /// How many steps described it.
    pub revision: u64,
}

impl Plan {
    /// Takes the next step, which is `number`.
    pub(super) fn take_step(&mut self, number: u64, random: u64) {
        let step = self.choose(random).unwrap_or(Step::Publish);
        self.steps.push(step);
        let mut new = Wanted::default();
        match step {
            Step::Publish | Step::Adopt => {}
            Step::Table => new.is_table = true,
            Step::Derive(input) => new.inputs.push((input, number)),
            _ => return self.change(step, number),
        }
        self.artifacts.insert(number, new);
    }

    fn choose(&self, random: u64) -> Option<Step> {
        let pick = |shift: u32, is_fit: &dyn Fn(u64, &Wanted) -> bool| {
            let fit = self.artifacts.iter();
            let fit: Vec<u64> = fit
                .filter(|(number, wanted)| is_fit(**number, wanted))
                .map(|(number, _)| *number)
                .collect();
            let place = (random >> shift).checked_rem(fit.len() as u64)?;
            fit.get(place as usize).copied()
        };
        let is_active = |_: u64, wanted: &Wanted| wanted.status() == ArtifactStatus::Active;
        let any = |_: u64, _: &Wanted| true;
        Some(match random % 20 {
            0..=4 => Step::Publish,
            5..=6 => Step::Adopt,
            7..=8 => Step::Table,
            9 => Step::Again(pick(8, &is_active)?),
            10 => {
                let is_table =
                    |number, wanted: &Wanted| wanted.is_table && is_active(number, wanted);
                Step::Respell(pick(8, &is_table)?)
            }
            11 => Step::Merge(pick(8, &is_active)?),
            12 => {
                // Only what is older: no circle can close.
                let into = pick(8, &is_active)?;
                let input = pick(24, &|number, _| number < into)?;
                Step::MergeInput { into, input }
            }
            13..=14 => Step::Tag(pick(8, &any)?),
            15 => Step::Derive(pick(8, &any)?),
            16..=17 => {
                let old = pick(8, &is_active)?;
                let is_other = |number, wanted: &Wanted| number != old && is_active(number, wanted);
                let new = pick(24, &is_other)?;
                Step::Supersede { new, old }
            }
            18 => Step::Tombstone(pick(8, &|_, wanted| wanted.tombstoned_by.is_none())?),
            _ => Step::Describe,
        })
    }

    fn change(&mut self, step: Step, number: u64) {
        let mut change = |of: u64, how: &dyn Fn(&mut Wanted)| {
            if let Some(wanted) = self.artifacts.get_mut(&of) {
                how(wanted);
            }
        };
        match step {
            Step::Respell(of) | Step::Merge(of) | Step::Tag(of) => change(of, &|wanted| {
                wanted.tagged_by.insert(number);
            }),
            Step::MergeInput { into, input } => {
                change(into, &|wanted| wanted.inputs.push((input, number)));
            }
            Step::Supersede { new, old } => {
                change(old, &|wanted| wanted.superseded_by = Some(new));
                change(new, &|wanted| {
                    wanted.supersedes.insert(old);
                });
            }
            Step::Tombstone(of) => change(of, &|wanted| wanted.tombstoned_by = Some(number)),
            Step::Describe => {
                self.described = Some(number);
                self.revision += 1;
            }
            _ => {}
        }
    }
}
