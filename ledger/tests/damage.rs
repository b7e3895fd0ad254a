//! Damaged journals: every single bit, every cut of the last frame, segments missing, swapped, foreign or old.
//!
//! A journal ends in one of two ways. After an orderly end, or 10 ms of silence, a seal or a further frame follows the
//! last events: then every damage to them is refused. Within those 10 ms the last frame of events is the end of the
//! journal, and damage to it looks exactly like a frame that a crash cut short: it is cut off, and nothing else is.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ledger::testing::{ManualClock, SimStorage};
use ledger::{Ledger, OpenError, Report, Storage, verify_storage};
use support::{START, config, on_all_processors, open, post, script};

/// All files that belong to the journal, by name.
fn segments(disk: &SimStorage) -> BTreeMap<String, Vec<u8>> {
    let names = disk.list().unwrap().into_iter().filter(|name| name.ends_with(".wal"));
    names.map(|name| (name.clone(), disk.bytes(&name))).collect()
}

/// A journal of two segments after an orderly end.
fn sealed() -> SimStorage {
    let disk = SimStorage::default();
    let ledger = open(disk.clone()).unwrap();
    for event in script(3, 24) {
        ledger.submit_blocking(event).unwrap();
    }
    ledger.close();
    assert_eq!(segments(&disk).len(), 2);
    disk
}

/// The same, as a killed process leaves it right after its last frame of events.
fn unsealed() -> SimStorage {
    let disk = sealed();
    let ledger = open(disk.clone()).unwrap();
    ledger.submit_blocking(post(900, 1, 2, 7)).unwrap();
    let left = disk.fork();
    ledger.close();
    left
}

/// Where the frames of a segment begin, and where the last one ends.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![64];
    while let Some(at) = starts.last().copied().filter(|at| bytes.get(*at..at + 4) == Some(b"UMFR")) {
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap());
        starts.push((at + 64 + length as usize).next_multiple_of(8));
    }
    starts
}

/// What a check says, and what opening must then do: the same, and change nothing where it refuses.
fn judge(disk: &SimStorage, is_opened: bool) -> Result<Report, OpenError> {
    let found = verify_storage(disk);
    if is_opened {
        let before = segments(disk);
        match (&found, open(disk.clone())) {
            (Ok(report), Ok(ledger)) => {
                assert_eq!(ledger.digest().unwrap(), report.digest);
                ledger.close();
            }
            (Err(expected), Err(error)) => {
                assert_eq!(error.to_string(), expected.to_string());
                assert_eq!(segments(disk), before, "a refused journal is changed");
            }
            (found, opened) => panic!("the check says {found:?}, opening {:?}", opened.map(|_| ())),
        }
    }
    found
}

/// Whether the error names the file, and a place that is not behind the damage.
fn names(error: &OpenError, name: &str, byte: usize) -> bool {
    match error {
        OpenError::Damaged { file, offset, .. } => file == name && *offset <= byte as u64,
        _ => false,
    }
}

/// Flips one bit; gives whether it was refused, or else was harmless.
fn flip(disk: &SimStorage, name: &str, bit: usize, is_last: bool, whole: &Report) -> bool {
    let (byte, fork) = (bit / 8, disk.fork());
    let mut flipped = disk.bytes(name);
    let seal = frames(&flipped).last().copied().unwrap() - 64;
    flipped[byte] ^= 1 << (bit % 8);
    fork.replace(name, flipped);
    match judge(&fork, bit.is_multiple_of(97)) {
        Err(error) => {
            assert!(names(&error, name, byte), "{name}, bit {bit}: {error}");
            true
        }
        // The seal at the end, and what should be empty behind it, say nothing about events.
        Ok(report) => {
            assert_eq!(report.digest, whole.digest, "{name}, bit {bit}");
            assert!(is_last && byte >= seal, "{name}, byte {byte}");
            false
        }
    }
}

#[test]
fn every_flipped_bit_is_refused_or_harmless() {
    let disk = sealed();
    let whole = verify_storage(&disk).unwrap();
    let mut flips = Vec::new();
    for (name, bytes) in segments(&disk) {
        let last = frames(&bytes).last().copied().unwrap() * 8;
        // Behind the last frame a few hundred bits say what all of them do.
        flips.extend((0..last).chain((last..bytes.len() * 8).step_by(61)).map(|bit| (name.clone(), bit)));
    }
    let last = segments(&disk).into_keys().next_back().unwrap();
    let is_refused = |index: usize| {
        let (name, bit) = &flips[index];
        flip(&disk, name, *bit, *name == last, &whole)
    };
    let refused = on_all_processors(flips.len(), |share| share.filter(|index| is_refused(*index)).count());
    let refused: usize = refused.into_iter().sum();
    println!("{refused} flips refused, {} harmless", flips.len() - refused);
    assert!(refused > 40_000);
}

