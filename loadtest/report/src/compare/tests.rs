use serde_json::json;

use super::*;
use crate::fixture::{self, Noise};
use crate::{Figure, RunReport};

fn read(report: &RunReport) -> AnyReport {
    let text = serde_json::to_string(report).expect("a report serializes");
    serde_json::from_str(&text).expect("a report is read")
}

fn with(per_round: Vec<f64>, others_cores: f64) -> AnyReport {
    let figures = vec![
        Figure::ratio("approved_to_echo", "", crate::Better::Higher, per_round.clone()),
        Figure::new("p99_us", "", "us", crate::Better::Lower, per_round),
    ];
    let rounds = vec![AnyRound { others_cores: Some(others_cores) }; 5];
    AnyReport { kind: "run".into(), passed: Some(true), figures, rounds, ..AnyReport::default() }
}

/// Around a value, with 3 % of noise.
fn around(value: f64, rounds: usize, noise: &mut Noise) -> Vec<f64> {
    (0..rounds).map(|_| value * (1.0 + 0.03 * noise.normal())).collect()
}

fn verdicts(a: Vec<f64>, b: Vec<f64>) -> [Verdict; 2] {
    let comparison = compare(&with(a, 0.1), &with(b, 0.2));
    [0, 1].map(|index| comparison.figures[index].verdict.clone())
}

#[test]
fn noise_is_not_a_change() {
    let mut noise = Noise(42);
    for rounds in [4, 5, 8, 21] {
        let runs = 1_000;
        let wrong = (0..runs).filter(|_| {
            let (a, b) = (around(0.6, rounds, &mut noise), around(0.6, rounds, &mut noise));
            verdicts(a, b)[0] != Verdict::Same
        });
        let wrong = wrong.count();
        assert!(wrong * 100 <= runs * 6, "{wrong} of {runs} with {rounds} rounds");
    }
}

#[test]
fn a_tenth_is_seen_in_five_rounds() {
    let mut noise = Noise(7);
    let runs = 1_000;
    let seen = |factor: f64, expected: [Verdict; 2], noise: &mut Noise| {
        let hits = (0..runs).filter(|_| verdicts(around(0.6, 5, noise), around(0.6 * factor, 5, noise)) == expected);
        hits.count()
    };
    let up = seen(1.1, [Verdict::Better, Verdict::Worse], &mut noise);
    let down = seen(0.9, [Verdict::Worse, Verdict::Better], &mut noise);
    assert!(up * 100 > runs * 95 && down * 100 > runs * 95, "{up} and {down} of {runs}");
}

#[test]
fn what_is_small_or_of_few_rounds_is_no_change() {
    assert_eq!(verdicts(vec![100.0; 5], vec![102.9; 5])[0], Verdict::Same);
    assert_eq!(verdicts(vec![100.0; 5], vec![103.1; 5])[0], Verdict::Better);
    assert_eq!(verdicts(vec![1.0, 1.1, 1.2], vec![9.0, 9.1, 9.2])[0], Verdict::TooFewRounds);
    assert_eq!(verdicts(vec![], vec![1.0; 5])[0], Verdict::TooFewRounds);
    let comparison = compare(&with(vec![1.0; 3], 0.0), &with(vec![9.0; 3], 0.0));
    assert!(!comparison.is_worse() && comparison.summary.starts_with("TOO FEW ROUNDS"));
    assert!(comparison.notes.iter().any(|note| note.contains("with 5 or more")), "{:?}", comparison.notes);
}

#[test]
fn wide_noise_is_said() {
    let (a, b) = (vec![1.0, 1.5, 1.1, 1.4, 1.2], vec![1.4, 1.3, 1.6, 1.1, 1.5]);
    let comparison = compare(&with(a, 0.1), &with(b, 0.1));
    assert_eq!(comparison.figures[0].verdict, Verdict::Same);
    assert_eq!(comparison.notes.len(), 1);
    assert!(
        comparison.notes[0].starts_with("A ratio changed by 17 % and may have by chance"),
        "{:?}",
        comparison.notes
    );
}

