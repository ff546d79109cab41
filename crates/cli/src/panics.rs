//! What is said about panics.

use std::panic::{self, PanicHookInfo};
use std::thread;

/// The threads that read tables. Whatever a damaged table makes the libraries do there is caught and told as an error.
const TABLE_THREAD: &str = "artstore-table";

/// Keeps panics that are caught and become errors out of standard error. The others are told as before.
pub(crate) fn install_hook() {
    let former = panic::take_hook();
    panic::set_hook(Box::new(hook(former)));
}

fn hook<F: Fn(&PanicHookInfo<'_>)>(former: F) -> impl Fn(&PanicHookInfo<'_>) {
    move |info| {
        if thread::current().name() != Some(TABLE_THREAD) {
            return former(info);
        }
        let message = info.payload_as_str().unwrap_or_default();
        let place = info.location().map(ToString::to_string);
        tracing::debug!(message, place, "reading a table panicked");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_panics_that_are_caught_are_kept_quiet() {
        let told = Arc::new(AtomicUsize::new(0));
        let teller = Arc::clone(&told);
        let former = panic::take_hook();
        panic::set_hook(Box::new(hook(move |_| {
            teller.fetch_add(1, Ordering::Relaxed);
        })));
        let mut counts = Vec::new();
        for name in [TABLE_THREAD, "other"] {
            let thread = thread::Builder::new().name(name.to_owned());
            let panicked = thread.spawn(|| panic!("on purpose")).unwrap().join();
            assert!(panicked.is_err());
            counts.push(told.load(Ordering::Relaxed));
        }
        panic::set_hook(former);
        assert_eq!(counts, [0, 1]);
    }
}
