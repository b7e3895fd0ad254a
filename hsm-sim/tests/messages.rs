//! MACs in one piece and in several, data under keys, chip cryptograms with scripts, keys of all schemes.

mod common;

use common::{Raw, start};
use hsm_sim::{Lmk, console};
use payment_crypto::emv::{arpc, cryptogram, master_key, script, session_key};
use payment_crypto::mac::{self, Algorithm, Padding};
use payment_crypto::{AesKey, TdesKey, cmac, dukpt_tdes};

fn key(key_type: &str, byte: u8) -> (TdesKey, String) {
    let clear = TdesKey::with_odd_parity(&[[byte; 8], [byte ^ 0x3C; 8]].concat());
    let (text, _) = console::form_key(&Lmk::test_variant(), key_type, 'U', &clear).unwrap();
    (TdesKey::from_bytes(&clear).unwrap(), text)
}

fn upper(bytes: impl AsRef<[u8]>) -> String {
    hex::encode_upper(bytes)
}

#[tokio::test]
async fn macs_in_parts_are_macs_of_the_whole() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let (clear, tak) = key("003", 0x4C);
    let message = b"a message of three parts, the last of which is short";
    for (code, algorithm) in [("1", Algorithm::One), ("3", Algorithm::Three)] {
        for (pad, padding) in [("1", Padding::Zeros), ("2", Padding::Bit)] {
            let right = upper(mac::generate(algorithm, &clear, padding, message).unwrap());
            let ask = |mode: &str, vector: &str, part: &[u8]| {
                let head = format!("{mode}01{code}{pad}003{tak}{vector}{:04X}", part.len());
                [head.as_bytes(), part].concat()
            };
            assert_eq!(hsm.fields("M6", ask("0", "", message)).await, right);
            let first = hsm.fields("M6", ask("1", "", &message[..16])).await;
            let middle = hsm.fields("M6", ask("2", &first, &message[16..40])).await;
            assert_eq!(hsm.fields("M6", ask("3", &middle, &message[40..])).await, right);
            assert_eq!(hsm.fields("M8", ask("1", "", &message[..16])).await, first);
            let verify = |stated: &str| [&ask("3", &middle, &message[40..])[..], stated.as_bytes()].concat();
            assert_eq!(hsm.code("M8", verify(&right)).await, "00");
            assert_eq!(hsm.code("M8", verify(&first)).await, "01");
            assert_eq!(hsm.code("M6", ask("1", "", &message[..15])).await, "80", "parts are whole blocks");
            // Hexadecimal, counted in digits; a text.
            let digits = upper(message);
            let ask = format!("011{code}{pad}003{tak}{:04X}{digits}", digits.len());
            assert_eq!(hsm.fields("M6", format!("0{}", &ask[1..])).await, right);
            assert_eq!(hsm.code("M6", format!("011{code}{pad}003{tak}000312A")).await, "06");
        }
    }
    let length = upper(mac::generate(Algorithm::Three, &clear, Padding::Length, message).unwrap());
    let head = format!("00133003{tak}{:04X}", message.len());
    assert_eq!(hsm.fields("M6", [head.as_bytes(), message].concat()).await, length);
    for (head, code) in
        [("40131", "02"), ("03131", "03"), ("00231", "15"), ("00171", "04"), ("00134", "09"), ("10161", "04")]
    {
        assert_eq!(hsm.code("M6", format!("{head}003{tak}0000")).await, code, "{head}");
    }
    assert_eq!(hsm.code("M6", format!("00131001{tak}0000")).await, "05");
}

#[tokio::test]
async fn cmacs_of_both_ciphers() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let (clear, tak) = key("003", 0x4C);
    for message in [&b""[..], b"sixteen bytes of", b"a little more than that"] {
        let head = format!("00160003{tak}{:04X}", message.len());
        let made = hsm.fields("M6", [head.as_bytes(), message].concat()).await;
        assert_eq!(made, upper(cmac::tdes(&clear, &[message]).unwrap()));
    }
    let aes = console::form_key_block(&Lmk::test_aes().unwrap(), 1, b"M6A3C00N00", &[0x77; 32]).unwrap();
    let right = cmac::aes(&AesKey::from_bytes(&[0x77; 32]).unwrap(), &[b"message"]).unwrap();
    assert_eq!(hsm.fields("M6", format!("00160FFF{aes}0007message%01")).await, upper(&right[..8]));
    assert_eq!(hsm.code("M8", format!("00060FFF{aes}0007message{}%01", upper(&right[..4]))).await, "00");
    assert_eq!(hsm.code("M6", format!("00131FFF{aes}0007message%01")).await, "A7", "algorithm 3 is not for AES");
}

