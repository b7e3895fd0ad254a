//! `umbra iso`: messages and specs, at hand.

mod capture;
mod detect;

use std::io::{BufRead, Read, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Subcommand;
use iso8583::convert::{Converter, Today};
use iso8583::exchange::{self, Exchanged, Loss};
use iso8583::{Spec, tool};
use time::OffsetDateTime;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Hexadecimal lines on standard input to JSON lines on standard output
    Decode {
        /// A builtin spec (see `umbra iso specs`) or the path of a spec file
        #[arg(long)]
        spec: String,
        /// Hide card data
        #[arg(long)]
        mask: bool,
    },
    /// JSON lines on standard input to hexadecimal lines on standard output
    Encode {
        /// A builtin spec (see `umbra iso specs`) or the path of a spec file
        #[arg(long)]
        spec: String,
    },
    /// Hexadecimal lines on standard input to descriptions for people, card data hidden
    Describe {
        /// A builtin spec (see `umbra iso specs`) or the path of a spec file
        #[arg(long)]
        spec: String,
    },
    /// Hexadecimal lines of one spec to hexadecimal lines of another, also between 1987 and 1993
    Convert {
        #[arg(long)]
        from: String,
        #[arg(long)]
        to: String,
        /// Leave out what the other spec has no place for, and name it on standard error
        #[arg(long)]
        lossy: bool,
    },
    /// Which framing and spec explain a hex dump, a capture (pcapng, pcap) or plain bytes
    Detect {
        /// Standard input where no file is named
        file: Option<PathBuf>,
        /// Specs to try; the builtin ones where none is named
        #[arg(long)]
        spec: Vec<String>,
        /// One JSON object a stream
        #[arg(long)]
        json: bool,
    },
    /// The builtin specs
    Specs,
    /// The JSON Schema of spec files, for editors
    Schema,
    /// A spec of another library as one of ours, on standard output; what could not be expressed on standard error
    Import {
        /// Whose spec it is
        #[arg(long, value_enum)]
        from: Library,
        /// What the spec is to be called; of a Python file with several dictionaries the one of this name is taken
        #[arg(long)]
        name: String,
        /// Standard input where no file is named
        file: Option<PathBuf>,
    },
    /// A builtin spec as one of another library, on standard output; what could not be expressed on standard error
    Export {
        #[arg(long)]
        spec: String,
        /// Whose spec it is to be
        #[arg(long, value_enum)]
        to: Library,
    },
}

/// Libraries whose specs are exchanged.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Library {
    /// XML for jPOS's GenericPackager (import only)
    Jpos,
    /// JSON for moov-io/iso8583
    Moov,
    /// A Python dictionary for pyiso8583, in a module or as JSON (import only)
    Pyiso8583,
}

impl From<Library> for exchange::Library {
    fn from(library: Library) -> Self {
        match library {
            Library::Jpos => Self::Jpos,
            Library::Moov => Self::Moov,
            Library::Pyiso8583 => Self::Pyiso8583,
        }
    }
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let clean = match args.action {
        Action::Decode { spec, mask } => tool::decode_lines(&*find(&spec)?, mask, stdin().lock(), stdout().lock())?,
        Action::Encode { spec } => tool::encode_lines(&*find(&spec)?, stdin().lock(), stdout().lock())?,
        Action::Describe { spec } => tool::describe_lines(&*find(&spec)?, stdin().lock(), stdout().lock())?,
        Action::Convert { from, to, lossy } => convert(&from, &to, lossy)?,
        Action::Detect { file, spec, json } => {
            let specs: Vec<Arc<Spec>> = if spec.is_empty() {
                Spec::builtin_names().map(Spec::builtin).collect::<Result<_, _>>()?
            } else {
                spec.iter().map(|spec| find(spec)).collect::<anyhow::Result<_>>()?
            };
            detect::run(&read(file.as_deref())?, &specs, json, &mut stdout().lock())?
        }
        Action::Specs => specs(&mut stdout().lock())?,
        Action::Schema => {
            write!(stdout(), "{}", Spec::schema())?;
            true
        }
        Action::Import { from, name, file } => {
            let text = String::from_utf8(read(file.as_deref())?).context("the spec is no text in UTF-8")?;
            exchanged(exchange::import(from.into(), &name, &text)?)?
        }
        Action::Export { spec, to } => exchanged(exchange::export(to.into(), &spec)?)?,
    };
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn find(spec: &str) -> anyhow::Result<Arc<Spec>> {
    let path = Path::new(spec);
    Ok(if path.is_file() { Spec::load(path)? } else { Spec::builtin(spec)? })
}

fn read(file: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match file {
        Some(path) => bytes = std::fs::read(path).with_context(|| format!("{} does not read", path.display()))?,
        None => {
            stdin().lock().read_to_end(&mut bytes)?;
        }
    }
    Ok(bytes)
}

fn specs(out: &mut impl Write) -> anyhow::Result<bool> {
    for name in Spec::builtin_names() {
        let spec = Spec::builtin(name)?;
        writeln!(out, "{name:<26}{}", spec.description())?;
    }
    Ok(true)
}

/// Writes what was exchanged, and what was lost on the way. Losses are no failure: they are to be looked at.
fn exchanged(Exchanged { text, losses }: Exchanged) -> anyhow::Result<bool> {
    for Loss { place, what } in losses {
        writeln!(stderr(), "{place}: {what}")?;
    }
    write!(stdout(), "{text}")?;
    Ok(true)
}

fn convert(from: &str, to: &str, lossy: bool) -> anyhow::Result<bool> {
    let now = OffsetDateTime::now_utc();
    let today = Today { year: u8::try_from(now.year() % 100)?, month: now.month().into() };
    let converter = Converter::new(find(from)?, find(to)?, today);
    let (mut clean, mut out) = (true, stdout().lock());
    for (at, line) in stdin().lock().split(b'\n').enumerate() {
        let (text, lost) = tool::convert_line(&converter, lossy, &line?);
        clean &= text.is_ok();
        for lost in lost {
            writeln!(stderr(), "line {}: data element {} is left out: it {}", at + 1, lost.de, lost.reason)?;
        }
        writeln!(out, "{}", text.unwrap_or_else(|error| error.to_string()))?;
    }
    Ok(clean)
}