#[test]
fn a_flipped_bit_in_a_frame_that_was_not_sealed_loses_no_other() {
    let disk = unsealed();
    let (name, bytes) = segments(&disk).pop_last().unwrap();
    let starts = frames(&bytes);
    let [.., start, end] = starts[..] else { panic!("no frames") };
    let whole = verify_storage(&disk).unwrap();
    let mut before = bytes.clone();
    before[start..].fill(0);
    let fork = disk.fork();
    fork.replace(&name, before);
    let without = verify_storage(&fork).unwrap();
    assert_eq!(without.events + 1, whole.events);
    for bit in start * 8..end * 8 {
        let fork = disk.fork();
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fork.replace(&name, flipped);
        match judge(&fork, bit.is_multiple_of(31)) {
            // Padding is known to be zero, so damage to it is told apart from a torn frame.
            Err(error) => assert!(names(&error, &name, bit / 8) && bit / 8 >= end - 8, "bit {bit}: {error}"),
            Ok(report) => {
                assert_eq!(report.digest, without.digest, "bit {bit}");
                assert_eq!(report.unfinished, Some((name.clone(), start as u64)));
            }
        }
    }
}

#[test]
fn a_frame_cut_at_any_byte_is_removed_and_no_other() {
    let disk = unsealed();
    let (name, bytes) = segments(&disk).pop_last().unwrap();
    let starts = frames(&bytes);
    let [.., start, end] = starts[..] else { panic!("no frames") };
    let whole = verify_storage(&disk).unwrap();
    // The last byte that says something: cut behind it, the frame is whole.
    let said = start + bytes[start..end].iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for cut in start..=end {
        let fork = disk.fork();
        let mut torn = bytes.clone();
        torn[cut..].fill(0);
        fork.replace(&name, torn);
        let (warnings, ledger) = warnings_while(|| open(fork.clone()).unwrap());
        assert_eq!(ledger.last_seq().unwrap(), whole.events - u64::from(cut < said), "cut at {cut}");
        assert_eq!(warnings.len(), usize::from(start < cut && cut < said), "cut at {cut}: {warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains("cut short") && warning.contains(&name)));
        // Sent once more, it is there once.
        ledger.submit_blocking(post(900, 1, 2, 7)).unwrap();
        assert_eq!(ledger.account(2).unwrap().unwrap().balance, balance_after(&disk));
        ledger.close();
        verify_storage(&fork).unwrap();
    }
}

fn balance_after(disk: &SimStorage) -> i64 {
    let ledger = open(disk.fork()).unwrap();
    let balance = ledger.account(2).unwrap().unwrap().balance;
    ledger.close();
    balance
}

/// Texts of the warnings that are logged meanwhile on this thread.
fn warnings_while<T>(act: impl FnOnce() -> T) -> (Vec<String>, T) {
    struct Collector(Arc<Mutex<Vec<String>>>);
    struct Text<'a>(&'a mut String);

    impl tracing::field::Visit for Text<'_> {
        fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
            self.0.push_str(&format!("{field}={value:?} "));
        }
    }

    impl tracing::Subscriber for Collector {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() <= tracing::Level::WARN
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            let mut text = String::new();
            event.record(&mut Text(&mut text));
            self.0.lock().unwrap().push(text);
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    let texts = Arc::new(Mutex::new(Vec::new()));
    let result = tracing::subscriber::with_default(Collector(Arc::clone(&texts)), act);
    let texts = std::mem::take(&mut *texts.lock().unwrap());
    (texts, result)
}

/// A journal of several segments after an orderly end.
fn long(seed: u64) -> SimStorage {
    let disk = SimStorage::default();
    let ledger = open(disk.clone()).unwrap();
    for event in script(seed, 50) {
        ledger.submit_blocking(event).unwrap();
    }
    ledger.close();
    disk
}

