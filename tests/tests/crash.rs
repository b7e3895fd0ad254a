//! SIGKILL under load, many times: every answered approval is in the ledger once, nothing is there twice after its
//! repeat, the books balance.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parties::{CardProfile, Connection, Exchange, Kind, Original, Request, Reversal, Terminal};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use system_tests::{Daemon, Rest, is_long, run_umbra};

const SOCKETS: usize = 12;
const LISTENERS: [&str; 2] = ["pos-binary", "pos-ascii"];

/// A money message as a terminal knows it.
struct Sent {
    request: Request,
    what: What,
    amount: u64,
    /// DE 38 of its approval.
    approval: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Purchase,
    PreAuth,
    /// Of the nth message.
    Completion(usize),
    /// Of the nth message, down to what remains.
    Reversal(usize, u64),
}

/// One socket's memory, across the daemon's lives.
struct Till {
    terminal: Arc<Terminal>,
    listener: &'static str,
    card: CardProfile,
    random: StdRng,
    approved: Vec<Sent>,
    /// Sent, and never answered: repeated until it is.
    unanswered: Option<Sent>,
    repeats: u64,
}

impl Till {
    /// Works until the connection breaks.
    async fn work(&mut self, mut connection: Connection) {
        if let Some(sent) = self.unanswered.take() {
            let repeat = sent.request.as_repeat().expect("a repeat can be built");
            self.repeats += 1;
            if self.settle(&mut connection, sent, &repeat).await.is_none() {
                return;
            }
        }
        while let Some(sent) = self.next() {
            let request = sent.request.clone();
            if self.settle(&mut connection, sent, &request).await.is_none() {
                return;
            }
            if self.random.random_bool(0.1) && self.ask_again(&mut connection).await.is_none() {
                return;
            }
        }
    }

    /// Sends a message and takes its answer; without one the message is kept for the next life.
    async fn settle(&mut self, connection: &mut Connection, sent: Sent, wire: &Request) -> Option<()> {
        match connection.exchange(wire).await {
            Ok(exchange) => {
                assert!(exchange.is_approved(), "{:?} was answered {}", sent.what, exchange.code());
                let approval = exchange.approval().unwrap_or_default().to_owned();
                self.approved.push(Sent { approval, ..sent });
                Some(())
            }
            Err(_) => {
                self.unanswered = Some(sent);
                None
            }
        }
    }

    /// Repeats any answered message: the answer must be the first one's.
    async fn ask_again(&mut self, connection: &mut Connection) -> Option<()> {
        let index = self.random.random_range(0..self.approved.len());
        let sent = &self.approved[index];
        let repeat = sent.request.as_repeat().expect("a repeat can be built");
        let exchange: Exchange = connection.exchange(&repeat).await.ok()?;
        assert!(exchange.is_approved(), "the repeat of {:?} was answered {}", sent.what, exchange.code());
        assert_eq!(exchange.approval().unwrap_or_default(), sent.approval, "{:?}", sent.what);
        self.repeats += 1;
        Some(())
    }

    fn next(&mut self) -> Option<Sent> {
        let amount = self.random.random_range(1..=500);
        let made = match self.random.random_range(0..10) {
            0..5 => None,
            5..7 => Some((self.terminal.request(Kind::PreAuth, &self.card, amount), What::PreAuth, amount)),
            7..9 => self.completion(),
            _ => self.reversal(),
        };
        let purchase = || (self.terminal.request(Kind::Purchase, &self.card, amount), What::Purchase, amount);
        let (request, what, amount) = made.unwrap_or_else(purchase);
        let request = request.expect("a request can be built");
        Some(Sent { request, what, amount, approval: String::new() })
    }

    /// A message that can be followed up: approved, and not followed up yet.
    fn open(&self, wanted: What) -> Option<usize> {
        let followed: Vec<usize> = self.approved.iter().filter_map(|sent| follows(sent.what)).collect();
        (0..self.approved.len()).find(|index| self.approved[*index].what == wanted && !followed.contains(index))
    }

    fn completion(&mut self) -> Option<(Result<Request, parties::Error>, What, u64)> {
        let index = self.open(What::PreAuth)?;
        let amount = self.random.random_range(1..=self.approved[index].amount);
        let hold = &self.approved[index];
        let original = Original::of(&hold.request).expect("a request names itself");
        let request = self.terminal.completion(&self.card, amount, &hold.approval, &original);
        Some((request, What::Completion(index), amount))
    }

