use super::*;

fn codec(length: LengthHeader, header: HeaderKind) -> FrameCodec {
    FrameCodec::new(Framing { length, header, max: 9_000 })
}

/// A header of each kind.
pub(crate) fn header(kind: HeaderKind) -> Header {
    match kind {
        HeaderKind::None => Header::None,
        HeaderKind::Tpdu => Header::Tpdu([0x60, 0, 1, 0, 2]),
        HeaderKind::Base24 => Header::Base24(*b"ISO023400070"),
        HeaderKind::BaseI => Header::BaseI(BaseI::new([0x12, 0x34, 0x56], [0x65, 0x43, 0x21])),
    }
}

/// All frames of a stream that arrives in two pieces.
fn read(codec: &FrameCodec, wire: &[u8], cut: usize) -> Vec<Frame> {
    let mut codec = codec.clone();
    let mut source = BytesMut::from(&wire[..cut]);
    let mut frames = Vec::new();
    while let Some(frame) = codec.decode(&mut source).unwrap() {
        frames.push(frame);
    }
    source.extend_from_slice(&wire[cut..]);
    while let Some(frame) = codec.decode(&mut source).unwrap() {
        frames.push(frame);
    }
    assert!(source.is_empty());
    frames
}

#[test]
fn frames_cut_anywhere_come_out_whole() {
    for length in LengthHeader::ALL {
        for kind in HeaderKind::ALL {
            let mut codec = codec(length, kind);
            let frames = [
                Frame { header: header(kind), body: Bytes::from_static(b"one") },
                Frame::KEEP_ALIVE,
                Frame { header: header(kind), body: Bytes::from(vec![7; 8_900]) },
            ];
            let mut wire = BytesMut::new();
            for frame in &frames {
                codec.encode(frame.clone(), &mut wire).unwrap();
            }
            for cut in (0..60).chain([wire.len() - 1]) {
                let got = read(&codec, &wire, cut);
                // The header's total length is only known when it is written.
                let bodies = |frames: &[Frame]| frames.iter().map(|frame| frame.body.clone()).collect::<Vec<_>>();
                assert_eq!(bodies(&got), bodies(&frames), "{length:?} {kind:?} cut at {cut}");
                let kinds = got.iter().map(|frame| std::mem::discriminant(&frame.header));
                assert!(kinds.eq(frames.iter().map(|frame| std::mem::discriminant(&frame.header))));
                assert!(got[1].is_keep_alive());
            }
        }
    }
}

#[test]
fn frames_that_are_too_long_are_refused_before_they_have_arrived() {
    for length in LengthHeader::ALL {
        let mut tight = FrameCodec::new(Framing { length, header: HeaderKind::None, max: 10 });
        let frame = |size| Frame { header: Header::None, body: Bytes::from(vec![b'x'; size]) };
        let mut wire = BytesMut::new();
        tight.encode(frame(10), &mut wire).unwrap();
        assert!(tight.decode(&mut wire).unwrap().is_some(), "{length:?}");
        assert!(tight.encode(frame(11), &mut wire).is_err());
        assert!(wire.is_empty(), "nothing of it is written: {length:?}");
        codec(length, HeaderKind::None).encode(frame(11), &mut wire).unwrap();
        let first = if length == LengthHeader::Etx { 11 } else { length.size() };
        assert!(tight.decode(&mut BytesMut::from(&wire[..first])).is_err(), "{length:?}");
    }
    // What the form of the length cannot say is refused too.
    let mut wide = FrameCodec::new(Framing { length: LengthHeader::Bcd2, header: HeaderKind::None, max: 70_000 });
    let mut wire = BytesMut::new();
    assert!(wide.encode(Frame { header: Header::None, body: Bytes::from(vec![0; 10_000]) }, &mut wire).is_err());
}

#[test]
fn lengths_that_are_none_are_refused() {
    for (length, bytes) in [
        (LengthHeader::Bcd2, &[0x1A, 0][..]),
        (LengthHeader::Ascii4, b"12 4"),
        (LengthHeader::Hex4, b"00GG"),
        (LengthHeader::Binary2Inclusive, &[0, 1]),
    ] {
        assert!(codec(length, HeaderKind::None).decode(&mut BytesMut::from(bytes)).is_err(), "{length:?}");
    }
}

