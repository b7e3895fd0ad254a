//! How one request ended, for people and programs. Card data is masked.

use parties::{Exchange, Request, Reversed};
use serde_json::{Value, json};

pub enum Outcome {
    /// Its answer, and its reversal where that was asked for.
    Answered { exchange: Box<Exchange>, reversal: Option<Box<Reversed>> },
    /// No answer that counts; its reversal was answered.
    Unanswered { request: Request, reversal: Box<Reversed> },
}

impl Outcome {
    pub fn is_approved(&self) -> bool {
        match self {
            Self::Answered { exchange, .. } => exchange.is_approved(),
            Self::Unanswered { .. } => false,
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Answered { exchange, reversal } => {
                let mut text = format!("{}\n{}\n", exchange.describe(), exchange.outcome());
                if let Some(reversal) = reversal {
                    text.push_str(&format!("\n{}\nreversed: {}\n", reversal.exchange.describe(), copies(reversal)));
                }
                text
            }
            Self::Unanswered { request, reversal } => format!(
                "{}\nno answer that counts\n\n{}\nreversed: {}\n",
                request.describe(),
                reversal.exchange.describe(),
                copies(reversal)
            ),
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Self::Answered { exchange, reversal } => {
                let mut json = exchange.json();
                if let Some(object) = json.as_object_mut() {
                    object.insert("outcome".to_owned(), exchange.outcome().into());
                    object.insert("reversal".to_owned(), reversal.as_deref().map(reversal_json).into());
                }
                json
            }
            Self::Unanswered { reversal, .. } => json!({
                "approved": false,
                "outcome": "no answer that counts",
                "reversal": reversal_json(reversal),
            }),
        }
    }
}

fn reversal_json(reversal: &Reversed) -> Value {
    let mut json = reversal.exchange.json();
    if let Some(object) = json.as_object_mut() {
        object.insert("copies".to_owned(), reversal.copies.into());
    }
    json
}

fn copies(reversal: &Reversed) -> String {
    match reversal.copies {
        1 => "0420 was answered".to_owned(),
        copies => format!("copy {copies} was answered, an 0421"),
    }
}
