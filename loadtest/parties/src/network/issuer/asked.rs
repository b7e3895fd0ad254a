//! What a message asks of the issuer, read once.

use std::fmt;

use iso8583::Message;
use iso8583::domain::{OriginalData, Pan, Track2};

use super::digest::{Digest, digest};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Set aside (01xx).
    Hold,
    /// Take from the account (02xx).
    Debit,
    /// Put on the account (02xx).
    Credit,
    /// Say what is there.
    Balance,
    /// Post what a hold of these names set aside.
    Complete { hold: Vec<Digest> },
    /// Take back the message of these names, down to what remains.
    Reverse { original: OriginalNames, remaining: u64 },
    /// Nothing an issuer does.
    Other,
}

/// What a reversal calls its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OriginalNames {
    pub id: Digest,
    /// By its STAN and DE 37, which its copies share, whatever DE 7 they have.
    pub any_copy: Option<Digest>,
}

/// A message's names, its contents and its wish.
///
/// `Debug` shows the card number masked, and of the PIN only whether there is one.
pub(crate) struct Asked {
    pub wish: Wish,
    /// Advices tell what has happened; they are not refused.
    pub is_advice: bool,
    /// MTI without its last digit, DE 7, 11, 32, 41.
    pub id: Digest,
    /// DE 7 and 11, from which what must be repeatable is drawn.
    pub moment: String,
    /// Further names, by which repeats with another DE 7, completions and reversals find it.
    pub names: Vec<Digest>,
    pub is_repeat: bool,
    /// The name that all its copies share, should they have another DE 7.
    pub any_copy: Option<Digest>,
    /// DE 2 or 35, 3, 4, 49: what a copy has in common with the first.
    pub contents: Digest,
    pub pan: Pan,
    pub amount: u64,
    /// DE 49.
    pub currency: String,
    pub pin_block: Option<[u8; 8]>,
}

/// What names are made of.
struct Origin<'a> {
    family: &'a str,
    acquirer: String,
    terminal: String,
    stan: String,
    rrn: Option<String>,
}

impl Asked {
    /// `None` when something without which nothing can be done is missing or malformed.
    pub fn read(message: &Message<'_>) -> Option<Self> {
        let text = |de| message.text(de).map(|text| text.trim_end().to_owned());
        let origin = Origin::read(message)?;
        let pan = match (text(2), text(35)) {
            (Some(pan), _) => Pan::parse(&pan).ok()?,
            (None, Some(track)) => Track2::parse(&track).ok()?.pan.clone(),
            (None, None) => return None,
        };
        let (processing_code, amount, currency) = (text(3)?, text(4)?, text(49)?);
        let transmission = text(7)?;
        let local = text(12).zip(text(13)).map(|(time, date)| origin.by_local_time(&time, &date));
        let contents = digest("contents", &[pan.as_str(), &processing_code, &amount, &currency]);
        Some(Self {
            wish: origin.wish(message, processing_code.get(..2)?)?,
            is_advice: message.mti().get(2..3) == Some("2"),
            id: origin.id(&transmission),
            moment: transmission + &origin.stan,
            names: origin.names(local),
            is_repeat: message.mti().ends_with('1'),
            any_copy: local,
            contents,
            amount: amount.parse().ok()?,
            currency,
            pin_block: message.binary(52).and_then(|block| block.as_ref().try_into().ok()),
            pan,
        })
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("wish", &self.wish)
            .field("pan", &self.pan.masked())
            .field("has_pin", &self.pin_block.is_some())
            .finish_non_exhaustive()
    }
}

impl<'a> Origin<'a> {
    fn read(message: &'a Message<'_>) -> Option<Self> {
        let text = |de| message.text(de).map(|text| text.trim_end().to_owned());
        Some(Self {
            family: message.mti().get(..3)?,
            acquirer: institution(&text(32).unwrap_or_default()),
            terminal: text(41).unwrap_or_default(),
            stan: text(11)?,
            rrn: text(37),
        })
    }

    fn id(&self, transmission: &str) -> Digest {
        digest("message", &[self.family, transmission, &self.stan, &self.acquirer, &self.terminal])
    }

    /// By local time, for repeats with another DE 7; by STAN, for reversals without DE 90; by DE 37, for completions.
    fn names(&self, local: Option<Digest>) -> Vec<Digest> {
        let mut names: Vec<_> = local.into_iter().collect();
        let rrn = self.rrn.as_deref();
        if self.family.starts_with("01") {
            names.extend(rrn.map(|rrn| self.hold_by_rrn(rrn)));
        }
        // A reversal may have its original's STAN, and is not its own original.
        if !self.family.starts_with("04") {
            names.push(self.by_stan(None));
            names.extend(rrn.map(|rrn| self.by_stan(Some(rrn))));
        }
        names
    }

    fn by_local_time(&self, time: &str, date: &str) -> Digest {
        digest("local", &[self.family, &self.stan, time, date, &self.acquirer, &self.terminal])
    }

    fn by_stan(&self, rrn: Option<&str>) -> Digest {
        digest("stan", &[&self.stan, rrn.unwrap_or_default(), &self.acquirer, &self.terminal])
    }

    fn hold_by_rrn(&self, rrn: &str) -> Digest {
        digest("hold", &[rrn, &self.acquirer, &self.terminal])
    }

    fn wish(&self, message: &Message<'_>, process: &str) -> Option<Wish> {
        let completes = message.text(25).as_deref() == Some("06");
        Some(match (self.family, process) {
            ("040" | "042", _) => self.reversal(message)?,
            ("022", "00" | "01" | "09") if completes => Wish::Complete { hold: self.hold(message) },
            ("010" | "012", "00" | "01" | "09") => Wish::Hold,
            ("020" | "022", "00" | "01" | "09") => Wish::Debit,
            ("020" | "022", "20" | "21") => Wish::Credit,
            ("010" | "020", "30" | "31") => Wish::Balance,
            _ => Wish::Other,
        })
    }

