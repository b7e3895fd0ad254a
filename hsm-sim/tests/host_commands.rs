//! The simulator over TCP: against published answers, and through the client the platform uses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use host_commands::{HsmClient, HsmConfig, HsmError, KeyDomain, KeyExport, KeyUnderLmk, PinVerdict};
use hsm_sim::commands::{TABLE, markdown};
use hsm_sim::{HsmOptions, Lmk, Server, console};
use payment_crypto::mac::{self, Algorithm, Padding};
use payment_crypto::{Pin, TdesKey, os_random, pin_block, tr31};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: tokio::task::JoinHandle<()>,
}

async fn start_at(address: SocketAddr) -> Running {
    let server = Server::bind(address, HsmOptions::with_test_lmks().unwrap()).await.unwrap();
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(server.run(async move {
        let _ = stopped.await;
    }));
    Running { address, stop: Some(stop), ended }
}

async fn start() -> Running {
    start_at("127.0.0.1:0".parse().unwrap()).await
}

fn client(addresses: &[SocketAddr]) -> HsmClient {
    HsmClient::new(HsmConfig {
        addresses: addresses.iter().map(SocketAddr::to_string).collect(),
        connections: 2,
        header_length: 4,
        timeout: Duration::from_secs(3),
        in_flight_max: 256,
        ..HsmConfig::default()
    })
}

async fn raw(stream: &mut TcpStream, command: &str, body: &[u8]) -> Vec<u8> {
    let frame = [b"HEAD", command.as_bytes(), body].concat();
    // One write: two would wait for each other's acknowledgement.
    let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], &frame].concat()).await.unwrap();
    let length = usize::from(stream.read_u16().await.unwrap());
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[..4], b"HEAD");
    answer[4..].to_vec()
}

/// What goes over the wire: texts, and in some vectors bytes in hexadecimal, whole or from the message on.
fn body_of(inputs: &serde_json::Value) -> Vec<u8> {
    let text = inputs["request_body"].as_str().unwrap();
    if inputs.get("request_body_encoding").is_some() {
        return hex::decode(text).unwrap();
    }
    let command = inputs["command"].as_str().unwrap();
    // The message of these is bytes, and stands behind a length or at the end.
    let message = match command {
        "MQ" => Some(
            text.len()
                - 2 * usize::from_str_radix(&text[if text.starts_with('1') { 34..37 } else { 50..53 }], 16).unwrap(),
        ),
        "MS" => Some(text.len() - 32),
        "MC" => Some(24),
        "ME" => Some(40),
        _ => None,
    };
    match message {
        Some(at) => [&text.as_bytes()[..at], &hex::decode(&text[at..]).unwrap()].concat(),
        None => text.as_bytes().to_vec(),
    }
}

/// The answers of others' devices and simulators.
#[tokio::test]
async fn published_vectors() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/payshield.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut seen, mut wrong) = (0, Vec::new());
    for vector in file["vectors"].as_array().unwrap() {
        let (inputs, expected) = (&vector["inputs"], &vector["expected"]);
        let answer = raw(&mut stream, inputs["command"].as_str().unwrap(), &body_of(inputs)).await;
        let body = expected["response_body"].as_str().unwrap();
        let body = if inputs.get("request_body_encoding").is_some() { hex::decode(body).unwrap() } else { body.into() };
        let right = [expected["response_code"].as_str().unwrap().as_bytes(), &body].concat();
        if answer != right {
            wrong.push(format!("{}: {}", vector["name"], String::from_utf8_lossy(&answer)));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen >= 100, "{seen}");
}

