//! Many publishes in one call, and whether each is answered as it should.
//!
//! Which of the requests comes first is the store's affair, except among those with the same content. So an order is
//! looked for in which the model would answer as the store did: what changes something is put in its place by the number
//! of its event, and what changes nothing may have been answered at any moment of the call.

use std::collections::BTreeMap;

use artstore_core::Result;
use artstore_core::artifact::{PublishArtifactRequest, PublishArtifactResult};
use artstore_core::id::ArtifactId;
use artstore_core::ports::ArtifactStorePort;

use super::{ModelOperation, ModelPublish, StoreModel};

type Answer = Result<PublishArtifactResult>;

pub(super) async fn step(
    model: &mut StoreModel,
    store: &dyn ArtifactStorePort,
    publishes: &[ModelPublish],
) {
    let publishes: Vec<ModelPublish> = publishes
        .iter()
        .map(|publish| model.of_what_was_there(publish))
        .collect();
    let requests: Vec<PublishArtifactRequest> = publishes
        .iter()
        .map(|publish| model.request_of(publish))
        .collect();
    let answers = store.publish_artifacts(requests).await;
    assert_eq!(
        answers.len(),
        publishes.len(),
        "there is one result for each request"
    );
    check_first_come(model, &answers);
    *model = explain(model, publishes, &answers);
}

/// Asserts that of requests with the same content the first that succeeded was published.
fn check_first_come(model: &StoreModel, answers: &[Answer]) {
    let mut published: BTreeMap<ArtifactId, usize> = BTreeMap::new();
    for (number, answer) in answers.iter().enumerate() {
        if let Ok(PublishArtifactResult::Published(artifact)) = answer {
            published.entry(artifact.id).or_insert(number);
        }
    }
    let known = |id: ArtifactId| model.artifacts.iter().any(|one| one.id == Some(id));
    for (number, answer) in answers.iter().enumerate() {
        let Ok(PublishArtifactResult::Duplicate { existing, .. }) = answer else {
            continue;
        };
        let first = published.get(&existing.id).copied();
        assert!(
            known(existing.id) || first.is_some_and(|first| first < number),
            "request {number} is a duplicate of what came later: {answers:?}"
        );
    }
}

/// The model after all that `publishes` did, in an order that explains `answers`.
fn explain(model: &StoreModel, publishes: Vec<ModelPublish>, answers: &[Answer]) -> StoreModel {
    let operations = publishes
        .into_iter()
        .map(|publish| ModelOperation::Publish(Box::new(publish)));
    let mut waiting: Vec<(ModelOperation, &Answer)> = operations.zip(answers).collect();
    let mut states = vec![model.clone()];
    let mut last = model.clone();
    let next_change = |last: &StoreModel, waiting: &[(ModelOperation, &Answer)]| {
        let mut places = waiting.iter().enumerate();
        places.find_map(|(place, (operation, answer))| {
            let after = answered(last, operation, answer)?;
            (after.extent() != last.extent()).then_some((place, after))
        })
    };
    while let Some((place, after)) = next_change(&last, &waiting) {
        waiting.remove(place);
        states.push(after.clone());
        last = after;
    }
    for (operation, answer) in waiting {
        let is_explained = states.iter().any(|state| {
            answered(state, &operation, answer)
                .is_some_and(|after| after.extent() == state.extent())
        });
        assert!(
            is_explained,
            "{operation:?}: got {answer:?}; the model would say {:?} at first and {:?} at last",
            model.clone().apply(&operation),
            last.apply(&operation),
        );
    }
    last
}

/// The model after `operation`, provided that it would be answered so.
fn answered(state: &StoreModel, operation: &ModelOperation, answer: &Answer) -> Option<StoreModel> {
    let mut after = state.clone();
    let expected = after.apply(operation);
    let difference = after.difference_of_answer(&expected, answer);
    difference.is_none().then_some(after)
}

impl StoreModel {
    /// The same with no input but those that were there before the call: what is published with it has no id yet.
    fn of_what_was_there(&self, publish: &ModelPublish) -> ModelPublish {
        let mut publish = publish.clone();
        for (input, _) in &mut publish.inputs {
            if *input >= self.len() {
                *input = usize::MAX;
            }
        }
        publish
    }
}
