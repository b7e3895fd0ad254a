//! The published vectors, which go through several files of this folder at once.

use serde_json::Value;

use super::*;
use crate::mac::Padding;
use crate::{Pin, TdesKey, kcv, pin_block, vectors};

fn text<'a>(inputs: &'a Value, name: &str) -> &'a str {
    inputs[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    vectors::bytes(value).try_into().unwrap()
}

fn key(inputs: &Value, name: &str) -> TdesKey {
    TdesKey::from_bytes(&vectors::bytes(&inputs[name])).unwrap()
}

/// The vectors give keys with and without odd parity, which is not part of a key.
fn assert_key(made: &TdesKey, expected: &Value, what: &str) {
    let (made, expected) =
        (TdesKey::with_odd_parity(made.bytes()), TdesKey::with_odd_parity(&vectors::bytes(expected)));
    assert_eq!(made, expected, "{what}");
}

/// One scheme's rules, as the vectors name it.
struct Scheme<'a> {
    inputs: &'a Value,
}

impl Scheme<'_> {
    fn card(&self, issuer: &str) -> TdesKey {
        master_key::derive(&key(self.inputs, issuer), text(self.inputs, "pan"), text(self.inputs, "psn")).unwrap()
    }

    fn atc(&self) -> [u8; 2] {
        bytes(&self.inputs["tags"]["9F36"])
    }

    fn session(&self, card: &TdesKey) -> TdesKey {
        match text(self.inputs, "scheme") {
            "VisaCVN10" => TdesKey::from_bytes(card.bytes()).unwrap(),
            "MasterCardCVN16" | "MasterCardCVN17" => {
                session_key::mastercard(card, self.atc(), bytes(&self.inputs["tags"]["9F37"])).unwrap()
            }
            _ => session_key::common(card, session_key::counter_alone(self.atc())).unwrap(),
        }
    }

    fn script_session(&self, issuer: &str, arqc: [u8; 8]) -> TdesKey {
        let card = self.card(issuer);
        match text(self.inputs, "scheme") {
            "VisaCVN10" | "VisaCVN18" => session_key::visa(&card, self.atc()).unwrap(),
            _ => session_key::common(&card, arqc).unwrap(),
        }
    }

    fn check(&self, expected: &Value, name: &str) {
        let card = self.card("iss_mk_ac");
        assert_key(&card, &expected["icc_mk_ac"], name);
        assert_eq!(kcv::tdes(&card)[..3].to_vec(), vectors::bytes(&expected["icc_mk_ac_kcv"]));
        let session = self.session(&card);
        assert_key(&session, &expected["session_key_ac"], name);
        let padding = if text(self.inputs, "scheme") == "VisaCVN10" { Padding::Zeros } else { Padding::Bit };
        let data = vectors::bytes(&expected["mac_input"]);
        let arqc = cryptogram::generate(&session, padding, &data).unwrap();
        assert_eq!(arqc, bytes(&expected["arqc"]), "{name}");
        let own_derivation = matches!(text(self.inputs, "scheme"), "MasterCardCVN16" | "MasterCardCVN17");
        let arpc = match self.inputs.get("csu") {
            Some(csu) => arpc::method2(&session, arqc, bytes(csu), &[]).unwrap().to_vec(),
            // With Mastercard's own session keys the answer is made with the card's key.
            None if own_derivation => arpc::method1(&card, arqc, bytes(&self.inputs["arpc_rc"])).to_vec(),
            None => arpc::method1(&session, arqc, bytes(&self.inputs["arpc_rc"])).to_vec(),
        };
        assert_eq!(arpc, vectors::bytes(&expected["arpc"]), "{name}");
        self.check_scripts(expected, &card, arqc, name);
    }

    fn check_scripts(&self, expected: &Value, card: &TdesKey, arqc: [u8; 8], name: &str) {
        let prefixed = |command: &[u8]| [command, &self.atc(), &arqc].concat();
        let integrity = self.script_session("iss_mk_smi", arqc);
        let command = vectors::bytes(&self.inputs["command_apdu"]);
        let mac = script::mac(&integrity, &prefixed(&command)).unwrap();
        assert_eq!(mac.to_vec(), vectors::bytes(&expected["command_mac"]), "{name}");
        let secrecy = self.script_session("iss_mk_smc", arqc);
        let pin = Pin::parse(text(self.inputs, "new_pin")).unwrap();
        let block = match text(self.inputs, "scheme") {
            "VisaCVN10" | "VisaCVN18" => {
                let block = pin_change::visa_block(card, &pin, None).unwrap();
                pin_change::visa(&secrecy, block).unwrap()
            }
            "VisaCVN22" => pin_change::visa(&secrecy, pin_block::format2::encode(&pin)).unwrap(),
            _ => pin_change::mastercard(&secrecy, &pin).to_vec(),
        };
        let whole = vectors::bytes(&expected["pin_change_command"]);
        let (head, rest) = whole.split_at(5);
        assert_eq!(rest[..block.len()], block, "{name}");
        let mac = script::mac(&integrity, &[&prefixed(head)[..], &block].concat()).unwrap();
        let sent = &rest[block.len()..];
        assert_eq!(mac[..sent.len()], *sent, "{name}");
    }
}

