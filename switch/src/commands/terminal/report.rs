//! What the terminal prints. Card data is masked in all of it.

use std::io::{Write, stdout};

use parties::{Exchange, TerminalProfile};
use serde_json::{Map, Value};

use super::follow_up;
use super::options::Options;

pub struct Report<'a> {
    options: &'a Options,
}

impl<'a> Report<'a> {
    pub fn new(options: &'a Options) -> Self {
        Self { options }
    }

    /// One line for the messages that come before the one that was asked for.
    pub fn session(&mut self, done: &str, profile: &TerminalProfile, exchanges: &[&Exchange]) -> anyhow::Result<()> {
        if self.options.json {
            return Ok(());
        }
        let mut out = stdout().lock();
        if self.options.verbose {
            for exchange in exchanges {
                writeln!(out, "{}", exchange.describe())?;
            }
        }
        writeln!(
            out,
            "{done} ({}) as {} of {}\n",
            profile.key_scheme.name(),
            profile.terminal_id,
            profile.merchant_id
        )?;
        Ok(())
    }

    /// Both messages, the outcome in words, and what may follow.
    pub fn outcome(&mut self, exchange: &Exchange) -> anyhow::Result<()> {
        let follow_ups = follow_up::after(self.options, exchange);
        let mut out = stdout().lock();
        if self.options.json {
            let mut json = exchange.json();
            if let Some(object) = json.as_object_mut() {
                let commands = follow_ups.into_iter().map(|(name, command)| (name.to_owned(), command.into()));
                object.insert("outcome".to_owned(), exchange.outcome().into());
                object.insert("follow_up".to_owned(), Value::Object(commands.collect::<Map<_, _>>()));
            }
            writeln!(out, "{json}")?;
            return Ok(());
        }
        writeln!(out, "{}\n{}", exchange.describe(), exchange.outcome())?;
        for (name, command) in follow_ups {
            writeln!(out, "{name}: {command}")?;
        }
        Ok(())
    }
}
