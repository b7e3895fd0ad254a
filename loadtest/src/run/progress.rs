//! The progress line: a bar where somebody watches, one line a step where not.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::lane::Finish;

pub struct Progress {
    bar: ProgressBar,
    watched: bool,
}

impl Progress {
    /// `steps` of equal length, more or less.
    pub fn new(steps: u64) -> Self {
        let watched = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let bar = if watched { ProgressBar::new(steps) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, watched }
    }

    /// What is being done now.
    pub fn say(&self, text: impl Into<String>) {
        let text = text.into();
        if !self.watched {
            eprintln!("loadtest: {text}");
        }
        self.bar.set_message(text);
    }

    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Shows how a slice goes while it runs.
    pub async fn watch<T>(&self, title: &str, finish: &Finish, slice: impl Future<Output = T>) -> T {
        const REFRESH: Duration = Duration::from_millis(250);
        tokio::pin!(slice);
        loop {
            tokio::select! {
                done = &mut slice => return done,
                () = tokio::time::sleep(REFRESH), if self.watched => {
                    let rate = finish.answered() as f64 / finish.start.elapsed().as_secs_f64();
                    self.bar.set_message(format!("{title}: {rate:.0} answers/s"));
                }
            }
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
