//! Key types and their permissions, LMKs of both kinds, key blocks, components, translation to a new LMK.

mod common;

use common::{Raw, start, start_unauthorised, start_under, start_with};
use hsm_sim::keys::{KeyType, Permission, VariantLmk};
use hsm_sim::{Device, HsmOptions, Lmk, LmkStore, Policy, console};
use payment_crypto::{AesKey, TdesKey, kcv, os_random, tr31};

fn zmk() -> (TdesKey, String) {
    let clear = TdesKey::with_odd_parity(&[0x4C; 16]);
    let (text, _) = console::form_key(&Lmk::test_variant(), "000", 'U', &clear).unwrap();
    (TdesKey::from_bytes(&clear).unwrap(), text)
}

/// The README's table and the code's are one.
#[test]
fn the_permission_table_is_the_readmes() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let word = |permission| match permission {
        Permission::Always => "yes",
        Permission::Authorised => "authorised",
        Permission::Never => "never",
    };
    let rows = readme.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 6);
    let rows: Vec<&str> = rows.filter(|line| !line.starts_with("| type")).collect();
    for row in &rows {
        let row_type = KeyType::parse(&row[2..5]).unwrap().row();
        let (generate, import, export) = (word(row_type.generate), word(row_type.import), word(row_type.export));
        let expected = format!("| {} | {} | {generate} | {import} | {export} |", row_type.code, row_type.name);
        assert_eq!(*row, expected);
    }
    assert_eq!(rows.len(), 22);
}

#[tokio::test]
async fn permissions_hold_in_and_out_of_the_authorised_state() {
    let (open, closed) = (start().await, start_unauthorised().await);
    let (mut open, mut closed) = (Raw::connect(&open).await, Raw::connect(&closed).await);
    let (_, zmk) = zmk();
    for code in ["000", "001", "002", "003", "008", "009", "00A", "00B", "30B", "402", "109", "209", "709", "70D"] {
        let row = KeyType::parse(code).unwrap().row();
        let expected = |permission, authorised| match (permission, authorised) {
            (Permission::Never, _) => "29",
            (Permission::Authorised, false) => "17",
            _ => "00",
        };
        let (key, _) =
            console::form_key(&Lmk::test_variant(), code, 'U', &TdesKey::with_odd_parity(&[0x13; 16])).unwrap();
        for (device, authorised) in [(&mut open, true), (&mut closed, false)] {
            assert_eq!(device.code("A0", format!("0{code}U")).await, expected(row.generate, authorised), "A0 {code}");
            let exported = device.code("A8", format!("{code}{zmk}{key}X")).await;
            assert_eq!(exported, expected(row.export, authorised), "A8 {code}");
            let imported = device.code("A6", format!("{code}{zmk}X{}U", "0123456789ABCDEF".repeat(2))).await;
            let allowed = expected(row.import, authorised);
            // The parity of what deciphers is set: that is told with 01.
            assert_eq!(imported, if allowed == "00" { "01" } else { allowed }, "A6 {code}");
        }
    }
    // RA leaves the state, and nothing that a host sends enters it.
    let pin = "01234";
    assert_eq!(&open.tell("NG", format!("550000025321{pin}")).await[..9], "NH001234F");
    assert_eq!(open.tell("RA", "").await, "RB00");
    assert_eq!(open.tell("NG", format!("550000025321{pin}")).await, "NH17");
    assert_eq!(open.code("A4", "2002UU").await, "15", "fields come first");
    let (component, _) =
        console::form_key(&Lmk::test_variant(), "002", 'U', &TdesKey::with_odd_parity(&[0x13; 16])).unwrap();
    assert_eq!(open.code("A4", format!("2002U{component}{component}")).await, "17");
    assert_eq!(open.code("BU", format!("021{component}")).await, "17", "sixteen digits of check value");
    assert_eq!(open.code("BU", format!("021{component};001")).await, "00");
}

