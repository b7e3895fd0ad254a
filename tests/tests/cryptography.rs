//! psec, pyemv and cryptography as outside judges of the payment algorithms: random questions, their answers and ours.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use payment_crypto::emv::{arpc, cryptogram, cvc3, master_key, pin_change, script, session_key};
use payment_crypto::ibm3624::{self, DecimalisationTable};
use payment_crypto::mac::{self, Algorithm, Padding};
use payment_crypto::pin_block::{account12, format0, format2, format3, format4};
use payment_crypto::{AesKey, Pin, TdesKey, cmac, cvv, kcv, os_random, pvv, tr31};
use serde_json::{Value, json};
use system_tests::root;

/// Questions to each algorithm; more in the long mode, which also asks others.
fn count() -> u32 {
    if std::env::var_os("UMBRA_TESTS_LONG").is_some() { 5_000 } else { 200 }
}

fn judge(arguments: &[&str], input: &str) -> String {
    let python = root().join("target/judge-venv/bin/python");
    assert!(python.exists(), "{} is missing; tests/run installs it", python.display());
    let mut child = Command::new(python)
        .arg(root().join("tests/judge/cryptography_judge.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    String::from_utf8(output.stdout).unwrap()
}

struct Question(Value);

impl Question {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} of {}", self.0))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex::decode(self.text(name)).unwrap()
    }

    fn fixed<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().unwrap()
    }

    fn key(&self) -> TdesKey {
        TdesKey::from_bytes(&self.bytes("key")).unwrap()
    }

    fn aes(&self) -> AesKey {
        AesKey::from_bytes(&self.bytes("key")).unwrap()
    }

    fn pin(&self) -> Pin {
        Pin::parse(self.text("pin")).unwrap()
    }

    fn account(&self) -> String {
        account12(self.text("pan")).unwrap()
    }

    fn padding(&self) -> Padding {
        [Padding::Zeros, Padding::Bit, Padding::Length][self.0["padding"].as_u64().unwrap() as usize - 1]
    }

    fn ours(&self) -> String {
        let upper = |bytes: &[u8]| hex::encode_upper(bytes);
        match self.text("algorithm") {
            "iso0" => upper(&format0::encode(&self.pin(), &self.account()).unwrap()),
            "iso2" => upper(&format2::encode(&self.pin())),
            "iso3" => digits(format3::decode(self.fixed("block"), &self.account()).unwrap().digits()),
            "iso4" => digits(format4::decipher(&self.aes(), self.fixed("block"), self.text("pan")).unwrap().digits()),
            "cvv" => {
                digits(&cvv::generate(&self.key(), self.text("pan"), self.text("date"), self.text("code")).unwrap())
            }
            "pvv" => {
                let index = self.text("index").parse().unwrap();
                digits(&pvv::generate(&self.key(), &self.pin(), &self.account(), index).unwrap())
            }
            "ibm3624" => {
                let table = DecimalisationTable::parse(self.text("table")).unwrap();
                let length = self.text("pin").len();
                let natural = ibm3624::natural_pin(&self.key(), &table, self.text("validation"), length).unwrap();
                digits(&ibm3624::offset(&natural, &self.pin()).unwrap())
            }
            "cbc-mac" => self.mac(Algorithm::One),
            "retail-mac" => self.mac(Algorithm::Three),
            "cmac-tdes" => upper(&cmac::tdes(&self.key(), &[&self.bytes("message")]).unwrap()),
            "cmac-aes" => upper(&cmac::aes(&self.aes(), &[&self.bytes("message")]).unwrap()),
            "kcv" => upper(&kcv::tdes(&self.key())),
            "tr31-a" | "tr31-b" | "tr31-c" | "tr31-d" => {
                let (header, key) = tr31::unwrap(&self.bytes("key"), self.text("block")).unwrap();
                assert_eq!(header.usage, self.text("usage").as_bytes());
                upper(&key)
            }
            _ => self.of_chip_cards(),
        }
    }

    fn of_chip_cards(&self) -> String {
        let upper = |bytes: &[u8]| hex::encode_upper(bytes);
        let derive = |by: fn(&TdesKey, &str, &str) -> Result<TdesKey, payment_crypto::Fault>| {
            upper(by(&self.key(), self.text("pan"), self.text("sequence")).unwrap().bytes())
        };
        match self.text("algorithm") {
            "card-key-a" => derive(master_key::option_a),
            "card-key-b" => derive(master_key::option_b),
            "session-key" => upper(session_key::common(&self.key(), self.fixed("r")).unwrap().bytes()),
            "visa-session-key" => upper(session_key::visa(&self.key(), self.fixed("atc")).unwrap().bytes()),
            "cryptogram" => upper(&cryptogram::generate(&self.key(), self.padding(), &self.bytes("message")).unwrap()),
            "arpc1" => upper(&arpc::method1(&self.key(), self.fixed("arqc"), self.fixed("code"))),
            "arpc2" => {
                let own = self.bytes("own");
                upper(&arpc::method2(&self.key(), self.fixed("arqc"), self.fixed("status"), &own).unwrap())
            }
            "script-mac" => upper(&script::mac(&self.key(), &self.bytes("command")).unwrap()),
            "pin-change" => {
                let card = TdesKey::from_bytes(&self.bytes("card")).unwrap();
                let old = self.0["old"].as_str().map(|old| Pin::parse(old).unwrap());
                let block = pin_change::visa_block(&card, &self.pin(), old.as_ref()).unwrap();
                upper(&pin_change::visa(&self.key(), block).unwrap())
            }
            "cvc3" => {
                digits(&cvc3::generate(&self.key(), &self.bytes("track"), self.fixed("un"), self.fixed("atc")).unwrap())
            }
            other => panic!("{other}"),
        }
    }

    fn mac(&self, algorithm: Algorithm) -> String {
        let mac = mac::generate(algorithm, &self.key(), self.padding(), &self.bytes("message")).unwrap();
        hex::encode_upper(mac)
    }

    /// Keys are compared without parity, which the judge sets in some and not in others.
    fn right(&self) -> bool {
        let (ours, theirs) = (self.ours(), self.text("answer"));
        if !self.text("algorithm").contains("key") {
            return ours == theirs;
        }
        let odd = |text: &str| TdesKey::with_odd_parity(&hex::decode(text).unwrap());
        odd(&ours) == odd(theirs)
    }
}