#[test]
fn a_frame_that_does_not_begin_with_the_link_s_header_is_one_without() {
    for (kind, body) in [
        (HeaderKind::Tpdu, &b"shor"[..]),
        (HeaderKind::Base24, b"0800822000000000"),
        (HeaderKind::BaseI, &[0x17; 40]),
        (HeaderKind::BaseI, &[0x16; 21]),
    ] {
        let mut wire = BytesMut::new();
        let plain = Frame { header: Header::None, body: Bytes::from_static(body) };
        codec(LengthHeader::Binary2, HeaderKind::None).encode(plain.clone(), &mut wire).unwrap();
        assert_eq!(codec(LengthHeader::Binary2, kind).decode(&mut wire).unwrap(), Some(plain));
    }
}

#[test]
fn addresses_change_places() {
    let frame = Frame { header: Header::Tpdu([0x60, 1, 2, 3, 4]), body: Bytes::new() };
    assert_eq!(frame.reply(Bytes::new()).header, Header::Tpdu([0x60, 3, 4, 1, 2]));
    let Header::BaseI(reply) = Header::BaseI(BaseI::new([1, 2, 3], [4, 5, 6])).reply() else { panic!() };
    assert_eq!((reply.destination(), reply.source(), reply.reject_code()), ([4, 5, 6], [1, 2, 3], None));
    let base24 = header(HeaderKind::Base24);
    assert_eq!(base24.reply(), base24);
}

#[test]
fn a_base_i_header_says_how_long_all_is_and_why_a_message_was_rejected() {
    let mut codec = codec(LengthHeader::Binary2Zero2, HeaderKind::BaseI);
    let mut wire = BytesMut::new();
    codec.encode(Frame { header: header(HeaderKind::BaseI), body: Bytes::from_static(b"message") }, &mut wire).unwrap();
    assert_eq!(wire[..9], [0, 29, 0, 0, 22, 1, 2, 0, 29]);
    let mut rejected = vec![0, 33, 0, 0, 26];
    rejected.extend([0; 23]);
    rejected.extend([0x05, 0x12]);
    rejected.extend(b"message");
    let frame = codec.decode(&mut BytesMut::from(&rejected[..])).unwrap().unwrap();
    let Header::BaseI(header) = frame.header else { panic!() };
    assert_eq!((header.reject_code(), &frame.body[..]), (Some([0x05, 0x12]), &b"message"[..]));
}

#[test]
fn session_control_is_no_message() {
    let mut codec = codec(LengthHeader::Binary2Zero2, HeaderKind::BaseI);
    let control = Frame { header: Header::Control([0x80, 0]), body: Bytes::from_static(b"x") };
    let mut wire = BytesMut::new();
    codec.encode(control.clone(), &mut wire).unwrap();
    assert_eq!(wire[..], [0, 1, 0x80, 0, b'x']);
    assert_eq!(codec.decode(&mut wire).unwrap(), Some(control));
}

#[test]
fn a_message_with_an_etx_in_it_is_not_for_a_link_that_ends_frames_with_it() {
    let mut wire = BytesMut::from(&b"before"[..]);
    let frame = Frame { header: Header::None, body: Bytes::from_static(b"a\x03b") };
    assert!(codec(LengthHeader::Etx, HeaderKind::None).encode(frame, &mut wire).is_err());
    assert_eq!(wire[..], *b"before");
}

#[test]
fn vectors() {
    let path = format!("{}/../../tests/vectors/framing.json", env!("CARGO_MANIFEST_DIR"));
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut seen = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let length = match vector["name"].as_str().unwrap() {
            "len2-binary" | "payshield" => LengthHeader::Binary2,
            "len2-bcd" => LengthHeader::Bcd2,
            "len4-ascii" => LengthHeader::Ascii4,
            "len4-hex" => LengthHeader::Hex4,
            "len4-binary" => LengthHeader::Binary4,
            "vml" => LengthHeader::Binary2Zero2,
            // What is in the frame is the HSM's affair.
            "payshield-pythales-nd" => continue,
            other => panic!("{other}"),
        };
        seen += 1;
        let bytes = |text: &serde_json::Value| crate::wire::from_hex(text.as_str().unwrap()).unwrap();
        let frame = bytes(&vector["inputs"]["frame"]);
        let mut codec = codec(length, HeaderKind::None);
        let decoded = codec.decode(&mut BytesMut::from(&frame[..])).unwrap().unwrap();
        assert_eq!(decoded.body, bytes(&vector["expected"]["payload"]), "{}", vector["name"]);
        let mut wire = BytesMut::new();
        codec.encode(decoded, &mut wire).unwrap();
        assert_eq!(wire, frame);
    }
    assert_eq!(seen, 4);
}
