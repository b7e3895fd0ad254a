//! What a broken or hostile peer may send: a clear answer or a counted, logged drop; never a panic, a hang or a lost
//! neighbour.

use std::time::Duration;

use iso8583::domain::luhn_valid;
use iso8583::{Fields, Spec};
use parties::{CardProfile, Connection, Kind, Terminal};
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use system_tests::{Daemon, Rest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    daemon: Daemon,
    neighbour: Terminal,
    link: Connection,
    purchases: u32,
    _folder: tempfile::TempDir,
}

async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("data"));
    let mut neighbour = daemon.terminal(0, "pos-binary");
    let mut link = daemon.connect("pos-binary").await;
    neighbour.open_session(&mut link).await.unwrap();
    Bench { daemon, neighbour, link, purchases: 0, _folder: folder }
}

impl Bench {
    /// The neighbour buys something; whatever was sent elsewhere, it is approved.
    async fn neighbour_is_well(&mut self) {
        let request = self.neighbour.request(Kind::Purchase, &self.daemon.card(0), 100).unwrap();
        let exchange =
            timeout(PATIENCE, self.link.exchange(&request)).await.expect("the neighbour is answered").unwrap();
        assert!(exchange.is_approved(), "{}", exchange.outcome());
        self.purchases += 1;
    }

    async fn socket(&self, listener: &str) -> TcpStream {
        TcpStream::connect(self.daemon.address(listener)).await.unwrap()
    }

