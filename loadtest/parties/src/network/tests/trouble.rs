//! Lost, late and broken: nothing stays open.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;

use super::fixture::*;
use crate::network::behaviour::Delivery;
use crate::network::link::DELAYED_MAX;
use crate::network::party::{Party, answer_to};
use crate::{
    AcquirerSettings, AcquirerSide, Behaviour, Connection, Count, IssuerSide, Kind, Latency, NetworkError, Request,
    Settlement, Sighting, Watch,
};

fn hasty() -> AcquirerSettings {
    AcquirerSettings { answer_timeout: Duration::from_millis(400), ..acquirer_settings() }
}

/// The first seed with which the first messages fare like this.
fn seeded(behaviour: Behaviour, fates: &[Delivery]) -> Behaviour {
    let fits = |behaviour: &Behaviour| (0..).zip(fates).all(|(n, fate)| behaviour.fate(n).delivery == *fate);
    (0..).map(|seed| Behaviour { seed, ..behaviour.clone() }).find(fits).unwrap()
}

#[tokio::test]
async fn a_lost_answer_is_reversed_until_the_reversal_is_answered() {
    use Delivery::{AnswerLost, Answered, RequestLost};
    let losing = Behaviour { lose_answers: 0.4, lose_requests: 0.2, ..Behaviour::default() };
    for (fates, copies) in [
        (&[AnswerLost, Answered][..], 1),
        (&[AnswerLost, AnswerLost, RequestLost, Answered], 3),
        (&[RequestLost, RequestLost, AnswerLost, AnswerLost, Answered], 4),
    ] {
        let (acquirer, issuer) = pair(seeded(losing.clone(), fates), hasty()).await;
        let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
        let Settlement::Reversed(reversed) = acquirer.settle(&request, &card()).await.unwrap() else {
            panic!("answered")
        };
        assert_eq!(reversed.copies, copies);
        assert_eq!(reversed.exchange.request.mti(), if copies == 1 { "0420" } else { "0421" });
        assert_eq!(ledger(&issuer), OPENING, "{fates:?}");
        let lost = fates.iter().filter(|fate| **fate != Answered).count();
        assert_eq!(issuer.counts().get(Count::Lost), lost as u64);
    }
}

#[tokio::test]
async fn a_late_answer_is_known_as_late() {
    let late_after = Duration::from_millis(1_000);
    let behaviour = Behaviour { late: 0.5, late_after, ..Behaviour::default() };
    let behaviour = seeded(behaviour, &[Delivery::Late, Delivery::Answered, Delivery::Answered]);
    let (acquirer, issuer) = pair(behaviour, hasty()).await;
    let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
    let Settlement::Reversed(_) = acquirer.settle(&request, &card()).await.unwrap() else { panic!("answered") };
    assert!(acquirer.late_answers().is_empty());
    let next = acquirer.request(Kind::Purchase, &card(), 2_000).unwrap();
    assert!(acquirer.send(&next).await.unwrap().unwrap().is_approved(), "others go on");
    tokio::time::sleep(late_after).await;
    let late = acquirer.late_answers();
    assert_eq!(late.len(), 1);
    assert!(late[0].exchange.is_approved() && late[0].exchange.authenticated && late[0].after >= late_after);
    assert_eq!(late[0].exchange.request.stan(), request.stan());
    assert_eq!((acquirer.counts().get(Count::LateAnswers), acquirer.counts().get(Count::Unmatched)), (1, 0));
    assert_eq!(ledger(&issuer), OPENING - 2_000);
}

