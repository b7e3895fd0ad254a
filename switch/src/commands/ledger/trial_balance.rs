//! `umbra ledger trial-balance`: what was on every account at a moment.

use std::io::{self, Write};

use iso8583::domain::amount_in_words;
use ledger::{AsOf, TrialBalance};
use serde_json::json;

use super::moment;

/// A sequence, or a time like `2026-11-30T08:00:00Z`.
pub fn as_of(text: &str) -> Result<AsOf, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(AsOf::Seq).map_err(|error| error.to_string());
    }
    moment::parse(text).map(AsOf::Time).map_err(|error| format!("{error}, or give the number of an event"))
}

pub fn for_people(balance: &TrialBalance, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "trial balance after event {}, {}", balance.seq, moment::text(balance.at))?;
    let head = ["account", "kind", "debits", "credits", "balance", "available"];
    writeln!(
        out,
        "{:>10}  {:8}  {:>20}  {:>20}  {:>20}  {:>20}",
        head[0], head[1], head[2], head[3], head[4], head[5]
    )?;
    for (account, view) in &balance.accounts {
        let amount = |amount: i64| in_words(i128::from(amount), view.currency);
        let kind = format!("{:?}", view.kind).to_lowercase();
        let closed = if view.closed { "  closed" } else { "" };
        writeln!(
            out,
            "{account:>10}  {kind:8}  {:>20}  {:>20}  {:>20}  {:>20}{closed}",
            amount(view.debits),
            amount(view.credits),
            amount(view.balance),
            amount(view.available)
        )?;
    }
    for (currency, (debits, credits)) in balance.totals() {
        let (debits, credits) = (in_words(debits, currency), in_words(credits, currency));
        writeln!(out, "{:>10}  {:8}  {debits:>20}  {credits:>20}", "", "all")?;
    }
    Ok(())
}

/// One object a line: the moment, each account, each currency.
pub fn to_json_lines(balance: &TrialBalance, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", json!({"seq": balance.seq, "at": balance.at}))?;
    for (account, view) in &balance.accounts {
        let line = json!({
            "account": account,
            "kind": format!("{:?}", view.kind).to_lowercase(),
            "currency": format!("{:03}", view.currency),
            "closed": view.closed,
            "debits": view.debits,
            "credits": view.credits,
            "pending_debits": view.pending_debits,
            "pending_credits": view.pending_credits,
            "balance": view.balance,
            "available": view.available,
        });
        writeln!(out, "{line}")?;
    }
    for (currency, (debits, credits)) in balance.totals() {
        // Totals may be larger than JSON readers' numbers, so they are texts.
        let currency = format!("{currency:03}");
        let line = json!({"currency": currency, "debits": debits.to_string(), "credits": credits.to_string()});
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn in_words(minor: i128, currency: u16) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", amount_in_words(&minor.unsigned_abs().to_string(), Some(&format!("{currency:03}"))))
}

#[cfg(test)]
mod tests {
    use ledger::{AccountKind, AccountView};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_moment_is_a_number_or_a_time() {
        assert_eq!(as_of("17"), Ok(AsOf::Seq(17)));
        assert_eq!(as_of("2026-11-30T06:00:00.5Z"), Ok(AsOf::Time(1_796_018_400_500)));
        assert!(as_of("noon").unwrap_err().contains("number of an event"));
        assert!(as_of("99999999999999999999").is_err());
    }

    #[test]
    fn accounts_for_people_and_for_programs() {
        let view = AccountView {
            currency: 710,
            kind: AccountKind::Wallet,
            closed: false,
            debits: 1250,
            credits: 100,
            pending_debits: 50,
            pending_credits: 0,
            balance: -1150,
            available: -1200,
        };
        let balance = TrialBalance { seq: 9, at: 1_796_018_400_500, accounts: vec![(7, view)] };
        let mut text = Vec::new();
        for_people(&balance, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("trial balance after event 9, 2026-11-30T06:00:00.500Z\n"), "{text}");
        assert!(
            text.contains("         7  wallet               12.50 ZAR              1.00 ZAR            -11.50 ZAR"),
            "{text}"
        );
        let mut lines = Vec::new();
        to_json_lines(&balance, &mut lines).unwrap();
        let lines: Vec<Value> =
            String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), &lines[1]["available"], &lines[2]["debits"]), (3, &json!(-1200), &json!("1250")));
    }
}
