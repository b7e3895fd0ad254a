//! The demo's terminals. Their master keys are entered into the HSM simulator in clear, as custodians would.

use std::collections::HashMap;

use admin_core::merchant_account_name;
use admin_store::{NewTerminal, Transaction};
use anyhow::Context;
use hsm_sim::{Lmk, console};
use parties::{DemoFile, DemoTerminal};

/// Key type code of a terminal master key.
const TMK: &str = "002";
const MERCHANT: &str = "UMBRAMERCHANT01";

/// Terminals of one merchant among the further ones.
const TERMINALS_A_SHOP: u32 = 8;

/// One terminal with key blocks, one with ECB cryptograms, one that sends no MACs; and `further` ones at shops of their
/// own, of which every second sends no MACs.
pub fn plan(further: u32) -> anyhow::Result<Vec<DemoTerminal>> {
    let named = [("UMBRA001", "tr31", true), ("UMBRA002", "ecb", true), ("UMBRA006", "tr31", false)]
        .map(|(terminal_id, key_scheme, mac)| (terminal_id.to_owned(), MERCHANT.to_owned(), key_scheme, mac));
    let numbered = (0..further).map(|number| {
        let shop = format!("UMBRASHOP{:06}", number / TERMINALS_A_SHOP + 1);
        (format!("T{:07}", number + 1), shop, "tr31", number % 2 == 0)
    });
    named
        .into_iter()
        .chain(numbered)
        .map(|(terminal_id, merchant_id, key_scheme, mac)| {
            let tmk = hex::encode_upper(random_key()?);
            Ok(DemoTerminal { terminal_id, merchant_id, tmk, key_scheme: key_scheme.into(), mac })
        })
        .collect()
}

/// A double-length key of odd parity.
pub fn random_key() -> anyhow::Result<[u8; 16]> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).context("the system gives no random numbers")?;
    for byte in &mut key {
        // DES keys have odd parity.
        *byte ^= u8::from(byte.count_ones().is_multiple_of(2));
    }
    Ok(key)
}

pub async fn insert(change: &mut Transaction, file: &DemoFile) -> anyhow::Result<()> {
    let lmk = Lmk::test_variant();
    let mut merchants = HashMap::new();
    for terminal in &file.terminals {
        let merchant = terminal.merchant_id.as_str();
        if !merchants.contains_key(merchant) {
            let name = merchant_account_name(super::CURRENCY, merchant);
            merchants.insert(merchant, super::account(change, file.tenant_id, "MERCHANT", &name).await?);
        }
        let clear = hex::decode(&terminal.tmk).context("a terminal master key of demo.json is not hexadecimal")?;
        let formed = console::form_key(&lmk, TMK, 'U', &clear);
        let (tmk, kcv) = formed.context("a terminal master key of demo.json is no double-length key of odd parity")?;
        let row = NewTerminal {
            tenant_id: file.tenant_id,
            terminal_type_id: None,
            terminal_id: &terminal.terminal_id,
            merchant_id: &terminal.merchant_id,
            key_scheme: &terminal.key_scheme,
            tmk: &tmk,
            tmk_kcv: &kcv,
            mac_required: terminal.mac,
            merchant_account: merchants.get(merchant).copied().context("every merchant has an account")?,
        };
        row.insert(change).await?;
    }
    Ok(())
}
