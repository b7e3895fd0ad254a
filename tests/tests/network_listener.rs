//! A card network brings messages about our cards: signed on, under zone keys, and not refused what it has settled.

use std::sync::Arc;

use iso8583::Fields;
use parties::{
    AcquirerSide, CardProfile, Connection, Dialect, Exchange, Kind, Original, Request, Reversal, SessionKeys, Zone,
};
use payment_crypto::{TdesKey, os_random, tr31};
use serde_json::Value;
use system_tests::{Daemon, Rest, run_umbra};
use time::OffsetDateTime;

async fn send(acquirer: &AcquirerSide, request: &Request) -> Exchange {
    let exchange = acquirer.send(request).await.expect("the connection holds").expect("it is answered");
    assert!(exchange.authenticated, "an answer without a right MAC");
    for de in [7, 11, 32, 37, 41] {
        assert_eq!(exchange.answer.text(de), request.fields().text(de), "DE {de}");
    }
    exchange
}

async fn code(acquirer: &AcquirerSide, request: &Request) -> String {
    send(acquirer, request).await.code().to_owned()
}

/// Cents on a wallet: posted, and set aside.
async fn wallet(rest: &Rest, daemon: &Daemon, card: usize) -> (i64, i64) {
    let shown = rest.get(&format!("/wallets/{}", daemon.demo.cards[card].wallet_id)).await;
    let cents = |name: &str| shown[name].to_string().replace('.', "").parse::<i64>().unwrap();
    (cents("currentBalance"), cents("reservations"))
}

const ALL_BACK: Reversal = Reversal { advice: true, remaining_minor: None };

