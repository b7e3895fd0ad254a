//! Who may do what, how long a log-in holds, and what is never told: the configured rights, sessions and tokens,
//! secrets, and limits of rate. All through the router, for only there the parts meet.

mod world;

use std::net::SocketAddr;

use admin_core::{Claims, RateLimits, Row, TokenKeys};
use admin_store::{DataKeys, NewConfigItem, NewUser, Owner, Page, UserRow, sql};
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};
use tower::ServiceExt;
use world::{ADMIN, CLERK, INSTITUTION, INSTITUTION_CODE, PASSWORD, PLATFORM, World, body, unique, world, world_with};
use zeroize::Zeroizing;

const CUSTOMERS: &str = "/tenants/{tenantId}/customers";
const WALLET: &str = "/tenants/{tenantId}/wallets/{walletId}";
const CARD: &str = "/tenants/{tenantId}/cards/{cardId}";
const CONFIG_ITEMS: &str = "/tenants/{tenantId}/config-items";
const ADMIN_USERS: &str = "/tenants/{tenantId}/admin-users";
const SERVER_TIME: &str = "/global/server-time";
const RENEW: &str = "/authentication/renew";

const READ_CUSTOMERS: &str = "Customer.READ.Allowed";

/// A world with everybody in it logged in.
struct Stage {
    world: World,
    clerk: String,
    admin: String,
    institution: String,
    platform: String,
}

async fn stage() -> Stage {
    let world = world().await;
    Stage {
        clerk: world.log_in(CLERK).await,
        admin: world.log_in(ADMIN).await,
        institution: world.log_in(INSTITUTION).await,
        platform: world.log_in(PLATFORM).await,
        world,
    }
}

fn owner_text(owner: Owner) -> String {
    match owner {
        Owner::Global => "GLOBAL".into(),
        Owner::Institution(id) => format!("INSTITUTION:{id}"),
        Owner::Tenant(id) => format!("TENANT:{id}"),
    }
}

impl Stage {
    fn tenant(&self) -> Owner {
        Owner::Tenant(self.world.own)
    }

    async fn institution_owner(&self) -> Owner {
        Owner::Institution(self.world.store.institution(INSTITUTION_CODE).await.unwrap().unwrap())
    }

    /// Sets a key behind the API's back: institutions and the platform have no operation for it yet.
    async fn set(&self, owner: Owner, key: &str, value: &str) {
        self.unset(owner, key).await;
        let mut change = self.world.store.begin().await.unwrap();
        let item = NewConfigItem { owner, key, value, secret: false, description: "" };
        item.insert(&mut change).await.unwrap();
        self.world.store.commit(change).await.unwrap();
    }

    async fn unset(&self, owner: Owner, key: &str) {
        let mut change = self.world.store.begin().await.unwrap();
        let removal = sql("DELETE FROM config_items WHERE owner = $1 AND key = $2").bind(owner_text(owner)).bind(key);
        removal.run(&mut change).await.unwrap();
        self.world.store.commit(change).await.unwrap();
    }

    fn path(&self, template: &str) -> String {
        self.world.path(template, self.world.own)
    }