#[test]
fn nought_and_nonsense() {
    let from_nought = compare(&with(vec![0.0; 5], 0.0), &with(vec![2.0; 5], 0.0));
    assert_eq!((from_nought.figures[0].percent, &from_nought.figures[0].verdict), (None, &Verdict::Better));
    assert_eq!(verdicts(vec![0.0; 5], vec![0.0; 5])[0], Verdict::Same);
    let nonsense = compare(&with(vec![f64::NAN; 5], 0.0), &with(vec![f64::INFINITY; 5], f64::NAN));
    assert_eq!((nonsense.figures[0].a, nonsense.figures[0].verdict.short()), (None, "too few rounds to tell"));
    assert!(nonsense.text().contains('–'));
}

#[test]
fn a_busier_machine_is_judged_by_ratios_alone() {
    let comparison = compare(&with(vec![100.0; 5], 0.1), &with(vec![80.0; 5], 0.55));
    assert_eq!(comparison.figures[0].verdict, Verdict::Worse);
    let words = "not comparable: other programs used 0.10 cores then, 0.55 now";
    assert_eq!(comparison.figures[1].verdict.to_string(), words);
    assert!(comparison.is_worse() && comparison.notes[0].contains("Ratios are judged"), "{:?}", comparison.notes);
    assert_eq!(serde_json::to_value(&comparison).expect("serializes")["figures"][1]["verdict"], words);
    // The busier of them is not the worse: absolute figures do not decide.
    assert!(!compare(&with(vec![80.0; 5], 0.1), &with(vec![100.0; 5], 0.1)).is_worse());
}

#[test]
fn another_test_is_not_judged() {
    let (a, mut b) = (read(&fixture::report()), read(&fixture::report()));
    assert!(compare(&a, &b).is_alike());
    b.settings.insert("seed".into(), json!(8));
    b.settings.insert("seconds".into(), json!(60));
    assert!(compare(&a, &b).is_alike(), "{:?}", compare(&a, &b).differences);
    b.settings.insert("connections".into(), json!(16));
    b.settings.insert("rate".into(), json!(5000.0));
    b.workload = Some("refunds".into());
    let comparison = compare(&a, &b);
    assert!(!comparison.is_alike() && !comparison.is_worse());
    let text = comparison.text();
    for part in
        ["purchases in A, refunds in B", "connections was 8 in A, 16 in B", "rate was not set in A", "Run B again"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(comparison.figures.iter().all(|change| change.verdict.short() == "not comparable"));
}

#[test]
fn a_run_that_failed_is_worse() {
    let comparison = compare(&read(&fixture::report()), &read(&fixture::failed()));
    assert!(comparison.is_worse() && comparison.summary.starts_with("NOT PASSED"));
    assert!(comparison.notes.contains(&"Run B had not passed: see its findings.".to_owned()));
}

#[test]
fn reads_what_it_can() {
    let report: AnyReport = serde_json::from_value(json!({
        "kind": "hsm",
        "figures": [{ "name": "x", "unit": "1/s", "better": "higher", "per_round": [1.5, null, 3], "new": true }],
        "findings": [{ "severity": "fault", "what": "lost", "text": "" }],
        "rounds": [{}, { "others_cores": null }],
        "new": {},
    }))
    .expect("lenient");
    assert_eq!((report.figures[0].per_round.as_slice(), report.others_cores()), ([1.5, 3.0].as_slice(), None));
    assert!(!report.has_passed());
    let nothing: AnyReport = serde_json::from_value(json!({})).expect("lenient");
    assert!(!compare(&nothing, &nothing).is_alike() && nothing.has_passed());
    assert!(compare(&report, &report).notes.iter().any(|note| note.contains("not known")));
}

#[test]
fn lines_up() {
    let mut now = fixture::report();
    now.figures[0].per_round.iter_mut().for_each(|value| *value *= 0.9);
    let text = compare(&read(&fixture::report()), &read(&now)).text();
    assert!(text.starts_with("WORSE: of 4 ratios 1 worse, 0 better, 3 the same within noise\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= crate::columns::WIDTH), "{text}");
    assert!(text.contains("  approved_to_echo  0.295  0.266   −10 %   0.008  worse\n"), "{text}");
}