#[tokio::test]
async fn key_blocks_keep_what_they_say() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    for (id, length) in [("01", 97), ("02", 73)] {
        let made = hsm.fields("A0", format!("0FFFS#P0T2E00N00%{id}")).await;
        let (key, check) = made.split_at(length);
        assert!(key.starts_with('S') && check.len() == 6, "{made}");
        assert_eq!(hsm.fields("BU", format!("FFF{key};FFF;001%{id}")).await, check);
        let mac_key = &hsm.fields("A0", format!("0FFFS#M3T2C00N00%{id}")).await[..length];
        let mac = |key: &str| format!("00131FFF{key}0008ABCDEFGH%{id}");
        assert_eq!(hsm.fields("M6", mac(mac_key)).await.len(), 16);
        assert_eq!(hsm.code("M6", mac(key)).await, "A6", "a PIN key makes no MACs");
        let verify_only = &hsm.fields("A0", format!("0FFFS#M3T2V00N00%{id}")).await[..length];
        assert_eq!(hsm.code("M6", mac(verify_only)).await, "A8", "a key to verify with makes no MACs");
        let stated = hsm.fields("M6", mac(mac_key)).await;
        let verify = |key: &str| format!("00131FFF{key}0008ABCDEFGH{stated}%{id}");
        assert_eq!(hsm.code("M8", verify(mac_key)).await, "00");
        assert_eq!(hsm.code("M8", verify(verify_only)).await, "01", "it verifies");
        assert_eq!(hsm.code("M6", format!("00131003{key}0008ABCDEFGH")).await, "A1", "not under LMK 00");
        let other = if id == "01" { "02" } else { "01" };
        assert_eq!(hsm.code("M6", mac(mac_key).replace(&format!("%{id}"), &format!("%{other}"))).await, "A1");
    }
    // A key to encipher PINs with opens no blocks, and one to open them with makes none.
    let pin_key = |mode: &str| format!("0FFFS#P0T2{mode}00N00%01");
    let mut keys = Vec::new();
    for mode in ["E", "D", "B"] {
        keys.push(hsm.fields("A0", pin_key(mode)).await[..97].to_owned());
    }
    let [encrypt, decrypt, both] = &keys[..] else { panic!("three keys") };
    let pin = hsm.fields("JA", "550000025321%01").await;
    for (key, to, from) in [(encrypt, "00", "A8"), (decrypt, "A8", "00"), (both, "00", "00")] {
        let code = hsm.code("JG", format!("{key}01550000025321{pin}%01")).await;
        assert_eq!(code, to);
        // A nonsense block comes as far as its contents.
        let code = hsm.code("JE", format!("{key}0123456789ABCDEF01550000025321%01")).await;
        assert_eq!(if code == "A8" { "A8" } else { "00" }, from, "{code}");
    }
    assert_eq!(hsm.code("A0", "0FFFU#P0T2E00N00").await, "04", "a variant LMK wants a type");
    assert_eq!(hsm.code("A0", "0001S").await, "A1");
    assert_eq!(hsm.code("A0", "0001U%01").await, "A1");
    assert_eq!(hsm.code("A0", "0001U%77").await, "13");
}

