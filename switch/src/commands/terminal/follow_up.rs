//! Command lines that complete or reverse what was just sent, ready to be pasted.
//!
//! TMK and PIN are left out, and a keyed card number is the word PAN: what is printed ends up in logs and histories.

use parties::{Exchange, Original, Request};

use super::options::{DATA_DIR, LISTENER, Options};
use super::setup::major_units;
use super::task::PURCHASE;

/// What may follow an approved request, by name.
pub fn after(options: &Options, exchange: &Exchange) -> Vec<(&'static str, String)> {
    if !exchange.is_approved() {
        return Vec::new();
    }
    let mut commands = Vec::new();
    commands.extend(completion(options, exchange).map(|command| ("completion", command)));
    commands.extend(reversal(options, &exchange.request).map(|command| ("reversal", command)));
    commands
}

/// Takes the request back. `None` for what moves no money.
pub fn reversal(options: &Options, request: &Request) -> Option<String> {
    let original = Original::of(request).ok().filter(|original| original.amount_minor > 0)?;
    // Reversals repeat until they are answered; there is nothing that takes one back.
    if request.mti().starts_with("04") {
        return None;
    }
    let mut words = begin(options, "reversal", &original)?;
    if original.processing_code != PURCHASE {
        words.extend(["--processing-code".to_owned(), original.processing_code.clone()]);
    }
    Some(joined(&words))
}

/// Posts what an approved pre-authorization holds.
fn completion(options: &Options, exchange: &Exchange) -> Option<String> {
    if !exchange.request.mti().starts_with("01") {
        return None;
    }
    let original = Original::of(&exchange.request).ok()?;
    let approval = exchange.approval()?.trim_end().to_owned();
    let mut words = begin(options, "completion", &original)?;
    words.extend(["--approval".to_owned(), approval]);
    Some(joined(&words))
}

/// The command with the flags of this run that the next needs too, and the original's data.
fn begin(options: &Options, command: &str, original: &Original) -> Option<Vec<String>> {
    let mut words: Vec<String> = ["umbra", "terminal", command].map(str::to_owned).into();
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if options.data_dir.as_os_str() != DATA_DIR {
        flag("--data-dir", options.data_dir.display().to_string());
    }
    if options.listener != LISTENER {
        flag("--listener", options.listener.clone());
    }
    let texts = [
        ("--address", options.address.map(|address| address.to_string())),
        ("--tid", options.tid.clone()),
        ("--mid", options.mid.clone()),
        ("--key-scheme", options.key_scheme.map(|scheme| scheme.name().to_owned())),
        ("--card", options.card.map(|index| index.to_string())),
        ("--pan", options.pan.as_ref().map(|_| "PAN".to_owned())),
        ("--currency", options.currency.clone()),
        ("--original", Some(original.reference()?)),
        ("--rrn", original.rrn.clone()),
        ("--amount", Some(major_units(original.amount_minor, &original.currency))),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            flag(name, value);
        }
    }
    if options.no_mac {
        words.push("--no-mac".to_owned());
    }
    Some(words)
}

fn joined(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for (word, expected) in [
            ("0200:000123:1125041500", "0200:000123:1125041500"),
            ("my data", "'my data'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
