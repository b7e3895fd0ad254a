//! Keys made, formed of components, imported and exported: A0, A4, GG, GY, A6, A8, HA, HC, IA.

use payment_crypto::{TdesKey, os_random, tr31};
use zeroize::Zeroizing;

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::hex;
use crate::keys::{Attributes, KeyType, OpenKey, Role, Scheme, Secret, Use, Vault, decipher, encipher, roles};

/// A key type field: a type, or FFF where a key block says it all.
fn key_type(fields: &mut Fields<'_>) -> Result<Option<KeyType>, Code> {
    match fields.text("key type", 3)? {
        "FFF" => Ok(None),
        code => KeyType::parse(code).map(Some),
    }
}

fn scheme(fields: &mut Fields<'_>, name: &'static str) -> Result<Scheme, Code> {
    Scheme::parse(fields.byte(name)?)
}

/// A fresh key: as long as its scheme or its attributes say.
fn fresh(scheme: Scheme, attributes: Option<&Attributes>) -> Result<Secret, Code> {
    let length = match attributes {
        Some(attributes) if matches!(scheme, Scheme::KeyBlock) => attributes.length,
        _ if matches!(scheme, Scheme::KeyBlock) => 16,
        _ => scheme.key_length()?,
    };
    let algorithm = attributes.filter(|_| scheme == Scheme::KeyBlock).map_or(b'T', |given| given.header.algorithm);
    let mut bytes = Zeroizing::new(vec![0; length]);
    os_random(&mut bytes)?;
    let bytes = if algorithm == b'A' { bytes } else { TdesKey::with_odd_parity(&bytes) };
    Secret::new(algorithm, &bytes)
}

/// The key that another is exported under: `;`, 0 for a ZMK or 1 for a TMK, the key, the scheme.
struct ExportField<'a> {
    role: Role,
    master: CipheredKey<'a>,
    scheme: Scheme,
}

impl<'a> ExportField<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, Code> {
        if !fields.delimiter(b';') {
            return Err(Code::INPUT);
        }
        let role = export_flag(fields)?;
        let master = fields.key("ZMK or TMK", 16)?;
        Ok(Self { role, master, scheme: scheme(fields, "key scheme under ZMK or TMK")? })
    }
}

/// A0: mode 0 makes a key, 1 also exports it; A derives a terminal's initial key of DUKPT, B also exports that.
pub fn generate(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let mode = fields.byte("mode")?;
    let key_type = key_type(fields)?;
    let under_lmk = scheme(fields, "key scheme under LMK")?;
    let derivation = match mode {
        b'0' | b'1' => None,
        b'A' | b'B' => Some(Derivation::read(fields)?),
        _ => return Err(Code::INPUT),
    };
    let export = if matches!(mode, b'1' | b'B') { Some(ExportField::read(fields)?) } else { None };
    let attributes = fields.attributes()?;
    let vault = fields.end()?;
    if let Some(key_type) = key_type {
        device.permit(key_type, |key_type| key_type.row().generate)?;
    }
    let secret = match derivation {
        Some(derivation) => derivation.run(&vault, key_type)?,
        None => fresh(under_lmk, attributes.as_ref())?,
    };
    let mut answer = vault.wrap(key_type, under_lmk, attributes.as_ref(), &secret)?;
    if let Some(field) = export {
        match (key_type, &attributes) {
            (Some(key_type), _) => device.permit(key_type, |key_type| key_type.row().export)?,
            // A key that is made to leave may say in its block that it leaves no further; without one it must be free.
            (None, Some(attributes)) if field.scheme != Scheme::Tr31 => {
                exportable(&attributes.header, field.scheme, attributes.length)?;
            }
            (None, _) => {}
        }
        let master = vault.open(&field.master, field.role, Code::SOURCE_PARITY)?;
        answer += &exported(&secret, key_type, attributes.as_ref(), &master, field.scheme)?;
    }
    answer += &secret.check_value()?[..6];
    Ok(Reply::ok(answer))
}

/// How an initial key is derived: `0`, type of base derivation key (1 or 2), the key, KSN without the counter.
struct Derivation<'a> {
    role: Role,
    bdk: CipheredKey<'a>,
    ksn: [u8; 10],
}

/// Digits of a key serial number without its counter.
const KSN_WITHOUT_COUNTER: usize = 15;

