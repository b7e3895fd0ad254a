//! `umbra iso detect`: which framing and which spec explain these bytes.

use std::io::Write;
use std::sync::Arc;

use anyhow::bail;
use iso8583::Spec;
use iso8583::detect::{LOOKED_AT, Reading, detect, from_dump};
use serde_json::json;

use super::capture;

/// Readings that are shown of a stream.
const SHOWN: usize = 5;
/// Reasons that are shown of the readings behind the first.
const SHORT: usize = 2;

struct Stream {
    name: String,
    bytes: Vec<u8>,
}

/// Says of a dump, a capture or plain bytes what they are. Gives whether anything was explained well.
pub fn run(input: &[u8], specs: &[Arc<Spec>], json: bool, out: &mut impl Write) -> anyhow::Result<bool> {
    let mut explained = false;
    for stream in streams(input)? {
        let mut readings = detect(&stream.bytes, specs);
        readings.truncate(SHOWN);
        explained |= readings.first().is_some_and(|best| best.read == best.frames);
        if json {
            writeln!(out, "{}", as_json(&stream, &readings))?;
        } else {
            show(&stream, &readings, out)?;
        }
    }
    Ok(explained)
}

fn streams(input: &[u8]) -> anyhow::Result<Vec<Stream>> {
    if capture::is_capture(input) {
        let flows = capture::flows(input)?;
        if flows.is_empty() {
            bail!("the capture holds no TCP payload; capture the port that the messages go through");
        }
        let stream = |flow: capture::Flow| Stream { name: format!("{} to {}", flow.from, flow.to), bytes: flow.bytes };
        return Ok(flows.into_iter().map(stream).collect());
    }
    let bytes = std::str::from_utf8(input).ok().and_then(from_dump).unwrap_or_else(|| input.to_vec());
    if bytes.is_empty() {
        bail!("nothing to look at; give a hex dump, a capture (pcapng, pcap) or the bytes themselves");
    }
    Ok(vec![Stream { name: "input".to_owned(), bytes }])
}

fn framing(reading: &Reading) -> &'static str {
    reading.length.map_or("no framing", |length| length.meaning())
}

fn show(stream: &Stream, readings: &[Reading], out: &mut impl Write) -> std::io::Result<()> {
    let cut = if stream.bytes.len() > LOOKED_AT { format!(", the first {LOOKED_AT} looked at") } else { String::new() };
    writeln!(out, "{}: {} bytes{cut}", stream.name, stream.bytes.len())?;
    if readings.is_empty() {
        writeln!(out, "  nothing explains them; is it TLS, or does the stream begin in the middle of a message?")?;
    }
    for (at, reading) in readings.iter().enumerate() {
        let (framing, header, spec) = (framing(reading), reading.header.meaning(), reading.spec.name());
        writeln!(out, "  {:>3}  {framing}, {header}, spec {spec}", reading.score)?;
        let shown = if at == 0 { usize::MAX } else { SHORT };
        for reason in reading.reasons.iter().take(shown) {
            writeln!(out, "         {reason}")?;
        }
    }
    Ok(())
}

fn as_json(stream: &Stream, readings: &[Reading]) -> serde_json::Value {
    let reading = |reading: &Reading| {
        json!({
            "score": reading.score,
            "length": reading.length.map(|length| length.name()),
            "header": reading.header.name(),
            "spec": reading.spec.name(),
            "frames": reading.frames,
            "read": reading.read,
            "reasons": reading.reasons,
        })
    };
    let readings: Vec<serde_json::Value> = readings.iter().map(reading).collect();
    json!({ "stream": stream.name, "bytes": stream.bytes.len(), "readings": readings })
}
