//! A small platform in a temporary folder: two tenants, people of every kind, a wallet with money, a card, a terminal.

use std::sync::Arc;

use admin_core::{Services, TokenKeys, hash_password};
use admin_store::{DataKeys, NewAccount, NewCard, NewCustomer, NewTerminal, NewUser, NewWallet, NewWalletType, Store};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use iso8583::domain::Pan;
use ledger::testing::SimStorage;
use ledger::{AccountKind, Clock, Content, Entry, Event, EventId, Floor, Ledger, LedgerConfig, Posting, SystemClock};
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
    pub wallet: i64,
    pub account: u64,
    pub card: i64,
    pub terminal: i64,
    _folder: tempfile::TempDir,
}

/// Identities that can log in.
pub const ADMIN: &str = "own-admin";
pub const CLERK: &str = "own-clerk";
pub const STRANGER: &str = "other-admin";
pub const PLATFORM: &str = "platform-admin";

pub async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("umbra.sqlite")).await.unwrap();
    let key = |byte| Zeroizing::new([byte; 32]);
    let keys = DataKeys { pan_cipher: key(1), pan_lookup: key(2), token_seal: key(3) };

    let mut change = store.begin().await.unwrap();
    let own = store.insert_tenant(&mut change, "Own").await.unwrap();
    let other = store.insert_tenant(&mut change, "Other").await.unwrap();
    let hash = hash_password(PASSWORD).unwrap();
    for (identity, tenant_id, roles, positions) in [
        (ADMIN, Some(own), "", "TENANT_SYSTEM"),
        (CLERK, Some(own), "", "LEVEL_01"),
        (STRANGER, Some(other), "", "TENANT_SYSTEM"),
        (PLATFORM, None, "GLOBAL_ADMIN", ""),
    ] {
        let user = NewUser { tenant_id, identity, password_hash: &hash, roles, positions };
        user.insert(&mut change).await.unwrap();
    }
    let customer = NewCustomer { tenant_id: own, first_name: "A", last_name: "B" }.insert(&mut change).await.unwrap();
    let account = |kind, name| NewAccount { tenant_id: own, kind, name, currency: 710 };
    let account_id = account("WALLET", "w").insert(&mut change).await.unwrap();
    let merchant = account("MERCHANT", "m").insert(&mut change).await.unwrap();
    let wallet_type = NewWalletType {
        tenant_id: own,
        id: 1,
        name: "Plain",
        mode: "BANK_ACCOUNT",
        currency: 710,
        hold_life_s: 60,
        tolerance_bp: 0,
    };
    wallet_type.insert(&mut change).await.unwrap();
    let wallet = NewWallet {
        tenant_id: own,
        customer_id: customer,
        wallet_type_id: 1,
        account: account_id,
        name: "Wallet",
        description: "",
        friendly_id: "FRIEND01",
        external_unique_id: "wallet-1",
    };
    let wallet = wallet.insert(&mut change).await.unwrap();
    let card = NewCard {
        tenant_id: own,
        wallet_id: wallet,
        pan_hash: [7; 32],
        pan_cipher: keys.seal_pan(&Pan::parse(PAN).unwrap()).unwrap(),
        expiry: "3012",
        status: "ACTIVE",
        holder_name: "A B",
        service_code: "201",
        pvk: "U00000000000000000000000000000000",
        pvki: 1,
        pvv: Some("1234"),
        pin_tries_max: 3,
    };
    let card = card.insert(&mut change).await.unwrap();
    let terminal = NewTerminal {
        tenant_id: own,
        terminal_id: "T1",
        merchant_id: "M1",
        key_scheme: "tr31",
        tmk: "U00000000000000000000000000000000",
        tmk_kcv: "ABCDEF",
        mac_required: true,
        merchant_account: merchant,
    };
    let terminal = terminal.insert(&mut change).await.unwrap();
    store.commit(change).await.unwrap();

    let (feed, subscription) = ledger::subscribe("projection", 0);
    tokio::spawn(store.clone().project(subscription));
    let config = LedgerConfig { feeds: vec![feed], ..LedgerConfig::new(Arc::new(SystemClock)) };
    let ledger = Ledger::open(Arc::new(SimStorage::default()), config).unwrap();
    let account = u64::try_from(account_id).unwrap();
    for (account, kind, floor) in
        [(account, AccountKind::Wallet, Floor::Limited(0)), (1000, AccountKind::System, Floor::Unlimited)]
    {
        submit(&ledger, ledger::Body::OpenAccount { account, currency: 710, kind, floor }).await;
    }
    pay(&ledger, account, 10_000).await;

    let tokens = TokenKeys::open(&store, &keys).await.unwrap();
    let router = admin_api::router(Arc::new(Services::new(store.clone(), ledger.clone(), keys, tokens)));
    World { router, store, ledger, own, other, wallet, account, card, terminal, _folder: folder }
}

async fn submit(ledger: &Ledger, body: ledger::Body) {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let mut low = [0; 10];
    low[2..].copy_from_slice(&NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes());
    let event = Event { id: EventId::new(SystemClock.now(), low), content: Content([0; 16]), body };
    let applied = ledger.submit(event).await.unwrap();
    assert_eq!(applied.outcome.code, ledger::Code::Approved);
}

/// Moves money onto an account, or with a negative amount off it.
pub async fn pay(ledger: &Ledger, account: u64, amount: i64) {
    let postings = vec![Posting { account, amount }, Posting { account: 1000, amount: -amount }];
    let record = br#"{"kind":"funding","description":"Opening balance"}"#.to_vec();
    submit(ledger, ledger::Body::Post { entry: Entry { currency: 710, postings }, record }).await;
}

impl World {
    /// A path of a row with this world's ids in it.
    pub fn path(&self, template: &str, tenant: i64) -> String {
        let filled = template
            .replace("{tenantId}", &tenant.to_string())
            .replace("{walletId}", &self.wallet.to_string())
            .replace("{cardId}", &self.card.to_string())
            .replace("{terminalId}", &self.terminal.to_string());
        format!("{}{filled}", admin_core::BASE_PATH)
    }

    pub async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
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
}
