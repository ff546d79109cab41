//! Whether the present thread may block.
//!
//! Blocking work never runs on an async thread; an adapter hands it to a thread made for it. Such a hop costs two
//! wake-ups, more than most of the work. Where the engine already runs a whole pass on a thread that may block, it says
//! so here, and adapters do their work in place.

use std::cell::Cell;

thread_local! {
    static ALLOWED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, which may block, as may everything that it calls on this thread.
pub fn allow<T>(work: impl FnOnce() -> T) -> T {
    let _restore = Restore(ALLOWED.replace(true));
    work()
}

/// Whether the present thread may block.
pub fn is_allowed() -> bool {
    ALLOWED.get()
}

struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        ALLOWED.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocking_is_allowed_inside_only_and_on_this_thread_only() {
        assert!(!is_allowed());
        allow(|| {
            assert!(is_allowed());
            allow(|| ());
            assert!(is_allowed());
            assert!(!std::thread::spawn(is_allowed).join().unwrap());
        });
        let unwound = std::panic::catch_unwind(|| allow(|| panic!("as planned")));
        assert!(unwound.is_err() && !is_allowed());
    }
}
