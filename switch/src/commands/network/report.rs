//! What both sides print. Card data is masked in all of it.

use std::io::{Write, stdout};
use std::sync::Arc;

use parties::{Counts, Sighting, Watch};
use serde_json::json;

/// One line a message. Whoever reads them may have gone; the network goes on.
pub fn watch(json: bool) -> Watch {
    Arc::new(move |sighting: &Sighting| {
        let line = match json {
            true => serde_json::to_string(sighting).unwrap_or_default(),
            false => sighting.to_string(),
        };
        let _ = writeln!(stdout().lock(), "{line}");
    })
}

/// Everything that was counted.
pub fn counts(counts: &Counts, json: bool) {
    let mut out = stdout().lock();
    if json {
        let _ = writeln!(out, "{}", json!({ "counts": counts.by_name() }));
        return;
    }
    for (name, value) in counts.by_name().into_iter().filter(|(_, value)| *value > 0) {
        let _ = writeln!(out, "{value:>8} {}", name.replace('_', " "));
    }
}
