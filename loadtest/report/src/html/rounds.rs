//! Rows of the table of rounds.

use crate::number::{bytes, cores, micros, per_s};
use crate::{Round, RunReport};

pub fn rounds(report: &RunReport) -> Vec<Vec<String>> {
    report.rounds.iter().enumerate().map(|(index, round)| row(index + 1, round)).collect()
}

fn row(number: usize, round: &Round) -> Vec<String> {
    vec![
        number.to_string(),
        per_s(round.approved_per_s),
        micros(round.p50_us),
        micros(round.p99_us),
        micros(round.p999_us),
        per_s(round.echo_per_s),
        micros(round.echo_p50_us),
        micros(round.sync_p50_us),
        micros(round.sync_p99_us),
        bytes(round.sync_bytes),
        // There may be no cipher work at all.
        if round.cipher_us == 0.0 { String::new() } else { micros(round.cipher_us) },
        cores(round.others_cores),
        bytes(round.lag()),
    ]
}