#[tokio::test]
async fn a_broken_connection_leaves_nothing_open() {
    let behaviour = Behaviour { disconnect: 0.5, ..Behaviour::default() };
    use Delivery::{Answered, Disconnect};
    let behaviour = seeded(behaviour, &[Disconnect, Disconnect, Answered, Answered]);
    let (acquirer, issuer) = pair(behaviour, acquirer_settings()).await;
    let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
    let Settlement::Reversed(reversed) = acquirer.settle(&request, &card()).await.unwrap() else { panic!("answered") };
    assert_eq!((reversed.copies, ledger(&issuer)), (2, OPENING));
    assert_eq!((issuer.counts().get(Count::Disconnects), issuer.counts().get(Count::Links)), (2, 3));
    assert!(matches!(acquirer.send(&request).await, Ok(Some(_))));
}

#[tokio::test]
async fn whoever_has_too_many_answers_to_come_is_not_read() {
    let delay = Duration::from_millis(400);
    let latency = Latency { median: delay, p99: delay };
    let (acquirer, issuer) = pair(Behaviour { latency, ..Behaviour::default() }, acquirer_settings()).await;
    let delays = Arc::clone(&issuer.links()[0].delays);
    let _others = delays.acquire_many(u32::try_from(DELAYED_MAX - 2).unwrap()).await.unwrap();
    let requests: Vec<_> = (0..4).map(|_| acquirer.request(Kind::Purchase, &card(), 100).unwrap()).collect();
    let answered = futures::future::join_all(requests.iter().map(|request| acquirer.send(request)));
    let look = async {
        tokio::time::sleep(delay / 2).await;
        issuer.counts().get(Count::Approved)
    };
    let (answers, approved_early) = tokio::join!(answered, look);
    assert_eq!(approved_early, 3, "two are delayed, and one waits to be");
    assert!(answers.into_iter().all(|answer| answer.unwrap().unwrap().is_approved()));
}

#[tokio::test]
async fn a_network_signs_off_for_a_while() {
    let away = Duration::from_millis(600);
    let behaviour = Behaviour { sign_off: 0.5, away, ..Behaviour::default() };
    let fates = [Delivery::SignOff, Delivery::Answered, Delivery::Answered];
    let (acquirer, issuer) = pair(seeded(behaviour, &fates), acquirer_settings()).await;
    let mut codes = Vec::new();
    for pause in [Duration::ZERO, away, Duration::ZERO] {
        let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
        codes.push(acquirer.send(&request).await.unwrap().unwrap().code().to_owned());
        tokio::time::sleep(pause).await;
    }
    assert_eq!(codes, ["91", "91", "00"]);
    assert_eq!((ledger(&issuer), issuer.counts().get(Count::SignOffs)), (OPENING - 1_000, 1));
}

#[tokio::test]
async fn a_reversal_that_is_never_answered_is_left_to_a_person() {
    let mut settings = AcquirerSettings { answer_timeout: Duration::from_millis(10), ..acquirer_settings() };
    settings.repeats.copies_max = 4;
    let (acquirer, _issuer) = pair(Behaviour { lose_requests: 1.0, ..Behaviour::default() }, settings).await;
    let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
    let error = acquirer.settle(&request, &card()).await.unwrap_err();
    assert!(matches!(error, NetworkError::NeverAnswered(4)), "{error}");
}

/// A network that makes no MACs and refuses whatever moves money with this code; gives the MTIs it has seen.
async fn bare_refuser(code: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let socket = TcpListener::bind(loopback()).await.unwrap();
    let address = socket.local_addr().unwrap();
    let (party, seen) = (Party::new(zone(), None).unwrap(), Arc::new(Mutex::new(Vec::new())));
    let mtis = Arc::clone(&seen);
    tokio::spawn(async move {
        let (read, write) = socket.accept().await.unwrap().0.into_split();
        let mut connection = Connection::over(read, write, party.dialect.framing);
        while let Ok(wire) = connection.receive().await {
            let message = party.dialect.spec.decode(&wire).unwrap();
            let is_administration = message.mti().starts_with("08");
            mtis.lock().unwrap().push(message.mti().to_owned());
            let answer = answer_to(&message, if is_administration { "00" } else { code });
            connection.send(Request::seal(answer, &party.dialect.spec, None).unwrap().wire()).await.unwrap();
        }
    });
    (address, seen)
}

