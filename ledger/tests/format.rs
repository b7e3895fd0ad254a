//! A journal written by hand, byte by byte from FORMAT.md, is a journal. It also holds the format still: what this
//! file writes must be readable for ever.

mod support;

use ledger::limits::SEGMENT_BYTES_MIN;
use ledger::testing::SimStorage;
use ledger::{Code, EventId, verify_storage};
use support::{START, open};

const LEDGER: [u8; 16] = *b"a random number!";

fn sealed(mut header: Vec<u8>) -> Vec<u8> {
    assert_eq!(header.len(), 60);
    let checksum = crc32c::crc32c(&header);
    header.extend(checksum.to_le_bytes());
    header
}

fn checksum_of(header: &[u8]) -> [u8; 4] {
    header[60..64].try_into().unwrap()
}

fn segment_header(first_seq: u64, previous: [u8; 4]) -> Vec<u8> {
    let size = SEGMENT_BYTES_MIN.to_le_bytes();
    sealed([&b"UMSG\x01\0\0\0"[..], &LEDGER, &first_seq.to_le_bytes(), &previous, &[0; 4], &size, &[0; 12]].concat())
}

struct Header {
    kind: u8,
    count: u32,
    first_seq: u64,
    at: u64,
    previous: [u8; 4],
    outcomes: u32,
}

fn frame(header: &Header, body: &[u8]) -> Vec<u8> {
    let mut frame = sealed(
        [
            &b"UMFR\x01\x03"[..],
            &[header.kind, 0],
            &(body.len() as u32).to_le_bytes(),
            &header.count.to_le_bytes(),
            &header.first_seq.to_le_bytes(),
            &header.at.to_le_bytes(),
            &header.previous,
            &header.outcomes.to_le_bytes(),
            &crc32c::crc32c(body).to_le_bytes(),
            &LEDGER,
        ]
        .concat(),
    );
    frame.extend(body);
    frame.resize(frame.len().next_multiple_of(8), 0);
    frame
}

/// The id of event `number`: its time above 80 bits.
fn id(number: u8) -> Vec<u8> {
    (u128::from(START) << 80 | u128::from(number)).to_le_bytes().into()
}

/// Bytes in hexadecimal; blanks are for the reader.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn event(number: u8, kind: &str, fields: &[Vec<u8>]) -> Vec<u8> {
    [id(number), vec![0xC0; 16], hex(kind), fields.concat()].concat()
}

/// Two postings in currency 710 (02C6): account 1 is debited, account 2 credited.
fn entry(amount: i64) -> Vec<u8> {
    let amounts = [(-amount).to_le_bytes(), amount.to_le_bytes()];
    let [debit, credit] = amounts.map(Vec::from);
    [hex("C602 02"), hex("0100000000000000"), debit, hex("0200000000000000"), credit].concat()
}

/// One limit: so often, and an amount of 500, until a second after the start.
fn limit(count: u8) -> Vec<u8> {
    let ends_at = (START + 1000).to_le_bytes().to_vec();
    [hex("01 01 0700000000000000 01 01"), ends_at, vec![1, count, 0, 0, 0], hex("01 F401000000000000")].concat()
}

