//! A small platform in a temporary folder: two tenants, people of every kind, wallets with money, and through the API
//! whatever else a test needs.

#![allow(dead_code, reason = "each test crate uses a part")]

#[path = "../../store/tests/database/mod.rs"]
mod database;
pub mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use admin_core::{
    NewSessionKeys, RateLimits, Row, Services, SessionKeyError, SessionKeys, TokenKeys, fresh_event_id, hash_password,
};
use admin_store::{
    DataKeys, NewAccount, NewCard, NewConfigItem, NewCustomer, NewTerminal, NewUser, NewWallet, NewWalletType, Owner,
    Store,
};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use directory::{Change, TerminalName};
use futures::future::BoxFuture;
use host_commands::{HsmClient, HsmConfig, KeyDomain, KeyExport, KeyUnderLmk};
use hsm_sim::{HsmOptions, Server};
use iso8583::domain::Pan;
use ledger::testing::SimStorage;
use ledger::{Content, Entry, Event, Ledger, LedgerConfig, Posting, SystemClock};
use serde_json::{Value, json};
use tower::ServiceExt;
use zeroize::Zeroizing;

pub const PAN: &str = "9999000000000018";
pub const PASSWORD: &str = "a long enough password";

pub struct World {
    pub router: Router,
    pub store: Store,
    pub ledger: Ledger,
    pub own: i64,
    pub other: i64,
    pub customer: i64,
    pub wallet_type: i64,
    pub wallet: i64,
    /// A second one, without money.
    pub second_wallet: i64,
    pub account: u64,
    /// Where money comes from.
    pub source: u64,
    pub card: i64,
    pub terminal: i64,
    _fresh: database::Fresh,
}

/// Identities that can log in.
pub const ADMIN: &str = "own-admin";
pub const CLERK: &str = "own-clerk";
pub const STRANGER: &str = "other-admin";
pub const PLATFORM: &str = "platform-admin";
pub const INSTITUTION: &str = "institution-admin";

/// Code of the institution that the own tenant belongs to.
pub const INSTITUTION_CODE: &str = "ABC";

/// A number that no test has used.
pub fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub async fn world() -> World {
    world_with(RateLimits { user: 1_000_000, anonymous: 1_000_000 }).await
}

