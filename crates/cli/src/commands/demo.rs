mod place;
mod publication;
mod story;
mod teller;

use std::path::PathBuf;

use artstore_context::Context;
use clap::Args;

use crate::GRACE;
use crate::failure::Failure;
use crate::output::Output;
use crate::signals::Signals;
use place::Place;
use story::Story;
use teller::Teller;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the store, in this directory, which must be new or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Demo {
    /// Looks neither at the user's settings nor at the user's store.
    pub(crate) async fn run(self, output: &Output) -> Result<(), Failure> {
        // Signals are heard before there is anything to clean up.
        let mut signals = Signals::new()?;
        let mut place = Place::make(self.keep).await?;
        let mut context = place.context()?;
        let result = tokio::select! {
            biased;
            result = perform(&mut context, &mut place, output) => result,
            failure = signals.next() => Err(failure),
        };
        if result.is_err() {
            tokio::select! {
                biased;
                () = context.close() => {}
                _ = signals.next() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
            // Why the demo ended is told, and not what is left of it.
            let _ = place.leave().await;
        }
        result
    }
}

async fn perform(context: &mut Context, place: &mut Place, output: &Output) -> Result<(), Failure> {
    let mut teller = Teller::new(output);
    Story::new(context, place, &mut teller).play().await?;
    context.close().await;
    place.leave().await?;
    teller.tell(place.farewell()?).await?;
    teller.finish().await
}

#[cfg(test)]
mod tests;
