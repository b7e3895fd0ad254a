//! Measuring instruments: clocks, processor time, a disk to compare with.

pub mod cpu;
pub mod latency;
pub mod recycled_file;
