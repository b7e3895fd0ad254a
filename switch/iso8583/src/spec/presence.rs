//! Which data elements messages of an MTI have.

use super::file::PresenceFile;
use crate::LAST_DATA_ELEMENT;
use crate::message::bit;

/// What is wrong with a message's set of data elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresenceFault {
    #[error("data element {0} is missing")]
    Missing(u8),
    #[error("data element {0} is not expected")]
    Unexpected(u8),
}

#[derive(Debug)]
pub(crate) struct Presence {
    /// Four digits, or x for any.
    mti: [u8; 4],
    required: u128,
    /// Those it may have, the required ones among them; `None`: any.
    allowed: Option<u128>,
}

impl Presence {
    pub fn new(mti: &str, file: &PresenceFile, known: impl Fn(u8) -> bool) -> Result<Self, String> {
        let pattern: Option<[u8; 4]> = mti.as_bytes().try_into().ok();
        let pattern = pattern.filter(|pattern| pattern.iter().all(|byte| byte.is_ascii_digit() || *byte == b'x'));
        let pattern = pattern.ok_or("is no MTI; write four digits, x for any: \"0200\", \"04xx\"")?;
        let bits = |des: &[u8]| {
            des.iter().try_fold(0_u128, |bits, de| {
                if known(*de) { Ok(bits | bit(*de)) } else { Err(format!("{de} is no field of this spec")) }
            })
        };
        let required = bits(&file.required)?;
        let optional = file.optional.as_deref().map(bits).transpose()?;
        Ok(Self { mti: pattern, required, allowed: optional.map(|optional| optional | required) })
    }

    fn fits(&self, mti: &str) -> bool {
        mti.len() == 4 && self.mti.iter().zip(mti.bytes()).all(|(want, have)| *want == b'x' || *want == have)
    }
}

/// The faults of a message with these data elements, in ascending order of them.
pub(crate) fn faults(all: &[Presence], mti: &str, present: u128) -> Vec<PresenceFault> {
    let fitting: Vec<&Presence> = all.iter().filter(|entry| entry.fits(mti)).collect();
    let missing = fitting.iter().fold(0, |missing, entry| missing | (entry.required & !present));
    let unexpected = fitting.iter().fold(0, |more, entry| more | entry.allowed.map_or(0, |allowed| present & !allowed));
    (2..=LAST_DATA_ELEMENT)
        .filter_map(|de| match bit(de) {
            bit if missing & bit != 0 => Some(PresenceFault::Missing(de)),
            bit if unexpected & bit != 0 => Some(PresenceFault::Unexpected(de)),
            _ => None,
        })
        .collect()
}