    async fn metric(&self, name: &str) -> f64 {
        let (_, text) = Rest::log_in(&self.daemon.demo).await.page("/metrics").await;
        text.lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    async fn finish(mut self) {
        self.neighbour_is_well().await;
        assert!(self.daemon.is_running());
        let log = self.daemon.log();
        assert!(!log.contains("panicked"), "{log}");
        assert_eq!(self.daemon.stop().code(), Some(0));
    }
}

/// A frame with its length in front.
fn frame(body: &[u8]) -> Vec<u8> {
    [&u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

/// One frame; `None` when the connection is closed.
async fn read_frame(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    timeout(PATIENCE, socket.read_exact(&mut length)).await.expect("an answer or the end").ok()?;
    let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
    timeout(PATIENCE, socket.read_exact(&mut body)).await.expect("the whole frame").ok()?;
    Some(body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_and_odd_lengths() {
    let mut bench = bench().await;
    let mut random = StdRng::seed_from_u64(1);
    for round in 0..60 {
        let listener = if round % 2 == 0 { "pos-binary" } else { "pos-ascii" };
        let mut socket = bench.socket(listener).await;
        let mut bytes = vec![0; random.random_range(1..3000)];
        random.fill_bytes(&mut bytes);
        let _ = socket.write_all(&bytes).await;
        if round % 10 == 0 {
            bench.neighbour_is_well().await;
        }
    }
    // Length 0 is a keep-alive, on both listeners, and echoed.
    for listener in ["pos-binary", "pos-ascii"] {
        let mut socket = bench.socket(listener).await;
        socket.write_all(&frame(&[])).await.unwrap();
        assert_eq!(read_frame(&mut socket).await, Some(Vec::new()));
        // Length 1 and the longest: no message. Three in a row end the connection.
        socket.write_all(&frame(&[0x42])).await.unwrap();
        socket.write_all(&frame(&vec![0x30; 65_535])).await.unwrap();
        socket.write_all(&frame(&[])).await.unwrap();
        assert_eq!(read_frame(&mut socket).await, Some(Vec::new()), "two undecodable messages close nothing");
    }
    let dropped = bench.metric("umbra_messages_dropped_total").await;
    assert!(dropped >= 4.0, "drops are counted: {dropped}");
    assert!(bench.daemon.log().contains("message dropped"), "drops are logged");
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_undecodable_in_a_row_close_the_connection() {
    let mut bench = bench().await;
    let mut socket = bench.socket("pos-ascii").await;
    for _ in 0..3 {
        socket.write_all(&frame(b"no message")).await.unwrap();
    }
    assert_eq!(read_frame(&mut socket).await, None);
    bench.neighbour_is_well().await;
    bench.finish().await;
}

/// An encoded request of the second terminal, without MAC, with `change` applied.
fn message(bench: &Bench, change: impl FnOnce(&mut Fields)) -> Vec<u8> {
    let mut fields = Fields::new("0200");
    for (de, text) in [(2, &*bench.daemon.demo.cards[0].pan), (3, "000000"), (4, "000000000100"), (7, "1125120000")] {
        fields.set(de, text);
    }
    let terminal = &bench.daemon.demo.terminals[2];
    assert!(!terminal.mac, "the third terminal sends no MACs");
    for (de, text) in [(11, "000001"), (41, &*terminal.terminal_id), (42, &*terminal.merchant_id), (49, "710")] {
        fields.set(de, text);
    }
    change(&mut fields);
    let mut wire = Default::default();
    Spec::builtin("iso87ascii").unwrap().encode(&fields, &mut wire).unwrap();
    wire.to_vec()
}

/// DE 39 of the answer to a message, or `None` when it was dropped: then nothing but the keep-alive sent behind it
/// comes back.
async fn code(bench: &Bench, message: &[u8]) -> Option<String> {
    const SILENCE: Duration = Duration::from_millis(1500);
    let mut socket = bench.socket("pos-ascii").await;
    socket.write_all(&frame(message)).await.unwrap();
    socket.write_all(&frame(&[])).await.unwrap();
    let first = read_frame(&mut socket).await.expect("the connection goes on");
    let second = timeout(SILENCE, read_frame(&mut socket)).await.ok().flatten();
    let answer = [Some(first), second].into_iter().flatten().find(|answer| !answer.is_empty())?;
    let spec = Spec::builtin("iso87ascii").unwrap();
    let answer = spec.decode(&answer).unwrap();
    assert!(answer.text(2).is_none() && answer.text(35).is_none(), "an answer holds no card number");
    answer.text(39).map(|text| text.into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_messages_are_answered_or_dropped() {
    let mut bench = bench().await;
    let plain = message(&bench, |_| {});
    // The bitmap promises more than there is: answered as a format error once the STAN could be read.
    let cut_behind_stan = plain.len() - 5;
    assert_eq!(code(&bench, &plain[..cut_behind_stan]).await.as_deref(), Some("30"), "DE 41 to 49 are incomplete");
    assert_eq!(code(&bench, &plain[..25]).await, None, "nothing to answer with");
    let mut promised = plain.clone();
    promised[4 + 15] = b'1';
    assert_eq!(code(&bench, &promised).await.as_deref(), Some("30"), "DE 64 is promised and missing");
    let behind = [&plain[..], b"0"].concat();
    assert_eq!(code(&bench, &behind).await.as_deref(), Some("30"), "a byte is left over");
    // Unknown MTIs.
    for (mti, expected) in [("0600", Some("12")), ("1200", None), ("0210", None), ("9999", None)] {
        let wire = message(&bench, |fields| fields.set_mti(mti));
        assert_eq!(code(&bench, &wire).await.as_deref(), expected, "{mti}");
    }
    // A card number that fails the check digit's test.
    let bad_pan = "9999000000000019";
    assert!(!luhn_valid(bad_pan));
    let neighbour = &bench.neighbour;
    let card = CardProfile::keyed(bad_pan, None, "710").unwrap();
    let request = neighbour.request(Kind::Purchase, &card, 100).unwrap();
    let answer = bench.link.exchange(&request).await.unwrap();
    assert_eq!(answer.code(), "14");
    // Fields that must be there and are not.
    for de in [3, 4, 7, 41, 42, 49] {
        let wire = message(&bench, |fields| fields.remove(de));
        assert_eq!(code(&bench, &wire).await.as_deref(), Some("30"), "without DE {de}");
    }
    let wire = message(&bench, |fields| fields.remove(11));
    assert_eq!(code(&bench, &wire).await.as_deref(), Some("30"), "without a STAN");
    bench.neighbour_is_well().await;
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_truncation_and_every_flipped_byte_of_a_message() {
    let mut bench = bench().await;
    let request = bench.neighbour.request(Kind::Purchase, &bench.daemon.card(0), 100).unwrap();
    let good = request.wire().to_vec();
    let tpdu = [0x60, 0, 1, 0, 2];
    let mut random = StdRng::seed_from_u64(2);
    for round in 0..good.len() * 2 {
        let mut body = good.clone();
        if round < good.len() {
            body.truncate(round);
        } else {
            body[round - good.len()] ^= random.random_range(1..=255);
        }
        let mut socket = bench.socket("pos-binary").await;
        socket.write_all(&frame(&[&tpdu[..], &body].concat())).await.unwrap();
        socket.write_all(&frame(&[])).await.unwrap();
        // Whatever becomes of the message, the keep-alive behind it is answered.
        while !read_frame(&mut socket).await.expect("the connection goes on").is_empty() {}
    }
    // None of them was taken for the real thing: their MACs cannot be right.
    let balance = bench.neighbour.request(Kind::Balance, &bench.daemon.card(0).without_pin(), 0).unwrap();
    let answer = bench.link.exchange(&balance).await.unwrap();
    assert_eq!(answer.additional_amounts()[0].amount, 100_000_000, "nothing was posted");
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_terminal_on_two_connections() {
    let mut bench = bench().await;
    let mut second = bench.daemon.connect("pos-binary").await;
    for _ in 0..5 {
        let request = bench.neighbour.request(Kind::Purchase, &bench.daemon.card(0), 100).unwrap();
        assert!(second.exchange(&request).await.unwrap().is_approved());
        bench.neighbour_is_well().await;
    }
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads() {
    let mut bench = bench().await;
    let mut greedy = bench.socket("pos-binary").await;
    let request = bench.neighbour.request(Kind::Balance, &bench.daemon.card(0).without_pin(), 0).unwrap();
    let one = frame(&[&[0x60, 0, 1, 0, 2], &request.wire()[..]].concat());
    let many = one.repeat(200);
    // Writes until the daemon stops reading: its memory does not grow with what a peer does not fetch.
    let mut written = 0_usize;
    while let Ok(result) = timeout(Duration::from_millis(1500), greedy.write_all(&many)).await {
        result.unwrap();
        written += many.len();
        assert!(written < 256 << 20, "the daemon reads without end for a client that never does");
    }
    for _ in 0..20 {
        bench.neighbour_is_well().await;
    }
    drop(greedy);
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_cut_at_every_byte_and_glued_together() {
    let bench = bench().await;
    for listener in ["pos-binary", "pos-ascii"] {
        let mut terminal = bench.daemon.terminal(1, listener);
        let mut link = bench.daemon.connect(listener).await;
        terminal.open_session(&mut link).await.unwrap();
        let tpdu: &[u8] = if listener == "pos-binary" { &[0x60, 0, 1, 0, 2] } else { &[] };
        let one = || {
            let request = terminal.request(Kind::Purchase, &bench.daemon.card(0), 100).unwrap();
            frame(&[tpdu, &request.wire()[..]].concat())
        };
        let mut socket = bench.socket(listener).await;
        socket.set_nodelay(true).unwrap();
        for byte in one() {
            socket.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(read_frame(&mut socket).await.is_some_and(|answer| answer.len() > 40));
        let glued: Vec<u8> = (0..20).flat_map(|_| one()).collect();
        socket.write_all(&glued).await.unwrap();
        for _ in 0..20 {
            assert!(read_frame(&mut socket).await.is_some_and(|answer| answer.len() > 40));
        }
    }
    bench.finish().await;
}
