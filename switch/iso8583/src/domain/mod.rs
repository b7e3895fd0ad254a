//! Values with a meaning of their own: card numbers, tracks, amounts, references to originals.

mod amount;
mod currency;
mod original;
mod pan;
mod track;

pub use amount::{AdditionalAmount, amount_in_words};
pub use currency::Currency;
pub use original::{OriginalData, OriginalData1993};
pub use pan::{Pan, luhn_check_digit, luhn_valid, mask_digits};
pub use track::{Track1, Track2};

/// A text that is not of its form. Says what was expected, never what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
fn vectors(name: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}
