//! Bars and spinners for work that takes its time.

use std::{
    future::Future,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// From one picture of a spinner to the next.
const TICK: Duration = Duration::from_millis(120);

/// How far some bytes are. The bar appears on standard error after a second, if that is a terminal, and goes at the
/// end.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    is_shown: bool,
}

impl Progress {
    /// Work on `len` bytes.
    pub fn new(what: &'static str, len: u64) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::hidden());
        Self { bar: bar.with_style(style).with_message(what), started: Instant::now(), is_shown: false }
    }

    /// So many bytes are done in all.
    pub fn at(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
        if !self.is_shown && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_shown = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Waits for something; after a second a spinner says for what, if standard error is a terminal.
pub async fn waiting<T>(what: impl Into<String>, work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(PATIENCE) => {},
    }
    let spinner = ProgressBar::new_spinner().with_message(what.into());
    spinner.enable_steady_tick(TICK);
    let done = work.await;
    spinner.finish_and_clear();
    done
}
