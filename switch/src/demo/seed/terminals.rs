//! The demo's terminals. Their master keys are entered into the HSM simulator in clear, as custodians would.

use admin_core::merchant_account_name;
use admin_store::{NewTerminal, Transaction};
use anyhow::Context;
use hsm_sim::{Lmk, console};
use parties::{DemoFile, DemoTerminal};

/// Key type code of a terminal master key.
const TMK: &str = "002";
const MERCHANT: &str = "UMBRAMERCHANT01";

/// One terminal with key blocks, one with ECB cryptograms, one that sends no MACs.
pub fn plan() -> anyhow::Result<Vec<DemoTerminal>> {
    [("UMBRA001", "tr31", true), ("UMBRA002", "ecb", true), ("UMBRA006", "tr31", false)]
        .into_iter()
        .map(|(terminal_id, key_scheme, mac)| {
            Ok(DemoTerminal {
                terminal_id: terminal_id.into(),
                merchant_id: MERCHANT.into(),
                tmk: hex::encode_upper(random_key()?),
                key_scheme: key_scheme.into(),
                mac,
            })
        })
        .collect()
}

fn random_key() -> anyhow::Result<[u8; 16]> {
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
    let merchant_account =
        super::account(change, file.tenant_id, "MERCHANT", &merchant_account_name(super::CURRENCY, MERCHANT)).await?;
    for terminal in &file.terminals {
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
            merchant_account,
        };
        row.insert(change).await?;
    }
    Ok(())
}