    /// Calls with success; whatever else comes is a fault of the test or of what it tests.
    async fn done(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.world.call(method, path, Some(token), Some(body)).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    /// Whether somebody may read something. Only a clear yes or no is an answer.
    async fn may_read(&self, token: &str, path: &str) -> bool {
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

    async fn may_read_customers(&self, token: &str) -> bool {
        self.may_read(token, &self.path(CUSTOMERS)).await
    }

    /// Who of clerk, tenant's administrator, institution's and platform's may read customers, in this order.
    async fn readers(&self) -> [bool; 4] {
        let mut may = [false; 4];
        for (may, token) in may.iter_mut().zip([&self.clerk, &self.admin, &self.institution, &self.platform]) {
            *may = self.may_read_customers(token).await;
        }
        may
    }

    /// Somebody who can log in, made in the store. Gives the token.
    async fn somebody(&self, tenant_id: Option<i64>, roles: &str, positions: &str) -> String {
        let identity = format!("somebody-{}", unique());
        let password_hash = &self.world.store.user(CLERK).await.unwrap().unwrap().password_hash;
        let (institution_id, profile) = (None, "{}");
        let user = NewUser { tenant_id, institution_id, identity: &identity, password_hash, roles, positions, profile };
        let mut change = self.world.store.begin().await.unwrap();
        user.insert(&mut change).await.unwrap();
        self.world.store.commit(change).await.unwrap();
        self.world.log_in(&identity).await
    }
}

// Keys and who they let in.

#[tokio::test]
async fn a_right_comes_with_its_key_and_goes_with_it() {
    let stage = stage().await;
    let items = stage.path(CONFIG_ITEMS);
    assert_eq!(stage.readers().await, [false, true, true, true], "without any key");
    let item = json!({"key": READ_CUSTOMERS, "value": "LEVEL_01,TENANT_SYSTEM"});
    let made = stage.done("POST", &items, &stage.admin, item).await;
    assert_eq!(stage.readers().await, [true, true, false, true], "the list is all who may, but for the platform");
    let one = format!("{items}/{}", made["configItemId"]);
    stage.done("PUT", &one, &stage.admin, json!({"value": "LEVEL_02"})).await;
    assert_eq!(stage.readers().await, [false, false, false, true], "changed");
    stage.done("DELETE", &one, &stage.admin, json!({})).await;
    assert_eq!(stage.readers().await, [false, true, true, true], "removed");
}

/// A secret list is odd, but it must not be read as it is stored.
#[tokio::test]
async fn a_list_that_is_stored_as_a_secret_counts() {
    let stage = stage().await;
    let item = json!({"key": READ_CUSTOMERS, "value": "Encrypt:LEVEL_01"});
    stage.done("POST", &stage.path(CONFIG_ITEMS), &stage.admin, item).await;
    assert_eq!(stage.readers().await, [true, false, false, true]);
}

#[tokio::test]
async fn a_list_names_roles_and_positions_whole() {
    let stage = stage().await;
    let support = stage.somebody(None, "GLOBAL_TECH_SUPPORT,GLOBAL_SUPPORT_L_1", "").await;
    let nobody = stage.somebody(Some(stage.world.own), "", "").await;
    for (list, expected) in [
        ("LEVEL_01", [true, false, false]),
        ("GLOBAL_SUPPORT_L_1", [false, true, false]),
        (" LEVEL_07 , LEVEL_01,GLOBAL_SUPPORT_L_1 ", [true, true, false]),
        // Neither a part of a name, nor another spelling, nor nothing is a name.
        ("LEVEL_0,LEVEL_011,level_01,GLOBAL_SUPPORT_L_10,GLOBAL", [false, false, false]),
        ("", [false, false, false]),
        (" , ,", [false, false, false]),
    ] {
        stage.set(stage.tenant(), READ_CUSTOMERS, list).await;
        for (token, expected) in [&stage.clerk, &support, &nobody].into_iter().zip(expected) {
            assert_eq!(stage.may_read_customers(token).await, expected, "{list:?}");
        }
    }
    stage.unset(stage.tenant(), READ_CUSTOMERS).await;
    assert!(!stage.may_read_customers(&support).await && !stage.may_read_customers(&nobody).await);
}

#[tokio::test]
async fn the_nearest_key_counts_tenant_then_institution_then_platform() {
    let stage = stage().await;
    let institution = stage.institution_owner().await;
    let clerk = async || stage.may_read_customers(&stage.clerk).await;
    stage.set(Owner::Global, READ_CUSTOMERS, "LEVEL_01").await;
    assert!(clerk().await, "the platform's");
    stage.set(institution, READ_CUSTOMERS, "LEVEL_02").await;
    assert!(!clerk().await, "the institution's before the platform's");
    stage.set(stage.tenant(), READ_CUSTOMERS, "LEVEL_01").await;
    assert!(clerk().await, "the tenant's before the institution's");
    stage.set(stage.tenant(), READ_CUSTOMERS, "LEVEL_02").await;
    stage.set(institution, READ_CUSTOMERS, "LEVEL_01").await;
    assert!(!clerk().await, "lists of several are not added up");
    stage.unset(stage.tenant(), READ_CUSTOMERS).await;
    assert!(clerk().await, "back to the institution's");
    stage.unset(institution, READ_CUSTOMERS).await;
    stage.set(Owner::Global, READ_CUSTOMERS, "LEVEL_02").await;
    assert!(!clerk().await, "back to the platform's");
}

/// A tenant's key is its own affair, and so is that of an institution for tenants that are not of it.
#[tokio::test]
async fn keys_of_others_do_not_count() {
    let stage = stage().await;
    stage.set(Owner::Tenant(stage.world.other), READ_CUSTOMERS, "LEVEL_01").await;
    assert!(!stage.may_read_customers(&stage.clerk).await);
    let elsewhere = stage.somebody(Some(stage.world.other), "", "LEVEL_01").await;
    let path = stage.world.path(CUSTOMERS, stage.world.other);
    assert!(stage.may_read(&elsewhere, &path).await);
    stage.unset(Owner::Tenant(stage.world.other), READ_CUSTOMERS).await;
    stage.set(stage.institution_owner().await, READ_CUSTOMERS, "LEVEL_01").await;
    assert!(!stage.may_read(&elsewhere, &path).await, "that tenant is of no institution");
    assert!(stage.may_read_customers(&stage.clerk).await);
}

#[tokio::test]
async fn everything_allowed_lets_the_tenant_s_administrator_in_and_nobody_else() {
    let stage = stage().await;
    stage.set(stage.tenant(), READ_CUSTOMERS, "LEVEL_02").await;
    assert_eq!(stage.readers().await, [false, false, false, true], "the list lacks him");
    for (value, admin) in [("true", true), ("false", false), ("TRUE", false), ("", false), ("LEVEL_01", false)] {
        stage.set(stage.tenant(), "Everything.Allowed", value).await;
        assert_eq!(stage.readers().await, [false, admin, false, true], "{value:?}");
    }
    stage.unset(stage.tenant(), "Everything.Allowed").await;
    stage.set(Owner::Tenant(stage.world.other), "Everything.Allowed", "true").await;
    assert_eq!(stage.readers().await, [false, false, false, true], "another tenant's");
    stage.set(Owner::Global, "Everything.Allowed", "true").await;
    assert_eq!(stage.readers().await, [false, true, false, true], "the platform's, for all tenants");
}

/// A tenant's person never makes tenants, whatever is configured.
#[tokio::test]
async fn no_key_gives_a_tenant_s_people_what_is_the_platform_s() {
    let stage = stage().await;
    for owner in [stage.tenant(), Owner::Global] {
        stage.set(owner, "Tenant.CREATE.Allowed", "LEVEL_01,TENANT_SYSTEM").await;
        stage.set(owner, "Everything.Allowed", "true").await;
    }
    let wanted = || Some(json!({"name": format!("Tenant {}", unique()), "phone1": "27110000000"}));
    for (token, expected) in [
        (&stage.clerk, StatusCode::FORBIDDEN),
        (&stage.admin, StatusCode::FORBIDDEN),
        (&stage.platform, StatusCode::OK),
    ] {
        let (status, answer) = stage.world.call("POST", &stage.path("/tenants"), Some(token), wanted()).await;
        assert_eq!(status, expected, "{answer}");
    }
}

/// The token says what its holder was; what he is counts.
#[tokio::test]
async fn a_position_that_is_taken_away_is_gone_at_once() {
    let stage = stage().await;
    stage.set(stage.tenant(), READ_CUSTOMERS, "LEVEL_01").await;
    assert!(stage.may_read_customers(&stage.clerk).await);
    let clerk = stage.world.store.user(CLERK).await.unwrap().unwrap().id;
    let one = format!("{}/{clerk}", stage.path(ADMIN_USERS));
    stage.done("PUT", &one, &stage.admin, json!({"positions": ["LEVEL_02"]})).await;
    assert!(!stage.may_read_customers(&stage.clerk).await);
}

// Verbs.

/// What the method of a row promises, which its verb must keep.
fn verb(row: &Row) -> &'static str {
    match row.method.as_str() {
        "GET" | "HEAD" => "READ",
        "POST" => "CREATE",
        "PUT" => "UPDATE",
        "DELETE" => "DELETE",
        other => panic!("{} has method {other}", row.id),
    }
}

#[test]
fn every_row_has_the_right_of_its_method_and_says_so() {
    let document: Value = serde_json::from_str(&admin_api::document().to_json().unwrap()).unwrap();
    let mut guarded = 0;
    for row in admin_api::rows() {
        let path = format!("{}{}", admin_core::BASE_PATH, row.path);
        let said = &document["paths"][&path][row.method.as_str().to_lowercase()]["description"];
        let Some(entity) = row.access.entity() else {
            assert!(said.is_null() && row.access.permission_key(row.effect).is_none(), "{}: {said}", row.id);
            continue;
        };
        guarded += 1;
        let key = format!("{entity}.{}.Allowed", verb(&row));
        assert_eq!(row.access.permission_key(row.effect).as_deref(), Some(&*key), "{}", row.id);
        assert!(said.as_str().is_some_and(|said| said.contains(&format!("`{key}`"))), "{}: {said}", row.id);
    }
    assert!(guarded > 40, "only {guarded} rows are guarded");
}

/// Whether the clerk is refused for want of this very key.
async fn lacks(stage: &Stage, row: &Row, key: &str) -> bool {
    let ids = stage.world.fresh_for(&admin_api::rows(), row, &stage.platform).await;
    let path = stage.world.path_with(row.path, stage.world.own, &ids);
    let token = Some(&*stage.clerk);
    let (status, answer) = stage.world.call(row.method.as_str(), &path, token, body(&stage.world, row)).await;
    let named = answer[0]["description"] == format!("this needs the right {key}");
    status == StatusCode::FORBIDDEN && (named || row.method == "HEAD")
}

/// The key of a row opens that row; those of the other verbs do not.
#[tokio::test]
async fn one_verb_does_not_stand_for_another() {
    const VERBS: [&str; 4] = ["READ", "CREATE", "UPDATE", "DELETE"];
    let stage = stage().await;
    let of_a_tenant = |row: &Row| matches!(row.access, admin_core::Access::Entity(_));
    for row in admin_api::rows().into_iter().filter(of_a_tenant) {
        let entity = row.access.entity().unwrap();
        let key = |verb: &str| format!("{entity}.{verb}.Allowed");
        let own = verb(&row);
        for other in VERBS.into_iter().filter(|other| *other != own) {
            stage.set(stage.tenant(), &key(other), "LEVEL_01").await;
        }
        assert!(lacks(&stage, &row, &key(own)).await, "{} without {}", row.id, key(own));
        stage.set(stage.tenant(), &key(own), "LEVEL_01").await;
        assert!(!lacks(&stage, &row, &key(own)).await, "{} with {}", row.id, key(own));
        for verb in VERBS {
            stage.unset(stage.tenant(), &key(verb)).await;
        }
    }
}

// Kinds of wallets.

/// A wallet of a type of its own, with a card on it.
struct Kind {
    wallet_type: i64,
    wallet: i64,
    card: i64,
}

impl Stage {
    async fn wallet_type(&self) -> i64 {
        let currency = json!([{"att": "Currency", "val": "ZAR"}]);
        let wanted = json!({"name": format!("Kind {}", unique()), "mode": "BANK_ACCOUNT", "configuration": currency});
        let made = self.done("POST", &self.path("/tenants/{tenantId}/wallet-types"), &self.admin, wanted).await;
        made["walletTypeId"].as_i64().unwrap()
    }

