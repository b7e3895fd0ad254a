//! Money moves once, whatever comes twice, and comes back once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fixture::*;
use crate::{AcquirerSide, Behaviour, CardProfile, Count, Exchange, Kind, Latency, Original, Request, Reversal};

async fn sent(acquirer: &AcquirerSide, request: &Request) -> Exchange {
    let exchange = acquirer.send(request).await.unwrap().unwrap();
    assert!(exchange.authenticated);
    for de in [7, 11, 32, 37, 41] {
        assert_eq!(exchange.answer.text(de), request.fields().text(de), "DE {de} is echoed");
    }
    exchange
}

#[tokio::test]
async fn a_duplicate_gets_the_first_answer_and_moves_nothing() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    let request = acquirer.request(Kind::Purchase, &card(), 10_000).unwrap();
    let first = sent(&acquirer, &request).await;
    assert_eq!((first.code(), ledger(&issuer)), ("00", OPENING - 10_000));
    let mut moved = acquirer.repeat(&request).unwrap().fields().clone();
    moved.set(7, "0101000000");
    for copy in [request.clone(), acquirer.repeat(&request).unwrap(), acquirer.seal(moved).unwrap()] {
        let again = sent(&acquirer, &copy).await;
        assert_eq!((again.code(), again.approval()), (first.code(), first.approval()));
    }
    let mut other = request.fields().clone();
    other.set(4, "000000010001");
    assert_eq!(sent(&acquirer, &acquirer.seal(other).unwrap()).await.code(), "94");
    assert_eq!(ledger(&issuer), OPENING - 10_000);
    assert_eq!(issuer.counts().get(Count::Duplicates), 4);
}

#[tokio::test]
async fn a_reversal_gives_back_once_however_often_it_comes() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    for (advice, remaining_minor) in [(true, None), (false, None), (true, Some(400))] {
        let before = ledger(&issuer);
        let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
        assert!(sent(&acquirer, &request).await.is_approved());
        let original = Original::of(&request).unwrap();
        let how = Reversal { advice, remaining_minor };
        let reversal = acquirer.reversal(how, &card(), &original).unwrap();
        // A copy, its repeat, and another reversal of the same.
        let another = acquirer.reversal(how, &card(), &original).unwrap();
        for copy in [reversal.clone(), reversal.clone(), acquirer.repeat(&reversal).unwrap(), another] {
            assert!(sent(&acquirer, &copy).await.is_approved());
            assert_eq!(before - ledger(&issuer), remaining_minor.unwrap_or(0) as i64);
        }
        let late_copy = sent(&acquirer, &request).await;
        assert!(late_copy.is_approved(), "the first answer");
        assert_eq!(before - ledger(&issuer), remaining_minor.unwrap_or(0) as i64);
    }
    assert_eq!(issuer.counts().get(Count::Reversed), 3);
}

#[tokio::test]
async fn a_reversal_that_comes_first_stops_its_original() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    for (advice, code) in [(true, "00"), (false, "25")] {
        let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
        let original = Original::of(&request).unwrap();
        let how = Reversal { advice, remaining_minor: None };
        let reversal = acquirer.reversal(how, &card(), &original).unwrap();
        assert_eq!(sent(&acquirer, &reversal).await.code(), code);
        assert_eq!(sent(&acquirer, &reversal).await.code(), code, "again");
        assert_eq!(sent(&acquirer, &request).await.code(), "68");
    }
    assert_eq!(ledger(&issuer), OPENING);
}

#[tokio::test]
async fn a_reversal_of_other_contents_changes_nothing() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    let request = acquirer.request(Kind::Purchase, &card(), 1_000).unwrap();
    sent(&acquirer, &request).await;
    let other = Original { amount_minor: 1_001, ..Original::of(&request).unwrap() };
    for (advice, code) in [(false, "77"), (true, "00")] {
        let how = Reversal { advice, remaining_minor: None };
        let reversal = acquirer.reversal(how, &card(), &other).unwrap();
        assert_eq!(sent(&acquirer, &reversal).await.code(), code);
    }
    assert_eq!(ledger(&issuer), OPENING - 1_000);
}

