use std::path::Path;

use super::*;
use crate::fixture;

/// Elements without an end tag.
const VOID: [&str; 2] = ["meta", "!doctype"];

/// Whether every tag is closed in order and no attribute or text breaks out. Enough of a parser for our own page.
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let (style_start, style_end) = (page.find("<style>").expect("a style"), page.find("</style>").expect("its end"));
    let page = format!("{}{}", &page[..style_start], &page[style_end + "</style>".len()..]);
    for tag in page.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap_or_else(|| panic!("tag without end: {tag}"));
        assert!(!text.contains('>'), "bare bracket after {tag}");
        assert!(tag.matches('"').count() % 2 == 0, "open attribute: {tag}");
        assert!(!text.contains('&') || text.contains(';'), "bare ampersand: {text}");
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None if tag.ends_with('/') || VOID.contains(&name) || name == "br" => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

fn assert_alone(page: &str) {
    for outside in ["http:", "https:", "src=", "url(", "@import", "<script", "<link", "<img", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn stands_alone_and_says_it_all() {
    let text = page(&fixture::report());
    assert_well_formed(&text);
    assert_alone(&text);
    for figure in ["PASSED", "12,345/s", "1.31 ms", "4.24 ms", "9.71 ms", "41,870/s", "0 lost", "370,362 messages"] {
        assert!(text.contains(figure), "{figure}");
    }
    for part in ["sync p50 418 µs", "99.99 %", "round 5", "seconds of load", "verify_pin", "daemon: cards", "0.295"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains("<span>--seed 7</span>"));
    // Two charts in two widths, each with a title for those who do not see it.
    assert_eq!(text.matches("<svg class=\"chart ").count(), 4);
    assert_eq!(text.matches("<svg class=\"chart ").count(), text.matches("<title>Latency at").count() * 2);
    assert_eq!(text.matches("<svg").count(), text.matches("</svg>").count());
}

#[test]
fn every_colour_of_a_chart_has_its_place_in_the_style_sheet() {
    let text = page(&fixture::report());
    for colour in text.split(['"', ' ', ';']).filter(|word| word.starts_with('#') && word.len() == 7) {
        let known = chart::palette().any(|(_, known)| known == colour) || colour.to_lowercase() == colour;
        assert!(known, "{colour}");
    }
    for (name, _) in chart::palette() {
        // By day, in the dark, in print.
        assert_eq!(text.matches(&format!("--{name}: #")).count(), 3, "{name}");
    }
}

#[test]
fn faults_come_first() {
    let text = page(&fixture::failed());
    assert_well_formed(&text);
    assert!(text.contains("FAILED") && text.contains("3 lost"));
    assert!(text.find("fault: lost") < text.find("notice: stall") && text.contains("fault: lost"));
}

#[test]
fn hostile_text_is_text() {
    let mut report = fixture::report();
    let hostile = "</style><script>alert(1)</script>\"'&<img src=x>";
    report.workload = hostile.into();
    report.version = hostile.into();
    report.started_at = hostile.into();
    report.settings.listener = hostile.into();
    report.settings.model = hostile.into();
    report.findings[0].text = hostile.into();
    report.findings[0].what = hostile.into();
    report.figures[0].meaning = hostile.into();
    report.figures[0].name = hostile.into();
    report.figures[0].unit = hostile.into();
    report.steps[0].step = hostile.into();
    report.cpu[0].part = hostile.into();
    report.baselines[0].name = hostile.into();
    report.baselines[0].meaning = hostile.into();
    let text = page(&report);
    assert_well_formed(&text);
    assert!(!text.contains("<script") && !text.contains("<img"));
}

#[test]
fn of_nothing_and_of_nonsense() {
    for value in [0.0, -1.0, 1e-300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
        let text = page(&fixture::empty(value));
        assert_well_formed(&text);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{value}");
    }
}

#[test]
fn one_round_has_no_marks_of_rounds() {
    let mut report = fixture::report();
    report.rounds.truncate(1);
    report.figures.iter_mut().for_each(|figure| figure.per_round.truncate(1));
    let text = page(&report);
    assert_well_formed(&text);
    assert!(!text.contains("round 1") && text.contains("seconds of load"));
}

#[test]
fn a_day_of_load_is_thinned() {
    let mut report = fixture::report();
    report.timeline = fixture::timeline(864_000);
    report.timeline[500_000].slowest_us = 2_900_000.0;
    report.settings.seconds = 86_400.0;
    let text = page(&report);
    assert_well_formed(&text);
    assert!(text.len() < 250_000, "{}", text.len());
    assert!(
        text.contains("1 s\n</text>") || text.contains("1 s</text>"),
        "the slowest answer has its place on the axis"
    );
}

/// To look at: `LOAD_REPORT_PAGES=/tmp cargo nextest run -p load-report look`.
#[test]
fn look() {
    let Ok(folder) = std::env::var("LOAD_REPORT_PAGES") else { return };
    let reports = [("good", fixture::report()), ("failed", fixture::failed()), ("nan", fixture::empty(f64::NAN))];
    for (name, report) in reports {
        std::fs::write(Path::new(&folder).join(format!("page-{name}.html")), page(&report)).expect("a page is written");
    }
}