    async fn kind(&self) -> Kind {
        let wallet_type = self.wallet_type().await;
        let external = format!("external-{:06}", unique());
        let wanted = json!({"walletTypeId": wallet_type, "status": "ACTIVE", "externalUniqueId": external});
        let wallets = self.path("/tenants/{tenantId}/customers/{customerId}/wallets");
        let wallet = self.done("POST", &wallets, &self.admin, wanted).await["walletId"].as_i64().unwrap();
        let cards = format!("{}/{wallet}/cards", self.path("/tenants/{tenantId}/wallets"));
        let card = self.done("POST", &cards, &self.admin, json!({"cardHolderName": "A B"})).await;
        Kind { wallet_type, wallet, card: card["cardId"].as_i64().unwrap() }
    }

    /// Whether the clerk may read a wallet, and its cards, and one card.
    async fn reads(&self, wallet: i64, card: i64) -> [bool; 3] {
        let wallet = format!("{}/{wallet}", self.path("/tenants/{tenantId}/wallets"));
        let card = format!("{}/{card}", self.path("/tenants/{tenantId}/cards"));
        [
            self.may_read(&self.clerk, &wallet).await,
            self.may_read(&self.clerk, &format!("{wallet}/cards")).await,
            self.may_read(&self.clerk, &card).await,
        ]
    }

    /// The same for the wallet that the world begins with, whose type is the tenant's first.
    async fn reads_first(&self) -> [bool; 3] {
        self.reads(self.world.wallet, self.world.card).await
    }

    /// Sets a key of wallets and cards alike.
    async fn set_both(&self, key: &str, value: &str) {
        for entity in ["Wallet", "Card"] {
            self.set(self.tenant(), &format!("{entity}.{key}"), value).await;
        }
    }

    /// Gives the type the attribute that names a shared set.
    async fn name_template(&self, wallet_type: i64, template: &str) {
        let path = format!("{}/{wallet_type}", self.path("/tenants/{tenantId}/wallet-types"));
        let configuration = json!([{"att": "Currency", "val": "ZAR"}, {"att": "permissionsTemplate", "val": template}]);
        self.done("PUT", &path, &self.admin, json!({"configuration": configuration})).await;
    }
}

/// Where a type stands does not change when another one is removed: keys would silently mean other wallets.
#[tokio::test]
async fn types_are_counted_with_those_that_were_removed() {
    let stage = stage().await;
    // Not one of this tenant's, though made before.
    let elsewhere = stage.world.path("/tenants/{tenantId}/wallet-types", stage.world.other);
    let currency = json!([{"att": "Currency", "val": "ZAR"}]);
    let foreign = json!({"name": "Foreign", "mode": "BANK_ACCOUNT", "configuration": currency});
    stage.done("POST", &elsewhere, &stage.platform, foreign).await;
    let removed = stage.wallet_type().await;
    let third = stage.kind().await;
    let path = format!("{}/{removed}", stage.path("/tenants/{tenantId}/wallet-types"));
    stage.done("DELETE", &path, &stage.admin, json!({})).await;
    for number in [1, 3, third.wallet_type] {
        stage.set_both(&format!("WalletType{number}.READ.Allowed"), "LEVEL_01").await;
        assert_eq!(stage.reads(third.wallet, third.card).await, [false; 3], "WalletType{number}");
        stage.unset(stage.tenant(), &format!("Wallet.WalletType{number}.READ.Allowed")).await;
        stage.unset(stage.tenant(), &format!("Card.WalletType{number}.READ.Allowed")).await;
    }
    stage.set_both("WalletType2.READ.Allowed", "LEVEL_01").await;
    assert_eq!(stage.reads(third.wallet, third.card).await, [true; 3]);
    assert_eq!(stage.reads_first().await, [false; 3]);
}

#[tokio::test]
async fn the_key_of_the_wallet_s_type_counts_before_the_plain_one() {
    let stage = stage().await;
    let second = stage.kind().await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [false; 3]);
    stage.set_both("WalletType1.READ.Allowed", "LEVEL_01").await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [true; 3], "without a plain key");
    assert_eq!(stage.reads_first().await, [false; 3], "of another type");
    stage.set_both("READ.Allowed", "LEVEL_02").await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [true; 3], "the plain key would refuse");
    stage.set_both("READ.Allowed", "LEVEL_01").await;
    stage.set_both("WalletType1.READ.Allowed", "LEVEL_02").await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [false; 3], "the plain key would allow");
    assert_eq!(stage.reads_first().await, [true; 3], "of another type");
}

/// Of the institution too: near and far is asked for each key, the more special key first.
#[tokio::test]
async fn a_far_key_of_the_type_counts_before_a_near_plain_one() {
    let stage = stage().await;
    let institution = stage.institution_owner().await;
    stage.set(institution, "Wallet.WalletType0.READ.Allowed", "LEVEL_01").await;
    stage.set(stage.tenant(), "Wallet.READ.Allowed", "LEVEL_02").await;
    assert!(stage.may_read(&stage.clerk, &stage.path(WALLET)).await);
    assert!(!stage.may_read(&stage.clerk, &stage.path(CARD)).await, "a key of wallets says nothing of cards");
}

