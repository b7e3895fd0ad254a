//! Keys of one type between the LMK and a master key (the older commands FA, GC, …), and between LMKs (BW).

use payment_crypto::TdesKey;

use super::Reply;
use super::make_keys::{Schemes, exportable};
use crate::device::Device;
use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::hex;
use crate::keys::{KeyType, Role, Scheme, Secret, Use, decipher, encipher, roles};

/// What one command translates.
#[derive(Clone, Copy)]
pub struct Rule {
    /// The key it comes or goes under, and whether that is a zone's.
    master: Role,
    zone: bool,
    key: Role,
    /// Bytes of the key where it has no scheme letter, or [`ANY_ZMK`].
    bare: usize,
    /// How a check value of type 0 is made.
    check: Check,
}

/// A check value of type 0.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    /// None at all.
    None,
    /// Sixteen digits.
    Whole,
    /// Six digits of each half: the pair was once two keys.
    Halves,
}

const fn zone(key: Role, bare: usize, check: Check) -> Rule {
    Rule { master: roles::ZMK, zone: true, key, bare, check }
}

const fn terminal(key: Role) -> Rule {
    Rule { master: roles::TMK, zone: false, key, bare: 8, check: Check::None }
}

/// Stands for the length of zone master keys.
const ANY_ZMK: usize = 0;

pub const ZMK: Rule = zone(roles::ZMK, ANY_ZMK, Check::Whole);
pub const ZPK: Rule = zone(roles::ZPK, 8, Check::Whole);
pub const TMK: Rule = zone(roles::TMK, 8, Check::Whole);
pub const TAK: Rule = zone(roles::TAK, 8, Check::Whole);
pub const CVK: Rule = zone(roles::CVK, 16, Check::Halves);
pub const BDK: Rule = zone(roles::BDK, 16, Check::Whole);
pub const ZEK: Rule = zone(roles::ZEK, 8, Check::Whole);
pub const ZAK: Rule = zone(roles::ZAK, 8, Check::Whole);
pub const TMK_UNDER_TMK: Rule = terminal(roles::TMK);
pub const TAK_UNDER_TMK: Rule = terminal(roles::TAK);

impl Rule {
    fn read<'a>(&self, fields: &mut Fields<'a>) -> Result<(CipheredKey<'a>, CipheredKey<'a>, Schemes), Code> {
        let master = if self.zone { fields.zmk("ZMK")? } else { fields.key("TMK", self.bare)? };
        // Zone master keys are all of one length.
        let key = if self.bare == ANY_ZMK { fields.zmk("key")? } else { fields.key("key", self.bare)? };
        Ok((master, key, Schemes::read(fields)?))
    }

    fn check_value(&self, secret: &Secret, digits: usize) -> Result<String, Code> {
        let whole = secret.check_value()?;
        match self.check {
            Check::None => Ok(String::new()),
            Check::Halves if digits == 16 => {
                let halves = secret.bytes().chunks(8).map(|half| Ok(Secret::new(b'T', half)?.check_value()?));
                Ok(halves.collect::<Result<Vec<_>, Code>>()?.iter().map(|value| &value[..6]).collect())
            }
            _ => Ok(whole[..digits].to_owned()),
        }
    }
}

/// From the master key to the LMK. 01 with the key when its parity had to be set.
pub fn to_lmk(device: &Device, fields: &mut Fields<'_>, rule: &Rule) -> Result<Reply, Code> {
    let (master, key, tail) = rule.read(fields)?;
    let vault = fields.end()?;
    let key_type = rule.key.key_type(vault.separated())?;
    device.permit(key_type, |key_type| key_type.row().import)?;
    let master = vault.open(&master, rule.master.to(Use::Decrypt), Code::SOURCE_PARITY)?;
    let sent = decipher(master.tdes()?, key.scheme, &key.cryptogram()?)?;
    let clear = TdesKey::with_odd_parity(&sent);
    let code = if TdesKey::has_odd_parity(&sent) { Code::OK } else { Code::VERIFICATION_FAILED };
    vault.acceptable(&clear, Code::DESTINATION_PARITY)?;
    let secret = Secret::new(b'T', &clear)?;
    let wrapped = vault.wrap(Some(key_type), tail.under_lmk(key.scheme_alike()), None, &secret)?;
    let answer = wrapped + &rule.check_value(&secret, tail.check_digits())?;
    Ok(Reply { code, fields: answer.into_bytes() })
}

/// From the LMK to the master key.
pub fn from_lmk(device: &Device, fields: &mut Fields<'_>, rule: &Rule) -> Result<Reply, Code> {
    let (master, key, tail) = rule.read(fields)?;
    let vault = fields.end()?;
    device.permit(rule.key.key_type(vault.separated())?, |key_type| key_type.row().export)?;
    let master = vault.open(&master, rule.master.to(Use::Encrypt), Code::SOURCE_PARITY)?;
    let scheme = tail.under_master(key.scheme_alike());
    let key = vault.open(&key, rule.key, Code::DESTINATION_PARITY)?;
    if let Some(header) = &key.header {
        exportable(header, scheme, key.secret.bytes().len())?;
    }
    let cryptogram = encipher(master.tdes()?, scheme, key.tdes()?.bytes())?;
    let check = rule.check_value(&key.secret, tail.check_digits())?;
    Ok(Reply::ok(format!("{}{}{check}", scheme.letter(), hex::upper(&cryptogram))))
}

/// FK and FM: 0 for a ZEK, 1 for a ZAK, then as the others.
pub fn zek_or_zak(fields: &mut Fields<'_>) -> Result<Rule, Code> {
    match fields.byte("flag: 0 ZEK, 1 ZAK")? {
        b'0' => Ok(ZEK),
        b'1' => Ok(ZAK),
        _ => Err(Code::INPUT),
    }
}

/// BW: a key from the old LMK, which is in key change storage, to the live one. Type code (or FF and a whole type
/// behind), length flag, key, `;` type, `;` reserved, scheme, reserved.
pub fn to_new_lmk(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let code = fields.text("key type code", 2)?;
    let bare = super::check_values::bare_length(fields)?;
    let key = fields.key("key under old LMK", bare)?;
    let mut key_type = if code == "FF" { None } else { Some(KeyType::from_code(code)?) };
    let mut scheme = key.scheme_alike();
    if fields.delimiter(b';') {
        let stated = fields.text("key type", 3)?;
        key_type = if stated == "FFF" { None } else { Some(KeyType::parse(stated)?) };
        if fields.delimiter(b';') {
            fields.byte("reserved")?;
            match fields.byte("key scheme under LMK")? {
                b'0' => {}
                letter => scheme = Scheme::parse(letter)?,
            }
            fields.byte("reserved")?;
        }
    }
    let attributes = fields.attributes()?;
    let vault = fields.end()?;
    let old = device.old_vault(vault.id)?;
    let role = key_type.map_or_else(Role::any_block, Role::of_type);
    let opened = old.open_uncached(&key, role, Code::SOURCE_PARITY)?;
    let attributes = match &opened.header {
        Some(header) => Some(crate::keys::Attributes { header: header.clone(), length: opened.secret.bytes().len() }),
        None => attributes,
    };
    Ok(Reply::ok(vault.wrap(key_type, scheme, attributes.as_ref(), &opened.secret)?))
}
