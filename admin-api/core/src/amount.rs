//! Amounts and times on the wire.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::macros::format_description;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};
use utoipa::{PartialSchema, ToSchema};

/// An amount in the major unit: an exact JSON number with the currency's decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(Decimal);

impl Amount {
    /// `exponent`: decimals of the currency (ISO 4217).
    pub fn from_minor(minor: i64, exponent: u32) -> Self {
        Self(Decimal::new(minor, exponent))
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
    fn times_have_milliseconds_and_z() {
        assert_eq!(serde_json::to_string(&UnixMillis(1_800_000_000_007)).unwrap(), "\"2027-01-15T08:00:00.007Z\"");
        assert!(serde_json::to_string(&UnixMillis(i64::MAX)).is_err());
    }
}