#[tokio::test]
async fn a_transfer_is_judged_by_the_wallet_that_pays() {
    let stage = stage().await;
    let second = stage.kind().await;
    let move_cent = async |token: &str, from: i64, to: i64| {
        let external = format!("external-{:06}", unique());
        let wanted = json!({
            "fromWalletId": from, "toWalletId": to, "amount": 0.01, "description": "a cent",
            "externalUniqueId": external,
        });
        let path = stage.path("/tenants/{tenantId}/wallets/transfers");
        stage.world.call("POST", &path, Some(token), Some(wanted)).await
    };
    let (first, second) = (stage.world.wallet, second.wallet);
    for _ in 0..2 {
        let (status, answer) = move_cent(&stage.admin, first, second).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    stage.set(stage.tenant(), "Transfer.CREATE.Allowed", "LEVEL_01,TENANT_SYSTEM").await;
    for (closed, open) in [(0, 1), (1, 0)] {
        let key = |number: i32| format!("Transfer.WalletType{number}.CREATE.Allowed");
        stage.set(stage.tenant(), &key(closed), "TENANT_SYSTEM").await;
        stage.unset(stage.tenant(), &key(open)).await;
        let allowed = |number: i32| if number == closed { StatusCode::FORBIDDEN } else { StatusCode::OK };
        let (status, answer) = move_cent(&stage.clerk, first, second).await;
        assert_eq!(status, allowed(0), "closed for {closed}: {answer}");
        let (status, answer) = move_cent(&stage.clerk, second, first).await;
        assert_eq!(status, allowed(1), "closed for {closed}: {answer}");
    }
}

// Shared sets.

/// What the operator of the platform changes holds at once, for all who name the set.
#[tokio::test]
async fn a_tenant_s_template_names_a_shared_set() {
    const SET: &str = "global.permissions.shared.shops";
    let stage = stage().await;
    let clerk = async || stage.may_read_customers(&stage.clerk).await;
    stage.set(Owner::Global, SET, "Wallet.READ.Allowed=LEVEL_02\nCustomer.READ.Allowed=LEVEL_01").await;
    assert!(!clerk().await, "named by nobody");
    stage.set(stage.tenant(), "permissionsTemplate", "shops").await;
    assert!(clerk().await);
    assert!(!stage.may_read(&stage.clerk, &stage.path(WALLET)).await, "another line");
    stage.set(Owner::Global, SET, "Customer.READ.Allowed=LEVEL_02").await;
    assert!(!clerk().await, "changed");
    stage.set(Owner::Global, SET, " Customer.READ.Allowed = LEVEL_01 , LEVEL_03 \r\n").await;
    assert!(clerk().await, "changed back, with blanks");
    stage.set(stage.tenant(), READ_CUSTOMERS, "LEVEL_02").await;
    assert!(!clerk().await, "the tenant's own key counts before it");
    stage.unset(stage.tenant(), READ_CUSTOMERS).await;
    stage.set(stage.tenant(), "permissionsTemplate", "others").await;
    assert!(!clerk().await, "a set that is not there");
}

/// Else a tenant would write what is the platform's to write.
#[tokio::test]
async fn a_shared_set_is_the_platform_s_alone() {
    let stage = stage().await;
    let line = "Customer.READ.Allowed=LEVEL_01";
    stage.set(stage.tenant(), "permissionsTemplate", "shops").await;
    for owner in [stage.tenant(), stage.institution_owner().await] {
        stage.set(owner, "global.permissions.shared.shops", line).await;
        assert!(!stage.may_read_customers(&stage.clerk).await, "{owner:?}");
    }
    stage.set(Owner::Global, "global.permissions.shared.shops", line).await;
    assert!(stage.may_read_customers(&stage.clerk).await);
}

#[tokio::test]
async fn a_wallet_type_s_template_names_a_shared_set() {
    const SET: &str = "global.permissions.shared.purses";
    let stage = stage().await;
    let second = stage.kind().await;
    let both = |level: &str| format!("Wallet.READ.Allowed={level}\nCard.READ.Allowed={level}");
    stage.set(Owner::Global, SET, &both("LEVEL_01")).await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [false; 3]);
    stage.name_template(second.wallet_type, "purses").await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [true; 3]);
    assert_eq!(stage.reads_first().await, [false; 3], "of another type");
    stage.set(Owner::Global, SET, &both("LEVEL_02")).await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [false; 3], "changed");
    stage.set_both("READ.Allowed", "LEVEL_01").await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [false; 3], "before the plain key");
    assert_eq!(stage.reads_first().await, [true; 3]);
    stage.set_both("WalletType1.READ.Allowed", "LEVEL_01").await;
    assert_eq!(stage.reads(second.wallet, second.card).await, [true; 3], "after the key of the type");
}

// Sessions.

impl Stage {
    async fn status(&self, token: &str) -> StatusCode {
        self.world.call("GET", &self.path(SERVER_TIME), Some(token), None).await.0
    }

    async fn renew(&self, token: &str) -> (StatusCode, Value) {
        self.world.call("POST", &self.path(RENEW), Some(token), None).await
    }