#[tokio::test(flavor = "multi_thread")]
async fn a_network_pays_holds_completes_and_reverses() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let rest = Rest::log_in(&daemon.demo).await;
    let acquirer = daemon.acquirer(&daemon.zone()).await;
    let card = daemon.card(0);
    let (opening, _) = wallet(&rest, &daemon, 0).await;

    let purchase = acquirer.request(Kind::Purchase, &card, 1250).unwrap();
    let first = send(&acquirer, &purchase).await;
    assert_eq!(first.code(), "00");
    let again = send(&acquirer, &acquirer.repeat(&purchase).unwrap()).await;
    assert_eq!((again.code(), again.approval()), ("00", first.approval()), "the same transaction");
    let other = acquirer.request(Kind::Purchase, &card.clone().with_pin("9753").unwrap(), 100).unwrap();
    assert_eq!(code(&acquirer, &other).await, "55", "a PIN under the ZPK is checked");
    assert_eq!(wallet(&rest, &daemon, 0).await, (opening - 1250, 0));

    let hold = acquirer.request(Kind::PreAuth, &card, 5000).unwrap();
    let held = send(&acquirer, &hold).await;
    assert_eq!(wallet(&rest, &daemon, 0).await, (opening - 1250, 5000));
    let approval = held.approval().unwrap();
    let completion = acquirer.completion(&card, 4000, approval, &Original::of(&hold).unwrap()).unwrap();
    assert_eq!(code(&acquirer, &completion).await, "00");
    assert_eq!(wallet(&rest, &daemon, 0).await, (opening - 5250, 0));

    let back = acquirer.reversal(ALL_BACK, &card, &Original::of(&purchase).unwrap()).unwrap();
    assert_eq!(code(&acquirer, &back).await, "00");
    assert_eq!(code(&acquirer, &acquirer.repeat(&back).unwrap()).await, "00");
    assert_eq!(wallet(&rest, &daemon, 0).await, (opening - 4000, 0));

    // A reversal that overtakes its original, which must not be paid then.
    let late = acquirer.request(Kind::Purchase, &card, 777).unwrap();
    let early = acquirer.reversal(ALL_BACK, &card, &Original::of(&late).unwrap()).unwrap();
    assert_eq!(code(&acquirer, &early).await, "00");
    assert_eq!(code(&acquirer, &late).await, "68");
    assert_eq!(wallet(&rest, &daemon, 0).await, (opening - 4000, 0));
    acquirer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_network_has_settled_is_posted() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let rest = Rest::log_in(&daemon.demo).await;
    let acquirer = daemon.acquirer(&daemon.zone()).await;
    let (nearly_empty, blocked) = (daemon.card(1), daemon.card(2));

    let (before, _) = wallet(&rest, &daemon, 1).await;
    let asked = acquirer.request(Kind::Purchase, &nearly_empty, 10_000).unwrap();
    assert_eq!(code(&acquirer, &asked).await, "51");
    let told = acquirer.advice(Kind::Purchase, &nearly_empty, 10_000).unwrap();
    assert_eq!(code(&acquirer, &told).await, "00");
    assert_eq!(code(&acquirer, &acquirer.repeat(&told).unwrap()).await, "00");
    assert_eq!(wallet(&rest, &daemon, 1).await.0, before - 10_000, "below its floor, once");

    let (before, _) = wallet(&rest, &daemon, 2).await;
    let asked = acquirer.request(Kind::Purchase, &blocked, 100).unwrap();
    assert_eq!(code(&acquirer, &asked).await, "62");
    let told = acquirer.advice(Kind::Purchase, &blocked, 100).unwrap();
    assert_eq!(code(&acquirer, &told).await, "00");
    let completion = acquirer.completion(&blocked, 50, "123456", &Original::of(&asked).unwrap()).unwrap();
    assert_eq!(code(&acquirer, &completion).await, "00", "of a hold that never was");
    assert_eq!(wallet(&rest, &daemon, 2).await.0, before - 150);

    // A card nobody has issued: answered as taken, and left for somebody to settle.
    let unknown = CardProfile::keyed("9999000000000992", None, "710").unwrap();
    let asked = acquirer.request(Kind::Purchase, &unknown, 100).unwrap();
    assert_eq!(code(&acquirer, &asked).await, "14");
    let told = acquirer.advice(Kind::Purchase, &unknown, 100).unwrap();
    assert_eq!(code(&acquirer, &told).await, "00");
    let taken_back = acquirer.reversal(
        Reversal { advice: false, remaining_minor: None },
        &unknown,
        &Original::of(&acquirer.request(Kind::Purchase, &unknown, 1).unwrap()).unwrap(),
    );
    assert_eq!(code(&acquirer, &taken_back.unwrap()).await, "00", "of nothing");
    let (_, metrics) = rest.page("/metrics").await;
    assert!(metrics.contains("umbra_exceptions_total{mti=\"0220\"} 1"), "{metrics}");
    assert!(daemon.log().contains("taken without effect"));
    assert!(metrics.contains("umbra_ledger_rows_bound{table=\"open_holds\"} 4000000"), "{metrics}");
    assert!(metrics.contains("umbra_ledger_queue_events "), "{metrics}");
    assert!(metrics.contains("umbra_ledger_queue_events_bound 8192"), "{metrics}");

    // Everything is in the transaction log, as from the network.
    drop(acquirer);
    let data_dir = daemon.data_dir().to_owned();
    assert_eq!(daemon.stop().code(), Some(0));
    let data_dir = data_dir.to_str().unwrap();
    for command in [["ledger", "verify"], ["tranlog", "verify"]] {
        let verified = run_umbra(&[command[0], command[1], data_dir]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
    let listed = run_umbra(&["tranlog", "list", "--terminal", "NET00001", "--limit", "0", "--json", data_dir]);
    let rows: Vec<Value> =
        String::from_utf8(listed.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 8);
    assert!(
        rows.iter().all(|row| row["network"] == "500001" && row["request"]["elements"]["32"] == "400004"),
        "{rows:?}"
    );
    let exceptions = rows.iter().filter(|row| row["code"] != "Approved" && row["answer"]["elements"]["39"] == "00");
    assert_eq!(exceptions.count(), 2);
}

/// A connection of a network that minds no rules.
struct Rude {
    connection: Connection,
    dialect: Dialect,
}

impl Rude {
    async fn connect(daemon: &Daemon) -> Self {
        Self { connection: daemon.connect("network").await, dialect: Dialect::of_listener("network").unwrap() }
    }

    async fn send(&mut self, mti: &str, texts: &[(u8, &str)], keys: Option<&Arc<SessionKeys>>) -> Exchange {
        let mut fields = Fields::new(mti);
        // An old one would be too old to be told from a copy.
        let now = OffsetDateTime::now_utc();
        let date = format!("{:02}{:02}", u8::from(now.month()), now.day());
        let transmission = format!("{date}{:02}{:02}{:02}", now.hour(), now.minute(), now.second());
        for (de, text) in [(7, transmission.as_str()), (11, "000001")].iter().chain(texts) {
            fields.set(*de, *text);
        }
        let request = Request::seal(fields, &self.dialect.spec, keys).unwrap();
        self.connection.exchange(&request).await.expect("it is answered")
    }

    async fn code(&mut self, mti: &str, texts: &[(u8, &str)], keys: Option<&Arc<SessionKeys>>) -> String {
        self.send(mti, texts, keys).await.code().to_owned()
    }
}

fn block(zmk: &TdesKey, usage: &[u8; 2], mode: u8, key: &[u8]) -> String {
    tr31::wrap(zmk.bytes(), tr31::Version::B, &tr31::Header::new(*usage, b'T', mode, b'N'), key, &mut os_random)
        .unwrap()
}

fn carrier(pin: &str, mac: &str) -> String {
    format!("PK{:03}{pin}MK{:03}{mac}", pin.len(), mac.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_unfit_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let network = daemon.demo.network.as_ref().unwrap();
    let (id, zmk) = (network.id.as_str(), Zone::zmk(&network.zmk).unwrap());
    let pan = daemon.demo.cards[0].pan.as_str();
    let purchase = [(2, pan), (3, "000000"), (4, "000000000100"), (32, "400004"), (41, "NET00001"), (49, "710")];
    let mut rude = Rude::connect(&daemon).await;

    assert_eq!(rude.code("0200", &purchase, None).await, "58", "nobody has signed on");
    assert_eq!(rude.code("0800", &[(33, "999999"), (70, "001")], None).await, "58", "nobody we know");
    assert_eq!(rude.code("0800", &[(70, "001")], None).await, "30", "of no name");
    assert_eq!(rude.code("0800", &[(33, id), (70, "001")], None).await, "00");
    assert_eq!(rude.code("0200", &purchase, None).await, "63", "without a MAC");
    let wrong = Arc::new(SessionKeys {
        tpk: TdesKey::from_bytes(&[0x23; 16]).unwrap(),
        tak: TdesKey::from_bytes(&[0x45; 16]).unwrap(),
    });
    assert_eq!(rude.code("0200", &purchase, Some(&wrong)).await, "63", "with a wrong one");

    let key = TdesKey::with_odd_parity(&[0x31; 16]);
    let other = TdesKey::from_bytes(&TdesKey::with_odd_parity(&[0x77; 16])).unwrap();
    let (pin, mac) = (block(&zmk, b"P0", b'B', &key), block(&zmk, b"M3", b'C', &key));
    let damaged = format!("{}{}", &pin[..pin.len() - 1], if pin.ends_with('0') { '1' } else { '0' });
    let cases = [
        (carrier(&block(&zmk, b"M3", b'C', &key), &mac), "63"),
        (carrier(&block(&zmk, b"P0", b'D', &key), &mac), "63"),
        (carrier(&pin, &block(&zmk, b"M3", b'G', &key)), "63"),
        (carrier(&pin, &block(&zmk, b"M1", b'C', &key)), "63"),
        (carrier(&block(&other, b"P0", b'B', &key), &mac), "63"),
        (carrier(&damaged, &mac), "63"),
        (format!("PK{:03}{pin}", pin.len()), "30"),
        (carrier(&pin, &mac)[1..].to_owned(), "30"),
        (carrier("B0", &mac), "30"),
        ("nonsense".to_owned(), "30"),
    ];
    for (carrier, expected) in &cases {
        let texts = [(33, id), (62, carrier.as_str()), (70, "101")];
        assert_eq!(rude.code("0800", &texts, None).await, *expected, "{}", &carrier[..carrier.len().min(20)]);
    }
    assert_eq!(rude.code("0800", &[(33, id), (62, &carrier(&pin, &mac)), (70, "101")], None).await, "00");

    let key = TdesKey::from_bytes(&key).unwrap();
    let keys = Arc::new(SessionKeys { tpk: TdesKey::from_bytes(key.bytes()).unwrap(), tak: key });
    let echo = rude.send("0800", &[(33, id), (70, "301")], Some(&keys)).await;
    assert!(echo.is_approved() && echo.authenticated, "the keys are in use");
    let without = |de: u8| purchase.into_iter().filter(|(other, _)| *other != de).collect::<Vec<_>>();
    assert_eq!(rude.code("0200", &without(32), Some(&keys)).await, "30", "of no acquirer");
    let with_other = [&purchase[..], &[(33, "999999")]].concat();
    assert_eq!(rude.code("0200", &with_other, Some(&keys)).await, "58", "in another's name");
    assert_eq!(rude.code("0200", &purchase, Some(&keys)).await, "00");
    // Only this connection has signed on.
    let mut second = Rude::connect(&daemon).await;
    assert_eq!(second.code("0200", &purchase, Some(&keys)).await, "58");
    assert_eq!(rude.code("0800", &[(33, id), (70, "002")], Some(&keys)).await, "00");
    assert_eq!(rude.code("0200", &purchase, Some(&keys)).await, "58", "signed off");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_money_outlive_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let daemon = Daemon::start(&data_dir);
    let zone = daemon.zone();
    let acquirer = daemon.acquirer(&zone).await;
    let card = daemon.card(4);
    let purchase = acquirer.request(Kind::Purchase, &card, 300).unwrap();
    let first = send(&acquirer, &purchase).await;
    // A second connection of the same network, under keys that the daemon makes.
    let second = daemon.acquirer(&zone).await;
    second.link().await.unwrap().request_keys().await.unwrap();
    assert_eq!(code(&second, &second.request(Kind::Purchase, &card, 100).unwrap()).await, "00");
    assert_eq!(
        code(&acquirer, &acquirer.request(Kind::Purchase, &card, 100).unwrap()).await,
        "00",
        "the first goes on"
    );
    let keys = zone.keys().unwrap();
    daemon.kill();

    let daemon = Daemon::start(&data_dir);
    let acquirer = daemon.acquirer(&zone).await;
    assert!(zone.keys().unwrap() == keys, "proved, not exchanged anew");
    let again = send(&acquirer, &acquirer.repeat(&purchase).unwrap()).await;
    assert_eq!((again.code(), again.approval()), ("00", first.approval()));
    let rest = Rest::log_in(&daemon.demo).await;
    let opening = 25_000;
    assert_eq!(wallet(&rest, &daemon, 4).await, (opening - 500, 0));
}