impl<'a> Derivation<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, Code> {
        if fields.byte("derivation mode")? != b'0' {
            return Err(Code::INPUT);
        }
        let role = match fields.byte("type of DUKPT master key")? {
            b'1' => roles::BDK,
            b'2' => roles::BDK_2,
            _ => return Err(Code::INPUT),
        };
        let bdk = fields.key("BDK", 16)?;
        let digits = fields.text("KSN without counter", KSN_WITHOUT_COUNTER)?;
        let mut ksn = [0; 10];
        if !hex::read(format!("{digits}00000").as_bytes(), &mut ksn) {
            return Err(Code::INPUT);
        }
        Ok(Self { role, bdk, ksn })
    }

    fn run(&self, vault: &Vault<'_>, key_type: Option<KeyType>) -> Result<Secret, Code> {
        if key_type.is_some_and(|key_type| key_type.row().code != "302") {
            return Err(Code::KEY_TYPE);
        }
        let bdk = vault.open(&self.bdk, self.role, Code::SOURCE_PARITY)?;
        let initial = payment_crypto::dukpt_tdes::initial_key(bdk.tdes()?, self.ksn)?;
        // Derived keys have no parity; under the LMK keys have.
        Secret::new(b'T', &TdesKey::with_odd_parity(initial.bytes()))
    }
}

/// A key under a master key. In a key block it carries what is said of it, or what is usual for its type.
fn exported(
    secret: &Secret,
    key_type: Option<KeyType>,
    attributes: Option<&Attributes>,
    master: &OpenKey,
    scheme: Scheme,
) -> Result<String, Code> {
    attributes.map_or(Ok(()), |attributes| attributes.fits(key_type))?;
    if scheme == Scheme::Tr31 {
        let usual = || key_type.map(|key_type| Attributes::of_type(key_type, secret)).ok_or(Code::KEY_TYPE);
        let header = attributes.cloned().map_or_else(usual, Ok)?.header;
        let version = if matches!(master.secret, Secret::Aes(_)) { tr31::Version::D } else { tr31::Version::B };
        let block = tr31::wrap(master.secret.bytes(), version, &header, secret.bytes(), &mut os_random)?;
        return Ok(format!("R{block}"));
    }
    if scheme == Scheme::KeyBlock {
        return Err(Code::KEY_SCHEME);
    }
    let cryptogram = encipher(master.tdes()?, scheme, secret.tdes()?.bytes())?;
    Ok(format!("{}{}", scheme.letter(), hex::upper(&cryptogram)))
}

/// A8: a key under the LMK, under a zone master key.
pub fn export(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let key_type = key_type(fields)?;
    let role = if fields.delimiter(b';') { export_flag(fields)? } else { roles::ZMK.to(Use::Encrypt) };
    let master = fields.zmk("ZMK or TMK")?;
    let key = fields.key("key", 8)?;
    let scheme = scheme(fields, "key scheme under ZMK or TMK")?;
    let attributes = fields.attributes()?;
    let vault = fields.end()?;
    if let Some(key_type) = key_type {
        device.permit(key_type, |key_type| key_type.row().export)?;
    }
    let master = vault.open(&master, role, Code::SOURCE_PARITY)?;
    let role = key_type.map_or_else(Role::any_block, Role::of_type);
    let key = vault.open(&key, role, Code::DESTINATION_PARITY)?;
    let attributes = match &key.header {
        Some(header) => Some(exportable(header, scheme, key.secret.bytes().len())?),
        None => attributes,
    };
    let mut answer = exported(&key.secret, key_type, attributes.as_ref(), &master, scheme)?;
    answer += &key.secret.check_value()?[..6];
    Ok(Reply::ok(answer))
}

fn export_flag(fields: &mut Fields<'_>) -> Result<Role, Code> {
    match fields.byte("flag: 0 ZMK, 1 TMK")? {
        b'0' => Ok(roles::ZMK.to(Use::Encrypt)),
        b'1' => Ok(roles::TMK.to(Use::Encrypt)),
        _ => Err(Code::INPUT),
    }
}

/// What a key block says of leaving: never with N, in a key block with E, in any form with S (X9.143, table 8).
pub fn exportable(header: &tr31::Header, scheme: Scheme, length: usize) -> Result<Attributes, Code> {
    match header.exportability {
        b'S' => {}
        b'E' if scheme == Scheme::Tr31 => {}
        _ => return Err(Code::NOT_PERMITTED),
    }
    Ok(Attributes { header: header.clone(), length })
}

