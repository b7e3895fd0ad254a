//! A device that has a licence, takes its time and fails; its log and its figures; TLS.

mod common;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Raw, start, start_with};
use host_commands::{ClientTls, HsmClient, HsmConfig, HsmError};
use hsm_sim::behaviour::{Behaviour, Capacity, Faults, Latency};
use hsm_sim::{AuditLog, HsmOptions, tls};

fn behaving(behaviour: Behaviour) -> HsmOptions {
    HsmOptions { behaviour: Arc::new(behaviour), ..HsmOptions::with_test_lmks().unwrap() }
}

fn failing(rules: &[&str]) -> Behaviour {
    Behaviour {
        faults: Faults::new(rules.iter().map(|rule| rule.parse().unwrap()).collect(), 1),
        ..Behaviour::default()
    }
}

#[tokio::test]
async fn a_licensed_unit_queues() {
    let capacity = Capacity::new(NonZeroU32::new(100).unwrap());
    let options = behaving(Behaviour { capacity: Some(capacity), ..Behaviour::default() });
    let usage = Arc::clone(&options.usage);
    let server = start_with(options.clone()).await;
    let (mut one, mut other) = (Raw::connect(&server).await, Raw::connect(&server).await);
    let began = Instant::now();
    for _ in 0..25 {
        one.send(b"0001", "NC", b"").await;
        other.send(b"0002", "NC", b"").await;
    }
    for _ in 0..25 {
        assert!(one.receive().await.unwrap().1.starts_with(b"ND00"));
        assert!(other.receive().await.unwrap().1.starts_with(b"ND00"));
    }
    // Fifty commands at a hundred a second, whichever connection they come on.
    assert!(began.elapsed() >= Duration::from_millis(480), "{:?}", began.elapsed());
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let figures = usage.figures(options.licensed());
    assert_eq!((figures.commands, figures.errors, figures.licensed_per_second), (50, 0, Some(100)));
}

#[tokio::test]
async fn latency_does_not_add_up_over_a_pipeline() {
    let latency: Latency = "100ms".parse().unwrap();
    let server = start_with(behaving(Behaviour { latency: Some(latency), ..Behaviour::default() })).await;
    let mut hsm = Raw::connect(&server).await;
    let began = Instant::now();
    for _ in 0..20 {
        hsm.send(b"0001", "NC", b"").await;
    }
    for _ in 0..20 {
        hsm.receive().await.unwrap();
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(1), "{took:?}");
    // Answers come also to a client that has closed its own side.
    hsm.send(b"LAST", "NC", b"").await;
    tokio::io::AsyncWriteExt::shutdown(&mut hsm.0).await.unwrap();
    assert_eq!(hsm.receive().await.unwrap().0, *b"LAST");
    assert_eq!(hsm.receive().await, None);
}

#[tokio::test]
async fn hosts_can_slow_the_device_down() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    assert_eq!(hsm.tell("LG", "120").await, "LH00");
    let began = Instant::now();
    hsm.tell("NC", "").await;
    assert!(began.elapsed() >= Duration::from_millis(120));
    assert_eq!(hsm.code("LG", "1x0").await, "15");
}

#[tokio::test]
async fn faults_are_what_they_say() {
    let server = start_with(behaving(failing(&["B2:drop=1", "NC:error=1:41", "GM:tamper=1", "NO:disconnect=1"]))).await;
    let mut hsm = Raw::connect(&server).await;
    hsm.send(b"LOST", "B2", b"0000").await;
    hsm.send(b"HEAD", "NC", b"").await;
    assert_eq!(hsm.receive().await.unwrap(), (*b"HEAD", b"ND41".to_vec()), "the echo's answer never comes");
    let hash = hsm.ask("GM", b"0600000").await;
    let right = [0xE3, 0xB0, 0xC4, 0x42];
    assert_eq!(hash[4..8], right);
    assert_eq!(hash[35], 0x55 ^ 1, "the last bit is not the hash's");
    hsm.send(b"HEAD", "NO", b"00").await;
    assert_eq!(hsm.receive().await, None);
    // A delay lets others pass.
    let server = start_with(behaving(failing(&["NC:delay=1:200ms"]))).await;
    let mut hsm = Raw::connect(&server).await;
    hsm.send(b"SLOW", "NC", b"").await;
    hsm.send(b"FAST", "B2", b"0000").await;
    assert_eq!(hsm.receive().await.unwrap().0, *b"FAST");
    assert_eq!(hsm.receive().await.unwrap().0, *b"SLOW");
}

