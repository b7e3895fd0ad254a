//! Times on the command line.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// RFC 3339 with three decimals, so that columns and texts stay in order. `at`: Unix milliseconds.
pub fn text(at: u64) -> String {
    const FORM: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
    moment.ok().and_then(|moment| moment.format(FORM).ok()).unwrap_or_default()
}

/// Unix milliseconds of a time like `2026-11-30T08:00:00Z`.
pub fn parse(text: &str) -> Result<u64, String> {
    let moment = OffsetDateTime::parse(text, &Rfc3339);
    let moment = moment.map_err(|error| format!("{error}; write it as 2026-11-30T08:00:00Z"))?;
    u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map_err(|_| "a time after 1970, please".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_written() {
        assert_eq!(parse("2026-11-30T08:00:00.5+02:00"), Ok(1_796_018_400_500));
        assert_eq!(text(1_796_018_400_500), "2026-11-30T06:00:00.500Z");
        assert_eq!(text(u64::MAX), "", "no such year");
        for nonsense in ["", "yesterday", "2026-11-30", "1969-01-01T00:00:00Z"] {
            assert!(parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
