//! The schema and the statements, on whichever engine the tests run.

mod database;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use admin_store::{NewUser, PLAIN_TABLES, Pool, Store, StoreError, StoredKey, UNIQUE, sql};
use database::{fresh, is_postgres};
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

/// Every literal that stands in a call of `sql(`, in all crates that have some.
fn statements() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut folders, mut found) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("schema.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for call in text.split("sql(").skip(1) {
                    let argument = call.trim_start();
                    if let Some(literal) = argument.strip_prefix('"') {
                        found.push(literal[..literal.find('"').unwrap()].to_owned());
                    }
                }
            }
        }
    }
    for table in PLAIN_TABLES {
        found.extend([table.insert, table.read, table.list, table.update, table.delete].map(str::to_owned));
    }
    found
}

#[tokio::test]
async fn every_statement_is_understood() {
    let fresh = fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    let statements = statements();
    assert!(statements.len() > 60, "only {} statements found", statements.len());
    for statement in statements {
        let text = AssertSqlSafe(statement.clone()).into_sql_str();
        let prepared = match store.pool() {
            Pool::Sqlite(pool) => pool.prepare(text).await.map(drop),
            Pool::Postgres(pool) => pool.prepare(text).await.map(drop),
        };
        prepared.unwrap_or_else(|error| panic!("{statement}\n{error}"));
    }
}

#[tokio::test]
async fn what_must_be_unique_is_listed_and_named() {
    let fresh = fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    let listed: BTreeSet<String> = UNIQUE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), UNIQUE.len(), "a constraint is listed twice");
    let in_schema: Vec<(String,)> = if is_postgres() {
        sql("SELECT conname::TEXT FROM pg_constraint WHERE contype = 'u' AND connamespace = 'public'::regnamespace")
            .all(store.pool())
            .await
            .unwrap()
    } else {
        sqlite_constraints(&store).await
    };
    let in_schema: BTreeSet<String> = in_schema.into_iter().map(|(name,)| name).collect();
    assert_eq!(listed, in_schema);
}

/// SQLite does not name constraints: what PostgreSQL would call them is made of table and columns.
async fn sqlite_constraints(store: &Store) -> Vec<(String,)> {
    sql("SELECT t.name || '_' || (SELECT group_concat(name, '_') FROM pragma_index_info(i.name)) || '_key'
         FROM sqlite_master t, pragma_index_list(t.name) i
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlx%' AND t.name NOT LIKE '\\_%' ESCAPE '\\' AND i.origin = 'u'")
    .all(store.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_value_that_is_taken_is_told_by_its_field() {
    let fresh = fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    let user = NewUser {
        tenant_id: None,
        institution_id: None,
        identity: "somebody",
        password_hash: "",
        roles: "",
        positions: "",
        profile: "{}",
    };
    let mut change = store.begin().await.unwrap();
    user.insert(&mut change).await.unwrap();
    store.commit(change).await.unwrap();
    let mut change = store.begin().await.unwrap();
    match user.insert(&mut change).await {
        Err(StoreError::Taken { constraint, field }) => {
            assert_eq!((constraint, field), ("users_identity_key", "identity"));
        }
        other => panic!("{:?}", other.map(|row| row.id)),
    }
}

#[tokio::test]
async fn a_schema_from_the_future_is_named() {
    let fresh = fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    let mut change = store.begin().await.unwrap();
    sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', TRUE, $1, 0)")
    .bind(&[0_u8; 4][..])
    .run(&mut change)
    .await
    .unwrap();
    store.commit(change).await.unwrap();
    store.close().await;
    let refused = Store::open(&fresh.database).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, StoreError::FromTheFuture { found: 9999, .. }), "{refused}");
}

#[tokio::test]
async fn an_aborted_change_leaves_nothing() {
    let fresh = fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    store.put_key("one", "value", "").await.unwrap();
    let mut change = store.begin().await.unwrap();
    sql("DELETE FROM keys").run(&mut change).await.unwrap();
    drop(change);
    assert_eq!(store.key("one").await.unwrap().as_deref(), Some("value"));
}

/// Positions of the directory's feed become visible in their order, however changes overlap.
#[tokio::test]
async fn the_feed_is_numbered_in_commit_order() {
    let fresh = fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    let mut change = store.begin().await.unwrap();
    let tenant = store.insert_tenant(&mut change, "T", None, "{}").await.unwrap();
    let account =
        admin_store::NewAccount { tenant_id: tenant, kind: "MERCHANT", name: "m", currency: 710, unlimited: false };
    let account = account.insert(&mut change).await.unwrap();
    store.commit(change).await.unwrap();
    let mut writers = Vec::new();
    for number in 0..20 {
        let store = store.clone();
        writers.push(tokio::spawn(async move {
            let mut change = store.begin().await.unwrap();
            let terminal = admin_store::NewTerminal {
                tenant_id: tenant,
                terminal_type_id: None,
                terminal_id: &format!("T{number}"),
                merchant_id: "M",
                key_scheme: "tr31",
                tmk: "U",
                tmk_kcv: "",
                mac_required: true,
                merchant_account: account,
            };
            terminal.insert(&mut change).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(number * 7 % 5)).await;
            store.commit(change).await.unwrap();
        }));
    }
    let (mut seen, mut position) = (0, 0);
    while seen < 20 {
        let (changes, last) = store.directory_changes(position, 100).await.unwrap();
        seen += changes.len();
        position = last;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.directory_changes(0, 100).await.unwrap().0.len(), 20, "none was passed by");
}

/// Every key takes its new text, or none does.
#[tokio::test]
async fn keys_are_replaced_together() {
    let fresh = fresh().await;
    let store = Store::open(&fresh.database).await.unwrap();
    store.put_key("pvk:1", "PVK", "").await.unwrap();
    store.put_key("data-encryption-key", "DEK", "").await.unwrap();
    store.put_key("data-keys", "not under the LMK", "").await.unwrap();
    let mut change = store.begin().await.unwrap();
    sql("INSERT INTO key_sessions (kind, holder, master_key, current_pin, current_mac, pending_pin)
         VALUES ('TERMINAL', 1, 'TMK', 'TPK', 'TAK', NULL), ('NETWORK', 1, 'ZMK', 'ZPK', 'ZAK', 'TPK')")
    .run(&mut change)
    .await
    .unwrap();
    store.commit(change).await.unwrap();
    let keys = store.keys_under_lmk().await.unwrap();
    assert_eq!(keys.len(), 9, "the same text of two kinds is two keys");
    let mut new: HashMap<StoredKey, String> =
        keys.iter().map(|key| (key.clone(), format!("{:?} {}", key.kind, key.text))).collect();
    let one = new.remove(&keys[3]).unwrap();
    assert!(matches!(store.replace_keys_under_lmk(&new).await, Err(StoreError::StaleVersion)));
    assert_eq!(store.keys_under_lmk().await.unwrap().len(), 9);
    assert_eq!(store.key("pvk:1").await.unwrap().as_deref(), Some("PVK"), "nothing was changed");
    new.insert(keys[3].clone(), one);
    assert_eq!(store.replace_keys_under_lmk(&new).await.unwrap(), 9);
    assert_eq!(store.key("pvk:1").await.unwrap().as_deref(), Some("PinVerification PVK"));
    assert_eq!(store.key("data-keys").await.unwrap().as_deref(), Some("not under the LMK"));
    let after = store.keys_under_lmk().await.unwrap();
    assert!(after.iter().all(|key| key.text.starts_with(&format!("{:?} ", key.kind))), "every place has its own");
    assert!(store.replace_keys_under_lmk(&new).await.is_err(), "the old texts are gone");
}