    /// A token that serves nowhere, neither to call nor to be renewed.
    async fn assert_is_refused(&self, token: &str, what: &str) {
        assert_eq!(self.status(token).await, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(self.renew(token).await.0, StatusCode::UNAUTHORIZED, "{what}, to renew");
        let bare = token.split_once(' ').map_or(token, |(_, bare)| bare);
        let (status, _) = self.world.call("POST", &self.path(RENEW), None, Some(json!({"jwt": bare}))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}, to renew from the body");
    }

    /// An admin user made through the API: the path of him, and the tokens of two log-ins.
    async fn colleague(&self) -> (String, [String; 2]) {
        let identity = format!("colleague-{}", unique());
        let wanted =
            json!({"identity": identity, "lastName": "Lovelace", "phone1": "27110000000", "password": PASSWORD});
        let made = self.done("POST", &self.path(ADMIN_USERS), &self.admin, wanted).await;
        let path = format!("{}/{}", self.path(ADMIN_USERS), made["adminUserId"]);
        let tokens = [self.world.log_in(&identity).await, self.world.log_in(&identity).await];
        for token in &tokens {
            assert_eq!(self.status(token).await, StatusCode::OK);
        }
        (path, tokens)
    }
}

#[tokio::test]
async fn log_out_ends_the_token_at_once() {
    let stage = stage().await;
    let other_place = stage.world.log_in(CLERK).await;
    let renewed = stage.renew(&stage.clerk).await.1["headerValue"].as_str().unwrap().to_owned();
    stage.done("POST", &stage.path("/authentication/logout"), &stage.clerk, json!({})).await;
    stage.assert_is_refused(&stage.clerk, "logged out").await;
    stage.assert_is_refused(&renewed, "another token of the session").await;
    assert_eq!(stage.status(&other_place).await, StatusCode::OK, "his other log-in goes on");
}

#[tokio::test]
async fn who_is_removed_is_out_at_once() {
    let stage = stage().await;
    let (path, tokens) = stage.colleague().await;
    stage.done("DELETE", &path, &stage.admin, json!({})).await;
    for token in &tokens {
        stage.assert_is_refused(token, "removed").await;
    }
}

/// His log-ins end; they do not merely rest until he is let in again, for who stole one would be in again too.
#[tokio::test]
async fn who_is_deactivated_is_out_for_good() {
    let stage = stage().await;
    for status in ["INACTIVE", "BLOCKED"] {
        let (path, tokens) = stage.colleague().await;
        stage.done("PUT", &path, &stage.admin, json!({"status": status})).await;
        for token in &tokens {
            stage.assert_is_refused(token, status).await;
        }
        let active = stage.done("PUT", &path, &stage.admin, json!({"status": "ACTIVE"})).await;
        for token in &tokens {
            stage.assert_is_refused(token, "let in again").await;
        }
        stage.world.log_in(active["identity"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn who_is_deactivated_cannot_log_in() {
    let stage = stage().await;
    let (path, _) = stage.colleague().await;
    let after = stage.done("PUT", &path, &stage.admin, json!({"status": "BLOCKED"})).await;
    let login = json!({"identity": after["identity"], "password": PASSWORD});
    let (status, answer) = stage.world.call("POST", &stage.path("/authentication/login"), None, Some(login)).await;
    assert_eq!((status, &answer[0]["code"]), (StatusCode::UNAUTHORIZED, &json!("USR002")));
}

#[tokio::test]
async fn a_new_password_ends_every_log_in_and_another_change_none() {
    let stage = stage().await;
    let (path, tokens) = stage.colleague().await;
    stage.done("PUT", &path, &stage.admin, json!({"email": "ada@example.org", "status": "ACTIVE"})).await;
    for token in &tokens {
        assert_eq!(stage.status(token).await, StatusCode::OK);
    }
    stage.done("PUT", &path, &stage.admin, json!({"password": "quite another one"})).await;
    for token in &tokens {
        stage.assert_is_refused(token, "new password").await;
    }
}

#[tokio::test]
async fn a_renewed_token_is_of_the_same_session_and_works() {
    let stage = stage().await;
    let login = json!({"identity": CLERK, "password": PASSWORD});
    let (_, first) = stage.world.call("POST", &stage.path("/authentication/login"), None, Some(login)).await;
    let token = first["headerValue"].as_str().unwrap();
    // Times in tokens are whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let bare = json!({"jwt": token.strip_prefix("Bearer ").unwrap()});
    let by_body = stage.world.call("POST", &stage.path(RENEW), None, Some(bare)).await;
    for (status, renewed) in [stage.renew(token).await, by_body] {
        assert_eq!(status, StatusCode::OK, "{renewed}");
        assert_eq!(renewed["sessionId"], first["sessionId"]);
        assert!(renewed["expiresEpochSecs"].as_i64() > first["expiresEpochSecs"].as_i64(), "{renewed}");
        assert_ne!(renewed["headerValue"], first["headerValue"]);
        assert_eq!(stage.status(renewed["headerValue"].as_str().unwrap()).await, StatusCode::OK);
    }
    assert_eq!(stage.status(token).await, StatusCode::OK, "the first one until its own end");
}

// Tokens.

/// The world's own keys, as they are after a restart.
async fn token_keys(world: &World) -> TokenKeys {
    let key = |byte| Zeroizing::new([byte; 32]);
    let keys = DataKeys { pan_cipher: key(1), pan_lookup: key(2), token_seal: key(3) };
    TokenKeys::open(&world.store, &keys).await.unwrap()
}

fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Claims of a user with a session that is open for long, so that nothing but the token can be wrong.
async fn claims_with_session(world: &World, now: i64) -> (UserRow, Claims) {
    let user = world.store.user(PLATFORM).await.unwrap().unwrap();
    let claims = Claims::new(&user, now);
    world.store.open_session(&user, &claims.sess, (now_s() + 100_000) * 1_000).await.unwrap();
    (user, claims)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn an_expired_token_is_refused_though_its_session_is_open() {
    let stage = stage().await;
    let keys = token_keys(&stage.world).await;
    let (_, mut claims) = claims_with_session(&stage.world, now_s() - 1_000).await;
    assert!(claims.exp < now_s());
    let expired = bearer(&keys.sign(&claims).unwrap().0);
    stage.assert_is_refused(&expired, "expired").await;
    let (_, answer) = stage.world.call("GET", &stage.path(SERVER_TIME), Some(&expired), None).await;
    assert_eq!(answer[0]["code"], "ARCH014");
    claims.exp = now_s() + 100;
    assert_eq!(stage.status(&bearer(&keys.sign(&claims).unwrap().0)).await, StatusCode::OK, "by the time alone");
}

#[tokio::test]
async fn a_token_without_its_session_is_refused() {
    let stage = stage().await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    let token = bearer(&token_keys(&stage.world).await.sign(&claims).unwrap().0);
    assert_eq!(stage.status(&token).await, StatusCode::OK);
    let mut change = stage.world.store.begin().await.unwrap();
    let gone = sql("DELETE FROM sessions WHERE id = $1").bind(&claims.sess).run(&mut change).await.unwrap();
    stage.world.store.commit(change).await.unwrap();
    assert_eq!(gone, 1);
    stage.assert_is_refused(&token, "no session").await;
}

/// A session is one user's: a token that names another's is not his.
#[tokio::test]
async fn a_token_for_the_session_of_another_is_refused() {
    let stage = stage().await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    let clerk = stage.world.store.user(CLERK).await.unwrap().unwrap();
    let claims = Claims { uid: clerk.id, sub: clerk.identity, ..claims };
    let token = bearer(&token_keys(&stage.world).await.sign(&claims).unwrap().0);
    stage.assert_is_refused(&token, "another's session").await;
}

/// Everything about these is right but who has signed them.
#[tokio::test]
async fn forged_tokens_are_refused() {
    let (stage, elsewhere) = (stage().await, world().await);
    let keys = token_keys(&stage.world).await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    let right = keys.sign(&claims).unwrap().0;
    assert_eq!(stage.status(&bearer(&right)).await, StatusCode::OK);
    let [head, said, signature] = right.split('.').collect::<Vec<_>>()[..] else { panic!("no JWT: {right}") };

    let foreign = token_keys(&elsewhere).await.sign(&claims).unwrap().0;
    stage.assert_is_refused(&bearer(&foreign), "signed with another key").await;
    let [_, _, foreign_signature] = foreign.split('.').collect::<Vec<_>>()[..] else { panic!() };
    stage.assert_is_refused(&bearer(&format!("{head}.{said}.{foreign_signature}")), "another key, our key id").await;

    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for unsigned in [format!("{none}.{said}."), format!("{none}.{said}.{signature}"), format!("{head}.{said}.")] {
        stage.assert_is_refused(&bearer(&unsigned), "unsigned").await;
    }

    let clerk = stage.clerk.strip_prefix("Bearer ").unwrap();
    let [_, _, clerk_signature] = clerk.split('.').collect::<Vec<_>>()[..] else { panic!() };
    stage.assert_is_refused(&bearer(&format!("{head}.{said}.{clerk_signature}")), "the clerk's signature").await;
}

/// The published key is no secret, so it must not serve as one.
#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let stage = stage().await;
    let keys = token_keys(&stage.world).await;
    let (_, claims) = claims_with_session(&stage.world, now_s()).await;
    for algorithm in [Algorithm::HS256, Algorithm::HS512] {
        let header = Header { kid: Some(keys.public().kid.clone()), ..Header::new(algorithm) };
        for secret in [EncodingKey::from_secret(keys.public().n.as_bytes()), base64_secret(&keys.public().n)] {
            let forged = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
            stage.assert_is_refused(&bearer(&forged), "symmetric").await;
        }
    }
}

/// The bytes behind a base64url text.
fn base64_secret(text: &str) -> EncodingKey {
    let padded = format!("{}{}", text, "=".repeat((4 - text.len() % 4) % 4));
    EncodingKey::from_base64_secret(&padded.replace('-', "+").replace('_', "/")).unwrap()
}

/// Others can check our tokens with nothing but what is published.
#[tokio::test]
async fn a_token_verifies_under_the_published_key() {
    let stage = stage().await;
    let (status, set) = stage.world.call("GET", &stage.path("/authentication/jwks"), None, None).await;
    assert_eq!(status, StatusCode::OK);
    let [key] = &set["keys"].as_array().unwrap()[..] else { panic!("not one key: {set}") };
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(key.get(private).is_none(), "{private} is published");
    }
    let token = stage.clerk.strip_prefix("Bearer ").unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::PS256, key["kid"].as_str()));
    let public = DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::PS256);
    validation.set_issuer(&["umbra"]);
    let claims = jsonwebtoken::decode::<Value>(token, &public, &validation).unwrap().claims;
    let clerk = stage.world.store.user(CLERK).await.unwrap().unwrap();
    assert_eq!((&claims["sub"], &claims["uid"]), (&json!(CLERK), &json!(clerk.id)));
    assert_eq!((&claims["tenant"], &claims["pos"][0]["p"]), (&json!(stage.world.own), &json!("LEVEL_01")));
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 900, "short-lived: {claims}");
    let cut = token.rsplit_once('.').unwrap().0;
    let of_admin = stage.admin.rsplit_once('.').unwrap().1;
    assert!(jsonwebtoken::decode::<Value>(format!("{cut}.{of_admin}"), &public, &validation).is_err());
}

