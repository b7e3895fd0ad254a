//! How far a measurement is, on standard error: a bar for people, one line a step for logs.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Gone from the screen when it is dropped.
pub struct Progress {
    /// Hidden where nobody watches.
    bar: ProgressBar,
    watched: bool,
}

const REFRESH: Duration = Duration::from_millis(250);

impl Progress {
    /// `steps` of about equal length.
    pub fn new(steps: u64) -> Self {
        let watched = std::io::stderr().is_terminal();
        let bar = if watched { ProgressBar::new(steps) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:20} {pos}/{len} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(REFRESH);
        Self { bar, watched }
    }

    /// What is being done now.
    pub fn stage(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        if self.watched {
            self.bar.println(text);
        } else {
            eprintln!("{text}");
        }
    }

    /// One more step is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// A round is over, and what it gave.
    pub fn round(&self, number: u32, of: u32, text: &str) {
        self.step();
        self.line(&format!("round {number} of {of}: {text}"));
    }

    /// Waits for `work`, and shows how far it is meanwhile.
    pub async fn watch<T>(&self, work: impl Future<Output = T>, how_far: impl Fn() -> String) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(REFRESH), if self.watched => self.stage(how_far()),
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