#[tokio::test]
async fn commands_are_chained() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    assert_eq!(hsm.tell("NK", "0020010B20004PING0002NC").await.len(), 4 + 2 + 4 + 8 + 4 + 4 + 25);
    assert!(hsm.tell("NK", "0020010B20004PING0002NC").await.starts_with("NL00020008B300PING0029ND00"));
    assert!(hsm.tell("NK", "1010014ABCDB20004PING").await.starts_with("NL00010012ABCDB300PING"));
    assert_eq!(hsm.code("NK", "2010002NC").await, "51");
    assert_eq!(hsm.code("NK", "0010002NK").await, "29", "no chains in chains");
    assert_eq!(hsm.code("NK", "0990002NC").await, "15");
}

#[tokio::test]
async fn answers_that_fit_no_frame_are_refused() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let key = hsm.fields("A0", "000BU").await[..33].to_owned();
    let data = vec![0xA5; 0x9000];
    let ask = [format!("000100B{key}9000").as_bytes(), &data].concat();
    assert_eq!(hsm.code("M0", ask).await, "80", "twice as long in hexadecimal");
    let ask = [format!("000000B{key}9000").as_bytes(), &data].concat();
    assert_eq!(hsm.ask("M0", ask).await.len(), 4 + 4 + 0x9000);
}

#[tokio::test]
async fn slow_commands_hold_nobody_up() {
    let server = start().await;
    let (mut slow, mut fast) = (Raw::connect(&server).await, Raw::connect(&server).await);
    slow.send(b"SLOW", "EI", b"2204801").await;
    assert!(fast.tell("NC", "").await.starts_with("ND00"));
    let (_, answer) = slow.receive().await.unwrap();
    assert_eq!(&answer[..4], b"EJ00");
    // A DER sequence of modulus and exponent, then the private key's length and itself.
    assert_eq!(answer[4], 0x30);
    let public = 4 + usize::from(u16::from_be_bytes([answer[6], answer[7]]));
    let private: usize = std::str::from_utf8(&answer[4 + public..8 + public]).unwrap().parse().unwrap();
    assert_eq!(answer.len(), 8 + public + private);
    assert_eq!(fast.code("EI", "2051201").await, "76");
}

#[tokio::test]
async fn the_audit_log_has_commands_and_no_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Some(Arc::new(AuditLog::open(&path).unwrap()));
    let options = HsmOptions { audit, ..behaving(failing(&["B2:error=1:41"])) };
    let server = start_with(options).await;
    let mut hsm = Raw::connect(&server).await;
    hsm.tell("CW", "U9B4934384B19946B040CD702B4D581454123456789012345;8701101").await;
    hsm.tell("CW", "U9B4934384B19946B040CD702B4D581444123456789012345;8701101").await;
    hsm.tell("B2", "0004PING").await;
    hsm.ask("\u{1}\u{2}", b"").await;
    drop(server.stop);
    server.ended.await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("4123456789012345") && !text.contains("9B4934"), "{text}");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["command"].as_str(), line["code"].as_str().unwrap(), line["fault"].as_str()))
        .collect();
    assert_eq!(
        told,
        [(Some("CW"), "00", None), (Some("CW"), "10", None), (Some("B2"), "00", Some("error")), (None, "68", None)]
    );
    assert!(lines.iter().all(|line| line["micros"].is_u64()
        && line["time"].as_u64() > Some(1_700_000_000_000_000)
        && line["peer"].is_string()));
}

/// An authority, and certificates that it signed.
fn certificates(folder: &Path) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let issuer = rcgen::CertifiedIssuer::self_signed(authority, authority_key).unwrap();
    std::fs::write(folder.join("authority.pem"), issuer.pem()).unwrap();
    for name in ["hsm", "host"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[tokio::test]
async fn tls_serves_hosts_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name);
    let config = tls::server_config(&file("hsm.pem"), &file("hsm.key"), Some(&file("authority.pem"))).unwrap();
    let options = HsmOptions { tls: Some(config), ..HsmOptions::with_test_lmks().unwrap() };
    let server = start_with(options).await;
    let client = |tls| {
        HsmClient::new(HsmConfig {
            addresses: vec![server.address.to_string()],
            timeout: Duration::from_secs(2),
            tls,
            ..HsmConfig::default()
        })
    };
    let identity = (file("host.pem"), file("host.key"));
    let known = ClientTls::new(&file("authority.pem"), Some((&identity.0, &identity.1))).unwrap();
    let hsm = client(Some(known));
    assert_eq!(hsm.diagnostics().await.unwrap().firmware, "0001-UMBR");
    let key = hsm.generate_key("003", 'U').await.unwrap().key;
    let macs = (0..200_u16).map(|number| {
        let (hsm, key) = (hsm.clone(), key.clone());
        async move { hsm.generate_mac((host_commands::KeyDomain::Terminal, &key), &number.to_be_bytes()).await.unwrap() }
    });
    assert_eq!(futures::future::join_all(macs).await.len(), 200);
    let unknown = ClientTls::new(&file("authority.pem"), None).unwrap();
    for stranger in [Some(unknown), None] {
        assert!(matches!(client(stranger).diagnostics().await, Err(HsmError::Unavailable(_))));
    }
    assert!(tls::server_config(&file("hsm.pem"), &file("host.key"), None).is_err());
    assert!(tls::server_config(&file("missing.pem"), &file("hsm.key"), None).is_err());
}