// Secrets.

/// Everything that was answered, to be searched.
#[derive(Default)]
struct Heard(Vec<String>);

impl Heard {
    async fn call(&mut self, stage: &Stage, method: &str, path: &str, body: Value) -> Value {
        let key = format!("key-{}", unique());
        let headers = [("idempotency-key", key.as_str())];
        let answer = stage.world.call_with(method, path, Some(&stage.admin), &headers, Some(body)).await;
        self.0.push(format!("{method} {path}: {:?} {}", answer.headers, answer.body));
        answer.body
    }
}

/// Audit records and remembered answers as they stand in the database.
async fn written(stage: &Stage) -> Vec<String> {
    let records = stage.world.store.audit(Page::first(1_000_000)).await.unwrap();
    let remembered = sql("SELECT request, answer FROM idempotency_keys");
    let remembered = remembered.all::<(String, String)>(stage.world.store.pool()).await.unwrap();
    let records = records.into_iter().map(|record| format!("{record:?}"));
    records.chain(remembered.into_iter().map(|(request, answer)| format!("{request} {answer}"))).collect()
}

fn assert_tells_none(texts: &[String], secrets: &[&str]) {
    for text in texts {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret:?} stands in {text}");
        }
    }
}

#[tokio::test]
async fn passwords_are_told_nowhere() {
    const FIRST: &str = "Correct-Horse-1";
    const SECOND: &str = "Battery-Staple-2";
    let too_long = format!("Staple-{}", "x".repeat(100));
    let (stage, mut heard) = (stage().await, Heard::default());
    let (users, login) = (stage.path(ADMIN_USERS), stage.path("/authentication/login"));
    let wanted = |password: &Value| {
        let (identity, phone) = ("horse-rider", "27110000000");
        json!({"identity": identity, "lastName": "Lovelace", "phone1": phone, "password": password})
    };
    for wrong in [json!(too_long), json!({"value": FIRST}), json!([FIRST])] {
        let answer = heard.call(&stage, "POST", &users, wanted(&wrong)).await;
        assert_eq!(answer[0]["code"], "VAL001", "{answer}");
    }
    let made = heard.call(&stage, "POST", &users, wanted(&json!(FIRST))).await;
    let one = format!("{users}/{}", made["adminUserId"]);
    heard.call(&stage, "POST", &users, wanted(&json!(FIRST))).await;
    heard.call(&stage, "PUT", &one, json!({"password": SECOND, "version": 99})).await;
    let changed = heard.call(&stage, "PUT", &one, json!({"password": SECOND})).await;
    assert_eq!(changed["version"], 1, "{changed}");
    for password in [FIRST, SECOND] {
        heard.call(&stage, "POST", &login, json!({"identity": "horse-rider", "password": password})).await;
    }
    heard.call(&stage, "POST", &login, json!({"identity": ["horse-rider"], "password": SECOND})).await;
    heard.call(&stage, "GET", &users, Value::Null).await;
    heard.call(&stage, "DELETE", &one, json!({})).await;

    let written = written(&stage).await;
    for operation in ["createAdminUser", "updateAdminUser", "deleteAdminUser"] {
        assert!(written.iter().any(|text| text.contains(operation)), "{operation} has left no record");
    }
    for texts in [&heard.0, &written] {
        assert_tells_none(texts, &[FIRST, SECOND, "Staple-xxx", "$argon2", "password_hash", "passwordHash"]);
    }
}

/// Neither in clear nor as it is stored.
#[tokio::test]
async fn secret_settings_are_told_nowhere() {
    const FIRST: &str = "hmac-key-of-the-tenant";
    const SECOND: &str = "another-key-of-the-tenant";
    let (stage, mut heard) = (stage().await, Heard::default());
    let items = stage.path(CONFIG_ITEMS);
    let secret = |value: &str| json!({"key": "HMACKey", "value": format!("Encrypt:{value}")});
    let made = heard.call(&stage, "POST", &items, secret(FIRST)).await;
    assert_eq!((&made["value"], &made["secret"]), (&json!("********"), &json!(true)));
    let one = format!("{items}/{}", made["configItemId"]);
    let stored_first = stored_value(&stage, "HMACKey").await;
    heard.call(&stage, "POST", &items, secret(FIRST)).await;
    heard.call(&stage, "PUT", &one, json!({"value": format!("Encrypt:{SECOND}"), "version": 99})).await;
    heard.call(&stage, "PUT", &one, json!({"value": format!("Encrypt:{SECOND}")})).await;
    let stored_second = stored_value(&stage, "HMACKey").await;
    heard.call(&stage, "PUT", &one, json!({"value": "********", "description": "kept"})).await;
    assert_eq!(stored_value(&stage, "HMACKey").await, stored_second, "the mask is no value");
    for bulk in [json!([secret(FIRST)]), json!([secret(FIRST), secret(SECOND)]), json!(secret(FIRST))] {
        heard.call(&stage, "POST", &format!("{items}/bulk"), bulk).await;
    }
    let too_long = json!({"key": "HMACKey2", "value": format!("Encrypt:{}", FIRST.repeat(1_000))});
    assert_eq!(heard.call(&stage, "POST", &items, too_long).await[0]["code"], "VAL001");
    for path in [&items, &one, &format!("{items}?key=HMACKey")] {
        heard.call(&stage, "GET", path, Value::Null).await;
    }
    heard.call(&stage, "DELETE", &one, json!({})).await;

    let written = written(&stage).await;
    assert!(written.iter().filter(|text| text.contains("********")).count() >= 4, "{written:?}");
    let told = [FIRST, SECOND, &stored_first, &stored_second];
    for texts in [&heard.0, &written, &vec![stored_first.clone(), stored_second.clone()]] {
        assert_tells_none(texts, &[FIRST, SECOND, "Encrypt:"]);
    }
    for texts in [&heard.0, &written] {
        assert_tells_none(texts, &told);
    }
}

async fn stored_value(stage: &Stage, key: &str) -> String {
    let found = stage.world.store.settings(Some(stage.world.own), key).await.unwrap();
    let row = found.into_iter().next().unwrap();
    assert!(row.secret && row.value.len() > 16, "{key} is not stored as a secret");
    row.value
}

// Limits of rate.