#[tokio::test]
async fn the_older_mac_commands() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let ((clear, tak), (other_clear, other), (zak_clear, zak)) = (key("003", 0x4C), key("003", 0x61), key("008", 0x2A));
    let message = b"givemeSOMEMACing";
    let of = |key: &TdesKey| upper(&mac::generate(Algorithm::One, key, Padding::Zeros, message).unwrap()[..4]);
    let text = std::str::from_utf8(message).unwrap();
    assert_eq!(hsm.fields("MA", format!("{tak}{text}")).await, of(&clear));
    assert_eq!(hsm.code("MC", format!("{tak}{}{text}", of(&clear))).await, "00");
    assert_eq!(hsm.code("MC", format!("{tak}{}{text}", of(&other_clear))).await, "01");
    assert_eq!(hsm.fields("ME", format!("{tak}{other}{}{text}", of(&clear))).await, of(&other_clear));
    // Whole, and in parts.
    let whole = hsm.fields("MQ", format!("0{zak}010{text}")).await;
    assert_eq!(whole, upper(mac::generate(Algorithm::One, &zak_clear, Padding::Zeros, message).unwrap()));
    let first = hsm.fields("MQ", format!("1{zak}008{}", &text[..8])).await;
    assert_eq!(hsm.fields("MQ", format!("3{zak}{first}008{}", &text[8..])).await, whole);
    let whole = hsm.fields("MS", format!("0010{tak}0010{text}")).await;
    assert_eq!(whole, upper(mac::generate(Algorithm::Three, &clear, Padding::Zeros, message).unwrap()));
    let first = hsm.fields("MS", format!("1010{tak}0008{}", &text[..8])).await;
    assert_eq!(hsm.fields("MS", format!("3010{tak}{first}0008{}", &text[8..])).await, whole);
}

#[tokio::test]
async fn data_is_enciphered_and_translated() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let ((dek_clear, dek), (_, tek)) = (key("00B", 0x4C), key("30B", 0x61));
    let (data, vector) = ("00112233445566778899AABBCCDDEEFF", "0123456789ABCDEF");
    let clear = hex::decode(data).unwrap();
    let cbc = upper(&*dek_clear.encrypt_cbc(0x0123_4567_89AB_CDEF_u64.to_be_bytes(), &clear).unwrap());
    let answered = hsm.fields("M0", format!("011100B{dek}{vector}0020{data}")).await;
    assert_eq!(answered, format!("{}0020{cbc}", &cbc[16..]), "the last block is the next vector");
    assert_eq!(hsm.fields("M2", format!("011100B{dek}{vector}0020{cbc}")).await, format!("{}0020{data}", &cbc[16..]));
    let ecb = upper(&*dek_clear.encrypt_ecb(&clear).unwrap());
    assert_eq!(hsm.fields("M0", format!("001100B{dek}0020{data}")).await, format!("0020{ecb}"));
    // Bytes in, bytes out.
    let ask = [format!("000000B{dek}0010").as_bytes(), &clear].concat();
    assert_eq!(hsm.ask("M0", ask).await, [b"M1000010", &hex::decode(&ecb).unwrap()[..]].concat());
    // From one key and mode to another, and back in clear.
    let moved = hsm.fields("M4", format!("01001100B{dek}30B{tek}{vector}0020{cbc}")).await;
    assert_eq!(&moved[..20], format!("{}0020", &cbc[16..]));
    assert_eq!(hsm.fields("M2", format!("001130B{tek}0020{}", &moved[20..])).await, format!("0020{data}"));
    for (head, code) in [("0211", "02"), ("0131", "03"), ("0113", "04")] {
        assert_eq!(hsm.code("M0", format!("{head}00B{dek}{vector}0020{data}")).await, code, "{head}");
    }
    assert_eq!(hsm.code("M0", format!("0111001{dek}{vector}0020{data}")).await, "05");
    assert_eq!(hsm.code("M0", format!("011100B{dek}{vector}0000")).await, "06");
    assert_eq!(hsm.code("M0", format!("011100B{dek}{vector}0010{}", &data[..15])).await, "80");
}

#[tokio::test]
async fn data_of_a_dukpt_terminal_is_deciphered() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let bdk = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
    let (bdk_text, _) = console::form_key(&Lmk::test_variant(), "009", 'U', &bdk).unwrap();
    let ksn: dukpt_tdes::Ksn = hex::decode("FFFF9876543210E00001").unwrap().try_into().unwrap();
    let initial = dukpt_tdes::initial_key(&TdesKey::from_bytes(&bdk).unwrap(), ksn).unwrap();
    let transaction = dukpt_tdes::transaction_key(&initial, ksn).unwrap();
    let data_key = dukpt_tdes::working_key(&transaction, dukpt_tdes::Use::DataRequest).unwrap();
    let enciphered = upper(&*data_key.encrypt_cbc([0; 8], b"4012345678909D98").unwrap());
    let ask = format!("0112009{bdk_text}A05{}{}0020{enciphered}", upper(ksn), "0".repeat(16));
    let answered = hsm.ask("M2", ask).await;
    assert!(answered.ends_with(b"00104012345678909D98"), "{answered:?}");
}