#[tokio::test]
async fn holds_are_completed_or_given_back() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    let balance = || issuer.balance(PAN, "710").unwrap();
    let hold = acquirer.request(Kind::PreAuth, &card(), 60_000).unwrap();
    let approval = sent(&acquirer, &hold).await.approval().unwrap().to_owned();
    assert_eq!((balance().ledger, balance().held), (OPENING, 60_000));
    let too_much = acquirer.request(Kind::Purchase, &card(), 50_000).unwrap();
    assert_eq!(sent(&acquirer, &too_much).await.code(), "51");
    let original = Original::of(&hold).unwrap();
    let completion = acquirer.completion(&card(), 45_000, &approval, &original).unwrap();
    for copy in [completion.clone(), acquirer.repeat(&completion).unwrap()] {
        assert!(sent(&acquirer, &copy).await.is_approved());
        assert_eq!((balance().ledger, balance().held), (OPENING - 45_000, 0));
    }
    let by_rrn = acquirer.request(Kind::PreAuth, &card(), 1_000).unwrap();
    sent(&acquirer, &by_rrn).await;
    let original = Original { data: None, ..Original::of(&by_rrn).unwrap() };
    sent(&acquirer, &acquirer.completion(&card(), 900, "000001", &original).unwrap()).await;
    assert_eq!((balance().ledger, balance().held), (OPENING - 45_900, 0));
    let released = acquirer.request(Kind::PreAuth, &card(), 2_000).unwrap();
    sent(&acquirer, &released).await;
    acquirer.reverse_until_answered(&released, &card()).await.unwrap();
    assert_eq!((balance().ledger, balance().held), (OPENING - 45_900, 0));
}

#[tokio::test]
async fn advices_are_posted_whatever_the_balance_and_inquiries_tell_it() {
    let (acquirer, issuer) = pair(Behaviour::default(), acquirer_settings()).await;
    let advice = acquirer.advice(Kind::Purchase, &card(), 150_000).unwrap();
    assert_eq!(advice.mti(), "0220");
    for copy in [advice.clone(), acquirer.repeat(&advice).unwrap()] {
        assert!(sent(&acquirer, &copy).await.is_approved());
    }
    assert_eq!(ledger(&issuer), OPENING - 150_000);
    let inquiry = acquirer.request(Kind::Balance, &card(), 0).unwrap();
    let amounts = sent(&acquirer, &inquiry).await.additional_amounts();
    assert_eq!(amounts.iter().map(|item| item.amount).collect::<Vec<_>>(), [-50_000, -50_000]);
    let refund = acquirer.request(Kind::Refund, &card(), 60_000).unwrap();
    assert!(sent(&acquirer, &refund).await.is_approved());
    assert_eq!(ledger(&issuer), OPENING - 90_000);
    acquirer.reverse_until_answered(&refund, &card()).await.unwrap();
    assert_eq!(ledger(&issuer), OPENING - 150_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_on_one_connection_find_their_answers() {
    let latency = Latency { median: std::time::Duration::from_millis(20), p99: std::time::Duration::from_millis(200) };
    let (acquirer, issuer) = pair(Behaviour { latency, ..Behaviour::default() }, acquirer_settings()).await;
    let acquirer = Arc::new(acquirer);
    let mut tasks = tokio::task::JoinSet::new();
    for amount in 1..=1_000 {
        let acquirer = Arc::clone(&acquirer);
        tasks.spawn(async move {
            let pan = format!("99999800{:07}9", amount % 50);
            let card = CardProfile::keyed(&pan, None, "710").unwrap();
            let request = acquirer.request(Kind::Purchase, &card, amount).unwrap();
            let exchange = sent(&acquirer, &request).await;
            assert_eq!(exchange.answer.text(4), request.fields().text(4));
            (exchange.code().to_owned(), request.stan().to_owned())
        });
    }
    let outcomes: Vec<_> = tasks.join_all().await;
    assert_eq!(outcomes.iter().map(|(_, stan)| stan).collect::<BTreeSet<_>>().len(), 1_000);
    assert!(outcomes.iter().all(|(code, _)| code == "00"), "{outcomes:?}");
    let paid: i64 = (0..50).map(|n| 50_000 - issuer.balance(&format!("99999800{n:07}9"), "710").unwrap().ledger).sum();
    assert_eq!(paid, 500_500);
    assert_eq!(acquirer.counts().get(Count::Links), 1);
}
