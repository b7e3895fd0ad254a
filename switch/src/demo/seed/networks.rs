//! The demo's card network, which brings authorizations. Its master key is entered into the HSM simulator in clear, as
//! custodians would.

use admin_store::{NewNetwork, Transaction};
use anyhow::Context;
use hsm_sim::{Lmk, console};
use parties::DemoNetwork;

use super::terminals::random_key;

/// Key type code of a zone master key.
const ZMK: &str = "000";
/// DE 33 of what it sends, and DE 32 of what is sent to it.
const INSTITUTION: &str = "500001";
const ACQUIRER_ID: &str = "990001";
/// Of what is owed to it.
const ACCOUNT: &str = "network-500001-710";

pub fn plan() -> anyhow::Result<DemoNetwork> {
    let zmk = hex::encode_upper(random_key()?);
    Ok(DemoNetwork { id: INSTITUTION.into(), zmk, key_scheme: "tr31".into(), acquirer_id: ACQUIRER_ID.into() })
}

pub async fn insert(change: &mut Transaction, tenant_id: i64, network: &DemoNetwork) -> anyhow::Result<()> {
    let account = super::account(change, tenant_id, "SYSTEM", ACCOUNT).await?;
    let clear = hex::decode(&network.zmk).context("the zone master key of demo.json is not hexadecimal")?;
    let formed = console::form_key(&Lmk::test_variant(), ZMK, 'U', &clear);
    let (zmk, zmk_kcv) = formed.context("the zone master key of demo.json is no double-length key of odd parity")?;
    let row = NewNetwork {
        tenant_id,
        institution: &network.id,
        acquirer_id: &network.acquirer_id,
        key_scheme: &network.key_scheme,
        zmk: &zmk,
        zmk_kcv: &zmk_kcv,
        account,
    };
    row.insert(change).await?;
    Ok(())
}