#[tokio::test]
async fn exportability_is_obeyed() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let lmk = Lmk::test_aes().unwrap();
    let zmk_bytes = TdesKey::with_odd_parity(&[0x4C; 16]);
    let zmk = console::form_key_block(&lmk, 1, b"K0T2B00N00", &zmk_bytes).unwrap();
    let aes_zmk = console::form_key_block(&lmk, 1, b"K0A3B00N00", &[0x4C; 32]).unwrap();
    for (exportability, as_block, as_ecb) in [("N", "29", "29"), ("E", "00", "29"), ("S", "00", "00")] {
        let key = hsm.fields("A0", format!("0FFFS#P0T2E00{exportability}00%01")).await[..97].to_owned();
        assert_eq!(hsm.code("A8", format!("FFF{zmk}{key}R%01")).await, as_block, "{exportability}");
        assert_eq!(hsm.code("A8", format!("FFF{zmk}{key}X%01")).await, as_ecb, "{exportability}");
        // The older commands write no blocks.
        assert_eq!(hsm.code("GC", format!("{zmk}{key};XX1%01")).await, as_ecb, "{exportability}");
        let made = hsm.code("A0", format!("1FFFS;0{zmk}X#P0T2E00{exportability}00%01")).await;
        assert_eq!(made, as_ecb, "{exportability}");
        if as_block == "00" {
            let exported = hsm.fields("A8", format!("FFF{zmk}{key}R%01")).await;
            let (block, check) = exported[1..].split_at(exported.len() - 7);
            let (header, clear) = tr31::unwrap(&zmk_bytes, block).unwrap();
            assert_eq!((header.usage, header.exportability), (*b"P0", exportability.as_bytes()[0]));
            assert_eq!(hex::encode_upper(&kcv::tdes(&TdesKey::from_bytes(&clear).unwrap())[..3]), check);
            // And under an AES key, in a block of version D.
            let exported = hsm.fields("A8", format!("FFF{aes_zmk}{key}R%01")).await;
            let block = &exported[1..exported.len() - 6];
            assert!(block.starts_with('D') && *tr31::unwrap(&[0x4C; 32], block).unwrap().1 == *clear);
        }
    }
    // An AES key comes in, and is what it was.
    let header = tr31::Header::new(*b"M6", b'A', b'C', b'E');
    let block = tr31::wrap(&[0x4C; 32], tr31::Version::D, &header, &[0x77; 16], &mut os_random).unwrap();
    let imported = hsm.fields("A6", format!("FFF{aes_zmk}R{block}S%01")).await;
    let check = hex::encode_upper(&kcv::aes(&AesKey::from_bytes(&[0x77; 16]).unwrap()).unwrap()[..3]);
    assert!(imported.ends_with(&check));
    let mac = hsm.fields("M6", format!("00161FFF{}0004ABCD%01", &imported[..97])).await;
    let right = payment_crypto::cmac::aes(&AesKey::from_bytes(&[0x77; 16]).unwrap(), &[b"ABCD"]).unwrap();
    assert_eq!(mac, hex::encode_upper(&right[..8]));
}

#[tokio::test]
async fn no_tail_makes_another_key_of_a_key() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let (_, zmk) = zmk();
    let zpk = hsm.fields("A0", "0001U").await[..33].to_owned();
    assert_eq!(hsm.code("A8", format!("001{zmk}{zpk}R#P0T2E00N00")).await, "00");
    assert_eq!(hsm.code("A8", format!("001{zmk}{zpk}R#D0T2B00S00")).await, "A6", "a PIN key is no data key");
    assert_eq!(hsm.code("A0", format!("1001U;0{zmk}R#D0T2B00S00")).await, "A6");
    assert_eq!(hsm.code("A0", "0001S#D0T2B00S00%01").await, "A6");
    assert_eq!(hsm.code("A0", "0001S#P0T2B00S00%01").await, "00");
}

#[tokio::test]
async fn tr31_blocks_of_all_tdes_versions_come_in() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let (clear_zmk, zmk) = zmk();
    let clear = TdesKey::with_odd_parity(&[0x61; 16]);
    for version in [tr31::Version::A, tr31::Version::B, tr31::Version::C] {
        for (key_type, usage, mode) in [
            ("001", b"P0", b'E'),
            ("008", b"M3", b'C'),
            ("402", b"C0", b'C'),
            ("009", b"B0", b'X'),
            ("109", b"E0", b'X'),
        ] {
            let header = tr31::Header::new(*usage, b'T', mode, b'N').with_optional("TS", "20260101120000Z").unwrap();
            let block = tr31::wrap(clear_zmk.bytes(), version, &header, &clear, &mut os_random).unwrap();
            let imported = hsm.fields("A6", format!("{key_type}{zmk}R{block}U")).await;
            let (expected, check) = console::form_key(&Lmk::test_variant(), key_type, 'U', &clear).unwrap();
            assert_eq!(imported, expected + &check, "{version:?} {key_type}");
            assert_eq!(hsm.code("A6", format!("003{zmk}R{block}U")).await, if key_type == "008" { "00" } else { "A6" });
        }
    }
}