#[tokio::test]
async fn what_is_not_offered_says_so_and_trailers_come_back() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(raw(&mut stream, "ZZ", b"").await, b"Z[68");
    assert_eq!(raw(&mut stream, "KW", b"whatever").await, b"KX68");
    assert_eq!(raw(&mut stream, "BA", b"1234F123456789012").await, b"BB68");
    assert_eq!(raw(&mut stream, "B2", b"0004PING%00\x19tail").await, b"B300PING\x19tail");
    assert_eq!(raw(&mut stream, "B2", b"0004PING%01").await, b"B300PING");
    assert_eq!(raw(&mut stream, "B2", b"0004PING%77").await, b"B313");
    assert_eq!(raw(&mut stream, "B2", b"0005PING").await, b"B380");
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(readme.contains(&markdown()), "README has the table that `umbra hsm commands --markdown` prints");
    for row in &TABLE {
        let command = row.name();
        let answer = raw(&mut stream, command, b"\xFF\x00nonsense").await;
        assert_ne!(&answer[2..], b"68", "{command} is offered");
    }
}

fn tmk() -> (TdesKey, KeyUnderLmk) {
    let clear = TdesKey::with_odd_parity(&[0x3B; 16]);
    let (under_lmk, _) = console::form_key(&Lmk::test_variant(), "002", 'U', &clear).unwrap();
    (TdesKey::from_bytes(&clear).unwrap(), KeyUnderLmk::from(under_lmk))
}

#[tokio::test]
async fn session_keys_serve_terminal_and_host() {
    let server = start().await;
    let hsm = client(&[server.address]);
    let (clear_tmk, tmk) = tmk();
    let tr31_export = |usage: &[u8; 2], mode| KeyExport::Tr31 { usage: *usage, mode, exportability: b'N' };

    let tak =
        hsm.generate_and_export_key(KeyDomain::Terminal, "003", 'U', &tmk, tr31_export(b"M3", b'C')).await.unwrap();
    let (header, clear) = tr31::unwrap(clear_tmk.bytes(), &tak.exported[1..]).unwrap();
    assert_eq!((header.usage, header.mode, header.exportability), (*b"M3", b'C', b'N'));
    let clear_tak = TdesKey::from_bytes(&clear).unwrap();
    let message = b"a message whose length is no multiple of eight";
    let right = mac::generate(Algorithm::Three, &clear_tak, Padding::Zeros, message).unwrap();
    assert_eq!(hsm.generate_mac((KeyDomain::Terminal, &tak.key), message).await.unwrap(), right);
    assert!(hsm.verify_mac((KeyDomain::Terminal, &tak.key), message, &right).await.unwrap());
    assert!(!hsm.verify_mac((KeyDomain::Terminal, &tak.key), &message[1..], &right).await.unwrap());
    assert_eq!(hsm.key_check_value("003", &tak.key).await.unwrap(), tak.kcv);

    let tpk = hsm.generate_and_export_key(KeyDomain::Terminal, "002", 'U', &tmk, KeyExport::Ecb).await.unwrap();
    let clear = clear_tmk.decrypt_ecb(&hex::decode(&tpk.exported[1..]).unwrap()).unwrap();
    let clear_tpk = TdesKey::from_bytes(&clear).unwrap();
    let kcv = payment_crypto::kcv::tdes(&clear_tpk);
    assert_eq!(hex::encode_upper(&kcv[..3]), tpk.kcv);

    let account = "123456789012";
    let pvk = hsm.generate_key("002", 'U').await.unwrap().key;
    let pin = hsm.choose_pin(&pvk, "1234", account).await.unwrap();
    let pvv = hsm.generate_pvv(&pvk, &pin, account, 1).await.unwrap();
    let block = |pin: &str, account: &str| {
        clear_tpk.encrypt_block(pin_block::format0::encode(&Pin::parse(pin).unwrap(), account).unwrap())
    };
    let judge =
        async |block| hsm.verify_pin_pvv((KeyDomain::Terminal, &tpk.key), &pvk, block, account, 1, &pvv).await.unwrap();
    assert_eq!(judge(block("1234", account)).await, PinVerdict::Right);
    assert_eq!(judge(block("1235", account)).await, PinVerdict::Wrong);
    assert_eq!(judge([0x5A; 8]).await, PinVerdict::BlockInvalid);
    let moved = hsm.pin_tpk_to_lmk(&tpk.key, block("1234", account), account).await.unwrap();
    assert_eq!(moved, pin);
    let random = hsm.random_pin(account, 6).await.unwrap();
    assert_eq!(random.as_str().len(), 7);
}