pub async fn world_with(rates: RateLimits) -> World {
    let fresh = database::fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    let key = |byte| Zeroizing::new([byte; 32]);
    let hsm = hsm().await;
    let tmk = hsm.generate_key("002", 'U').await.unwrap();
    let keys = DataKeys { pan_cipher: key(1), pan_lookup: key(2), token_seal: key(3) };

    let mut change = store.begin().await.unwrap();
    let institution = store.insert_institution(&mut change, INSTITUTION_CODE).await.unwrap();
    let own = store.insert_tenant(&mut change, "Own", Some(institution), r#"{"phone1":"27110000000"}"#).await.unwrap();
    let other = store.insert_tenant(&mut change, "Other", None, "{}").await.unwrap();
    let hash = hash_password(PASSWORD).unwrap();
    for (identity, tenant_id, institution_id, roles, positions) in [
        (ADMIN, Some(own), None, "", "TENANT_SYSTEM"),
        (CLERK, Some(own), None, "", "LEVEL_01"),
        (STRANGER, Some(other), None, "", "TENANT_SYSTEM"),
        (PLATFORM, None, None, "GLOBAL_ADMIN", ""),
        (INSTITUTION, None, Some(institution), "INSTITUTION_ADMIN", ""),
    ] {
        let profile = "{}";
        let user = NewUser { tenant_id, institution_id, identity, password_hash: &hash, roles, positions, profile };
        user.insert(&mut change).await.unwrap();
    }
    for (key, value) in [("cardIin", "999900"), ("terminal.ecb.allowed", "true")] {
        let item = NewConfigItem { owner: Owner::Tenant(own), key, value, secret: false, description: "" };
        item.insert(&mut change).await.unwrap();
    }
    let customer = NewCustomer {
        tenant_id: own,
        external_unique_id: "customer-1",
        status: "ACTIVE",
        phone: None,
        national_identity: None,
        profile: "{}",
    };
    let customer = customer.insert(&mut change).await.unwrap().id;
    let account = |kind, name| NewAccount { tenant_id: own, kind, name, currency: 710, unlimited: false };
    let account_id = account("WALLET", "w").insert(&mut change).await.unwrap();
    let second = account("WALLET", "w2").insert(&mut change).await.unwrap();
    let source = account("SYSTEM", "source").insert(&mut change).await.unwrap();
    let merchant = account("MERCHANT", "m").insert(&mut change).await.unwrap();
    let wallet_type = NewWalletType {
        tenant_id: own,
        name: "Plain",
        mode: "BANK_ACCOUNT",
        configuration: r#"[{"att":"Currency","val":"ZAR"}]"#,
        currency: 710,
        hold_life_s: 60,
        tolerance_bp: 0,
    };
    let wallet_type = wallet_type.insert(&mut change).await.unwrap().id;
    let wallet = |account, friendly_id, external_unique_id| NewWallet {
        tenant_id: own,
        customer_id: Some(customer),
        wallet_type_id: wallet_type,
        account,
        name: "Wallet",
        description: "",
        status: "ACTIVE",
        friendly_id,
        external_unique_id,
        configuration: "[]",
    };
    let second_wallet = wallet(second, "FRIEND02", "wallet-2").insert(&mut change).await.unwrap();
    let wallet = wallet(account_id, "FRIEND01", "wallet-1").insert(&mut change).await.unwrap();
    let card = NewCard {
        tenant_id: own,
        wallet_id: wallet,
        external_unique_id: None,
        pan_hash: [7; 32],
        pan_cipher: keys.seal_pan(&Pan::parse(PAN).unwrap()).unwrap(),
        expiry: "3012",
        status: "ACTIVE",
        holder_name: "A B",
        service_code: "201",
        profile: "{}",
        pvk: "U00000000000000000000000000000000",
        pvki: 1,
        pvv: Some("1234"),
        pin_tries_max: 3,
    };
    let card = card.insert(&mut change).await.unwrap();
    let terminal = NewTerminal {
        tenant_id: own,
        terminal_type_id: None,
        terminal_id: "T1",
        merchant_id: "M1",
        key_scheme: "tr31",
        tmk: tmk.key.as_str(),
        tmk_kcv: &tmk.kcv,
        mac_required: true,
        merchant_account: merchant,
    };
    let terminal = terminal.insert(&mut change).await.unwrap().id;
    store.commit(change).await.unwrap();

    let (feed, subscription) = ledger::subscribe("projection", 0);
    tokio::spawn(store.clone().project(subscription));
    let config = LedgerConfig { feeds: vec![feed], ..LedgerConfig::new(Arc::new(SystemClock)) };
    let ledger = Ledger::open(Arc::new(SimStorage::default()), config).unwrap();
    admin_core::open_missing_accounts(&store, &ledger).await.unwrap();
    let (account, source) = (u64::try_from(account_id).unwrap(), u64::try_from(source).unwrap());
    pay(&ledger, source, account, 10_000).await;

    let tokens = TokenKeys::open(&store, &keys).await.unwrap();
    let session_keys = Arc::new(KeysOfTheHsm { hsm: hsm.clone(), store: store.clone() });
    let services = Services::new(admin_core::Parts {
        store: store.clone(),
        ledger: ledger.clone(),
        hsm,
        session_keys,
        data_keys: keys,
        tokens,
        rates,
    });
    let router = admin_api::router(Arc::new(services));
    World {
        router,
        store,
        ledger,
        own,
        other,
        customer,
        wallet_type,
        wallet,
        second_wallet,
        account,
        source,
        card,
        terminal,
        _fresh: fresh,
    }
}

/// Session keys as the switch makes them, without a switch that would use them.
struct KeysOfTheHsm {
    hsm: HsmClient,
    store: Store,
}

impl SessionKeys for KeysOfTheHsm {
    fn renew<'a>(&'a self, name: &'a TerminalName) -> BoxFuture<'a, Result<NewSessionKeys, SessionKeyError>> {
        Box::pin(async move {
            let (all, _) = self.store.load_directory().await.unwrap();
            let found = all.into_iter().find_map(|change| match change {
                Change::Terminal(terminal) if terminal.name == *name => Some(terminal),
                _ => None,
            });
            let tmk = KeyUnderLmk::from(found.ok_or(SessionKeyError::NotThere)?.tmk.clone());
            let tpk = self.hsm.generate_and_export_key(KeyDomain::Terminal, "002", 'U', &tmk, KeyExport::Ecb).await?;
            let tak = self.hsm.generate_and_export_key(KeyDomain::Terminal, "003", 'U', &tmk, KeyExport::Ecb).await?;
            Ok(NewSessionKeys {
                pin_key: tpk.exported,
                pin_key_check_value: tpk.kcv,
                mac_key: tak.exported,
                mac_key_check_value: tak.kcv,
            })
        })
    }
}

async fn hsm() -> HsmClient {
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), HsmOptions::with_test_lmks().unwrap()).await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    tokio::spawn(server.run(std::future::pending()));
    HsmClient::new(HsmConfig {
        addresses: vec![address],
        connections: 1,
        header_length: 4,
        timeout: std::time::Duration::from_secs(4),
        in_flight_max: 64,
        ..HsmConfig::default()
    })
}