/// Every kind of event and every card action, with the outcome it must have.
fn events() -> Vec<(Vec<u8>, Code, i64)> {
    let expiry = || (START + 1_000_000).to_le_bytes().to_vec();
    // No keys, no repeat, no advice; card 7; PIN not checked, 3 tries.
    let card = || hex("00 00 00 01 0700000000000000 00 03");
    // Answer "ok", no record.
    let end = || hex("0200 6F6B 0000");
    let key = || vec![0xAB; 16];
    vec![
        (event(1, "01", &[hex("0100000000000000 C602 02 01 0000000000000000")]), Code::Approved, 0),
        (event(2, "01", &[hex("0200000000000000 C602 00 00 0000000000000000")]), Code::Approved, 0),
        (event(3, "01", &[hex("0300000000000000 C602 01 00 9CFFFFFFFFFFFFFF")]), Code::Approved, 0),
        (event(4, "02", &[hex("0300000000000000")]), Code::Approved, 0),
        (event(5, "03", &[entry(100), hex("0200 7B7D")]), Code::Approved, 100),
        (event(6, "04", &[entry(50), expiry(), hex("0000")]), Code::Approved, 50),
        (event(7, "05", &[id(6), hex("1400000000000000 00 0000")]), Code::Approved, 20),
        (event(8, "06", &[id(6)]), Code::Approved, 30),
        (event(9, "07", &[id(5), hex("3C00000000000000 0000")]), Code::Approved, 40),
        (event(10, "08", &[card(), hex("00 3300"), end()]), Code::Declined, 0),
        (event(11, "08", &[card(), hex("01 0200000000000000"), end()]), Code::Approved, 0),
        // An advice with a key, whose PIN is right.
        (
            event(12, "08", &[hex("01"), key(), hex("00 01 01 0700000000000000 01 03"), hex("02"), entry(7), end()]),
            Code::Approved,
            7,
        ),
        // Its repeat under another id.
        (
            event(
                13,
                "08",
                &[hex("01"), key(), hex("01"), key(), hex("01 01 0700000000000000 00 03"), hex("02"), entry(7), end()],
            ),
            Code::Approved,
            7,
        ),
        (event(14, "08", &[card(), hex("03"), entry(9), expiry(), end()]), Code::Approved, 9),
        (
            event(15, "08", &[card(), hex("04 00"), id(14), hex("00"), entry(10), hex("E8030000"), end()]),
            Code::OverTolerance,
            0,
        ),
        (
            event(16, "08", &[card(), hex("04 00"), id(14), hex("01 FFFFFFFF"), entry(9), hex("00000000"), end()]),
            Code::ApprovalMismatch,
            0,
        ),
        (event(17, "08", &[card(), hex("05 01"), key(), hex("0000000000000000"), end()]), Code::Approved, 7),
        // No card, and a wrong PIN.
        (event(18, "08", &[hex("00 00 00 00 02 03"), hex("01 0200000000000000"), end()]), Code::WrongPin, 0),
        (event(19, "09", &[hex("0700000000000000")]), Code::Approved, 0),
        (event(20, "0A", &[]), Code::Approved, 0),
        // A limit of card 7 (class 1, a week): once, and 500; no counter. A second one refuses.
        (event(21, "83", &[limit(1), hex("00 00 00"), entry(3), hex("0000")]), Code::Approved, 3),
        (event(22, "84", &[limit(1), hex("00 00 00"), entry(3), expiry(), hex("0000")]), Code::CountLimitExceeded, 0),
        // No limit, but a counter of 258, at most 16 ahead, and a total: terminal 9, debit, 20261127.
        (
            event(
                23,
                "88",
                &[hex("00 01 0201 1000 01 0900000000000000 00 07293501 00"), card(), hex("02"), entry(4), end()],
            ),
            Code::Approved,
            4,
        ),
        (event(24, "0D", &[hex("0700000000000000")]), Code::Approved, 0),
        // Until 20261128; one debit of 4 was counted, and nothing else.
        (
            event(
                25,
                "0E",
                &[hex("0900000000000000 C602 08293501 01 01000000 0400000000000000"), vec![0; 36], hex("0000")],
            ),
            Code::Approved,
            0,
        ),
        // Forwarded on link 3 with the reversal "no", and answered: approved, 6.
        (event(26, "08", &[card(), hex("07 03000000"), expiry(), hex("0200 6E6F"), end()]), Code::Approved, 6),
        (event(27, "0F", &[id(26), hex("00"), entry(6), end()]), Code::Approved, 6),
        // Another, declined with 51; what was sent in its place is queued on link 4.
        (event(28, "08", &[card(), hex("07 03000000"), expiry(), hex("0200 6E6F"), end()]), Code::Declined, 0),
        (event(29, "8F", &[hex("00 00 00 01 04000000 0200 6869"), id(28), hex("01 3300"), end()]), Code::Approved, 0),
        // Failed, to be tried again a second later, three times at most; delivered.
        (event(30, "10", &[id(29), hex("01"), (START + 1000).to_le_bytes().to_vec(), hex("0300")]), Code::Approved, 0),
        (event(31, "10", &[id(29), hex("00")]), Code::Approved, 0),
        (event(32, "10", &[id(29), hex("02")]), Code::MessageNotFound, 0),
        (event(33, "10", &[id(29), hex("03")]), Code::MessageNotFound, 0),
    ]
}

fn in_frame(events: &[Vec<u8>], first_at: u64) -> Vec<u8> {
    let encode =
        |(event, at): (&Vec<u8>, u64)| [&(event.len() as u32).to_le_bytes()[..], &at.to_le_bytes(), event].concat();
    events.iter().zip(first_at..).flat_map(encode).collect()
}