    fn reversal(&mut self) -> Option<(Result<Request, parties::Error>, What, u64)> {
        let wanted = if self.random.random_bool(0.7) { What::Purchase } else { What::PreAuth };
        let index = self.open(wanted)?;
        let remaining =
            if self.random.random_bool(0.3) { self.random.random_range(0..self.approved[index].amount) } else { 0 };
        let advice = self.random.random_bool(0.5);
        let original = Original::of(&self.approved[index].request).expect("a request names itself");
        let how = Reversal { advice, remaining_minor: (remaining > 0).then_some(remaining) };
        let request = self.terminal.reversal(how, &self.card, &original);
        Some((request, What::Reversal(index, remaining), 0))
    }

    /// What the wallet must have posted and held because of this till.
    fn expected(&self) -> (u64, u64) {
        let (mut posted, mut held) = (0, 0);
        for (index, sent) in self.approved.iter().enumerate() {
            let follower = self.approved.iter().find(|other| follows(other.what) == Some(index));
            let kept = match follower.map(|follower| follower.what) {
                Some(What::Reversal(_, remaining)) => remaining,
                Some(_) => 0,
                None => sent.amount,
            };
            match sent.what {
                What::Purchase => posted += kept,
                What::Completion(_) => posted += sent.amount,
                What::PreAuth => held += kept,
                What::Reversal(..) => {}
            }
        }
        (posted, held)
    }
}

fn follows(what: What) -> Option<usize> {
    match what {
        What::Completion(index) | What::Reversal(index, _) => Some(index),
        What::Purchase | What::PreAuth => None,
    }
}

fn minor(amount: &Value) -> u64 {
    let text = amount.to_string();
    let (major, rest) = text.split_once('.').expect("amounts have two decimals");
    format!("{major}{rest}").parse().expect("amounts are numbers")
}

