//! Progress bars on standard error.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use artstore_core::backend::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// Work that lasts no longer is not worth a bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Shows a bar for work that lasts, if somebody may be looking.
#[derive(Debug)]
pub(crate) struct TerminalProgress {
    is_watched: bool,
    present: Mutex<Option<Activity>>,
}

#[derive(Debug)]
struct Activity {
    name: &'static str,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl TerminalProgress {
    pub(crate) fn new() -> Self {
        Self {
            is_watched: std::io::stderr().is_terminal(),
            present: Mutex::new(None),
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        let present = self
            .present
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(bar) = present.and_then(|activity| activity.bar) {
            bar.finish_and_clear();
        }
    }
}

impl Progress for TerminalProgress {
    fn report(&self, activity: &'static str, done: u64, total: Option<u64>) {
        if !self.is_watched {
            return;
        }
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match present.take() {
            Some(current) if current.name == activity => current,
            former => {
                if let Some(bar) = former.and_then(|former| former.bar) {
                    bar.finish_and_clear();
                }
                Activity {
                    name: activity,
                    begun: Instant::now(),
                    bar: None,
                }
            }
        };
        *present = Some(current.shown(done, total));
    }
}

impl Activity {
    fn shown(mut self, done: u64, total: Option<u64>) -> Self {
        if self.bar.is_none() && self.begun.elapsed() >= PATIENCE {
            self.bar = Some(new_bar(self.name, total));
        }
        if let Some(bar) = &self.bar {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        }
        self
    }
}

fn new_bar(name: &'static str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{msg} {wide_bar} {human_pos}/{human_len} {eta}",
        ),
        None => (ProgressBar::no_length(), "{msg} {spinner} {human_pos}"),
    };
    // The style comes first: every later change draws the bar.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style).with_message(name),
        Err(_) => bar.with_message(name),
    }
}