/// Moves money onto an account, or with a negative amount off it.
pub async fn pay(ledger: &Ledger, source: u64, account: u64, amount: i64) {
    let postings = vec![Posting { account, amount }, Posting { account: source, amount: -amount }];
    let record = br#"{"kind":"funding","description":"Opening balance"}"#.to_vec();
    let body = ledger::Body::Post { entry: Entry { currency: 710, postings }, record };
    let event = Event::new(fresh_event_id(), Content([0; 16]), body);
    assert_eq!(ledger.submit(event).await.unwrap().outcome.code, ledger::Code::Approved);
}

/// An answer, with its headers.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl World {
    /// A path of a row with this world's ids in it, and those given before them.
    pub fn path(&self, template: &str, tenant: i64) -> String {
        self.path_with(template, tenant, &BTreeMap::new())
    }

    pub fn path_with(&self, template: &str, tenant: i64, ids: &BTreeMap<String, i64>) -> String {
        let mut filled = template.to_owned();
        for (name, id) in ids {
            filled = filled.replace(&format!("{{{name}}}"), &id.to_string());
        }
        for (name, id) in [
            ("tenantId", tenant),
            ("customerId", self.customer),
            ("walletTypeId", self.wallet_type),
            ("walletId", self.wallet),
            ("cardId", self.card),
            ("terminalId", self.terminal),
        ] {
            filled = filled.replace(&format!("{{{name}}}"), &id.to_string());
        }
        format!("{}{filled}", admin_core::BASE_PATH)
    }

    pub async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let answer = self.call_with(method, path, token, &[], body).await;
        (answer.status, answer.body)
    }

    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 1 << 24).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    /// The header value of a fresh token.
    pub async fn log_in(&self, identity: &str) -> String {
        let path = self.path("/authentication/login", 0);
        let body = json!({"identity": identity, "password": PASSWORD});
        let (status, answer) = self.call("POST", &path, None, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["headerName"], "Authorization");
        answer["headerValue"].as_str().unwrap().to_owned()
    }

    /// Makes something through the API. Gives its id.
    pub async fn make(&self, rows: &[Row], maker: &str, field: &str, token: &str) -> i64 {
        let row = rows.iter().find(|row| row.id == maker).unwrap_or_else(|| panic!("no row {maker}"));
        let path = self.path(row.path, self.own);
        let (status, answer) = self.call(row.method.as_str(), &path, Some(token), body(self, row)).await;
        assert_eq!(status, StatusCode::OK, "{maker}: {answer}");
        answer[field].as_i64().unwrap_or_else(|| panic!("{maker} gives no {field}: {answer}"))
    }

    /// Something fresh for what a row's path names last, where it is not the tenant.
    pub async fn fresh_for(&self, rows: &[Row], row: &Row, token: &str) -> BTreeMap<String, i64> {
        let last = row.path.rsplit_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
        // Something below it is asked of the world's own, which has money.
        let itself = row.path.ends_with('}') || row.path.ends_with("/enroll");
        let made = MAKERS.iter().find(|(name, _)| itself && Some(*name) == last);
        match made {
            Some((name, maker)) => BTreeMap::from([((*name).to_owned(), self.make(rows, maker, name, token).await)]),
            None => BTreeMap::new(),
        }
    }
}

