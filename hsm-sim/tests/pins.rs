//! PINs: made, chosen, translated, verified, refused.

mod common;

use std::collections::HashSet;

use common::{Raw, start, start_under};
use hsm_sim::{Format, Lmk, Policy, console};
use payment_crypto::{AesKey, Pin, TdesKey, dukpt_aes, os_random, pin_block, pvv};

const ACCOUNT: &str = "550000025321";
const PAN: &str = "45500000253219";
const TABLE: &str = "0123456789012345";
const VALIDATION: &str = "55000002532N";

fn key(key_type: &str, byte: u8) -> (TdesKey, String) {
    let clear = TdesKey::with_odd_parity(&[[byte; 8], [byte ^ 0x3C; 8]].concat());
    let (text, _) = console::form_key(&Lmk::test_variant(), key_type, 'U', &clear).unwrap();
    (TdesKey::from_bytes(&clear).unwrap(), text)
}

fn pin(digits: &str) -> Pin {
    Pin::parse(digits).unwrap()
}

#[tokio::test]
async fn chosen_pins_go_all_ways() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let ((clear_zpk, zpk), (_, pvk), (clear_tpk, tpk)) = (key("001", 0x4C), key("002", 0x61), key("002", 0x75));
    for digits in ["1234", "98765", "123456789012"] {
        let block =
            hex::encode_upper(clear_zpk.encrypt_block(pin_block::format0::encode(&pin(digits), ACCOUNT).unwrap()));
        let under_lmk = hsm.fields("JE", format!("{zpk}{block}01{ACCOUNT}")).await;
        assert_eq!(hsm.fields("JG", format!("{zpk}01{ACCOUNT}{under_lmk}")).await, block);
        let clear = hsm.fields("NG", format!("{ACCOUNT}{under_lmk}")).await;
        assert_eq!(clear[..under_lmk.len()].trim_end_matches('F'), digits);
        assert_eq!(clear.len(), under_lmk.len() + 12);
        // The offset of a PIN leads back to it, and verifies a block of it.
        let offset = hsm.fields("DE", format!("{pvk}{under_lmk}04{ACCOUNT}{TABLE}{VALIDATION}")).await;
        assert!(offset.ends_with("FFFFFFFF") && offset.len() == 12);
        let verify = |block: &str| format!("{tpk}{pvk}12{block}0104{ACCOUNT}{TABLE}{VALIDATION}{offset}");
        let at_terminal = |digits| {
            hex::encode_upper(clear_tpk.encrypt_block(pin_block::format0::encode(&pin(digits), ACCOUNT).unwrap()))
        };
        assert_eq!(hsm.code("DA", verify(&at_terminal(digits))).await, "00");
        assert_eq!(hsm.code("DA", verify(&at_terminal("4444"))).await, "01");
        if digits.len() == 4 {
            assert_eq!(hsm.fields("EE", format!("{pvk}{offset}04{ACCOUNT}{TABLE}{VALIDATION}")).await, under_lmk);
        }
    }
    let random = hsm.fields("JA", format!("{ACCOUNT}06")).await;
    assert_eq!(random.len(), 7);
    assert_eq!(hsm.fields("JA", ACCOUNT).await.len(), 5);
    assert_eq!(hsm.code("JA", format!("{ACCOUNT}13")).await, "24");
    assert_eq!(hsm.code("NG", format!("{ACCOUNT}99999")).await, "14");
}

#[tokio::test]
async fn validation_data_can_be_given_whole() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let (_, pvk) = key("002", 0x61);
    let short = hsm.fields("DE", format!("{pvk}0123404{ACCOUNT}{TABLE}{VALIDATION}")).await;
    // Eleven digits and the account's last five in place of the N.
    let whole = format!("P{}{}", &VALIDATION[..11], &ACCOUNT[7..]);
    assert_eq!(hsm.fields("DE", format!("{pvk}0123404{ACCOUNT}{TABLE}{whole}")).await, short);
    for wrong in ["550000025321", "5500000253NN", "5500000253xN"] {
        assert_eq!(hsm.code("DE", format!("{pvk}0123404{ACCOUNT}{TABLE}{wrong}")).await, "15", "{wrong}");
    }
    for weak in ["0000000000000000", "0123456012345601", "012345678901234X"] {
        assert_eq!(hsm.code("DE", format!("{pvk}0123404{ACCOUNT}{weak}{VALIDATION}")).await, "25", "{weak}");
    }
}

