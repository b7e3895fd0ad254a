//! Amounts and times on the wire.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};
use utoipa::{PartialSchema, ToSchema};

/// An amount in the major unit: an exact JSON number with the currency's decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(Decimal);

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Amount {
    /// `exponent`: decimals of the currency (ISO 4217).
    pub fn from_minor(minor: i64, exponent: u32) -> Self {
        Self(Decimal::new(minor, exponent))
    }
}

impl Amount {
    /// In minor units, if it has no more decimals than the currency.
    pub fn to_minor(self, exponent: u32) -> Option<i64> {
        let minor = self.0.checked_mul(Decimal::from(10_i64.checked_pow(exponent)?))?;
        if minor.is_integer() { i64::try_from(minor).ok() } else { None }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // From the digits as they were sent: no binary fraction comes in between.
        let number = serde_json::Number::deserialize(deserializer)?;
        let text = number.to_string();
        let exact = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
        exact.map(Self).map_err(|_| serde::de::Error::custom("a number beyond what can be said exactly"))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        rust_decimal::serde::arbitrary_precision::serialize(&self.0, serializer)
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).description(Some("Exact, in the major unit")).into()
    }
}

impl ToSchema for Amount {}

/// A moment, written as ISO 8601 UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixMillis(pub i64);

impl Serialize for UnixMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000);
        let text = moment.ok().and_then(|moment| moment.format(&format).ok());
        serializer.serialize_str(&text.ok_or_else(|| serde::ser::Error::custom("a time beyond the calendar"))?)
    }
}

impl<'de> Deserialize<'de> for UnixMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no moment like 2026-01-31T23:59:59.000Z"))
    }
}

impl UnixMillis {
    /// From ISO 8601 with date, time and offset. In UTC, too, it must be of the years that can be written, 0 to 9999.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_utc()?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().filter(|_| moment.year() >= 0).map(Self)
    }
}

impl PartialSchema for UnixMillis {
    fn schema() -> RefOr<Schema> {
        utoipa::schema!(
            #[inline]
            OffsetDateTime
        )
        .into()
    }
}

impl ToSchema for UnixMillis {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_numbers() {
        for (minor, exponent, text) in [
            (1_000_000, 2, "10000.00"),
            (-1, 2, "-0.01"),
            (5, 0, "5"),
            (1_234, 3, "1.234"),
            (i64::MAX, 2, "92233720368547758.07"),
        ] {
            assert_eq!(serde_json::to_string(&Amount::from_minor(minor, exponent)).unwrap(), text);
        }
    }

    #[test]
    fn amounts_come_in_exactly_or_not_at_all() {
        let minor = |text: &str, exponent| serde_json::from_str::<Amount>(text).ok()?.to_minor(exponent);
        for (text, exponent, expected) in [
            ("10000.00", 2, Some(1_000_000)),
            ("0.1", 2, Some(10)),
            ("1e2", 2, Some(10_000)),
            ("0.10000", 2, Some(10)),
            ("-5", 0, Some(-5)),
            ("92233720368547758.07", 2, Some(i64::MAX)),
            ("92233720368547758.08", 2, None),
            ("0.001", 2, None),
            ("5.5", 0, None),
            ("1e400", 2, None),
            ("\"1\"", 2, None),
        ] {
            assert_eq!(minor(text, exponent), expected, "{text} with {exponent} decimals");
        }
    }

    #[test]
    fn times_have_milliseconds_and_z() {
        assert_eq!(serde_json::to_string(&UnixMillis(1_800_000_000_007)).unwrap(), "\"2027-01-15T08:00:00.007Z\"");
        assert!(serde_json::to_string(&UnixMillis(i64::MAX)).is_err());
    }

    #[test]
    fn times_that_come_in_can_be_written() {
        for (text, written) in [
            ("9999-12-31T23:59:59.999Z", Some("9999-12-31T23:59:59.999Z")),
            ("2027-01-15t09:00:00.0079+01:00", Some("2027-01-15T08:00:00.007Z")),
            ("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00.000Z")),
            ("0000-01-01T00:00:00+00:01", None),
            ("9999-12-31T23:59:59-00:01", None),
            ("2027-01-15", None),
        ] {
            let parsed = UnixMillis::parse(text);
            assert_eq!(parsed.map(|moment| serde_json::to_value(moment).unwrap()), written.map(Into::into), "{text}");
        }
    }
}