#[tokio::test]
async fn zone_keys_go_out_and_come_in() {
    let server = start().await;
    let hsm = client(&[server.address]);
    let clear = TdesKey::with_odd_parity(&[0x4C; 16]);
    let (zmk, _) = console::form_key(&Lmk::test_variant(), "000", 'U', &clear).unwrap();
    let (clear_zmk, zmk) = (TdesKey::from_bytes(&clear).unwrap(), KeyUnderLmk::from(zmk));

    let export = KeyExport::Tr31 { usage: *b"P0", mode: b'B', exportability: b'N' };
    let zpk = hsm.generate_and_export_key(KeyDomain::Zone, "001", 'U', &zmk, export).await.unwrap();
    let (_, clear_zpk) = tr31::unwrap(clear_zmk.bytes(), &zpk.exported[1..]).unwrap();
    let clear_zpk = TdesKey::from_bytes(&clear_zpk).unwrap();

    // Another institution's block: in under what it says it is, and under nothing else.
    let block = |usage: &[u8; 2], algorithm| {
        let header = tr31::Header::new(*usage, algorithm, b'E', b'N');
        format!(
            "R{}",
            tr31::wrap(clear_zmk.bytes(), tr31::Version::B, &header, clear_zpk.bytes(), &mut os_random).unwrap()
        )
    };
    let same = hsm.import_key("001", &zmk, &block(b"P0", b'T'), 'U').await.unwrap();
    assert_eq!((&same.key, &same.kcv), (&zpk.key, &zpk.kcv));
    let refusal = async |key_type: &str, block: &str| match hsm.import_key(key_type, &zmk, block, 'U').await {
        Err(HsmError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    for (key_type, usage, algorithm, code) in
        [("001", b"M3", b'T', "A6"), ("008", b"P0", b'T', "A6"), ("001", b"P0", b'A', "A7"), ("402", b"P0", b'T', "A6")]
    {
        assert_eq!(refusal(key_type, &block(usage, algorithm)).await, code, "{key_type}");
    }
    let mut damaged = block(b"P0", b'T').into_bytes();
    damaged[40] = if damaged[40] == b'0' { b'1' } else { b'0' };
    assert_eq!(refusal("001", &String::from_utf8(damaged).unwrap()).await, "A4");
    assert_eq!(refusal("001", "RB9999P0TE00N0000").await, "15", "longer than what is there");
    assert_eq!(refusal("001", "RB").await, "15");

    let (account, pvk) = ("123456789012", hsm.generate_key("002", 'U').await.unwrap().key);
    let pin = hsm.choose_pin(&pvk, "1234", account).await.unwrap();
    let pvv = hsm.generate_pvv(&pvk, &pin, account, 1).await.unwrap();
    for (pin, verdict) in [("1234", PinVerdict::Right), ("4321", PinVerdict::Wrong)] {
        let clear = pin_block::format0::encode(&Pin::parse(pin).unwrap(), account).unwrap();
        let block = clear_zpk.encrypt_block(clear);
        let judged = hsm.verify_pin_pvv((KeyDomain::Zone, &same.key), &pvk, block, account, 1, &pvv).await.unwrap();
        assert_eq!(judged, verdict);
    }
    let header = tr31::Header::new(*b"M3", b'T', b'C', b'N');
    let block = tr31::wrap(clear_zmk.bytes(), tr31::Version::B, &header, clear_zpk.bytes(), &mut os_random).unwrap();
    let zak = hsm.import_key("008", &zmk, &format!("R{block}"), 'U').await.unwrap();
    let right = mac::generate(Algorithm::Three, &clear_zpk, Padding::Zeros, b"message").unwrap();
    assert_eq!(hsm.generate_mac((KeyDomain::Zone, &zak.key), b"message").await.unwrap(), right);
    assert!(hsm.verify_mac((KeyDomain::Zone, &zak.key), b"message", &right).await.unwrap());
}

#[tokio::test]
async fn data_goes_under_a_key_and_back() {
    let server = start().await;
    let hsm = client(&[server.address]);
    let key = hsm.generate_key("00B", 'U').await.unwrap().key;
    let clear = [7; 112];
    let enciphered = hsm.encrypt_data(&key, &clear).await.unwrap();
    assert_ne!(enciphered, clear);
    assert_eq!(hsm.decrypt_data(&key, &enciphered).await.unwrap(), clear);
    let refused = hsm.encrypt_data(&key, &[1; 7]).await.unwrap_err();
    assert!(matches!(refused, HsmError::Refused { command: "M0", ref code, .. } if code == "06"), "{refused}");
    let wrong_type = hsm.key_check_value("003", &key).await.unwrap_err();
    assert!(matches!(wrong_type, HsmError::Refused { ref code, .. } if code == "10"), "{wrong_type}");
}

#[tokio::test]
async fn many_commands_in_flight_find_their_answers() {
    let server = start().await;
    let hsm = client(&[server.address]);
    let key = hsm.generate_key("003", 'U').await.unwrap().key;
    let macs = futures::future::join_all((0..200_u16).map(|number| {
        let (hsm, key) = (hsm.clone(), key.clone());
        async move { (number, hsm.generate_mac((KeyDomain::Terminal, &key), &number.to_be_bytes()).await.unwrap()) }
    }))
    .await;
    for (number, mac) in macs {
        assert!(hsm.verify_mac((KeyDomain::Terminal, &key), &number.to_be_bytes(), &mac).await.unwrap());
    }
}

#[tokio::test]
async fn a_lost_hsm_is_replaced_and_found_again() {
    let mut first = start().await;
    let second = start().await;
    let hsm = client(&[first.address, second.address]);
    hsm.diagnostics().await.unwrap();
    first.stop.take().unwrap().send(()).unwrap();
    first.ended.await.unwrap();
    for _ in 0..20 {
        hsm.diagnostics().await.unwrap();
    }
    let again = start_at(first.address).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    drop(second.stop);
    second.ended.await.unwrap();
    for _ in 0..20 {
        hsm.diagnostics().await.unwrap();
    }
    drop(again.stop);
    again.ended.await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = std::time::Instant::now();
    assert!(matches!(hsm.diagnostics().await, Err(HsmError::Unavailable(_))));
    assert!(started.elapsed() < Duration::from_secs(3), "no connection is no reason to wait");
}

#[tokio::test]
async fn an_hsm_that_never_answers_times_out() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hsm = HsmClient::new(HsmConfig {
        addresses: vec![silent.local_addr().unwrap().to_string()],
        connections: 1,
        header_length: 4,
        timeout: Duration::from_millis(200),
        in_flight_max: 2,
        ..HsmConfig::default()
    });
    let (first, second, third) = tokio::join!(hsm.diagnostics(), hsm.diagnostics(), hsm.diagnostics());
    let why = [first, second, third].map(|result| result.unwrap_err().to_string());
    assert!(why[0].contains("in time") && why[2].contains("too many"), "{why:?}");
}

/// An HSM that says it is well for as long as `alive` says so; then it reads on and answers nothing.
async fn start_mortal(alive: Arc<AtomicBool>) -> SocketAddr {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let alive = Arc::clone(&alive);
            tokio::spawn(async move {
                while let Some(frame) = read_frame(&mut stream).await {
                    if alive.load(Ordering::Relaxed) {
                        write_frame(&mut stream, &[&frame[..4], b"ND000000000000000000MORTAL"].concat()).await;
                    }
                }
            });
        }
    });
    address
}

