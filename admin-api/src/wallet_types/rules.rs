//! Attributes of a wallet type that the platform itself goes by.

use std::collections::HashSet;

use admin_core::{Amount, ApiError, Attribute, attribute};
use iso8583::domain::Currency;

pub const CURRENCY: &str = "Currency";
const HOLD_LIFE: &str = "holdLifeSeconds";
const TOLERANCE: &str = "completionTolerancePercent";

/// Seven days.
const HOLD_LIFE_DEFAULT_S: i64 = 7 * 24 * 60 * 60;
const HOLD_LIFE_MIN_S: i64 = 60;
/// Thirty days.
const HOLD_LIFE_MAX_S: i64 = 30 * 24 * 60 * 60;

/// A hundred per cent in basis points.
const TOLERANCE_MAX_BP: i64 = 10_000;

/// What the attributes say, ready for their columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Rules {
    /// ISO 4217 numeric.
    pub currency: i64,
    pub hold_life_s: i64,
    pub tolerance_bp: i64,
}

impl Rules {
    /// `model`: whose attributes they are, for what is said of a wrong one.
    pub fn of(list: &[Attribute], model: &str) -> Result<Self, ApiError> {
        let mut names = HashSet::new();
        if let Some(twice) = list.iter().find(|attribute| !names.insert(&attribute.att)) {
            return Err(ApiError::validation(&twice.att, model, "configuration.att", "an attribute stands once"));
        }
        let refuse = |name, rule: &str| breach(list, model, name, rule);
        let currency = attribute(list, CURRENCY).and_then(Currency::named);
        let currency = currency.ok_or_else(|| refuse(CURRENCY, "the three letters of a currency of ISO 4217"))?;
        let hold_life_s = match attribute(list, HOLD_LIFE) {
            None => Some(HOLD_LIFE_DEFAULT_S),
            Some(text) => text.parse().ok().filter(|life| (HOLD_LIFE_MIN_S..=HOLD_LIFE_MAX_S).contains(life)),
        };
        let tolerance_bp = match attribute(list, TOLERANCE) {
            None => Some(0),
            Some(text) => basis_points(text).filter(|points| (0..=TOLERANCE_MAX_BP).contains(points)),
        };
        Ok(Self {
            currency: i64::from(currency.number()),
            hold_life_s: hold_life_s.ok_or_else(|| refuse(HOLD_LIFE, "whole seconds, 60 to 2592000"))?,
            tolerance_bp: tolerance_bp.ok_or_else(|| refuse(TOLERANCE, "0 to 100 with at most two decimals"))?,
        })
    }
}

/// A percentage of at most two decimals, exactly.
fn basis_points(text: &str) -> Option<i64> {
    serde_json::from_str::<Amount>(text).ok()?.to_minor(2)
}

/// What is said of an attribute that breaks a rule.
pub fn breach(list: &[Attribute], model: &str, name: &str, rule: &str) -> ApiError {
    ApiError::validation(attribute(list, name).unwrap_or_default(), model, &format!("configuration.{name}"), rule)
}

/// The attributes of a type that has no others.
pub fn only_currency(number: i64) -> Result<Vec<Attribute>, ApiError> {
    let currency = u16::try_from(number).ok().and_then(Currency::numeric);
    let currency = currency.ok_or_else(|| ApiError::not_found("currency as this wallet type names"))?;
    Ok(vec![Attribute { att: CURRENCY.into(), val: currency.code().into() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(pairs: &[(&str, &str)]) -> Vec<Attribute> {
        pairs.iter().map(|(att, val)| Attribute { att: (*att).into(), val: (*val).into() }).collect()
    }

    #[test]
    fn rules_come_from_attributes_or_defaults() {
        let rules = |pairs| Rules::of(&list(pairs), "Model").unwrap();
        let plain = Rules { currency: 710, hold_life_s: 604_800, tolerance_bp: 0 };
        assert_eq!(rules(&[("Currency", "ZAR"), ("Kyc", "x")]), plain);
        assert_eq!(
            rules(&[("Currency", "USD"), ("holdLifeSeconds", "60"), ("completionTolerancePercent", "12.50")]),
            Rules { currency: 840, hold_life_s: 60, tolerance_bp: 1_250 }
        );
        assert_eq!(Rules::of(&only_currency(710).unwrap(), "Model").unwrap(), plain);
    }

    #[test]
    fn wrong_attributes_are_named() {
        for (pairs, field) in [
            (&[][..], "configuration.Currency"),
            (&[("Currency", "zar")], "configuration.Currency"),
            (&[("Currency", "710")], "configuration.Currency"),
            (&[("Currency", "ZAR"), ("Currency", "USD")], "configuration.att"),
            (&[("Currency", "ZAR"), ("holdLifeSeconds", "59")], "configuration.holdLifeSeconds"),
            (&[("Currency", "ZAR"), ("holdLifeSeconds", "2592001")], "configuration.holdLifeSeconds"),
            (&[("Currency", "ZAR"), ("completionTolerancePercent", "100.01")], "completionTolerancePercent"),
            (&[("Currency", "ZAR"), ("completionTolerancePercent", "0.001")], "completionTolerancePercent"),
            (&[("Currency", "ZAR"), ("completionTolerancePercent", "-1")], "completionTolerancePercent"),
        ] {
            let said = Rules::of(&list(pairs), "Model").unwrap_err().description;
            assert!(said.contains("Model.") && said.contains(field), "{said}");
        }
    }
}