#[tokio::test]
async fn keys_go_under_masters_and_back() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let (_, zmk) = zmk();
    for (out, back, key_type) in
        [("GC", "FA", "001"), ("FE", "FC", "002"), ("MG", "MI", "003"), ("AU", "AW", "402"), ("DY", "DW", "009")]
    {
        let made = hsm.fields("A0", format!("0{key_type}U")).await;
        let (key, check) = made.split_at(33);
        let sent = hsm.fields(out, format!("{zmk}{key};XU1")).await;
        assert!(sent.starts_with('X') && sent.ends_with(check), "{out}: {sent}");
        assert_eq!(hsm.fields(back, format!("{zmk}{};XU1", &sent[..33])).await, made, "{back}");
    }
    for (flag, key_type) in [("0", "00A"), ("1", "008")] {
        let made = hsm.fields("A0", format!("0{key_type}U")).await;
        let sent = hsm.fields("FM", format!("{flag}{zmk}{};XU1", &made[..33])).await;
        assert_eq!(hsm.fields("FK", format!("{flag}{zmk}{};XU1", &sent[..33])).await, made);
    }
    // Under a terminal's key: new keys, and keys there are.
    let tmk = hsm.fields("A0", "0002U").await[..33].to_owned();
    let tak = hsm.fields("HA", format!("{tmk};XU0")).await;
    let (under_tmk, under_lmk) = tak.split_at(33);
    assert_eq!(hsm.fields("AG", format!("{tmk}{under_lmk};XU0")).await, under_tmk);
    let next = hsm.fields("HC", format!("{tmk};XU0")).await;
    assert_eq!(hsm.fields("AE", format!("{tmk}{};XU0", &next[33..])).await, &next[..33]);
    let zpk = hsm.fields("IA", format!("{zmk};XU1")).await;
    assert_eq!(hsm.fields("FA", format!("{zmk}{};0U1", &zpk[..33])).await, &zpk[33..]);
}

#[tokio::test]
async fn keys_without_letters_are_as_long_as_makes_sense() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let form = |key_type: &str, scheme, bytes: usize| {
        let clear = TdesKey::with_odd_parity(&(1..=bytes as u8).collect::<Vec<_>>());
        console::form_key(&Lmk::test_variant(), key_type, scheme, &clear).unwrap().0.trim_start_matches('X').to_owned()
    };
    let (zmk, zmk_single) = (form("000", 'X', 16), form("000", 'Z', 8));
    let (zpk, zpk_single) = (form("001", 'X', 16), form("001", 'Z', 8));
    for zmk in [&zmk, &zmk_single] {
        for (zpk, scheme) in [(&zpk, "X"), (&zpk_single, "Z")] {
            let exported = hsm.fields("A8", format!("001{zmk}{zpk}{scheme}")).await;
            let (sent, check) = exported.split_at(exported.len() - 6);
            let imported = hsm.fields("A6", format!("001{zmk}{sent}{scheme}")).await;
            assert_eq!(imported.trim_start_matches('X'), format!("{zpk}{check}"));
            assert_eq!(hsm.fields("GC", format!("{zmk}{zpk};{scheme}{scheme}1")).await, exported);
        }
        let sent = hsm.fields("A8", format!("001{zmk}{zpk_single}Z")).await;
        assert_eq!(&hsm.fields("FA", format!("{zmk}{}", &sent[..16])).await[..16], zpk_single);
    }
    // A zone master key of either length comes under one of the same.
    for zmk in [&zmk, &zmk_single] {
        let answer = hsm.tell("BY", format!("{zmk}{}", "0123456789ABCDEF".repeat(zmk.len() / 16))).await;
        assert!(["00", "01"].contains(&&answer[2..4]) && answer.len() == 4 + zmk.len() + 16, "{answer}");
    }
}

#[tokio::test]
async fn initial_keys_of_dukpt_are_derived() {
    let server = start().await;
    let mut hsm = Raw::connect(&server).await;
    let bdk = hex::decode("0123456789ABCDEFFEDCBA9876543210").unwrap();
    let (bdk, _) = console::form_key(&Lmk::test_variant(), "009", 'U', &bdk).unwrap();
    let (clear_zmk, zmk) = zmk();
    let made = hsm.fields("A0", format!("B302U01{bdk}FFFF9876543210E;0{zmk}X")).await;
    let exported = clear_zmk.decrypt_ecb(&hex::decode(&made[34..66]).unwrap()).unwrap();
    // ANSI X9.24-1, annex A.4, with odd parity.
    let published = hex::decode("6AC292FAA1315B4D858AB3A3D7D5933A").unwrap();
    assert_eq!(*exported, *TdesKey::with_odd_parity(&published));
    assert_eq!(hsm.code("A0", format!("A001U01{bdk}FFFF9876543210E")).await, "04");
}

