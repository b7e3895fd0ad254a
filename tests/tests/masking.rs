//! Card data and keys never appear in clear: not in logs, metrics, error texts, REST answers, printed samples or
//! the data directory. `demo.json` is the one place for the demo's clear test data, as its purpose is.

use std::collections::BTreeMap;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parties::{Administration, CardProfile, Kind, Original, Reversal, SessionKeys};
use payment_crypto::TdesKey;
use system_tests::{Daemon, Rest, run_umbra};

/// A value that must not be found, in every form in which it could be written.
struct Secret {
    name: String,
    forms: Vec<Vec<u8>>,
}

impl Secret {
    /// Digits: as text, packed, and their text's base64.
    fn digits(name: &str, digits: &str) -> Self {
        let mut forms = vec![digits.as_bytes().to_vec(), BASE64_STANDARD.encode(digits).into_bytes()];
        forms.extend(hex::decode(digits).ok());
        let odd = format!("{digits}F");
        forms.extend(hex::decode(odd).ok());
        Self { name: name.to_owned(), forms }
    }

    /// Bytes: raw, hexadecimal in both cases, base64.
    fn bytes(name: &str, bytes: &[u8]) -> Self {
        let forms = vec![
            bytes.to_vec(),
            hex::encode(bytes).into_bytes(),
            hex::encode_upper(bytes).into_bytes(),
            BASE64_STANDARD.encode(bytes).into_bytes(),
        ];
        Self { name: name.to_owned(), forms }
    }

    fn text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), forms: vec![text.as_bytes().to_vec(), BASE64_STANDARD.encode(text).into_bytes()] }
    }
}

/// The names of the secrets that stand in a place, in any of their forms.
fn found<'a>(secrets: &'a [Secret], search: &AhoCorasick, place: &[u8]) -> Vec<&'a str> {
    let owners: Vec<&Secret> = secrets.iter().flat_map(|secret| secret.forms.iter().map(move |_| secret)).collect();
    search.find_overlapping_iter(place).map(|found| owners[found.pattern().as_usize()].name.as_str()).collect()
}

fn key_bytes(name: &str, key: &TdesKey) -> Secret {
    Secret::bytes(name, key.bytes())
}

/// Everything secret that `demo.json` holds. A PIN of four digits is found anywhere, so it is searched for where it
/// was used: in its PIN blocks.
fn demo_secrets(daemon: &Daemon) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for card in &daemon.demo.cards {
        secrets.push(Secret::digits("PAN", &card.pan));
        secrets.push(Secret::text("track 2", &card.track2));
        let packed = card.track2.replace('=', "D");
        secrets.push(Secret::digits("track 2, packed", &packed));
    }
    for terminal in &daemon.demo.terminals {
        secrets.push(Secret::bytes("TMK", &hex::decode(&terminal.tmk).unwrap()));
    }
    let network = daemon.demo.network.as_ref().unwrap();
    secrets.push(Secret::bytes("ZMK", &hex::decode(&network.zmk).unwrap()));
    secrets.push(Secret::text("password", &daemon.demo.admin.password));
    secrets.push(Secret::text("password", &daemon.demo.global.password));
    secrets
}

/// Drives every kind of message, right and wrong, and gives the keys and PIN blocks that were used.
async fn drive(daemon: &Daemon) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for (index, listener) in [(0, "pos-binary"), (1, "pos-ascii")] {
        let mut terminal = daemon.terminal(index, listener);
        let mut link = daemon.connect(listener).await;
        let opening = terminal.open_session(&mut link).await.unwrap();
        let carrier = opening.key_exchange.answer.text(62).unwrap();
        let profile = terminal.profile();
        let keys = SessionKeys::from_carrier(carrier, profile.key_scheme, &profile.tmk).unwrap();
        secrets.push(key_bytes("TPK", &keys.tpk));
        secrets.push(key_bytes("TAK", &keys.tak));
        let card = daemon.card(0);
        let wrong_pin = daemon.card(0).with_pin("9876").unwrap();
        let unknown = CardProfile::keyed("9999000000000992", None, "710").unwrap().with_pin("1234").unwrap();
        let mut requests = Vec::new();
        for card in [&card, &wrong_pin, &card, &daemon.card(1), &daemon.card(2), &daemon.card(3), &unknown] {
            requests.push(terminal.request(Kind::Purchase, card, 5_000).unwrap());
        }
        requests.push(terminal.request(Kind::Balance, &card, 0).unwrap());
        requests.push(terminal.request(Kind::PreAuth, &card, 700).unwrap());
        let original = Original::of(&requests[0]).unwrap();
        let how = Reversal { advice: false, remaining_minor: None };
        requests.push(terminal.reversal(how, &card, &original).unwrap());
        requests.push(terminal.administer(Administration::Echo).unwrap());
        for request in &requests {
            if let Some(block) = request.fields().binary(52) {
                secrets.push(Secret::bytes("PIN block", block));
                let block: [u8; 8] = block.try_into().unwrap();
                secrets.push(Secret::bytes("clear PIN block", &keys.tpk.decrypt_block(block)));
            }
            link.exchange(request).await.unwrap();
            let repeat = request.as_repeat().unwrap();
            link.exchange(&repeat).await.unwrap();
        }
        // Damaged messages, so that the errors about them are logged.
        let mut damaged = requests[0].wire().to_vec();
        damaged.truncate(damaged.len() - 9);
        link.send(&damaged.into()).await.unwrap();
        let _ = link.receive().await;
    }
    secrets
}

