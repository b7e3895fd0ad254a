//! Settings, by name.

use crate::RunReport;
use crate::number::{count, per_s, seconds};
use crate::words;

pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

pub fn settings(report: &RunReport) -> Vec<Fact> {
    let settings = &report.settings;
    let fact = |name, value| Fact { name, value };
    let mut facts = vec![fact("workload", report.workload.clone()), fact("model", settings.model.clone())];
    facts.extend(settings.rate.map(|rate| fact("rate", per_s(rate))));
    facts.extend([
        fact("load", seconds(settings.seconds)),
        fact("rounds", count(settings.rounds.into())),
        fact("connections", count(settings.connections.into())),
    ]);
    if settings.depth > 0 {
        facts.push(fact("messages at once on each", count(settings.depth.into())));
    }
    facts.extend([
        fact("terminals", count(settings.terminals.into())),
        fact("cards", count(settings.cards.into())),
        fact("listener", settings.listener.clone()),
        fact("seed", settings.seed.to_string()),
        fact("daemon", format!("umbra {}", report.version)),
        fact("started", words::moment(&report.started_at)),
    ]);
    facts
}
