//! Components: no single person knows a key.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};
use std::process::ExitCode;

use anyhow::{Context, bail};
use hsm_sim::console;
use hsm_sim::keys::{KeyType, Scheme};
use zeroize::Zeroizing;

use crate::commands::hsm::named_lmk;

#[derive(clap::Args)]
pub struct ComponentArgs {
    /// Bytes of the key: 8, 16 or 24
    #[arg(long, default_value_t = 16)]
    length: usize,
}

#[derive(clap::Args)]
pub struct FormArgs {
    /// Type of the key, for example 000 for a zone master key
    #[arg(long = "type")]
    key_type: String,
    /// Scheme letter under the LMK
    #[arg(long, default_value = "U")]
    scheme: char,
    /// How many people enter a component, 2 to 9
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=9))]
    components: u8,
    /// The LMK's file, or test
    #[arg(long, default_value = "test")]
    lmk: String,
}

/// Prints a component and its check value, which are to be written down and kept by one person.
pub fn make(args: &ComponentArgs) -> anyhow::Result<ExitCode> {
    if ![8, 16, 24].contains(&args.length) {
        bail!("a key has 8, 16 or 24 bytes");
    }
    let (clear, check) =
        console::component(args.length).map_err(|_| anyhow::anyhow!("no random numbers are to be had"))?;
    let digits = Zeroizing::new(hex::encode_upper(&*clear));
    let groups: Vec<&str> = digits.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    println!("component    {}", groups.join(" "));
    println!("check value  {check}");
    Ok(ExitCode::SUCCESS)
}

/// Asks one person after the other, and prints the key under the LMK and its check value.
pub fn form(args: &FormArgs) -> anyhow::Result<ExitCode> {
    let key_type = KeyType::parse(&args.key_type)
        .map_err(|_| anyhow::anyhow!("{} is no key type; see the table in hsm-sim/README.md", args.key_type))?;
    let scheme = u8::try_from(args.scheme).ok().and_then(|letter| Scheme::parse(letter).ok());
    let scheme = scheme.filter(|scheme| scheme.key_length().is_ok()).context("a scheme is one of Z, U, T, X, Y")?;
    let length = scheme.key_length().unwrap_or_default();
    let lmk = named_lmk(&args.lmk)?;
    let mut components = Vec::new();
    for number in 1..=args.components {
        components.push(ask(number, args.components, length)?);
    }
    let (key, check) = console::form_key_of_components(&lmk, key_type, scheme, &components).map_err(|code| {
        anyhow::anyhow!("the key cannot be formed: {}; a variant LMK is needed", host_commands::meaning(code.0))
    })?;
    println!("key          {key}");
    println!("check value  {check}");
    Ok(ExitCode::SUCCESS)
}

/// One person's component: not shown while it is typed, its check value compared with what the person has.
fn ask(number: u8, of: u8, length: usize) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let prompt = format!("component {number} of {of}, for its keeper alone: ");
    let text = if stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password(prompt)?)
    } else {
        let mut line = Zeroizing::new(String::new());
        stdin().lock().read_line(&mut line)?;
        line
    };
    let digits: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|character| !character.is_whitespace()).collect());
    let clear = Zeroizing::new(
        hex::decode(digits.as_bytes()).map_err(|_| anyhow::anyhow!("component {number} is not hexadecimal"))?,
    );
    if clear.len() != length {
        bail!("component {number} has {} bytes; the scheme wants {length}", clear.len());
    }
    let check = console::component_check_value(&clear).map_err(|_| anyhow::anyhow!("component {number} is no key"))?;
    writeln!(stderr(), "component {number} has check value {check}")?;
    Ok(clear)
}