#[tokio::test]
async fn keys_move_to_a_new_lmk() {
    let mut lmks = LmkStore::default();
    let new = VariantLmk::generate().unwrap();
    lmks.insert(0, new.clone().into()).unwrap();
    let without = start_with(HsmOptions::new(Device::new(lmks.clone(), Policy::default(), true, None))).await;
    let (key, check) =
        console::form_key(&Lmk::test_variant(), "402", 'U', &TdesKey::with_odd_parity(&[0x4C; 16])).unwrap();
    let ask = format!("FFF{key};402");
    assert_eq!(Raw::connect(&without).await.code("BW", &ask).await, "33");
    lmks.insert_old(0, Lmk::test_variant()).unwrap();
    let server = start_with(HsmOptions::new(Device::new(lmks, Policy::default(), true, None))).await;
    let mut hsm = Raw::connect(&server).await;
    let moved = hsm.fields("BW", &ask).await;
    assert_ne!(moved, key);
    assert_eq!(hsm.fields("BU", format!("FF1{moved};402;001")).await, check);
    let expected = console::form_key(&new.into(), "402", 'U', &TdesKey::with_odd_parity(&[0x4C; 16])).unwrap();
    assert_eq!(moved, expected.0);
    assert_eq!(hsm.code("BW", format!("FFF{moved};402")).await, "10", "it is not under the old one any more");
}

#[tokio::test]
async fn weak_keys_in_disguise_are_refused_where_that_is_set() {
    let usual = start().await;
    let strict = start_under(Policy { refuse_disguised_keys: true, ..Policy::default() }).await;
    let (key, _) = console::form_key(&Lmk::test_variant(), "003", 'U', &TdesKey::with_odd_parity(&[0x13; 16])).unwrap();
    let ask = format!("00131003{key}0000");
    assert_eq!(Raw::connect(&usual).await.code("M6", &ask).await, "00");
    assert_eq!(Raw::connect(&strict).await.code("M6", &ask).await, "75");
}

#[tokio::test]
async fn terminal_keys_can_be_separated() {
    let server = start_under(Policy { separate_terminal_keys: true, ..Policy::default() }).await;
    let mut hsm = Raw::connect(&server).await;
    let old = hsm.fields("A0", "0002U").await[..33].to_owned();
    let tpk = hsm.fields("A0", "070DU").await[..33].to_owned();
    let ask = |key: &str| format!("{key}{}01550000025321", "0123456789ABCDEF");
    assert_eq!(hsm.code("JC", ask(&old)).await, "10", "a key of type 002 is no TPK here");
    assert!(["20", "24"].contains(&hsm.code("JC", ask(&tpk)).await.as_str()), "the block is nonsense, the key is not");
    assert_eq!(hsm.tell("NO", "01").await, "NP001");
}

#[test]
fn components_of_two_people_make_a_key() {
    let (one, check) = console::component(16).unwrap();
    let (two, _) = console::component(16).unwrap();
    assert_eq!(console::component_check_value(&one).unwrap(), check);
    let key_type = KeyType::parse("000").unwrap();
    let scheme = hsm_sim::keys::Scheme::parse(b'U').unwrap();
    let lmk = Lmk::test_variant();
    let formed = console::form_key_of_components(&lmk, key_type, scheme, &[one.clone(), two.clone()]).unwrap();
    let sum: Vec<u8> = one.iter().zip(two.iter()).map(|(one, two)| one ^ two).collect();
    assert_eq!(Some(formed), console::form_key(&lmk, "000", 'U', &TdesKey::with_odd_parity(&sum)));
    assert!(
        console::form_key_of_components(&lmk, key_type, scheme, std::slice::from_ref(&one)).is_err(),
        "one person alone"
    );
    let even = zeroize::Zeroizing::new(vec![0; 16]);
    assert!(console::form_key_of_components(&lmk, key_type, scheme, &[one, even]).is_err());
}