/// A6: a key under a zone master key taken under the LMK. 01 with the key when its parity had to be set.
pub fn import(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let key_type = key_type(fields)?;
    let zmk = fields.zmk("ZMK")?;
    let key = fields.key("key under ZMK", 8)?;
    let scheme = scheme(fields, "key scheme under LMK")?;
    let atalla = atalla_variant(fields)?;
    let attributes = fields.attributes()?;
    let vault = fields.end()?;
    if let Some(key_type) = key_type {
        device.permit(key_type, |key_type| key_type.row().import)?;
    }
    let zmk = vault.open(&zmk, roles::ZMK.to(Use::Decrypt), Code::SOURCE_PARITY)?;
    if key.scheme == Scheme::Tr31 {
        return import_key_block(&vault, key_type, &zmk, &key, scheme);
    }
    let zmk = match atalla {
        0 => TdesKey::from_bytes(zmk.tdes()?.bytes())?,
        variant => zmk.tdes()?.masked([8 * variant, 0, 0, 0, 0, 0, 0, 0])?,
    };
    let sent = decipher(&zmk, key.scheme, &key.cryptogram()?)?;
    imported(&vault, key_type, scheme, attributes.as_ref(), &sent)
}

/// Atalla variant n: the first byte of each half of the zone master key XOR 8·n.
fn atalla_variant(fields: &mut Fields<'_>) -> Result<u8, Code> {
    match fields.rest().first() {
        Some(digit @ b'1'..=b'9') => {
            fields.byte("Atalla variant")?;
            Ok(digit - b'0')
        }
        _ => Ok(0),
    }
}

/// A TR-31 key block, which must say that its key may be what it is imported as.
fn import_key_block(
    vault: &Vault<'_>,
    key_type: Option<KeyType>,
    zmk: &OpenKey,
    key: &CipheredKey<'_>,
    scheme: Scheme,
) -> Result<Reply, Code> {
    let (header, sent) = tr31::unwrap(zmk.secret.bytes(), key.block()?)?;
    if key_type.is_some_and(|key_type| !key_type.row().usages.contains(&&header.usage)) {
        return Err(Code::KEY_BLOCK_USAGE);
    }
    // What a variant LMK cannot hold would lose what it is.
    if key_type.is_some() && header.algorithm != b'T' {
        return Err(Code::KEY_BLOCK_ALGORITHM);
    }
    let header = header.without_padding();
    let attributes = Attributes { length: sent.len(), header };
    imported(vault, key_type, scheme, Some(&attributes), &sent)
}

fn imported(
    vault: &Vault<'_>,
    key_type: Option<KeyType>,
    scheme: Scheme,
    attributes: Option<&Attributes>,
    sent: &[u8],
) -> Result<Reply, Code> {
    if attributes.is_some_and(|attributes| attributes.header.algorithm == b'A') {
        let secret = Secret::new(b'A', sent)?;
        let answer = vault.wrap(key_type, scheme, attributes, &secret)? + &secret.check_value()?[..6];
        return Ok(Reply::ok(answer));
    }
    let clear = TdesKey::with_odd_parity(sent);
    let code = if TdesKey::has_odd_parity(sent) { Code::OK } else { Code::VERIFICATION_FAILED };
    vault.acceptable(&clear, Code::DESTINATION_PARITY)?;
    let secret = Secret::Tdes(TdesKey::from_bytes(&clear)?);
    let answer = vault.wrap(key_type, scheme, attributes, &secret)? + &secret.check_value()?[..6];
    Ok(Reply { code, fields: answer.into_bytes() })
}

/// Fewest and most components of a key.
const COMPONENTS: std::ops::RangeInclusive<usize> = 2..=9;

/// A4: number of components, type, scheme, the components under the LMK.
pub fn form(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let count = fields.number("number of components", 1)?;
    if !COMPONENTS.contains(&count) {
        return Err(Code::COMPONENT_COUNT);
    }
    let key_type = key_type(fields)?;
    let scheme = scheme(fields, "key scheme under LMK")?;
    let bare = if scheme == Scheme::Single { 8 } else { 16 };
    let mut components = Vec::new();
    for _ in 0..count {
        components.push(fields.key("component", bare)?);
    }
    let attributes = fields.attributes()?;
    let vault = fields.end()?;
    device.require_authorised()?;
    let role = key_type.map_or_else(Role::any_block, Role::of_type);
    let secret = sum(&vault, &components, role)?;
    let answer = vault.wrap(key_type, scheme, attributes.as_ref(), &secret)? + &secret.check_value()?[..6];
    Ok(Reply::ok(answer))
}