/// Until every connection is up: each greets with a command of its own.
async fn connected(hsm: &HsmClient) {
    let all_up = async {
        while hsm.states().iter().any(|state| state.connected < HsmConfig::default().connections) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all_up).await.expect("all connections come up");
}

#[tokio::test]
async fn a_drained_hsm_finishes_and_gets_no_more() {
    let latency: Latency = "300ms".parse().unwrap();
    let first = behaving(Behaviour { latency: Some(latency), ..Behaviour::default() });
    let (first_usage, second) = (Arc::clone(&first.usage), HsmOptions::with_test_lmks().unwrap());
    let second_usage = Arc::clone(&second.usage);
    let (first, second) = (start_with(first).await, start_with(second).await);
    let addresses = [first.address.to_string(), second.address.to_string()];
    let hsm = HsmClient::new(HsmConfig { addresses: addresses.to_vec(), ..HsmConfig::default() });
    connected(&hsm).await;
    let under_way = tokio::spawn({
        let hsm = hsm.clone();
        async move { hsm.generate_key("003", 'U').await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        matches!(hsm.drain(&addresses[0], Duration::from_millis(20)).await, Err(HsmError::Unavailable(why)) if why.contains("1 commands"))
    );
    hsm.drain(&addresses[0], Duration::from_secs(2)).await.unwrap();
    under_way.await.unwrap().unwrap();
    let served = |usage: &hsm_sim::Usage| usage.figures(None).commands;
    let (before, other_before) = (served(&first_usage), served(&second_usage));
    for _ in 0..10 {
        hsm.diagnostics().await.unwrap();
    }
    assert_eq!(served(&first_usage), before, "the drained one gets nothing");
    assert_eq!(served(&second_usage), other_before + 10);
    let states = hsm.states();
    assert!(states[0].drained && !states[1].drained && states.iter().all(|state| state.in_flight == 0));
    hsm.drain(&addresses[1], Duration::from_secs(1)).await.unwrap();
    assert!(matches!(hsm.diagnostics().await, Err(HsmError::Unavailable(why)) if why.contains("drained")));
    hsm.resume(&addresses[0]).unwrap();
    hsm.diagnostics().await.unwrap();
    assert_eq!(served(&first_usage), before + 1);
    assert!(matches!(hsm.resume("elsewhere:1500"), Err(HsmError::Unavailable(why)) if why.contains(&addresses[1])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_reaches_an_hsm_that_is_drained_under_load() {
    let (first, second) = (HsmOptions::with_test_lmks().unwrap(), HsmOptions::with_test_lmks().unwrap());
    let usage = Arc::clone(&first.usage);
    let (first, second) = (start_with(first).await, start_with(second).await);
    let addresses = [first.address.to_string(), second.address.to_string()];
    let hsm = HsmClient::new(HsmConfig { addresses: addresses.to_vec(), ..HsmConfig::default() });
    connected(&hsm).await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (hsm, stop) = (hsm.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    hsm.diagnostics().await.unwrap();
                }
            })
        })
        .collect();
    for round in 0..30 {
        hsm.drain(&addresses[0], Duration::from_secs(2)).await.unwrap();
        let served = usage.figures(None).commands;
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(usage.figures(None).commands, served, "round {round}");
        hsm.resume(&addresses[0]).unwrap();
        let used_again = async {
            while usage.figures(None).commands == served {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), used_again).await.expect("it is used again");
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test]
async fn a_host_bears_a_bad_device() {
    // Dropped, delayed, refused, cut: calls end with an error or the right answer, and never with a wrong one.
    let bad = behaving(failing(&["drop=0.02", "delay=0.1:30ms", "error=0.05:41", "disconnect=0.01"]));
    let server = start_with(bad).await;
    let hsm = HsmClient::new(HsmConfig {
        addresses: vec![server.address.to_string()],
        timeout: Duration::from_millis(400),
        ..HsmConfig::default()
    });
    let (mut right, mut failed) = (0, 0);
    for number in 0..150_u32 {
        match hsm.diagnostics().await {
            Ok(about) => {
                assert_eq!(about.firmware, "0001-UMBR", "{number}");
                right += 1;
            }
            Err(HsmError::Unavailable(_) | HsmError::Refused { .. }) => failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(right > 75 && failed > 0, "{right} {failed}");
}
