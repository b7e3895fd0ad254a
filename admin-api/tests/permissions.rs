//! Who may do what: keys, positions, kinds of wallets, shared sets.

mod world;

use admin_core::Row;
use admin_store::{Owner, sql};
use axum::http::StatusCode;
use serde_json::{Value, json};
use world::stage::{ADMIN_USERS, CARD, CONFIG_ITEMS, CUSTOMERS, READ_CUSTOMERS, Stage, WALLET, stage};
use world::{ADMIN, CLERK, PASSWORD, body, unique};

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