#[tokio::test]
async fn format_4_is_verified_and_translated() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let lmk = Lmk::test_aes().unwrap();
    let aes = |byte: u8| {
        let text = console::form_key_block(&lmk, 1, b"P0A1B00N00", &[byte; 16]).unwrap();
        (AesKey::from_bytes(&[byte; 16]).unwrap(), text)
    };
    let ((clear, zpk), (other_clear, other)) = (aes(0x4C), aes(0x61));
    let (pvk_clear, tdes_clear) = (key("002", 0x13).0, key("001", 0x2A).0);
    let pvk = console::form_key_block(&lmk, 1, b"V2T2C00N00", pvk_clear.bytes()).unwrap();
    let tdes = console::form_key_block(&lmk, 1, b"P0T2E00N00", tdes_clear.bytes()).unwrap();
    let account = pin_block::account12(PAN).unwrap();
    let block =
        |digits| hex::encode_upper(pin_block::format4::encipher(&clear, &pin(digits), PAN, &mut os_random).unwrap());
    let value: String = pvv::generate(&pvk_clear, &pin("1234"), &account, 1)
        .unwrap()
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    let verify = |block: String| format!("{zpk}{pvk}{block}48{PAN};1{value}%01");
    assert_eq!(hsm.code("EC", verify(block("1234"))).await, "00");
    assert_eq!(hsm.code("EC", verify(block("1235"))).await, "01");
    let mut damaged = block("1234");
    let flipped = if damaged.pop() == Some('0') { '1' } else { '0' };
    damaged.push(flipped);
    assert!(["20", "24"].contains(&hsm.code("EC", verify(damaged)).await.as_str()), "what deciphers is no PIN field");
    // To another AES key, and to a TDES zone.
    let moved = hsm.fields("CC", format!("{zpk}{other}12{}4848{PAN};%01", block("98765"))).await;
    assert!(moved.starts_with("05") && moved.ends_with("48"));
    let moved = hex::decode(&moved[2..34]).unwrap().try_into().unwrap();
    assert_eq!(pin_block::format4::decipher(&other_clear, moved, PAN), Ok(pin("98765")));
    let moved = hsm.fields("CC", format!("{zpk}{tdes}12{}4801{PAN};%01", block("98765"))).await;
    let expected = tdes_clear.encrypt_block(pin_block::format0::encode(&pin("98765"), &account).unwrap());
    assert_eq!(moved, format!("05{}01", hex::encode_upper(expected)));
    assert_eq!(hsm.code("CC", format!("{zpk}{tdes}12{}4848{PAN};%01", block("98765"))).await, "A7");
    assert_eq!(hsm.code("CC", format!("{zpk}{other}12{}4805{PAN};%01", block("98765"))).await, "69");
    assert_eq!(hsm.code("CC", format!("{zpk}{other}12{}4848{PAN}%01", block("98765"))).await, "22");
}

#[tokio::test]
async fn terminals_of_aes_dukpt_are_translated() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let lmk = Lmk::test_aes().unwrap();
    // ANSI X9.24-3, supplement: the PIN key of the first transaction.
    let bdk = hex::decode("FEDCBA9876543210F1F1F1F1F1F1F1F1").unwrap();
    let bdk_text = console::form_key_block(&lmk, 1, b"B0A1X00N00", &bdk).unwrap();
    let zpk = console::form_key_block(&lmk, 1, b"P0A1B00N00", &[0x4C; 16]).unwrap();
    let (pan, ksn) = ("4111111111111111", "123456789012345600000001");
    let ask = format!("{bdk_text}{zpk}906{ksn}A912150391AB65A67E52883D81CE2D154848{pan};%01");
    let moved = hsm.fields("G0", ask).await;
    let block = hex::decode(&moved[2..34]).unwrap().try_into().unwrap();
    let clear_zpk = AesKey::from_bytes(&[0x4C; 16]).unwrap();
    assert_eq!(pin_block::format4::decipher(&clear_zpk, block, pan), Ok(pin("1234")));
    // And from one such terminal to another key set.
    let serial: [u8; 12] = hex::decode(ksn).unwrap().try_into().unwrap();
    let ask = format!("{bdk_text}*{bdk_text}906{ksn}906{ksn}A912150391AB65A67E52883D81CE2D154848{pan};%01");
    let moved = hsm.fields("G0", ask).await;
    let initial = dukpt_aes::initial_key(&AesKey::from_bytes(&bdk).unwrap(), *serial.first_chunk().unwrap()).unwrap();
    let derivation = dukpt_aes::derivation_key(&initial, serial).unwrap();
    let pin_key = dukpt_aes::working_key(&derivation, serial, dukpt_aes::Use::Pin, dukpt_aes::Algorithm::Aes128);
    let block = hex::decode(&moved[2..34]).unwrap().try_into().unwrap();
    let opened = pin_block::format4::decipher(&AesKey::from_bytes(&pin_key).unwrap(), block, pan);
    assert_eq!(opened, Ok(pin("1234")));
}