fn assert_is_limited(status: StatusCode, answer: &Value) {
    assert_eq!((status, &answer[0]["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("RLT001")), "{answer}");
    let said = answer[0]["description"].as_str().unwrap();
    assert!(said.contains("wait") && said.contains("window"), "{said}");
}

/// A call from an address.
async fn call_from(world: &World, last: u8, path: &str, token: Option<&str>, body: Value) -> (StatusCode, Value) {
    let method = if body.is_null() { "GET" } else { "POST" };
    let mut request = Request::builder().method(method).uri(world.path(path, world.own));
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let address = SocketAddr::from(([10, 0, 0, last], 4_000));
    let request = request.extension(ConnectInfo(address)).body(Body::from(body.to_string())).unwrap();
    let answer = world.router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// However many tokens he has, and wherever he calls from.
#[tokio::test]
async fn a_user_has_so_many_requests() {
    let world = world_with(RateLimits { user: 3, anonymous: 1_000 }).await;
    let (clerk, again) = (world.log_in(CLERK).await, world.log_in(CLERK).await);
    let admin = world.log_in(ADMIN).await;
    // What is refused for another reason is a request too.
    for (path, expected) in [(SERVER_TIME, 200), (CUSTOMERS, 403), (SERVER_TIME, 200)] {
        let (status, answer) = call_from(&world, 1, path, Some(&clerk), Value::Null).await;
        assert_eq!(status.as_u16(), expected, "{answer}");
    }
    for (address, token) in [(1, &clerk), (2, &clerk), (1, &again)] {
        let (status, answer) = call_from(&world, address, SERVER_TIME, Some(token), Value::Null).await;
        assert_is_limited(status, &answer);
    }
    for _ in 0..3 {
        let (status, answer) = call_from(&world, 1, CUSTOMERS, Some(&admin), Value::Null).await;
        assert_eq!(status, StatusCode::OK, "another user from the same address: {answer}");
    }
    world.log_in(CLERK).await;
}

/// Guesses of passwords and of tokens count alike; people who are logged in at the same address are not hit.
#[tokio::test]
async fn an_address_has_so_many_requests_without_a_token() {
    let world = world_with(RateLimits { user: 1_000, anonymous: 3 }).await;
    let admin = world.log_in(ADMIN).await;
    let login = |password: &str| json!({"identity": CLERK, "password": password});
    for (path, token, body) in [
        ("/authentication/login", None, login("wrong password")),
        (SERVER_TIME, Some("Bearer no.such.token"), Value::Null),
        (SERVER_TIME, None, Value::Null),
    ] {
        let (status, answer) = call_from(&world, 1, path, token, body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
    }
    for (path, token, body) in [
        ("/authentication/login", None, login(PASSWORD)),
        ("/authentication/jwks", None, Value::Null),
        (SERVER_TIME, Some("Bearer no.such.token"), Value::Null),
    ] {
        let (status, answer) = call_from(&world, 1, path, token, body).await;
        assert_is_limited(status, &answer);
    }
    let (status, answer) = call_from(&world, 2, "/authentication/login", None, login(PASSWORD)).await;
    assert_eq!(status, StatusCode::OK, "another address: {answer}");
    let (status, answer) = call_from(&world, 1, CUSTOMERS, Some(&admin), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "who is logged in: {answer}");
}

// Handing out positions.

/// The clerk may manage admin users, but not beyond what he is himself.
async fn stage_with_managing_clerk() -> Stage {
    let stage = stage().await;
    for verb in ["READ", "CREATE", "UPDATE", "DELETE"] {
        stage.set(stage.tenant(), &format!("AdminUser.{verb}.Allowed"), "LEVEL_01,TENANT_SYSTEM").await;
    }
    stage
}

fn person(positions: &[&str]) -> Value {
    json!({
        "identity": format!("person-{}", unique()), "lastName": "Lovelace", "phone1": "27110000000",
        "password": PASSWORD, "positions": positions,
    })
}

#[tokio::test]
async fn nobody_gives_a_position_that_he_does_not_hold() {
    let stage = stage_with_managing_clerk().await;
    let users = stage.path(ADMIN_USERS);
    for (who, token, positions, expected) in [
        ("the clerk", &stage.clerk, &["LEVEL_01"][..], 200),
        ("the clerk", &stage.clerk, &[], 200),
        ("the clerk", &stage.clerk, &["LEVEL_02"], 403),
        ("the clerk", &stage.clerk, &["LEVEL_01", "TENANT_SYSTEM"], 403),
        ("the administrator", &stage.admin, &["LEVEL_09", "TENANT_SYSTEM"], 200),
        ("the platform", &stage.platform, &["TENANT_SYSTEM"], 200),
        // Those are roles, which nobody gives here.
        ("the administrator", &stage.admin, &["GLOBAL_ADMIN"], 400),
        ("the platform", &stage.platform, &["GLOBAL_ADMIN"], 400),
        ("the administrator", &stage.admin, &["LEVEL_01,GLOBAL_ADMIN"], 400),
    ] {
        let (status, answer) = stage.world.call("POST", &users, Some(token), Some(person(positions))).await;
        assert_eq!(status.as_u16(), expected, "{who} gives {positions:?}: {answer}");
    }
}

/// With the password of somebody who is more, he would be more.
#[tokio::test]
async fn nobody_touches_a_user_who_is_more_than_he() {
    let stage = stage_with_managing_clerk().await;
    let path_of = async |identity: &str| {
        let id = stage.world.store.user(identity).await.unwrap().unwrap().id;
        format!("{}/{id}", stage.path(ADMIN_USERS))
    };
    let (admin, clerk) = (path_of(ADMIN).await, path_of(CLERK).await);
    for (method, path, wanted, expected) in [
        ("PUT", &clerk, json!({"positions": ["LEVEL_01", "TENANT_SYSTEM"]}), 403),
        ("PUT", &admin, json!({"password": "known to the clerk"}), 403),
        ("PUT", &admin, json!({"positions": []}), 403),
        ("PUT", &admin, json!({"status": "BLOCKED"}), 403),
        ("DELETE", &admin, json!({}), 403),
        ("PUT", &clerk, json!({"email": "clerk@example.org"}), 200),
    ] {
        let (status, answer) = stage.world.call(method, path, Some(&stage.clerk), Some(wanted)).await;
        assert_eq!(status.as_u16(), expected, "{method} {path}: {answer}");
    }
    assert_eq!(stage.status(&stage.admin).await, StatusCode::OK);
    stage.world.log_in(ADMIN).await;
    assert_eq!(stage.world.store.user(CLERK).await.unwrap().unwrap().positions, "LEVEL_01");
}

/// What a body has beside its model makes nobody more, nor one of another tenant.
#[tokio::test]
async fn roles_and_tenant_cannot_be_sent_along() {
    let stage = stage().await;
    let mut wanted = person(&["LEVEL_01"]);
    for (name, value) in [
        ("roles", json!(["GLOBAL_ADMIN"])),
        ("tenantId", json!(stage.world.other)),
        ("tenant_id", Value::Null),
        ("institutionId", json!(1)),
    ] {
        wanted[name] = value;
    }
    let identity = wanted["identity"].as_str().unwrap().to_owned();
    let made = stage.done("POST", &stage.path(ADMIN_USERS), &stage.admin, wanted.clone()).await;
    let one = format!("{}/{}", stage.path(ADMIN_USERS), made["adminUserId"]);
    stage.done("PUT", &one, &stage.admin, wanted).await;
    let row = stage.world.store.user(&identity).await.unwrap().unwrap();
    assert_eq!((row.tenant_id, row.institution_id), (Some(stage.world.own), None));
    assert_eq!((&*row.roles, &*row.positions), ("", "LEVEL_01"));
}

// What one right must not give beyond itself.

#[tokio::test]
async fn a_key_of_the_type_alone_lets_money_move_and_wallets_open() {
    let stage = stage().await;
    stage.set(stage.tenant(), "Transfer.WalletType0.CREATE.Allowed", "LEVEL_01").await;
    stage.set(stage.tenant(), "Wallet.WalletType0.CREATE.Allowed", "LEVEL_01").await;
    let world = &stage.world;
    for id in ["createTransfer", "createCustomerWallet"] {
        let row = admin_api::rows().into_iter().find(|row| row.id == id).unwrap();
        let path = world.path(row.path, world.own);
        let (status, answer) = world.call("POST", &path, Some(&stage.clerk), world::body(world, &row)).await;
        assert_eq!(status, StatusCode::OK, "{id}: {answer}");
    }
}

#[tokio::test]
async fn lists_leave_out_what_reading_one_refuses() {
    let stage = stage().await;
    let second = stage.kind().await;
    stage.set_both("READ.Allowed", "LEVEL_01").await;
    stage.set_both("WalletType1.READ.Allowed", "LEVEL_02").await;
    for (path, field, closed, open) in [
        ("/tenants/{tenantId}/wallets", "walletId", second.wallet, stage.world.wallet),
        ("/tenants/{tenantId}/customers/{customerId}/wallets", "walletId", second.wallet, stage.world.wallet),
        ("/tenants/{tenantId}/cards", "cardId", second.card, stage.world.card),
        ("/tenants/{tenantId}/customers/{customerId}/cards", "cardId", second.card, stage.world.card),
    ] {
        let (status, list) = stage.world.call("GET", &stage.path(path), Some(&stage.clerk), None).await;
        assert_eq!(status, StatusCode::OK, "{list}");
        let ids: Vec<i64> = list.as_array().unwrap().iter().map(|entry| entry[field].as_i64().unwrap()).collect();
        assert!(ids.contains(&open) && !ids.contains(&closed), "{path}: {ids:?}");
    }
}

#[tokio::test]
async fn a_wallet_is_not_moved_into_a_type_that_is_closed() {
    let stage = stage().await;
    let second = stage.kind().await;
    stage.set(stage.tenant(), "Wallet.UPDATE.Allowed", "LEVEL_01").await;
    stage.set(stage.tenant(), "Wallet.WalletType1.UPDATE.Allowed", "LEVEL_02").await;
    let into = json!({"walletTypeId": second.wallet_type});
    let (status, _) = stage.world.call("PUT", &stage.path(WALLET), Some(&stage.clerk), Some(into.clone())).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    stage.unset(stage.tenant(), "Wallet.WalletType1.UPDATE.Allowed").await;
    stage.done("PUT", &stage.path(WALLET), &stage.clerk, into).await;
}

#[tokio::test]
async fn who_may_change_settings_gives_himself_no_rights() {
    let stage = stage().await;
    for verb in ["CREATE", "UPDATE", "DELETE", "READ"] {
        stage.set(stage.tenant(), &format!("ConfigItem.{verb}.Allowed"), "LEVEL_01,TENANT_SYSTEM").await;
    }
    let path = stage.path(CONFIG_ITEMS);
    stage.done("POST", &path, &stage.clerk, json!({"key": "harmless", "value": "1"})).await;
    for key in [READ_CUSTOMERS, "Everything.Allowed", "permissionsTemplate"] {
        let item = json!({"key": key, "value": "LEVEL_01"});
        let (status, _) = stage.world.call("POST", &path, Some(&stage.clerk), Some(item.clone())).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{key}");
        let (status, _) =
            stage.world.call("POST", &format!("{path}/bulk"), Some(&stage.clerk), Some(json!([item]))).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{key} in bulk");
        let made = stage.done("POST", &path, &stage.admin, item).await;
        let one = format!("{path}/{}", made["configItemId"]);
        for (method, body) in [("PUT", json!({"value": "LEVEL_01"})), ("DELETE", json!({}))] {
            let (status, _) = stage.world.call(method, &one, Some(&stage.clerk), Some(body)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {key}");
        }
    }
}

#[tokio::test]
async fn who_may_change_wallet_types_loosens_no_permissions() {
    let stage = stage().await;
    for verb in ["CREATE", "UPDATE"] {
        stage.set(stage.tenant(), &format!("WalletType.{verb}.Allowed"), "LEVEL_01,TENANT_SYSTEM").await;
    }
    let wallet_type = stage.wallet_type().await;
    let path = format!("{}/{wallet_type}", stage.path("/tenants/{tenantId}/wallet-types"));
    let with = |template: &str| {
        let template = json!({"att": "permissionsTemplate", "val": template});
        json!({"configuration": [{"att": "Currency", "val": "ZAR"}, template]})
    };
    stage.done("PUT", &path, &stage.clerk, json!({"name": "Renamed once"})).await;
    stage.done("PUT", &path, &stage.admin, with("strict")).await;
    for change in [with("loose"), json!({"name": "Renamed twice"})] {
        let (status, answer) = stage.world.call("PUT", &path, Some(&stage.clerk), Some(change)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    }
    stage.done("PUT", &path, &stage.clerk, with("strict")).await;
}

/// A type that was removed while a wallet of it was being made, or whatever else leaves such a wallet, keeps its key.
#[tokio::test]
async fn a_removed_type_s_wallets_keep_their_restriction() {
    let stage = stage().await;
    let second = stage.kind().await;
    stage.set_both("READ.Allowed", "LEVEL_01").await;
    stage.set_both("WalletType1.READ.Allowed", "LEVEL_02").await;
    let mut change = stage.world.store.begin().await.unwrap();
    let removal = sql("UPDATE wallet_types SET removed = TRUE WHERE id = $1").bind(second.wallet_type);
    removal.run(&mut change).await.unwrap();
    stage.world.store.commit(change).await.unwrap();
    assert_eq!(stage.reads(second.wallet, second.card).await, [false; 3]);
}

/// What nobody may do who only issues cards, takes transfers back or holds amounts.
#[tokio::test]
async fn a_system_wallet_is_debited_by_finance_alone() {
    let stage = stage().await;
    let currency = json!([{"att": "Currency", "val": "ZAR"}]);
    let wanted = json!({"name": "Float", "mode": "SYSTEM", "configuration": currency});
    let float = stage.done("POST", &stage.path("/tenants/{tenantId}/wallet-types"), &stage.admin, wanted).await;
    let wanted = json!({"walletTypeId": float["walletTypeId"], "status": "ACTIVE", "externalUniqueId": "float-wallet"});
    let float = stage.done("POST", &stage.path("/tenants/{tenantId}/tenant-wallets"), &stage.admin, wanted).await;
    let float = float["walletId"].as_i64().unwrap();
    for entity in ["Card", "Transfer", "Reversal", "Reservation"] {
        stage.set(stage.tenant(), &format!("{entity}.CREATE.Allowed"), "LEVEL_01,TENANT_SYSTEM").await;
    }
    let wallets = stage.path("/tenants/{tenantId}/wallets");
    let paid = json!({
        "fromWalletId": stage.world.wallet, "toWalletId": float, "amount": 1, "description": "in",
        "externalUniqueId": "into-the-float",
    });
    stage.done("POST", &format!("{wallets}/transfers"), &stage.clerk, paid).await;
    let hold = json!({"amount": 1, "expires": "2099-01-01T00:00:00.000Z", "sessionId": "session-1"});
    let out = json!({
        "fromWalletId": float, "toWalletId": stage.world.wallet, "amount": 1, "description": "out",
        "externalUniqueId": "out-of-the-float",
    });
    let back = json!({"originalExternalUniqueId": "into-the-float", "externalUniqueId": "back-from-the-float"});
    for (path, body) in [
        (format!("{wallets}/{float}/reservations"), hold),
        (format!("{wallets}/transfers"), out),
        (format!("{wallets}/reversals"), back.clone()),
    ] {
        let (status, answer) = stage.world.call("POST", &path, Some(&stage.clerk), Some(body)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {answer}");
    }
    let cards = format!("{wallets}/{float}/cards");
    let (status, answer) = stage.world.call("POST", &cards, Some(&stage.admin), Some(json!({}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "not even the administrator: {answer}");
    stage.done("POST", &format!("{wallets}/reversals"), &stage.admin, back).await;
}
