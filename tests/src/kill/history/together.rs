//! Publishes of a history that are given to the store in one call.

use std::ops::Range;

use artstore_core::Result;
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::page::PageRequest;
use artstore_core::ports::ArtifactStorePort;

use super::History;
use crate::kill::plan::Step;
use crate::store::LocalStore;

impl History {
    /// The end of the steps from `first` on, before `end`, that can be given to the store in one call: publishes in a
    /// row that do not need each other's answers.
    pub fn group_end(&self, first: u64, end: u64) -> u64 {
        let steps = self.plan(end).steps;
        if !steps[first as usize].is_publish() {
            return first + 1;
        }
        let fits = |number: &u64| steps[*number as usize].fits_behind(first, *number, &steps);
        let rest = (first + 1..end).take_while(fits).count();
        first + 1 + rest as u64
    }

    /// Performs steps of one group, and returns what each was told.
    pub async fn perform_together(
        &self,
        store: &LocalStore,
        numbers: Range<u64>,
    ) -> Vec<Result<String>> {
        if numbers.end - numbers.start == 1 {
            return vec![self.perform(store, numbers.start).await];
        }
        match self.publish_together(store, numbers.clone()).await {
            Ok(answers) => answers,
            Err(error) => numbers.map(|_| Err(error.clone())).collect(),
        }
    }

    async fn publish_together(
        &self,
        store: &LocalStore,
        numbers: Range<u64>,
    ) -> Result<Vec<Result<String>>> {
        let port = store.artifacts();
        let mut requests = Vec::new();
        for number in numbers.clone() {
            let plan = self.plan(number + 1);
            let request = match plan.steps.last() {
                Some(Step::Adopt) => self.request_to_adopt(port.as_ref(), number).await?,
                Some(step) => self.request_of(port.as_ref(), &plan, *step, number).await?,
                None => return Err(self.different(number, "the kind")),
            };
            requests.push(request);
        }
        let results = port.publish_artifacts(requests).await;
        let results = numbers.zip(results).map(|(number, result)| {
            let of = self.step(number).publishes_content_of(number);
            let id = Self::as_expected(number, of, result?)?;
            Ok(id.to_string())
        });
        Ok(results.collect())
    }

    /// The request of a step that adopts, whose source is made unless the step was done.
    async fn request_to_adopt(
        &self,
        port: &dyn ArtifactStorePort,
        number: u64,
    ) -> Result<PublishArtifactRequest> {
        let (artifact_type, key) = (self.artifact_type()?, self.key(number)?);
        let page = PageRequest::default();
        let found = port
            .find_by_logical_key(&artifact_type, &key, &page)
            .await?;
        // A source that was taken over may come back only when the remains of its publish are settled.
        if found.items.is_empty() && !self.source(number).exists() {
            self.make_source(number)?;
        }
        let source = ArtifactSource::AdoptFile(self.source(number));
        self.request(number, number, source)
    }
}