fn refused(disk: &SimStorage, name: &str, what: &str) {
    match judge(disk, true) {
        Err(OpenError::Damaged { file, what: said, .. }) => {
            assert_eq!(file, name, "{what}");
            println!("{what}: {said}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_segment_that_is_not_in_its_place_is_refused() {
    let disk = long(1);
    let files = segments(&disk);
    let names: Vec<&String> = files.keys().collect();
    assert!(names.len() >= 4);

    for (index, name) in names.iter().enumerate() {
        let fork = disk.fork();
        fork.lose(name);
        // The one behind a gap says so; of the last one the name is known from what comes before.
        let named = names.get(index + 1).unwrap_or(name);
        if index == 0 {
            assert!(matches!(open(fork), Err(OpenError::BeginsLate { .. })), "the first segment missing");
        } else {
            refused(&fork, named, &format!("segment {index} missing"));
        }

        let other = names[(index + 1) % names.len()];
        let fork = disk.fork();
        fork.replace(name, files[other].clone());
        fork.replace(other, files[*name].clone());
        refused(&fork, name.min(&other), &format!("segments {name} and {other} swapped"));

        let fork = disk.fork();
        let mut bytes = files[*name].clone();
        bytes.pop();
        fork.replace(name, bytes.clone());
        refused(&fork, name, "a byte shorter");
        bytes.extend([0, 0]);
        fork.replace(name, bytes);
        refused(&fork, name, "a byte longer");
        fork.replace(name, Vec::new());
        refused(&fork, name, "empty");
    }
}

#[test]
fn a_segment_of_another_ledger_is_refused() {
    // Byte for byte the same events: only the ledger's own number tells them apart.
    let (disk, other) = (long(1), long(1));
    let foreign = segments(&other);
    for (name, bytes) in &foreign {
        let fork = disk.fork();
        fork.replace(name, bytes.clone());
        // A first segment is taken as it is, and then the second does not follow it.
        let own = segments(&disk);
        let named = if foreign.keys().next() == Some(name) { own.keys().nth(1).unwrap() } else { name };
        // A seal more or less, for a moment of silence, moves the segments behind it.
        if own.contains_key(name) {
            refused(&fork, named, "a foreign segment");
        }
    }
    let end = verify_storage(&disk).unwrap().events + 1;
    let fork = disk.fork();
    let name = format!("{end:020}.wal");
    fork.replace(&name, foreign.values().next_back().unwrap().clone());
    refused(&fork, &name, "a foreign segment behind the last");
}

#[test]
fn frames_that_are_not_in_their_place_are_refused() {
    let disk = sealed();
    let (name, bytes) = segments(&disk).pop_first().unwrap();
    let starts = frames(&bytes);
    let frame = |index: usize| bytes[starts[index]..starts[index + 1]].to_vec();
    let count = starts.len() - 1;
    for index in 0..count - 1 {
        let mut swapped = bytes.clone();
        let pair = [frame(index + 1), frame(index)].concat();
        swapped[starts[index]..starts[index + 2]].copy_from_slice(&pair);
        let mut twice = [&bytes[..starts[index + 1]], &frame(index), &bytes[starts[index + 1]..]].concat();
        twice.truncate(bytes.len());
        let mut without = [&bytes[..starts[index]], &bytes[starts[index + 1]..]].concat();
        without.resize(bytes.len(), 0);
        let mut zeros = bytes.clone();
        zeros[starts[index]..starts[index + 1]].fill(0);
        for (what, damaged) in [("swapped", swapped), ("twice", twice), ("left out", without), ("zeros", zeros)] {
            let fork = disk.fork();
            fork.replace(&name, damaged);
            refused(&fork, &name, &format!("frame {index} {what}"));
        }
    }
}

/// The newest files lost together look like a journal that ends earlier: only who followed it knows better.
#[test]
fn a_journal_that_has_lost_its_end_is_refused_for_its_followers() {
    let disk = long(1);
    let seen = verify_storage(&disk).unwrap().events;
    let follow = |disk: &SimStorage, after_seq| {
        let (feed, _subscription) = ledger::subscribe("projection", after_seq);
        let config = ledger::LedgerConfig { feeds: vec![feed], ..config(&Arc::new(ManualClock::new(START))) };
        Ledger::open(Arc::new(disk.clone()), config).map(|ledger| ledger.close())
    };
    follow(&disk.fork(), seen).unwrap();
    match follow(&disk.fork(), seen + 1) {
        Err(OpenError::Behind { follower, seen: after, last }) => {
            assert_eq!((follower.as_str(), after, last), ("projection", seen + 1, seen));
        }
        other => panic!("{other:?}"),
    }
    match follow(&SimStorage::default(), 1) {
        Err(OpenError::Behind { .. }) => {}
        other => panic!("an empty folder in place of the journal: {other:?}"),
    }
}

/// A header changed on purpose, its checksum made right again.
fn patched(bytes: &[u8], header: usize, at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // Another value whatever was there: parts of a header are random.
    bytes[header + at] ^= 200;
    let checksum = crc32c::crc32c(&bytes[header..header + 60]);
    bytes[header + 60..header + 64].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn what_another_version_wrote_is_no_damage_and_not_cut_off() {
    let disk = unsealed();
    let (name, bytes) = segments(&disk).pop_last().unwrap();
    let [.., last, _] = frames(&bytes)[..] else { panic!("no frames") };
    for (what, header, at) in [
        ("format of the last frame", last, 4),
        ("rules of the last frame", last, 5),
        ("format of the segment", 0, 4),
        ("outcomes of the frame before", last, 36),
    ] {
        let fork = disk.fork();
        fork.replace(&name, patched(&bytes, header, at));
        match judge(&fork, true) {
            Err(OpenError::OtherVersion { file, .. }) => assert_eq!(file, name, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
    for (what, header, at) in [
        ("kind of the last frame", last, 6),
        ("reserved byte of the last frame", last, 7),
        ("reserved byte of the segment", 0, 5),
        ("number of events", last, 12),
        ("time of the last event", last, 24),
        ("sequence", last, 16),
        ("link", last, 32),
        ("ledger", last, 44),
    ] {
        let fork = disk.fork();
        fork.replace(&name, patched(&bytes, header, at));
        refused(&fork, &name, what);
    }
}
