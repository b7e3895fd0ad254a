//! A message from one dialect into another, also of another edition of the standard, for people who want to see it
//! there. What the other has no place for is left out and named.

use std::sync::Arc;

use bytes::BytesMut;

use crate::codes;
use crate::decode::DecodeError;
use crate::encode::EncodeError;
use crate::fields::Fields;
use crate::route::{Route, fields_for};
use crate::spec::{Spec, Version};

/// Two-digit year and month: dates of 1987 have no year, and the nearest to this is taken.
#[derive(Clone, Copy, Debug)]
pub struct Today {
    pub year: u8,
    pub month: u8,
}

/// What did not come along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// A data element, or a path to a part.
    pub de: String,
    pub reason: &'static str,
}

/// Why there is nothing to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("there is no conversion between these editions; there is one between 1987 and 1993")]
    Editions,
}

/// Converts messages of one spec to another.
pub struct Converter {
    from: Arc<Spec>,
    to: Arc<Spec>,
    route: Route,
    today: Today,
}

impl Converter {
    pub fn new(from: Arc<Spec>, to: Arc<Spec>, today: Today) -> Self {
        let route = Route::new(Arc::clone(&from), Arc::clone(&to));
        Self { from, to, route, today }
    }

    /// Writes the message behind what `out` holds and gives what was left out.
    pub fn convert(&self, wire: &[u8], out: &mut BytesMut) -> Result<Vec<Lost>, ConvertError> {
        let message = self.from.decode(wire)?;
        let editions = (self.from.version(), self.to.version());
        if editions.0 == editions.1 && self.route.encode(&message, out).is_ok() {
            return Ok(Vec::new());
        }
        let mut fields = fields_for(&message, &self.to);
        let mut lost = match editions {
            (from, to) if from == to => Vec::new(),
            (Version::Iso1987, Version::Iso1993) => self.to_1993(&mut fields),
            (Version::Iso1993, Version::Iso1987) => to_1987(&mut fields),
            _ => return Err(ConvertError::Editions),
        };
        loop {
            match self.to.encode(&fields, out) {
                Ok(_) => return Ok(lost),
                Err(error) => {
                    // Without the data element that does not go; one less each time, so this ends.
                    let de = error.de.split('.').next().and_then(|de| de.parse().ok());
                    let Some(de) = de.filter(|de| fields.has(*de)) else { return Err(error.into()) };
                    fields.remove(de);
                    lost.push(Lost { de: error.de, reason: error.reason });
                }
            }
        }
    }

    fn to_1993(&self, fields: &mut Fields) -> Vec<Lost> {
        let time = fields.text(12).zip(fields.text(13)).map(|(time, date)| self.with_year(date) + time);
        let settlement = fields.text(15).map(|date| self.with_year(date));
        let action = fields.text(39).map(|code| codes::action_of_response(code).map(str::to_owned));
        let mut lost = keep_same(fields, &[12, 13, 15, 39]);
        set_edition(fields, '1');
        fields.remove(13);
        for (de, value) in [(12, time), (15, settlement)] {
            if let Some(value) = value {
                fields.set(de, value);
            } else if fields.has(de) {
                lost.push(take_out(fields, de, "needs a date beside it, which is not there"));
            }
        }
        set_code(fields, action, &mut lost);
        lost
    }

    /// `MMDD` with the year in which it is nearest to today.
    fn with_year(&self, date: &str) -> String {
        let Today { year, month } = self.today;
        let of_date = date.get(..2).and_then(|month| month.parse::<u8>().ok()).unwrap_or(month);
        let year = match i16::from(of_date) - i16::from(month) {
            7.. => year.checked_sub(1).unwrap_or(99),
            ..=-7 => (year + 1) % 100,
            _ => year,
        };
        format!("{year:02}{date}")
    }
}

fn to_1987(fields: &mut Fields) -> Vec<Lost> {
    let time = fields.text(12).map(str::to_owned);
    let settlement = fields.text(15).and_then(|date| date.get(2..)).map(str::to_owned);
    let response = fields.text(39).map(|code| codes::response_of_action(code).map(str::to_owned));
    let mut lost = keep_same(fields, &[12, 15, 39]);
    set_edition(fields, '0');
    if let Some(time) = time {
        fields.set(12, time.get(6..).unwrap_or_default());
        fields.set(13, time.get(2..6).unwrap_or_default());
    }
    if let Some(settlement) = settlement {
        fields.set(15, settlement);
    }
    set_code(fields, response, &mut lost);
    lost
}