fn verify(data_dir: &Path) {
    let verified = run_umbra(&["ledger", "verify", data_dir.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// The transaction log says the same as the journal, as far as it got. Gives how many events it is behind.
fn verify_tranlog(data_dir: &Path) -> u64 {
    let verified = run_umbra(&["tranlog", "verify", "--json", data_dir.to_str().unwrap()]);
    let report = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{report}{}", String::from_utf8_lossy(&verified.stderr));
    let report: Value = serde_json::from_str(&report).unwrap();
    report["events"].as_u64().unwrap() - report["taken_over"].as_u64().unwrap()
}

/// Tills on both listeners at all three terminals, with the keys they will use throughout.
async fn open_tills(daemon: &Daemon, seed: u64) -> Vec<Till> {
    let mut terminals = Vec::new();
    for index in 0..daemon.demo.terminals.len() {
        let listener = LISTENERS[index % LISTENERS.len()];
        let mut terminal = daemon.terminal(index, listener);
        let mut connection = daemon.connect(listener).await;
        terminal.open_session(&mut connection).await.unwrap();
        terminals.push((Arc::new(terminal), listener));
    }
    (0..SOCKETS)
        .map(|socket| {
            let (terminal, listener) = &terminals[socket % terminals.len()];
            Till {
                terminal: Arc::clone(terminal),
                listener,
                card: daemon.card(0),
                random: StdRng::seed_from_u64(seed + socket as u64),
                approved: Vec::new(),
                unanswered: None,
                repeats: 0,
            }
        })
        .collect()
}

/// One life of the daemon: all tills work until it is killed.
async fn live(daemon: Daemon, tills: Vec<Till>, length: Duration) -> Vec<Till> {
    let mut at_work = Vec::new();
    for mut till in tills {
        let connection = daemon.connect(till.listener).await;
        at_work.push(tokio::spawn(async move {
            till.work(connection).await;
            till
        }));
    }
    tokio::time::sleep(length).await;
    tokio::task::spawn_blocking(move || daemon.kill()).await.unwrap();
    let mut tills = Vec::new();
    for task in at_work {
        tills.push(task.await.unwrap());
    }
    tills
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_and_nothing_is_doubled() {
    let kills = if is_long() { 300 } else { 32 };
    let seed = 20_260_101;
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let daemon = Daemon::start(&data_dir);
    let wallet = format!("/wallets/{}", daemon.demo.cards[0].wallet_id);
    let opening = minor(&Rest::log_in(&daemon.demo).await.get(&wallet).await["currentBalance"]);
    let mut tills = open_tills(&daemon, seed).await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut daemon = daemon;
    for kill in 0..kills {
        tills = live(daemon, tills, Duration::from_millis(random.random_range(20..400))).await;
        verify(&data_dir);
        match kill % 4 {
            0 => {
                verify_tranlog(&data_dir);
            }
            // Made anew from the journal.
            1 => std::fs::remove_dir_all(data_dir.join("tranlog")).unwrap(),
            _ => {}
        }
        daemon = Daemon::start(&data_dir);
    }

    // The last life ends in peace: everything left open is repeated and answered.
    for till in &mut tills {
        if let Some(sent) = till.unanswered.take() {
            let mut connection = daemon.connect(till.listener).await;
            let repeat = sent.request.as_repeat().unwrap();
            till.repeats += 1;
            till.settle(&mut connection, sent, &repeat).await.expect("the repeat is answered");
        }
    }
    let (posted, held) = tills.iter().map(Till::expected).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let rest = Rest::log_in(&daemon.demo).await;
    let shown = rest.get(&wallet).await;
    assert_eq!(minor(&shown["currentBalance"]), opening - posted, "posted {posted}: {shown}");
    assert_eq!(minor(&shown["reservations"]), held, "{shown}");
    check_statement(&rest, &wallet, opening, posted).await;
    assert_eq!(daemon.stop().code(), Some(0));
    verify(&data_dir);
    assert_eq!(verify_tranlog(&data_dir), 0, "who ends in peace leaves a complete log");
    check_ledger(&data_dir, &tills);
    let messages: usize = tills.iter().map(|till| till.approved.len()).sum();
    let repeats: u64 = tills.iter().map(|till| till.repeats).sum();
    println!("{kills} kills, {messages} approved messages, {repeats} repeats, {posted} posted, {held} held");
    assert!(messages > kills * SOCKETS, "too little traffic to prove anything: {messages}");
}

/// The projection agrees with the book: the statement adds up to the balance, without gaps or doubles.
async fn check_statement(rest: &Rest, wallet: &str, opening: u64, posted: u64) {
    let (mut offset, mut sum, mut seen) = (0, 0_i64, BTreeMap::new());
    loop {
        let page = rest.get(&format!("{wallet}/transactions?offset={offset}&limit=1000")).await;
        let entries = page.as_array().unwrap();
        for entry in entries {
            let text = entry["amount"].to_string().replace('.', "");
            sum += text.parse::<i64>().unwrap();
            assert!(seen.insert(entry["transactionId"].as_i64().unwrap(), ()).is_none(), "an entry twice");
        }
        offset += entries.len();
        if entries.is_empty() {
            break;
        }
    }
    assert_eq!(sum, i64::try_from(opening - posted).unwrap(), "the statement does not add up");
}

/// Each message of the tills is in the journal once, approved, with the approval that was answered.
fn check_ledger(data_dir: &Path, tills: &[Till]) {
    let dumped = run_umbra(&["ledger", "dump", data_dir.to_str().unwrap()]);
    assert!(dumped.status.success());
    let mut recorded: HashMap<String, Vec<Value>> = HashMap::new();
    for line in String::from_utf8(dumped.stdout).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let record = &event["record"];
        if event["kind"] == "card" && event["outcome"]["copy_of"].is_null() {
            let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
            let family = text("mti").get(..3).unwrap_or_default().to_owned();
            let name = format!("{}/{family}/{}/{}", text("terminal"), text("stan"), text("transmission"));
            recorded.entry(name).or_default().push(event);
        }
    }
    for till in tills {
        for sent in &till.approved {
            let terminal = &till.terminal.profile().terminal_id;
            let family = &sent.request.mti()[..3];
            let name = format!("{terminal}/{family}/{}/{}", sent.request.stan(), sent.request.transmission());
            let events = recorded.get(&name).map(Vec::as_slice).unwrap_or_default();
            let [event] = events else { panic!("{name} ({:?}) is in the ledger {} times", sent.what, events.len()) };
            assert_eq!(event["outcome"]["code"], "Approved", "{name}");
            let approval = format!("{:06}", event["outcome"]["approval"].as_u64().unwrap());
            assert!(sent.approval.is_empty() || sent.approval == approval, "{name} was answered another approval");
        }
    }
}