/// Which operation makes what a parameter of a path names.
pub const MAKERS: [(&str, &str); 9] = [
    ("adminUserId", "createAdminUser"),
    ("configItemId", "createConfigItem"),
    ("walletTypeId", "createWalletType"),
    ("customerId", "createCustomer"),
    ("walletId", "createCustomerWallet"),
    ("cardId", "issueCard"),
    ("terminalTypeId", "createTerminalType"),
    ("terminalId", "enrollTerminal"),
    ("reservationId", "createReservation"),
];

/// A body that the operation accepts, another one each time.
pub fn body(world: &World, row: &Row) -> Option<Value> {
    let number = unique();
    Some(match row.id {
        "login" => json!({"identity": ADMIN, "password": PASSWORD}),
        "createTenant" => json!({"name": format!("Tenant {number}"), "phone1": "27110000000"}),
        "updateTenant" => json!({"tradingName": "Trader"}),
        "createAdminUser" => json!({
            "identity": format!("user-{number}"), "firstName": "Ada", "lastName": "Lovelace", "phone1": "27110000000",
            "password": PASSWORD, "positions": ["LEVEL_02"],
        }),
        "updateAdminUser" => json!({"email": "ada@example.org"}),
        "createConfigItem" => json!({"key": format!("key.{number}"), "value": "value"}),
        "putConfigItems" => json!([{"key": format!("key.{number}"), "value": "value"}]),
        "updateConfigItem" => json!({"value": "another"}),
        "createWalletType" => json!({
            "name": format!("Type {number}"), "mode": "BANK_ACCOUNT", "configuration": [{"att": "Currency", "val": "ZAR"}],
        }),
        "updateWalletType" => json!({"name": format!("Renamed {number}")}),
        "createCustomer" => json!({
            "externalUniqueId": format!("external-{number:06}"), "firstName": "Ada", "lastName": "Lovelace",
        }),
        "updateCustomer" => json!({"lastName": "Byron"}),
        "createTenantWallet" | "createCustomerWallet" => json!({
            "walletTypeId": world.wallet_type, "name": "A wallet", "status": "ACTIVE",
            "externalUniqueId": format!("external-{number:06}"),
        }),
        "updateWallet" => json!({"name": "Renamed"}),
        "createTransfer" => json!({
            "fromWalletId": world.wallet, "toWalletId": world.second_wallet, "amount": 0.01, "description": "a cent",
            "externalUniqueId": format!("external-{number:06}"),
        }),
        "createReservation" => json!({
            "amount": 0.01, "expires": "2099-12-31T00:00:00.000Z", "sessionId": "session-1",
            "externalUniqueId": format!("external-{number:06}"),
        }),
        "issueCard" => json!({"cardHolderName": "A B", "externalUniqueId": format!("external-{number:06}")}),
        "updateCard" => json!({"cardHolderName": "C D"}),
        "createTerminalType" => json!({"name": format!("Type {number}")}),
        "updateTerminalType" => json!({"description": "another"}),
        "enrollTerminal" => json!({
            "deviceId": format!("T{number:07}"), "merchantId": "MERCHANT0000001", "keyScheme": "tr31", "currency": "ZAR",
        }),
        "createSessionKeys" => json!({"terminalId": world.terminal}),
        _ => return None,
    })
}