/// The same by a card network; gives its keys and PIN blocks.
async fn drive_network(daemon: &Daemon) -> Vec<Secret> {
    let zone = daemon.zone();
    let acquirer = daemon.acquirer(&zone).await;
    let keys = zone.keys().unwrap();
    let mut secrets = vec![key_bytes("ZPK", &keys.tpk), key_bytes("ZAK", &keys.tak)];
    let card = daemon.card(0);
    let mut requests = Vec::new();
    for card in [&card, &daemon.card(0).with_pin("9876").unwrap(), &daemon.card(1), &daemon.card(2)] {
        requests.push(acquirer.request(Kind::Purchase, card, 5_000).unwrap());
        requests.push(acquirer.advice(Kind::Purchase, card, 5_000).unwrap());
    }
    let how = Reversal { advice: true, remaining_minor: None };
    requests.push(acquirer.reversal(how, &card, &Original::of(&requests[0]).unwrap()).unwrap());
    for request in &requests {
        if let Some(block) = request.fields().binary(52) {
            secrets.push(Secret::bytes("PIN block", block));
            secrets.push(Secret::bytes("clear PIN block", &keys.tpk.decrypt_block(block.try_into().unwrap())));
        }
        acquirer.send(request).await.unwrap().unwrap();
    }
    // Keys that the daemon makes, and keys that it cannot take.
    let link = acquirer.link().await.unwrap();
    link.request_keys().await.unwrap();
    let keys = zone.keys().unwrap();
    secrets.extend([key_bytes("ZPK", &keys.tpk), key_bytes("ZAK", &keys.tak)]);
    link.exchange_keys().await.unwrap();
    acquirer.stop().await;
    secrets
}

fn files_below(folder: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, out);
        } else {
            out.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_card_data_and_no_key_anywhere_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let (daemon, printed) = Daemon::start_with(&data_dir, &[]);
    let mut secrets = demo_secrets(&daemon);
    secrets.extend(drive(&daemon).await);
    secrets.extend(drive_network(&daemon).await);

    let mut places = BTreeMap::new();
    let rest = Rest::log_in(&daemon.demo).await;
    for card in &daemon.demo.cards {
        for path in [
            format!("/cards/{}", card.card_id),
            format!("/wallets/{}", card.wallet_id),
            format!("/wallets/{}/transactions", card.wallet_id),
        ] {
            let answer = rest.get(&path).await.to_string();
            places.insert(format!("GET {path}"), answer.into_bytes());
        }
    }
    places.insert("GET /terminals".into(), rest.get("/terminals").await.to_string().into_bytes());
    for page in ["/metrics", "/openapi.json", "/healthz", "/readyz", "/nonsense"] {
        places.insert(page.into(), rest.page(page).await.1.into_bytes());
    }
    places.insert("standard output of the demo".into(), printed.into_bytes());
    let bad = run_umbra(&["terminal", "purchase", "--data-dir", data_dir.to_str().unwrap(), "--amount", "1.234"]);
    places.insert("an error of umbra terminal".into(), bad.stderr);
    let good = run_umbra(&["terminal", "purchase", "--data-dir", data_dir.to_str().unwrap(), "--amount", "1.23"]);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    places.insert("standard output of umbra terminal".into(), good.stdout);

    let log = daemon.log();
    assert!(log.contains("message answered"), "the log is detailed enough to prove something");
    assert_eq!(daemon.stop().code(), Some(0));
    let dumped = run_umbra(&["ledger", "dump", data_dir.to_str().unwrap()]);
    places.insert("umbra ledger dump".into(), dumped.stdout);
    // On disk its rows are compressed.
    let logged = run_umbra(&["tranlog", "list", "--limit", "0", "--json", data_dir.to_str().unwrap()]);
    assert!(logged.stdout.split(|byte| *byte == b'\n').count() > 20, "{}", String::from_utf8_lossy(&logged.stdout));
    places.insert("umbra tranlog list".into(), logged.stdout);
    files_below(folder.path(), &mut places);
    let clear = places.keys().filter(|place| place.ends_with("demo.json")).cloned().collect::<Vec<_>>();
    let demo_file = places.remove(&clear[0]).unwrap();

    let search = AhoCorasick::new(secrets.iter().flat_map(|secret| &secret.forms)).unwrap();
    let present = found(&secrets, &search, &demo_file);
    for name in ["PAN", "TMK", "ZMK", "track 2", "password"] {
        assert!(present.contains(&name), "the search does not find a {name} that is there");
    }
    for (place, content) in &places {
        assert_eq!(found(&secrets, &search, content), Vec::<&str>::new(), "in {place}");
    }
    assert!(secrets.len() > 40 && places.len() > 20, "{} secrets in {} places", secrets.len(), places.len());
}