#[tokio::test]
async fn chip_cryptograms_and_scripts() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let ((ac_clear, mk_ac), (smi_clear, mk_smi)) = (key("109", 0x4C), key("209", 0x61));
    let card = master_key::option_a_data("4000001234567899", "01").unwrap();
    let (atc, unpredictable, data) = ([0x00, 0x1C], [0x52, 0xBF, 0x45, 0x85], &b"twenty-nine bytes of the card"[..]);
    let card_key = master_key::from_data(&ac_clear, card).unwrap();
    let tail = |mode: &str, scheme: &str, arqc: &[u8], code: &[u8]| {
        let head = format!("{mode}{scheme}{mk_ac}");
        let data =
            if mode == "2" { Vec::new() } else { [format!("{:02X}", data.len()).as_bytes(), data, b";"].concat() };
        [head.as_bytes(), &card, &atc, &unpredictable, &data, arqc, code].concat()
    };
    for (scheme, session, padding) in [
        ("0", TdesKey::from_bytes(card_key.bytes()).unwrap(), Padding::Zeros),
        ("1", session_key::mastercard(&card_key, atc, unpredictable).unwrap(), Padding::Bit),
    ] {
        let arqc = cryptogram::generate(&session, padding, data).unwrap();
        let answer = arpc::method1(&card_key, arqc, *b"00");
        assert_eq!(hsm.ask("KQ", tail("0", scheme, &arqc, b"")).await, b"KR00");
        assert_eq!(hsm.ask("KQ", tail("1", scheme, &arqc, b"00")).await, [&b"KR00"[..], &answer].concat());
        assert_eq!(hsm.ask("KQ", tail("2", scheme, &arqc, b"00")).await, [&b"KR00"[..], &answer].concat());
        let mut wrong = arqc;
        wrong[7] ^= 1;
        assert_eq!(hsm.ask("KQ", tail("1", scheme, &wrong, b"00")).await, b"KR01", "and nothing of the right one");
    }
    // A script's MAC is verified with the cryptogram.
    let arqc = cryptogram::generate(&card_key, Padding::Zeros, data).unwrap();
    let integrity = session_key::visa(&master_key::from_data(&smi_clear, card).unwrap(), atc).unwrap();
    let command = b"\x84\x18\x00\x00\x08";
    let with_script = |mode: &str, script_mac: &[u8]| {
        let head = format!("{mode}0{mk_ac}{mk_smi}");
        let data = [format!("{:02X}", data.len()).as_bytes(), data, b";"].concat();
        let code: &[u8] = if mode == "4" { b"00" } else { b"" };
        [head.as_bytes(), &card, &atc, &unpredictable, &data, &arqc, code, script_mac, b"05", command].concat()
    };
    let right = script::mac(&integrity, command).unwrap();
    assert_eq!(hsm.ask("KQ", with_script("3", &right)).await, b"KR00");
    let answer = arpc::method1(&card_key, arqc, *b"00");
    assert_eq!(hsm.ask("KQ", with_script("4", &right)).await, [&b"KR00"[..], &answer].concat());
    assert_eq!(hsm.ask("KQ", with_script("3", &[0; 8])).await, b"KR06");
    for (head, code) in [("50", "04"), ("02", "05"), ("31", "03")] {
        assert_eq!(hsm.code("KQ", format!("{head}{mk_ac}")).await, code, "{head}");
    }
}

#[tokio::test]
async fn keys_of_all_schemes_are_made_checked_and_moved() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let (_, zmk) = key("000", 0x4C);
    for (scheme, length) in [("Z", 16), ("U", 33), ("X", 33), ("T", 49), ("Y", 49)] {
        let made = hsm.fields("A0", format!("0008{scheme}")).await;
        let (key, check) = made.split_at(length);
        assert_eq!(check.len(), 6, "{scheme}: {made}");
        assert_eq!(hsm.fields("BU", format!("FFF{key};008;001")).await, check);
        assert_eq!(hsm.fields("KA", format!("{key}08;ZZ1")).await, check);
        let exported = hsm.fields("A8", format!("008{zmk}{key}{scheme}")).await;
        assert_eq!(&exported[length..], check);
        assert_eq!(hsm.fields("A6", format!("008{zmk}{}{scheme}", &exported[..length])).await, made);
        // What a changed cryptogram deciphers to has odd parity once in 256 times.
        let mut refused = 0;
        for digit in "0123456789ABCDEF".chars() {
            let damaged = format!("{}{digit}", &key[..length - 1]);
            refused += u32::from(hsm.code("M6", format!("00111008{damaged}0000")).await == "10");
        }
        assert!(refused >= 12, "{scheme}: {refused} of 15");
    }
    assert_eq!(hsm.code("A0", "0008Q").await, "26");
    assert_eq!(hsm.code("A0", "0999U").await, "04");
}
