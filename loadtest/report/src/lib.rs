//! What a load test says: the figures of a run, as data, as a table, as a page, and compared with another run's.
//!
//! Knows nothing of how anything was measured. [`RunReport`] and the reports of parts alone serialize to the JSON that
//! programs read.

mod chart;
mod columns;
mod compare;
mod figure;
#[cfg(test)]
mod fixture;
mod html;
mod number;
mod run;
mod table;
mod words;

pub use compare::{AnyReport, AnyRound, Change, Comparison, Side, Verdict, compare};
pub use figure::{Better, Figure, median};
pub use html::page;
pub use run::{
    BaselineReport, CpuShare, Finding, LatencyPoint, Round, RunReport, Settings, Severity, StepReport, TimePoint,
    TruthReport,
};
pub use table::table;
