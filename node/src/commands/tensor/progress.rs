//! A bar for work that takes its time.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far some bytes are. The bar appears on standard error after a second, if that is a terminal, and goes at the
/// end.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: bool,
}

impl Progress {
    /// Work on `len` bytes.
    pub fn new(what: &'static str, len: u64) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar =
            ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::hidden()).with_style(style).with_message(what);
        Self { bar, started: Instant::now(), shown: false }
    }

    /// So many more bytes are done.
    pub fn add(&mut self, bytes: usize) {
        self.bar.inc(bytes as u64);
        if !self.shown && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.shown = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
