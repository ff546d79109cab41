//! Crashes and faults, on the real engine and filesystem adapter over a model of a disk.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test shows what it explored and what it found"
)]

use artstore_tests::explorer::sweep::{sweep, sweep_settling};
use artstore_tests::explorer::{
    Exploration, Explored, Mutant, Step, Workload, explore, explore_beginning,
};
use artstore_tests::model_fs::Lie;

const SEED: u64 = 20_261_120;

fn survive(workloads: &[Workload], exploration: &Exploration) -> Explored {
    let mut explored = Explored::default();
    for workload in workloads {
        match explore(workload, exploration) {
            Ok(more) => explored.add(more),
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{explored:?}");
    explored
}

#[test]
fn making_a_store_survives_every_crash() {
    let exploration = Exploration {
        power_losses: 20,
        ..thorough()
    };
    match explore_beginning(&exploration) {
        Ok(explored) => println!("{explored:?}"),
        Err(violation) => panic!("{violation}"),
    }
}

/// Every moment of single operations.
fn thorough() -> Exploration {
    Exploration {
        seed: SEED,
        power_losses: 6,
        stride: 1,
        settling_every: u64::MAX,
        mutant: None,
    }
}

/// Some of the moments of longer sequences.
fn sampled() -> Exploration {
    Exploration {
        power_losses: 3,
        stride: 8,
        ..thorough()
    }
}

#[test]
fn every_operation_survives_every_crash() {
    let explored = survive(&Workload::every(1), &thorough());
    assert!(explored.states > 2500, "{explored:?}");
}

#[test]
fn every_sequence_of_up_to_two_operations_survives_every_crash() {
    let explored = survive(&Workload::every(2), &sampled());
    assert!(explored.states > 3000, "{explored:?}");
}

#[test]
fn sampled_sequences_of_three_operations_survive_every_crash() {
    let sample: Vec<_> = Workload::every(3).into_iter().step_by(47).collect();
    survive(&sample, &sampled());
}

#[test]
fn settling_survives_being_taken_down_twice() {
    let exploration = Exploration {
        power_losses: 2,
        stride: 3,
        settling_every: 60,
        ..thorough()
    };
    let explored = survive(&Workload::every(1), &exploration);
    assert!(explored.settling_states > 500, "{explored:?}");
}

#[test]
fn every_fault_of_every_call_is_survived() {
    let mut faults = 0;
    for workload in Workload::every(1) {
        match sweep(&workload) {
            Ok(more) => faults += more,
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{faults} faults");
    assert!(faults > 500);
}

#[test]
fn every_fault_of_settling_is_survived() {
    let mut faults = 0;
    for workload in Workload::every(1) {
        match sweep_settling(&workload, 19) {
            Ok(more) => faults += more,
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{faults} faults");
    assert!(faults > 500);
}

/// That leaving a step out of this operation is noticed. Nothing is found otherwise, as the tests above show.
fn check_missed(mutant: Mutant, step: Step) {
    let exploration = Exploration {
        power_losses: 12,
        mutant: Some(mutant),
        ..thorough()
    };
    match explore(&Workload::new([step]), &exploration) {
        Err(violation) => println!("{violation}"),
        Ok(explored) => panic!("leaving out {mutant:?} was not noticed: {explored:?}"),
    }
}

#[test]
fn without_syncing_data_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::DataSync), Step::PublishNew);
}

/// The one who stages what is converted does not sync it.
#[test]
fn without_syncing_what_is_converted_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::DataSync), Step::PublishTable);
}

#[test]
fn without_syncing_records_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::RecordSync), Step::PublishNew);
}

#[test]
fn without_syncing_events_the_explorer_fails() {
    for step in [Step::Tag, Step::Supersede, Step::Tombstone] {
        check_missed(Mutant::Lie(Lie::EventSync), step);
    }
}

#[test]
fn without_syncing_directories_the_explorer_fails() {
    for step in [Step::PublishNew, Step::Supersede] {
        check_missed(Mutant::Lie(Lie::DirectorySync), step);
    }
}

#[test]
fn without_syncing_parents_of_new_directories_the_explorer_fails() {
    check_missed(
        Mutant::Lie(Lie::ParentDirectorySync),
        Step::PublishInNewType,
    );
}

#[test]
fn without_syncing_the_directory_of_types_the_explorer_fails() {
    for step in [Step::RegisterType, Step::ReplaceType] {
        check_missed(Mutant::UnsyncedPut, step);
    }
}

#[test]
fn without_syncing_before_naming_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::SyncAfterNaming), Step::PublishNew);
}

#[test]
fn without_the_intent_the_explorer_fails() {
    for step in [Step::PublishNew, Step::Supersede] {
        check_missed(Mutant::Lie(Lie::Intent), step);
    }
}

#[test]
fn without_naming_before_committing_the_explorer_fails() {
    check_missed(Mutant::RowsBeforeNames, Step::PublishNew);
}

#[test]
fn without_deriving_the_explorer_fails() {
    for step in [Step::Tag, Step::Tombstone, Step::PublishDuplicateWithInputs] {
        check_missed(Mutant::NoDerivation, step);
    }
}

#[test]
fn without_deriving_the_second_record_of_a_supersession_the_explorer_fails() {
    check_missed(Mutant::HalfDerivation, Step::Supersede);
}