#[test]
fn every_event_is_encoded_as_the_page_says() {
    let events = events();
    let encoded: Vec<Vec<u8>> = events.iter().map(|(event, ..)| event.clone()).collect();
    let header = segment_header(1, [0; 4]);
    let at = START + events.len() as u64;
    let count = events.len() as u32;
    let all = Header { kind: 0, count, first_seq: 1, at, previous: [0; 4], outcomes: 0 };
    let mut segment = [header, frame(&all, &in_frame(&encoded, START + 1))].concat();
    segment.resize(SEGMENT_BYTES_MIN as usize, 0);
    let disk = SimStorage::default();
    disk.replace("00000000000000000001.wal", segment);

    let report = verify_storage(&disk).unwrap();
    assert_eq!((report.events, report.frames, report.unfinished), (33, 1, None));
    let ledger = open(disk).unwrap();
    for (number, (_, code, amount)) in (1_u8..).zip(&events) {
        let id = EventId(u128::from_le_bytes(id(number).try_into().unwrap()));
        match ledger.lookup(id, None).unwrap() {
            Some(known) => {
                let outcome = &known.applied.outcome;
                assert_eq!((outcome.code, outcome.amount), (*code, *amount), "event {number}");
                let answer: &[u8] =
                    if (10..=18).contains(&number) || [23, 26, 28].contains(&number) { b"ok" } else { b"" };
                assert_eq!(&known.applied.answer[..], answer);
            }
            // The repeat is known by its first copy, and a tick is not remembered.
            None => assert!([13, 20].contains(&number), "event {number}"),
        }
    }
    // 100 - 40 + 20 + 7 - 7 + 3 + 4 + 6, and 9 held.
    let account = ledger.account(2).unwrap().unwrap();
    assert_eq!((account.balance, account.pending_credits, account.closed), (93, 9, false));
    assert!(ledger.account(3).unwrap().unwrap().closed);
    let day = ledger.terminal_day(9, 710).unwrap().unwrap();
    assert!((day.business_date, day.closed.unwrap().agrees) == (20_261_128, true));
    ledger.close();
}

/// Two segments, with a seal, a close, and digests of outcomes that are worked out by hand.
#[test]
fn frames_and_segments_follow_each_other_as_the_page_says() {
    let opening = hex("0100000000000000 C602 02 01 0000000000000000");
    let first = Header { kind: 0, count: 1, first_seq: 1, at: START, previous: [0; 4], outcomes: 0 };
    let first = frame(&first, &in_frame(&[event(1, "01", std::slice::from_ref(&opening))], START));
    // Code, reason, sequence, time, account; amount, balance, available; approval; there is an account; not known.
    let outcome = |code: u16, seq: u64, account: u64, is_known: u8| {
        let parts: [&[u8]; 8] = [
            &code.to_le_bytes(),
            &[0; 2],
            &seq.to_le_bytes(),
            &(START + seq - 1).to_le_bytes(),
            &account.to_le_bytes(),
            &[0; 24],
            &[0; 4],
            &[u8::from(account > 0), is_known],
        ];
        crc32c::crc32c(&parts.concat())
    };
    let mark = |kind, first_seq, at, frame_before: &[u8], outcomes| {
        frame(&Header { kind, count: 0, first_seq, at, previous: checksum_of(frame_before), outcomes }, &[])
    };
    let digest = outcome(0, 1, 1, 0);
    let seal = mark(1, 2, START, &first, digest);
    // The account is there already: code 16.
    let previous = checksum_of(&seal);
    let second = Header { kind: 0, count: 1, first_seq: 2, at: START + 1, previous, outcomes: digest };
    let second = frame(&second, &in_frame(&[event(2, "01", &[opening])], START + 1));
    let digest = outcome(Code::AccountExists as u16, 2, 0, 0);
    let close = mark(2, 3, START + 1, &second, digest);
    let next = segment_header(3, checksum_of(&close));
    // A frame of the new segment: the first event once more, which is known.
    let previous = checksum_of(&close);
    let third = Header { kind: 0, count: 1, first_seq: 3, at: START + 2, previous, outcomes: digest };
    let third =
        frame(&third, &in_frame(&[event(1, "01", &[hex("0100000000000000 C602 02 01 0000000000000000")])], START + 2));
    let last = mark(1, 4, START + 2, &third, outcome(0, 1, 1, 1));

    let disk = SimStorage::default();
    for (name, parts) in [
        ("00000000000000000001.wal", vec![segment_header(1, [0; 4]), first, seal, second, close]),
        ("00000000000000000003.wal", vec![next, third, last]),
    ] {
        let mut segment = parts.concat();
        segment.resize(SEGMENT_BYTES_MIN as usize, 0);
        disk.replace(name, segment);
    }
    let report = verify_storage(&disk).unwrap();
    assert_eq!((report.segments, report.frames, report.events), (2, 6, 3));
    open(disk).unwrap().close();
}