#[tokio::test]
async fn a_refusal_without_a_mac_settles_nothing() {
    let (address, seen) = bare_refuser("05").await;
    let acquirer = AcquirerSide::connect(address, zone(), acquirer_settings(), None).await.unwrap();
    let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
    let error = acquirer.settle(&request, &card()).await.unwrap_err();
    assert!(matches!(&error, NetworkError::ReversalRefused { code, .. } if code == "05"), "{error}");
    assert_eq!(*seen.lock().unwrap(), ["0800", "0800", "0200", "0420"], "and no copy of what was refused");
}

/// What a seed makes of the same twenty messages, in lines without times.
async fn run_of(seed: u64) -> Vec<String> {
    let declines = vec![("51".to_owned(), 0.2), ("05".to_owned(), 0.1)];
    let behaviour = Behaviour { seed, lose_answers: 0.2, lose_requests: 0.1, declines, ..Behaviour::default() };
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let watch: Watch = Arc::new(move |sighting: &Sighting| {
        if !sighting.mti.starts_with("08") {
            let line = format!("{:?} {} {:?} {:?}", sighting.way, sighting.mti, sighting.code, sighting.note);
            seen.lock().unwrap().push(line);
        }
    });
    let issuer = IssuerSide::new(zone(), issuer_settings(behaviour), Some(watch)).unwrap();
    let address = issuer.listen(loopback()).await.unwrap();
    let settings = AcquirerSettings { answer_timeout: Duration::from_millis(250), ..acquirer_settings() };
    let acquirer = AcquirerSide::connect(address, zone(), settings, None).await.unwrap();
    for amount in 1..=20 {
        let request = acquirer.request(Kind::Purchase, &card(), amount).unwrap();
        acquirer.settle(&request, &card()).await.unwrap();
    }
    issuer.stop().await;
    std::mem::take(&mut lines.lock().unwrap())
}

#[tokio::test]
async fn what_goes_wrong_follows_from_the_seed() {
    let (first, again, other) = tokio::join!(run_of(1), run_of(1), run_of(2));
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert!(first.iter().any(|line| line.contains("lost")) && first.iter().any(|line| line.contains("\"51\"")));
}

#[tokio::test]
async fn nothing_shows_card_data_or_keys() {
    let lines = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&lines);
    let watch: Watch = Arc::new(move |sighting: &Sighting| {
        let json = serde_json::to_string(sighting).unwrap();
        seen.lock().unwrap().push_str(&format!("{sighting}\n{sighting:?}\n{json}\n"));
    });
    let issuer = IssuerSide::new(zone(), issuer_settings(Behaviour::default()), Some(Arc::clone(&watch))).unwrap();
    let address = issuer.listen(loopback()).await.unwrap();
    let acquirer = AcquirerSide::connect(address, zone(), acquirer_settings(), Some(watch)).await.unwrap();
    let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
    let settled = acquirer.settle(&request, &card()).await.unwrap();
    acquirer.reverse_until_answered(&request, &card()).await.unwrap();
    let link = acquirer.link().await.unwrap();
    let mut shown = format!("{issuer:?} {acquirer:?} {settled:?} {link:?} {:?}", issuer_settings(Behaviour::default()));
    shown.push_str(&lines.lock().unwrap());
    assert!(shown.contains("999998******0007"), "{shown}");
    let block = hex::encode_upper(request.fields().binary(52).unwrap());
    let keys = acquirer.zone().keys().unwrap();
    for secret in [PAN.to_owned(), block, hex::encode_upper(keys.tpk.bytes()), hex::encode_upper(keys.tak.bytes())] {
        assert!(!shown.to_uppercase().contains(&secret), "{secret}");
    }
    assert!(!shown.contains(PIN) && !shown.contains("67, 67") && !shown.contains("103, 103"));
}
