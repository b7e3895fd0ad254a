//! Amounts: in words, and the items of DE 54.

use super::{Currency, Malformed, is_digits};

/// Minor units with the point where the currency has it (ISO 4217); two decimals when it is not known.
pub fn amount_in_words(minor: &str, currency: Option<&str>) -> String {
    let known = currency.and_then(Currency::parse);
    let name = known.map_or(currency.unwrap_or_default(), |currency| currency.code());
    let decimals = known.map_or(2, |currency| usize::try_from(currency.exponent()).unwrap_or(2));
    let minor = minor.trim_start_matches('0');
    let padded = format!("{minor:0>width$}", width = decimals + 1);
    let (major, rest) = padded.split_at(padded.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    format!("{major}{point}{rest} {name}").trim_end().to_owned()
}

/// One item of DE 54: account type n2, amount type n2, currency n3, C or D, amount n12.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdditionalAmount {
    pub account_type: String,
    pub amount_type: String,
    pub currency: String,
    /// Minor units; negative for a debit balance.
    pub amount: i64,
}

impl AdditionalAmount {
    const LENGTH: usize = 20;

    /// All items; the length must be a multiple of an item's.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, Malformed> {
        if !text.is_ascii() || text.is_empty() || !text.len().is_multiple_of(Self::LENGTH) {
            return Err(Malformed("additional amounts are items of 20 characters"));
        }
        (0..text.len())
            .step_by(Self::LENGTH)
            .map(|start| Self::parse(text.get(start..start + Self::LENGTH).unwrap_or_default()))
            .collect()
    }

    fn parse(item: &str) -> Result<Self, Malformed> {
        let part = |range: std::ops::Range<usize>| item.get(range).unwrap_or_default();
        let (head, sign, amount) = (part(0..7), part(7..8), part(8..20));
        if !is_digits(head) || !is_digits(amount) {
            return Err(Malformed("an additional amount has digits around its sign"));
        }
        let amount: i64 = amount.parse().map_err(|_| Malformed("an additional amount has twelve digits"))?;
        let amount = match sign {
            "C" => amount,
            "D" => -amount,
            _ => return Err(Malformed("an additional amount's sign is C or D")),
        };
        Ok(Self {
            account_type: part(0..2).to_owned(),
            amount_type: part(2..4).to_owned(),
            currency: part(4..7).to_owned(),
            amount,
        })
    }

    pub fn encode(&self) -> Result<String, Malformed> {
        let magnitude = self.amount.unsigned_abs();
        if magnitude > 999_999_999_999 {
            return Err(Malformed("an additional amount has at most twelve digits"));
        }
        let sign = if self.amount < 0 { 'D' } else { 'C' };
        Ok(format!("{:0>2}{:0>2}{:0>3}{sign}{magnitude:012}", self.account_type, self.amount_type, self.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currency_s_decimals() {
        for (minor, currency, words) in [
            ("000000001250", Some("710"), "12.50 ZAR"),
            ("000000000005", Some("392"), "5 JPY"),
            ("1234", Some("048"), "1.234 BHD"),
            ("0", Some("840"), "0.00 USD"),
            ("77", Some("000"), "0.77 000"),
            ("77", None, "0.77"),
        ] {
            assert_eq!(amount_in_words(minor, currency), words);
        }
    }

    #[test]
    fn additional_amounts_go_both_ways() {
        let text = "0002840C0000002735101001840D000000310543";
        let amounts = AdditionalAmount::parse_all(text).unwrap();
        assert_eq!(amounts[1].amount, -310_543);
        assert_eq!(amounts.iter().map(|amount| amount.encode().unwrap()).collect::<String>(), text);
        assert!(AdditionalAmount::parse_all("0002840X000000273510").is_err());
    }
}