fn digits(numbers: &[u8]) -> String {
    numbers.iter().map(|digit| char::from(b'0' + digit)).collect()
}

#[test]
fn outside_judges_agree() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos().to_string();
    let asked = judge(&["ask", "--count", &count().to_string(), "--seed", &seed], "");
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for line in asked.lines() {
        let question = Question(serde_json::from_str(line).unwrap());
        assert!(question.right(), "seed {seed}: {} against {line}", question.ours());
        *seen.entry(question.text("algorithm").to_owned()).or_default() += 1;
    }
    assert_eq!(seen.len(), 26, "{seen:?}");
    assert!(seen.values().all(|times| *times == count()), "{seen:?}");
}

/// What has random fill is made here and opened there.
#[test]
fn outside_judges_open_what_we_make() {
    let mut lines = String::new();
    let fresh = |length: usize| {
        let mut bytes = vec![0; length];
        os_random(&mut bytes).unwrap();
        bytes
    };
    for number in 0..count() as usize {
        let pan = format!("4{:018}", u64::from_be_bytes(fresh(8).try_into().unwrap()) % 1_000_000_000_000_000_000);
        let pan = &pan[..13 + number % 7];
        let pin: String = fresh(4 + number % 9).iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        let parsed = Pin::parse(&pin).unwrap();
        let key = fresh(16 + 8 * (number % 3));
        let aes = AesKey::from_bytes(&key).unwrap();
        let block = format4::encipher(&aes, &parsed, pan, &mut os_random).unwrap();
        let made =
            json!({"algorithm": "iso4", "key": hex::encode(&key), "block": hex::encode(block), "pan": pan, "pin": pin});
        lines += &format!("{made}\n");
        let block = format3::encode(&parsed, &account12(pan).unwrap(), &mut os_random).unwrap();
        let made = json!({"algorithm": "iso3", "key": "", "block": hex::encode(block), "pan": pan, "pin": pin});
        lines += &format!("{made}\n");
        for (version, key) in [
            (tr31::Version::A, fresh(16)),
            (tr31::Version::B, fresh(24)),
            (tr31::Version::C, fresh(16)),
            (tr31::Version::D, key.clone()),
        ] {
            let wrapped = fresh(8 + 8 * (number % 3));
            let header = tr31::Header::new(*b"P0", b'T', b'E', b'N').with_optional("TS", "20260101120000Z").unwrap();
            let block = tr31::wrap(&key, version, &header, &wrapped, &mut os_random).unwrap();
            let made = json!({
                "algorithm": "tr31", "key": hex::encode(&key), "block": block, "usage": "P0",
                "wrapped": hex::encode_upper(&wrapped)
            });
            lines += &format!("{made}\n");
        }
    }
    assert_eq!(judge(&["check"], &lines).trim(), "0 wrong");
}