/// The first address is preferred, and nothing but silence says that it should not be.
fn impatient_client(addresses: [SocketAddr; 2]) -> HsmClient {
    HsmClient::new(HsmConfig {
        addresses: addresses.map(|address| address.to_string()).into(),
        connections: 1,
        header_length: 4,
        timeout: Duration::from_millis(500),
        in_flight_max: 64,
        ..HsmConfig::default()
    })
}

#[tokio::test]
async fn an_hsm_that_falls_silent_is_replaced_and_found_again() {
    let alive = Arc::new(AtomicBool::new(true));
    let (first, second) = (start_mortal(Arc::clone(&alive)).await, start().await);
    let hsm = impatient_client([first, second.address]);
    assert_eq!(hsm.diagnostics().await.unwrap().firmware, "MORTAL");
    alive.store(false, Ordering::Relaxed);
    // Nobody can tell before its time is over.
    assert!(matches!(hsm.diagnostics().await, Err(HsmError::Unavailable(_))));
    // Connections are still accepted, and must not be taken for an HSM.
    for _ in 0..40 {
        assert_ne!(hsm.diagnostics().await.unwrap().firmware, "MORTAL");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    alive.store(true, Ordering::Relaxed);
    for _ in 0..200 {
        if hsm.diagnostics().await.unwrap().firmware == "MORTAL" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the first HSM is not used again");
}

#[tokio::test]
async fn an_hsm_that_never_answered_is_not_used() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = start().await;
    let hsm = impatient_client([silent.local_addr().unwrap(), second.address]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..20 {
        hsm.diagnostics().await.unwrap();
    }
}

#[tokio::test]
async fn commands_nobody_waits_for_are_not_sent() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hsm = client(&[socket.local_addr().unwrap()]);
    for _ in 0..20 {
        let call = tokio::time::timeout(Duration::from_millis(5), hsm.diagnostics()).await;
        assert!(call.is_err(), "nothing is answered yet");
    }
    let mut commands = Vec::new();
    let (mut one, mut other) = (socket.accept().await.unwrap().0, socket.accept().await.unwrap().0);
    for stream in [&mut one, &mut other] {
        commands.push(read_frame(stream).await.unwrap());
        write_frame(stream, b"0000ND000000000000000000LATE").await;
    }
    let key = KeyUnderLmk::from("U".to_owned());
    let (answer, ()) = tokio::join!(hsm.key_check_value("003", &key), async {
        let (mut frame, stream) = tokio::select! {
            frame = read_frame(&mut one) => (frame.unwrap(), &mut one),
            frame = read_frame(&mut other) => (frame.unwrap(), &mut other),
        };
        commands.push(frame.clone());
        frame.truncate(4);
        write_frame(stream, &[&frame[..], b"BV15"].concat()).await;
    });
    assert!(matches!(answer, Err(HsmError::Refused { .. })), "{answer:?}");
    let sent: Vec<&[u8]> = commands.iter().map(|frame| &frame[4..6]).collect();
    assert_eq!(sent, [b"NC", b"NC", b"BU"], "two greetings and the one command that is awaited");
}

async fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut frame = vec![0; usize::from(stream.read_u16().await.ok()?)];
    stream.read_exact(&mut frame).await.ok()?;
    Some(frame)
}

async fn write_frame(stream: &mut TcpStream, frame: &[u8]) {
    stream.write_u16(u16::try_from(frame.len()).unwrap()).await.unwrap();
    stream.write_all(frame).await.unwrap();
}

/// Whatever is sent, the simulator answers or closes; it never falls over.
#[tokio::test]
async fn random_commands_are_survived() {
    let server = start().await;
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let alphabet = b"0123456789ABCDEFUXTYZ;#%R\x19\xFF";
    for round in 0..8000 {
        let command = TABLE[round % TABLE.len()].name();
        let length = usize::try_from(random() % 120).unwrap();
        let body: Vec<u8> =
            (0..length).map(|_| alphabet[usize::try_from(random()).unwrap_or(0) % alphabet.len()]).collect();
        let answer = raw(&mut stream, command, &body).await;
        assert!(answer.len() >= 4);
    }
    raw(&mut stream, "NC", b"").await;
}
