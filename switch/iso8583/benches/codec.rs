//! The codec beside crate `i8583`, which checks lengths only: `cargo bench -p iso8583`. A purchase of 18 data elements;
//! compare lines of one run with each other, not runs.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::BytesMut;
use divan::{Bencher, black_box};
use iso8583::{Fields, Route, Spec};

fn main() {
    divan::main();
}

const EMV: &str = "9F26083383D0C80CD3DC8F9F2701809F100706011203A0B8009F3704D63B19CC9F36023AF1950580000480009A032611289C01009F0206\
                   0000000012505F2A020710820 23C009F1A0207109F03060000000000009F3303E0F8C89F34034203009F3501228407A0000000041010";

/// Data element and value; those of 52, 55 and 64 in hexadecimal.
fn purchase() -> Vec<(u8, String)> {
    let emv: String = EMV.split_whitespace().collect();
    [
        (2, "4111111111111111"),
        (3, "000000"),
        (4, "000000001250"),
        (7, "1128192030"),
        (11, "123456"),
        (12, "192030"),
        (13, "1128"),
        (14, "2912"),
        (22, "051"),
        (25, "00"),
        (35, "4111111111111111=29122010000012345678"),
        (37, "633219123456"),
        (41, "TERM0001"),
        (42, "MERCHANT0000001"),
        (49, "710"),
        (52, "0123456789ABCDEF"),
        (55, emv.as_str()),
        (64, "FEDCBA9876543210"),
    ]
    .into_iter()
    .map(|(de, value)| (de, value.to_owned()))
    .collect()
}

/// Values as a caller has them: bytes of binary fields as bytes.
enum Given {
    Text(String),
    Bytes(Vec<u8>),
}

fn given(spec: &Spec) -> Vec<(u8, Given)> {
    let is_binary = |de: u8| spec.field(de).is_some_and(|field| field.is_binary);
    let value = |(de, text): (u8, String)| match iso8583::tool::from_hex(&text) {
        Some(bytes) if is_binary(de) => (de, Given::Bytes(bytes)),
        _ => (de, Given::Text(text)),
    };
    purchase().into_iter().map(value).collect()
}

fn built(given: &[(u8, Given)]) -> Fields {
    let mut fields = Fields::new("0200");
    for (de, value) in given {
        match value {
            Given::Text(text) => fields.set(*de, text),
            Given::Bytes(bytes) => fields.set_binary(*de, bytes),
        }
    }
    fields
}

fn wire(spec: &Spec) -> BytesMut {
    let mut out = BytesMut::new();
    spec.encode(&built(&given(spec)), &mut out).expect("the purchase is one of every dialect");
    out
}

const DIALECTS: [&str; 5] = ["iso87ascii", "iso87binary", "iso87ebcdic", "postpack", "base1"];

fn dialect(name: &str) -> Arc<Spec> {
    Spec::builtin(name).expect("a builtin spec")
}

#[divan::bench(args = DIALECTS)]
fn decode(bencher: Bencher<'_, '_>, name: &str) {
    let spec = dialect(name);
    let wire = wire(&spec);
    bencher.bench_local(|| spec.decode(black_box(&wire)).is_ok());
}

#[divan::bench]
fn decode_i8583(bencher: Bencher<'_, '_>) {
    let wire = wire(&dialect("iso87ascii"));
    bencher.bench_local(|| {
        let mut unpacker = i8583::Unpacker::new(black_box(&wire));
        unpacker.unpack(&i8583::v1987::SPEC).is_ok()
    });
}

/// A new message, all fields set, encoded.
#[divan::bench(args = DIALECTS)]
fn build(bencher: Bencher<'_, '_>, name: &str) {
    let spec = dialect(name);
    let given = given(&spec);
    let mut out = BytesMut::with_capacity(1024);
    bencher.bench_local(|| {
        out.clear();
        spec.encode(&built(black_box(&given)), &mut out).is_ok()
    });
}

#[divan::bench]
fn build_i8583(bencher: Bencher<'_, '_>) {
    let purchase = purchase();
    bencher.bench_local(|| {
        let mut packer = i8583::Packer::new(&i8583::v1987::SPEC);
        let mut good = packer.set_field(0, Cow::Borrowed(b"0200")).is_ok();
        for (de, value) in black_box(&purchase) {
            good &= packer.set_field(usize::from(*de), Cow::Borrowed(value.as_bytes())).is_ok();
        }
        good && packer.pack(Vec::with_capacity(1024)).is_ok()
    });
}

/// Fields that were set before.
#[divan::bench(args = DIALECTS)]
fn encode(bencher: Bencher<'_, '_>, name: &str) {
    let spec = dialect(name);
    let fields = built(&given(&spec));
    let mut out = BytesMut::with_capacity(1024);
    bencher.bench_local(|| {
        out.clear();
        spec.encode(black_box(&fields), &mut out).is_ok()
    });
}

/// A decoded message into another dialect.
#[divan::bench(args = [
    "iso87ascii to iso87ascii-binary-bitmap", "iso87ascii to iso87binary", "iso87binary to iso87ascii", "iso87binary to base1",
])]
fn route(bencher: Bencher<'_, '_>, names: &str) {
    let (from, to) = names.split_once(" to ").expect("two dialects");
    let (from, to) = (dialect(from), dialect(to));
    let route = Route::new(Arc::clone(&from), to);
    let wire = wire(&from);
    let message = from.decode(&wire).expect("the purchase");
    let mut out = BytesMut::with_capacity(1024);
    bencher.bench_local(|| {
        out.clear();
        route.encode(black_box(&message), &mut out).expect("the purchase is one of every dialect");
    });
}
