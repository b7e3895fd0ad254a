//! A world with everybody in it logged in, and short words for what tests of rights do.

use admin_store::{NewConfigItem, NewUser, Owner, sql};
use axum::http::StatusCode;
use serde_json::Value;

use super::{ADMIN, CLERK, INSTITUTION, INSTITUTION_CODE, PLATFORM, World, unique, world};

pub const CUSTOMERS: &str = "/tenants/{tenantId}/customers";
pub const WALLET: &str = "/tenants/{tenantId}/wallets/{walletId}";
pub const CARD: &str = "/tenants/{tenantId}/cards/{cardId}";
pub const CONFIG_ITEMS: &str = "/tenants/{tenantId}/config-items";
pub const ADMIN_USERS: &str = "/tenants/{tenantId}/admin-users";
pub const SERVER_TIME: &str = "/global/server-time";
pub const RENEW: &str = "/authentication/renew";

pub const READ_CUSTOMERS: &str = "Customer.READ.Allowed";

/// A world with everybody in it logged in.
pub struct Stage {
    pub world: World,
    pub clerk: String,
    pub admin: String,
    pub institution: String,
    pub platform: String,
}

pub async fn stage() -> Stage {
    let world = world().await;
    Stage {
        clerk: world.log_in(CLERK).await,
        admin: world.log_in(ADMIN).await,
        institution: world.log_in(INSTITUTION).await,
        platform: world.log_in(PLATFORM).await,
        world,
    }
}

pub fn owner_text(owner: Owner) -> String {
    match owner {
        Owner::Global => "GLOBAL".into(),
        Owner::Institution(id) => format!("INSTITUTION:{id}"),
        Owner::Tenant(id) => format!("TENANT:{id}"),
    }
}

impl Stage {
    pub fn tenant(&self) -> Owner {
        Owner::Tenant(self.world.own)
    }

    pub async fn institution_owner(&self) -> Owner {
        Owner::Institution(self.world.store.institution(INSTITUTION_CODE).await.unwrap().unwrap())
    }

    /// Sets a key behind the API's back: institutions and the platform have no operation for it yet.
    pub async fn set(&self, owner: Owner, key: &str, value: &str) {
        self.unset(owner, key).await;
        let mut change = self.world.store.begin().await.unwrap();
        let item = NewConfigItem { owner, key, value, secret: false, description: "" };
        item.insert(&mut change).await.unwrap();
        self.world.store.commit(change).await.unwrap();
    }

    pub async fn unset(&self, owner: Owner, key: &str) {
        let mut change = self.world.store.begin().await.unwrap();
        let removal = sql("DELETE FROM config_items WHERE owner = $1 AND key = $2").bind(owner_text(owner)).bind(key);
        removal.run(&mut change).await.unwrap();
        self.world.store.commit(change).await.unwrap();
    }

    pub fn path(&self, template: &str) -> String {
        self.world.path(template, self.world.own)
    }

    /// Calls with success; whatever else comes is a fault of the test or of what it tests.
    pub async fn done(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.world.call(method, path, Some(token), Some(body)).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    /// Whether somebody may read something. Only a clear yes or no is an answer.
    pub async fn may_read(&self, token: &str, path: &str) -> bool {
        let (status, answer) = self.world.call("GET", path, Some(token), None).await;
        match status {
            StatusCode::OK => true,
            StatusCode::FORBIDDEN => {
                assert_eq!(answer[0]["code"], "SEC001", "{path}: {answer}");
                false
            }
            _ => panic!("GET {path}: {status} {answer}"),
        }
    }

    pub async fn may_read_customers(&self, token: &str) -> bool {
        self.may_read(token, &self.path(CUSTOMERS)).await
    }

    /// Who of clerk, tenant's administrator, institution's and platform's may read customers, in this order.
    pub async fn readers(&self) -> [bool; 4] {
        let mut may = [false; 4];
        for (may, token) in may.iter_mut().zip([&self.clerk, &self.admin, &self.institution, &self.platform]) {
            *may = self.may_read_customers(token).await;
        }
        may
    }

    /// Somebody who can log in, made in the store. Gives the token.
    pub async fn somebody(&self, tenant_id: Option<i64>, roles: &str, positions: &str) -> String {
        let identity = format!("somebody-{}", unique());
        let password_hash = &self.world.store.user(CLERK).await.unwrap().unwrap().password_hash;
        let (institution_id, profile) = (None, "{}");
        let user = NewUser { tenant_id, institution_id, identity: &identity, password_hash, roles, positions, profile };
        let mut change = self.world.store.begin().await.unwrap();
        user.insert(&mut change).await.unwrap();
        self.world.store.commit(change).await.unwrap();
        self.world.log_in(&identity).await
    }

    /// What a call that needs nothing but a log-in answers.
    pub async fn status(&self, token: &str) -> StatusCode {
        self.world.call("GET", &self.path(SERVER_TIME), Some(token), None).await.0
    }
}
