//! `umbra hsm explain`: a request or an answer, field by field.

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use anyhow::{Context, bail};
use hsm_sim::{Explained, explain};

/// Longest input taken.
const INPUT_MAX: u64 = 1 << 20;

/// Longest value shown whole in the report for people.
const VALUE_MAX: usize = 72;

#[derive(clap::Args)]
pub struct Args {
    /// The message in hexadecimal, with or without its two bytes of length; standard input where it is left out
    message: Option<String>,
    /// The message is text, without its length
    #[arg(long)]
    text: bool,
    /// Characters of the message header (0 to 64)
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=64))]
    header_length: u8,
    /// Show account numbers and clear PINs
    #[arg(long)]
    clear: bool,
    /// One JSON object instead of a report for people
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let input = match &args.message {
        Some(message) => message.clone(),
        None => {
            let mut text = String::new();
            stdin().take(INPUT_MAX).read_to_string(&mut text).context("standard input is no text")?;
            text
        }
    };
    let message = bytes(&input, args.text)?;
    let Some(explained) = explain(&message, usize::from(args.header_length), args.clear) else {
        bail!("the message is shorter than a header of {} characters and a command", args.header_length);
    };
    let written = if args.json {
        serde_json::to_writer(stdout(), &explained).map_err(Into::into).and_then(|()| writeln!(stdout()))
    } else {
        print(&explained)
    };
    super::super::heard(written)?;
    Ok(if explained.fault.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The message without its length.
fn bytes(input: &str, text: bool) -> anyhow::Result<Vec<u8>> {
    if text {
        return Ok(input.trim_end_matches(['\r', '\n']).as_bytes().to_vec());
    }
    let digits: String = input.chars().filter(|character| !character.is_whitespace()).collect();
    let bytes = hex::decode(&digits).context("the message is not hexadecimal; use --text for text")?;
    Ok(match bytes.split_first_chunk::<2>() {
        Some((length, rest)) if usize::from(u16::from_be_bytes(*length)) == rest.len() => rest.to_vec(),
        _ => bytes,
    })
}

fn print(explained: &Explained) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let kind = if explained.is_answer { "answer to" } else { "command" };
    let does = explained.does.unwrap_or("not offered");
    writeln!(out, "{} {}: {kind} {}: {does}", explained.header, explained.code, explained.command.unwrap_or("?"))?;
    let width = explained.fields.iter().map(|field| field.name.len()).max().unwrap_or_default();
    for field in &explained.fields {
        let value = if field.value.len() > VALUE_MAX {
            let start: String = field.value.chars().take(VALUE_MAX).collect();
            format!("{start}… ({} characters)", field.value.len())
        } else {
            field.value.clone()
        };
        let meaning = field.meaning.as_ref().map(|meaning| format!("  ({meaning})")).unwrap_or_default();
        writeln!(out, "{:>5}  {:<width$}  {value}{meaning}", field.at, field.name)?;
    }
    match &explained.fault {
        Some(fault) => writeln!(out, "not read to its end: {fault}"),
        None => Ok(()),
    }
}
