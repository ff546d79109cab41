//! Crashes and faults, on the real engine and filesystem adapter over a model of a disk.

use std::sync::Mutex;

use artstore_tests::explorer::sweep::sweep;
use artstore_tests::explorer::{Exploration, Explored, Mutant, Step, Workload, explore, explore_beginning};
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
        power_losses: 100,
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
        power_losses: 24,
        settling_every: 97,
        mutant: None,
    };
    let explored = survive(&Workload::every(1), &exploration);
    assert!(explored.states > 1000, "{explored:?}");
    assert!(explored.settling_states > 100, "{explored:?}");
}

#[test]
fn every_sequence_of_up_to_two_operations_survives_every_crash() {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 4,
        settling_every: 997,
        mutant: None,
    };
    let explored = survive(&Workload::every(2), &exploration);
    assert!(explored.states > 5000, "{explored:?}");
}

#[test]
fn sampled_sequences_of_three_operations_survive_every_crash() {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 3,
        settling_every: 997,
        mutant: None,
    };
    let every: Vec<_> = Workload::every(3).into_iter().step_by(23).collect();
    survive(&every, &exploration);
}

#[test]
fn every_fault_of_every_call_is_survived() {
    let faults = Mutex::new(0);
    for step in Step::ALL {
        match sweep(&Workload::new([step])) {
            Ok(more) => *faults.lock().unwrap() += more,
            Err(violation) => panic!("{violation}"),
        }
    }
    println!("{} faults", faults.into_inner().unwrap());
}

/// That leaving a step out is noticed in at least one workload.
fn check_missed(mutant: Mutant) {
    let exploration = Exploration {
        seed: SEED,
        power_losses: 40,
        settling_every: u64::MAX,
        mutant: Some(mutant),
    };
    let found = Workload::every(1)
        .iter()
        .find_map(|workload| explore(workload, &exploration).err());
    match found {
        Some(violation) => println!("{violation}"),
        None => panic!("leaving out {mutant:?} was not noticed"),
    }
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