/// The code of the other edition, where it has one.
fn set_code(fields: &mut Fields, code: Option<Option<String>>, lost: &mut Vec<Lost>) {
    match code {
        Some(Some(code)) => fields.set(39, code),
        Some(None) => lost.push(take_out(fields, 39, "is a code that the other edition does not have")),
        None => {}
    }
}

fn set_edition(fields: &mut Fields, digit: char) {
    let rest = fields.mti().get(1..).unwrap_or_default().to_owned();
    fields.set_mti(&format!("{digit}{rest}"));
}

fn take_out(fields: &mut Fields, de: u8, reason: &'static str) -> Lost {
    fields.remove(de);
    Lost { de: de.to_string(), reason }
}

/// Takes out what has another content in the other edition, but for what is `handled`.
fn keep_same(fields: &mut Fields, handled: &[u8]) -> Vec<Lost> {
    let all: Vec<u8> = fields.iter().map(|(de, _)| de).collect();
    let other = all.into_iter().filter(|de| !codes::is_same_in_1987_and_1993(*de) && !handled.contains(de));
    other.map(|de| take_out(fields, de, "has another content in the other edition")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(from: &str, to: &str, fields: &Fields) -> (Fields, Vec<Lost>) {
        let (from, to) = (Spec::builtin(from).unwrap(), Spec::builtin(to).unwrap());
        let mut wire = BytesMut::new();
        from.encode(fields, &mut wire).unwrap();
        let mut out = BytesMut::new();
        let today = Today { year: 26, month: 11 };
        let lost = Converter::new(from, Arc::clone(&to), today).convert(&wire, &mut out).unwrap();
        (to.decode(&out).unwrap().to_fields(), lost)
    }

    fn answer() -> Fields {
        let mut fields = Fields::new("0210");
        for (de, value) in [
            (3, "000000"),
            (4, "000000001250"),
            (7, "1128192030"),
            (11, "123456"),
            (12, "192030"),
            (13, "1128"),
            (39, "51"),
        ] {
            fields.set(de, value);
        }
        fields
    }

    #[test]
    fn editions_differ_in_dates_and_codes() {
        let (converted, lost) = convert("iso87binary", "iso93ascii", &answer());
        assert_eq!(lost, []);
        assert_eq!((converted.mti(), converted.text(12), converted.text(13)), ("1210", Some("261128192030"), None));
        assert_eq!(converted.text(39), Some("116"));
        let (back, lost) = convert("iso93ascii", "iso87binary", &converted);
        assert_eq!((back, lost), (answer(), vec![]));
    }

    #[test]
    fn what_has_no_place_is_left_out_and_named() {
        let mut fields = answer();
        fields.set(22, "051");
        fields.set(39, "78");
        let (converted, lost) = convert("iso87ascii", "iso93ascii", &fields);
        assert!(!converted.has(22) && !converted.has(39));
        assert_eq!(lost.iter().map(|lost| lost.de.as_str()).collect::<Vec<_>>(), ["22", "39"]);
        // Longer than Base I can say, in the same edition.
        let mut long = answer();
        long.set(48, "x".repeat(200));
        let (converted, lost) = convert("iso87ascii", "base1", &long);
        assert!(!converted.has(48) && converted.has(39));
        assert_eq!(lost.len(), 1);
    }

    #[test]
    fn a_date_without_a_year_is_of_the_year_in_which_it_is_nearest() {
        let spec = Spec::builtin("iso87ascii").unwrap();
        for (year, month, date, expected) in
            [(26, 1, "1231", "251231"), (26, 12, "0101", "270101"), (26, 6, "0630", "260630"), (0, 1, "1231", "991231")]
        {
            let converter = Converter::new(Arc::clone(&spec), Arc::clone(&spec), Today { year, month });
            assert_eq!(converter.with_year(date), expected);
        }
    }
}