#[tokio::test]
async fn dukpt_serves_as_destination() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let ((clear_tpk, tpk), (_, zpk)) = (key("002", 0x75), key("001", 0x4C));
    let bdk = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
    let (bdk_text, _) = console::form_key(&Lmk::test_variant(), "009", 'U', &bdk).unwrap();
    let block =
        hex::encode_upper(clear_tpk.encrypt_block(pin_block::format0::encode(&pin("1234"), "401234567890").unwrap()));
    let ksn = "FFFF9876543210E00001";
    // ANSI X9.24-1, annex A.4.2.
    let moved = hsm.fields("CA", format!("{tpk}*{bdk_text}A05{ksn}12{block}0101401234567890")).await;
    assert_eq!(moved, "041B9C1845EB993A7A01");
    let back = hsm.fields("G0", format!("{bdk_text}{zpk}A05{ksn}1B9C1845EB993A7A0101401234567890")).await;
    assert!(back.starts_with("04"));
    let again =
        hsm.fields("G0", format!("{bdk_text}*{bdk_text}A05{ksn}A05{ksn}1B9C1845EB993A7A0101401234567890")).await;
    assert_eq!(again, "041B9C1845EB993A7A01");
}

#[tokio::test]
async fn every_format_is_read_and_written() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let ((_, zpk), (_, other)) = (key("001", 0x4C), key("001", 0x61));
    let under_lmk = hsm.fields("JA", format!("{ACCOUNT}05")).await;
    for code in ["01", "03", "05", "34", "35", "47"] {
        let block = hsm.fields("JG", format!("{zpk}{code}{ACCOUNT}{under_lmk}")).await;
        assert_eq!(hsm.fields("JE", format!("{zpk}{block}{code}{ACCOUNT}")).await, under_lmk, "{code}");
        let translated = hsm.fields("CC", format!("{zpk}{other}12{block}{code}01{ACCOUNT}")).await;
        assert_eq!(&translated[..2], "05");
        assert_eq!(
            hsm.code("CC", format!("{zpk}{other}04{block}{code}01{ACCOUNT}")).await,
            "24",
            "longer than allowed"
        );
        assert_eq!(hsm.code("CC", format!("{zpk}{other}13{block}{code}01{ACCOUNT}")).await, "24");
    }
    for unknown in ["00", "02", "04", "41", "49", "xx"] {
        assert_eq!(hsm.code("JG", format!("{zpk}{unknown}{ACCOUNT}{under_lmk}")).await, "23", "{unknown}");
    }
}

#[tokio::test]
async fn policies_refuse() {
    let server = start_under(Policy {
        pin_length: 4..=6,
        refuse_weak_pins: true,
        excluded_pins: HashSet::from(["2580".to_owned()]),
        formats: vec![Format::Iso0, Format::Ibm3624],
        strict_translation: true,
        disabled_commands: vec![*b"GM"],
        ..Policy::default()
    })
    .await;
    let mut hsm = Raw::connect(&server).await;
    let ((clear_zpk, zpk), (_, pvk)) = (key("001", 0x4C), key("002", 0x61));
    let block = |digits: &str| {
        hex::encode_upper(clear_zpk.encrypt_block(pin_block::format0::encode(&pin(digits), ACCOUNT).unwrap()))
    };
    let old = hsm.fields("DG", format!("{pvk}07390{ACCOUNT}1")).await;
    let change = |digits: &str| format!("001{zpk}{pvk}{}01{ACCOUNT}1{old}{}", block("7390"), block(digits));
    assert_eq!(hsm.code("CU", change("8146")).await, "00");
    for (digits, code) in [("1234", "86"), ("7777", "86"), ("2580", "86"), ("8146305", "81")] {
        assert_eq!(hsm.code("CU", change(digits)).await, code, "{digits}");
    }
    assert_eq!(hsm.code("DG", format!("{pvk}01111{ACCOUNT}1")).await, "86");
    assert_eq!(hsm.code("DE", format!("{pvk}0111104{ACCOUNT}{TABLE}{VALIDATION}")).await, "86");
    assert_eq!(hsm.code("JA", format!("{ACCOUNT}07")).await, "81");
    for _ in 0..50 {
        let made = hsm.fields("JA", ACCOUNT).await;
        let clear = hsm.fields("NG", format!("{ACCOUNT}{made}")).await;
        assert!(!["1234", "0000", "2580"].contains(&&clear[..4]));
    }
    assert_eq!(hsm.code("CC", format!("{zpk}{zpk}12{}0103{ACCOUNT}", block("7390"))).await, "69");
    assert_eq!(hsm.code("CC", format!("{zpk}{zpk}12{}0147{ACCOUNT}", block("7390"))).await, "69");
    assert_eq!(hsm.code("JE", format!("{zpk}{}47{ACCOUNT}", block("7390"))).await, "69");
    assert_eq!(hsm.code("GM", "0600000").await, "68");
    // What others chose is only checked.
    assert_eq!(hsm.code("JE", format!("{zpk}{}01{ACCOUNT}", block("1111"))).await, "00");
}