/// The components XORed, with odd parity.
fn sum(vault: &Vault<'_>, components: &[CipheredKey<'_>], role: Role) -> Result<Secret, Code> {
    let mut sum: Zeroizing<Vec<u8>> = Zeroizing::default();
    for component in components {
        let component = vault.open(component, role, Code::SOURCE_PARITY)?;
        let bytes = component.tdes()?.bytes();
        if sum.is_empty() {
            sum.resize(bytes.len(), 0);
        }
        if sum.len() != bytes.len() {
            return Err(Code::KEY_LENGTH);
        }
        sum.iter_mut().zip(bytes).for_each(|(sum, byte)| *sum ^= byte);
    }
    Secret::new(b'T', &TdesKey::with_odd_parity(&sum))
}

/// GG: a zone master key of three components under the LMK.
pub fn form_zmk_of_three(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    // The published answer has a letter here, and none in GY.
    form_zmk(device, fields, 3, Scheme::DoubleAnsi)
}

/// GY: a zone master key of so many components as the first digit says.
pub fn form_zmk_of_many(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let count = fields.number("number of components", 1)?;
    form_zmk(device, fields, count, Scheme::Single)
}

fn form_zmk(device: &Device, fields: &mut Fields<'_>, count: usize, usual: Scheme) -> Result<Reply, Code> {
    if !COMPONENTS.contains(&count) {
        return Err(Code::COMPONENT_COUNT);
    }
    let mut components = Vec::new();
    for _ in 0..count {
        components.push(fields.zmk("ZMK component")?);
    }
    let tail = Schemes::read(fields)?;
    let vault = fields.end()?;
    device.require_authorised()?;
    let secret = sum(&vault, &components, roles::ZMK)?;
    let zmk = vault.wrap(Some(roles::ZMK.key_type(false)?), tail.under_lmk(usual), None, &secret)?;
    Ok(Reply::ok(zmk + &secret.check_value()?[..tail.check_digits()]))
}

/// The tail of the older key commands: `;`, scheme under the master key, scheme under the LMK, check value type (0 for
/// sixteen digits, 1 for six). Without it keys are written as they came, with sixteen digits.
#[derive(Clone, Copy, Default)]
pub struct Schemes(Option<(Scheme, Scheme, u8)>);

impl Schemes {
    pub fn read(fields: &mut Fields<'_>) -> Result<Self, Code> {
        if !fields.delimiter(b';') {
            return Ok(Self(None));
        }
        let under_master = scheme(fields, "key scheme under master key")?;
        let under_lmk = scheme(fields, "key scheme under LMK")?;
        match fields.byte("check value type")? {
            kind @ (b'0' | b'1') => Ok(Self(Some((under_master, under_lmk, kind)))),
            _ => Err(Code::INPUT),
        }
    }

    pub fn under_master(self, otherwise: Scheme) -> Scheme {
        self.0.map_or(otherwise, |(under_master, ..)| under_master)
    }

    pub fn under_lmk(self, otherwise: Scheme) -> Scheme {
        self.0.map_or(otherwise, |(_, under_lmk, _)| under_lmk)
    }

    pub fn check_digits(self) -> usize {
        if self.0.is_some_and(|(.., kind)| kind == b'1') { 6 } else { 16 }
    }
}

/// HA: a fresh TAK under the terminal's master key.
pub fn generate_tak(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let master = fields.key("TMK", 8)?;
    generate_under(fields, &master, roles::TMK, roles::TAK, false)
}

/// HC: a fresh TMK, TPK or PVK under the terminal's current master key.
pub fn generate_tmk(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let master = fields.key("current TMK", 8)?;
    generate_under(fields, &master, roles::TMK, roles::TMK, false)
}

/// IA: a fresh ZPK under a zone master key.
pub fn generate_zpk(_: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let master = fields.zmk("ZMK")?;
    generate_under(fields, &master, roles::ZMK, roles::ZPK, true)
}

fn generate_under(
    fields: &mut Fields<'_>,
    master: &CipheredKey<'_>,
    master_role: Role,
    role: Role,
    with_check_value: bool,
) -> Result<Reply, Code> {
    let tail = Schemes::read(fields)?;
    let vault = fields.end()?;
    let (under_master, under_lmk) = (tail.under_master(Scheme::Single), tail.under_lmk(Scheme::Single));
    let master = vault.open(master, master_role.to(Use::Encrypt), Code::SOURCE_PARITY)?;
    let secret = fresh(under_lmk, None)?;
    let key_type = role.key_type(vault.separated())?;
    let mut answer = exported(&secret, Some(key_type), None, &master, under_master)?;
    answer += &vault.wrap(Some(key_type), under_lmk, None, &secret)?;
    if with_check_value {
        answer += &secret.check_value()?[..tail.check_digits()];
    }
    Ok(Reply::ok(answer))
}
