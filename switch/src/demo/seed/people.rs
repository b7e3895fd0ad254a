//! Who may log in to the demo, and whose wallets there are.

use admin_store::{NewCustomer, NewUser, Transaction};
use anyhow::Context;
use parties::{Credentials, DemoFile};

/// A log-in with a password made for this data directory.
pub fn administrator(identity: &str) -> anyhow::Result<Credentials> {
    let mut random = [0; 12];
    getrandom::fill(&mut random).context("the system gives no random numbers")?;
    Ok(Credentials { identity: identity.into(), password: hex::encode(random) })
}

/// Hashes of both log-ins' passwords, made at the same time.
pub async fn hash_passwords(file: &DemoFile) -> anyhow::Result<[String; 2]> {
    let hash = |password: &str| {
        let password = password.to_owned();
        tokio::task::spawn_blocking(move || admin_core::hash_password(&password))
    };
    let (admin, global) = tokio::try_join!(hash(&file.admin.password), hash(&file.global.password))?;
    Ok([admin?, global?])
}

pub async fn insert(change: &mut Transaction, file: &DemoFile, [admin, global]: &[String; 2]) -> anyhow::Result<()> {
    let tenant = NewUser {
        tenant_id: Some(file.tenant_id),
        identity: &file.admin.identity,
        password_hash: admin,
        roles: "",
        positions: "TENANT_SYSTEM",
        institution_id: None,
        profile: "{}",
    };
    let platform = NewUser {
        tenant_id: None,
        identity: &file.global.identity,
        password_hash: global,
        roles: "GLOBAL_ADMIN",
        positions: "",
        institution_id: None,
        profile: "{}",
    };
    tenant.insert(change).await?;
    platform.insert(change).await?;
    Ok(())
}

/// Two people; cards are dealt out to them in turn.
pub async fn insert_customers(change: &mut Transaction, tenant_id: i64) -> anyhow::Result<[i64; 2]> {
    let person = |external_unique_id, profile| NewCustomer {
        tenant_id,
        external_unique_id,
        status: "ACTIVE",
        phone: None,
        national_identity: None,
        profile,
    };
    let thandi = person("demo-customer-1", r#"{"firstName":"Thandi","lastName":"Nkosi"}"#).insert(change).await?;
    let pieter = person("demo-customer-2", r#"{"firstName":"Pieter","lastName":"Botha"}"#).insert(change).await?;
    Ok([thandi.id, pieter.id])
}
