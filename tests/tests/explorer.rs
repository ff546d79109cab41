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
        seed: SEED,
        power_losses: 20,
        stride: 1,
        settling_every: u64::MAX,
        mutant: None,
    };
    match explore_beginning(&exploration) {
        Ok(explored) => println!("{explored:?}"),
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn every_operation_survives_every_crash() {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 12,
        stride: 1,
        settling_every: u64::MAX,
        mutant: None,
    };
    let explored = survive(&Workload::every(1), &exploration);
    assert!(explored.states > 1200, "{explored:?}");
}

#[test]
fn every_sequence_of_up_to_two_operations_survives_every_crash() {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 3,
        stride: 3,
        settling_every: u64::MAX,
        mutant: None,
    };
    let explored = survive(&Workload::every(2), &exploration);
    assert!(explored.states > 3000, "{explored:?}");
}

#[test]
fn sampled_sequences_of_three_operations_survive_every_crash() {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 3,
        stride: 3,
        settling_every: u64::MAX,
        mutant: None,
    };
    let sampled: Vec<_> = Workload::every(3).into_iter().step_by(131).collect();
    survive(&sampled, &exploration);
}

#[test]
fn settling_survives_being_taken_down_twice() {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 2,
        stride: 1,
        settling_every: 60,
        mutant: None,
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
        match sweep_settling(&workload, 9) {
            Ok(more) => faults += more,
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{faults} faults");
    assert!(faults > 500);
}

/// That leaving a step out is noticed in at least one workload, in which nothing is found otherwise.
fn check_missed(mutant: Mutant) {
    check_missed_in(mutant, Workload::every(1));
}

fn check_missed_in(mutant: Mutant, workloads: Vec<Workload>) {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 12,
        stride: 1,
        settling_every: u64::MAX,
        mutant: Some(mutant),
    };
    let unharmed = Exploration {
        mutant: None,
        ..exploration
    };
    for workload in workloads {
        let Err(violation) = explore(&workload, &exploration) else {
            continue;
        };
        println!("{violation}");
        survive(&[workload], &unharmed);
        return;
    }
    panic!("leaving out {mutant:?} was not noticed");
}

#[test]
fn without_syncing_data_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::DataSync));
}

#[test]
fn without_syncing_records_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::RecordSync));
}

#[test]
fn without_syncing_events_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::EventSync));
}

#[test]
fn without_syncing_directories_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::DirectorySync));
}

#[test]
fn without_syncing_parents_of_new_directories_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::ParentDirectorySync));
}

#[test]
fn without_syncing_before_naming_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::SyncAfterNaming));
}

#[test]
fn without_the_intent_the_explorer_fails() {
    check_missed(Mutant::Lie(Lie::Intent));
}

#[test]
fn without_naming_before_committing_the_explorer_fails() {
    check_missed(Mutant::RowsBeforeNames);
}

#[test]
fn without_deriving_the_explorer_fails() {
    check_missed(Mutant::NoDerivation);
}

#[test]
fn without_deriving_the_second_record_of_a_supersession_the_explorer_fails() {
    let workload = Workload::new([Step::Supersede]);
    check_missed_in(Mutant::HalfDerivation, vec![workload]);
}

#[test]
fn without_syncing_what_is_converted_the_explorer_fails() {
    let workload = Workload::new([Step::PublishTable]);
    check_missed_in(Mutant::Lie(Lie::DataSync), vec![workload]);
}

#[test]
fn without_syncing_the_directory_of_types_the_explorer_fails() {
    for step in [Step::RegisterType, Step::ReplaceType] {
        check_missed_in(Mutant::UnsyncedPut, vec![Workload::new([step])]);
    }
}