/// A card key, a session key and a cryptogram of data given whole.
fn check_plain(inputs: &Value, expected: &Value, name: &str) {
    let issuer = key(inputs, "iss_mk_ac");
    let (pan, sequence) = (text(inputs, "pan"), text(inputs, "psn"));
    let card = match inputs["master_key_derivation"].as_str() {
        Some("option B") => master_key::option_b(&issuer, pan, sequence).unwrap(),
        _ => master_key::option_a(&issuer, pan, sequence).unwrap(),
    };
    let atc = || bytes(&inputs["atc"]);
    let session = match text(inputs, "session_key_derivation") {
        "VSDC" => TdesKey::from_bytes(card.bytes()).unwrap(),
        "MCHIP" => session_key::mastercard(&card, atc(), bytes(&inputs["un"])).unwrap(),
        "EMV_CSKD" => session_key::common(&card, session_key::counter_alone(atc())).unwrap(),
        _ => session_key::common(&card, bytes(&inputs["r"])).unwrap(),
    };
    let padding = if text(inputs, "padding").contains("zero") { Padding::Zeros } else { Padding::Bit };
    let arqc = cryptogram::generate(&session, padding, &vectors::bytes(&inputs["data"])).unwrap();
    assert_eq!(arqc, bytes(&expected["arqc"]), "{name}");
    let status = || bytes(&inputs["csu"]);
    for (kind, value) in expected.as_object().unwrap() {
        let made = match kind.as_str() {
            "icc_mk" => {
                assert_key(&card, value, name);
                continue;
            }
            "session_key_ac" => {
                assert_key(&session, value, name);
                continue;
            }
            "arqc" => arqc.to_vec(),
            "arpc" if inputs["session_key_derivation"] == "MCHIP" => {
                arpc::method1(&card, arqc, bytes(&inputs["arc"])).to_vec()
            }
            "arpc" => arpc::method1(&session, arqc, bytes(&inputs["arc"])).to_vec(),
            "arpc_method1_with_icc_mk" => arpc::method1(&card, arqc, bytes(&inputs["arc"])).to_vec(),
            "arpc_method2" | "arpc_method2_with_session_key" => {
                arpc::method2(&session, arqc, status(), &[]).unwrap().to_vec()
            }
            other => panic!("{other}"),
        };
        assert_eq!(made, vectors::bytes(value), "{name} {kind}");
    }
}

#[test]
fn emv_vectors() {
    let mut seen = 0;
    for vector in vectors::of("emv_ac") {
        let (inputs, expected) = (&vector["inputs"], &vector["expected"]);
        let name = vector["name"].as_str().unwrap();
        seen += 1;
        if inputs["function"] == "CVC3" {
            let issuer = key(inputs, "iss_mk_cvc3");
            let card = master_key::derive(&issuer, text(inputs, "pan"), text(inputs, "psn")).unwrap();
            assert_key(&card, &expected["icc_cvc3"], name);
            let track = vectors::bytes(&inputs["track_template"]);
            let made = cvc3::generate(&card, &track, bytes(&inputs["un"]), bytes(&inputs["atc"])).unwrap();
            let made: String = made.iter().map(|digit| char::from(b'0' + digit)).collect();
            assert_eq!(made, text(expected, "cvc3"));
        } else if inputs.get("scheme").is_some() {
            Scheme { inputs }.check(expected, name);
        } else {
            check_plain(inputs, expected, name);
        }
    }
    assert!(seen >= 18);
}