    fn hold(&self, message: &Message<'_>) -> Vec<Digest> {
        let by_data = self.original(message).map(|original| original.id).into_iter();
        by_data.chain(self.rrn.as_deref().map(|rrn| self.hold_by_rrn(rrn))).collect()
    }

    /// The message that DE 90 means.
    fn original(&self, message: &Message<'_>) -> Option<OriginalNames> {
        let data = OriginalData::parse(&message.text(90)?).ok()?;
        let origin = Origin {
            family: data.mti.get(..3)?,
            acquirer: self.acquirer.clone(),
            terminal: self.terminal.clone(),
            stan: data.stan.clone(),
            rrn: None,
        };
        let any_copy = self.rrn.as_deref().map(|rrn| origin.by_stan(Some(rrn)));
        Some(OriginalNames { id: origin.id(&data.transmission), any_copy })
    }

    fn reversal(&self, message: &Message<'_>) -> Option<Wish> {
        let remaining = match message.text(95) {
            Some(amounts) => amounts.get(..12)?.parse().ok()?,
            None => 0,
        };
        let by_stan = || OriginalNames { id: self.by_stan(self.rrn.as_deref()), any_copy: None };
        let original = self.original(message).unwrap_or_else(by_stan);
        Some(Wish::Reverse { original, remaining })
    }
}

/// DE 32 is filled with zeros in DE 90 and by some.
fn institution(id: &str) -> String {
    id.trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use iso8583::Fields;

    use super::*;
    use crate::network::tests::fixture::decoded;

    fn fields(mti: &str, changes: &[(u8, &str)]) -> Fields {
        let mut fields = Fields::new(mti);
        for (de, text) in [
            (2, "9999980000000007"),
            (3, "000000"),
            (4, "000000001250"),
            (7, "1125041500"),
            (11, "000123"),
            (12, "061500"),
            (13, "1125"),
            (32, "500002"),
            (37, "632904000123"),
            (41, "NET00001"),
            (49, "710"),
        ] {
            fields.set(de, text);
        }
        for (de, text) in changes {
            fields.set(*de, *text);
        }
        fields
    }

    fn asked(mti: &str, changes: &[(u8, &str)]) -> Asked {
        decoded(&fields(mti, changes), Asked::read).unwrap()
    }

    #[test]
    fn wishes_are_told_apart() {
        for (mti, changes, wish) in [
            ("0100", &[][..], Wish::Hold),
            ("0120", &[], Wish::Hold),
            ("0200", &[], Wish::Debit),
            ("0221", &[], Wish::Debit),
            ("0200", &[(3, "090000")], Wish::Debit),
            ("0200", &[(3, "200000")], Wish::Credit),
            ("0200", &[(3, "310000")], Wish::Balance),
            ("0100", &[(3, "200000")], Wish::Other),
            ("0200", &[(3, "920000")], Wish::Other),
            ("0500", &[], Wish::Other),
        ] {
            let asked = asked(mti, changes);
            assert_eq!(asked.wish, wish, "{mti} {changes:?}");
            assert_eq!(asked.is_advice, ["0120", "0221"].contains(&mti));
        }
        assert!(matches!(asked("0220", &[(25, "06")]).wish, Wish::Complete { .. }));
    }

    #[test]
    fn a_reversal_finds_its_original_by_either_way() {
        let original = asked("0201", &[]);
        let data = "0200000123112504150000000500002".to_owned() + "00000500001";
        for mti in ["0400", "0420", "0421"] {
            let by_data = asked(mti, &[(7, "1125041600"), (11, "000200"), (90, &data)]);
            let Wish::Reverse { original: names, remaining: 0 } = by_data.wish else { panic!("reverses") };
            assert!(names.id == original.id && original.names.contains(&names.any_copy.unwrap()));
        }
        for changes in [&[(95, "000000000250C00000000000C00000000C00000000")][..], &[]] {
            let Wish::Reverse { original: by_stan, remaining } = asked("0420", changes).wish else {
                panic!("reverses")
            };
            assert!(original.names.contains(&by_stan.id));
            assert_eq!(remaining, if changes.is_empty() { 0 } else { 250 });
        }
    }

    #[test]
    fn a_repeat_has_the_first_copy_s_names() {
        let (first, repeat) = (asked("0200", &[]), asked("0201", &[(7, "1125041509")]));
        assert_ne!(first.id, repeat.id);
        assert_eq!(first.contents, repeat.contents);
        assert!(!first.is_repeat && repeat.is_repeat && first.any_copy == repeat.any_copy);
        assert!(first.names.contains(&repeat.any_copy.unwrap()));
        assert_eq!(asked("0201", &[]).id, first.id);
        assert_ne!(asked("0200", &[(41, "NET00002")]).id, first.id);
        assert_ne!(asked("0200", &[(4, "000000001251")]).contents, first.contents);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for missing in [2, 3, 4, 7, 11, 49] {
            let mut fields = fields("0200", &[]);
            fields.remove(missing);
            assert!(decoded(&fields, Asked::read).is_none(), "DE {missing}");
        }
    }

    #[test]
    fn neither_card_number_nor_pin_block_is_shown() {
        let mut fields = fields("0200", &[]);
        fields.set_binary(52, vec![0xA5; 8]);
        let shown = format!("{:?}", decoded(&fields, Asked::read).unwrap());
        assert!(shown.contains("999998******0007") && shown.contains("has_pin: true"), "{shown}");
        for secret in ["9999980000000007", "165, 165", "A5A5", "a5a5"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
