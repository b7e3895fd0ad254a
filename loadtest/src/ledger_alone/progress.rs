//! How far a measurement is, on standard error: a bar for people, one line a round for logs.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub struct Progress {
    /// Hidden where nobody watches.
    bar: ProgressBar,
    watched: bool,
}

impl Progress {
    pub fn new(rounds: u32) -> Self {
        let watched = std::io::stderr().is_terminal();
        let bar = if watched { ProgressBar::new(u64::from(rounds)) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:20} {pos}/{len} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, watched }
    }

    /// What is being done now.
    pub fn stage(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        if self.watched {
            self.bar.println(text);
        } else {
            eprintln!("{text}");
        }
    }

    /// A round is over.
    pub fn round(&self, number: u32, of: u32, text: &str) {
        self.bar.inc(1);
        self.line(&format!("round {number} of {of}: {text}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
