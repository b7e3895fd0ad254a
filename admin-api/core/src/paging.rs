//! Parts of lists.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::IntoParams;

use admin_store::Page;

use crate::error::{ApiError, ErrorCode};

/// Entries in an answer at most.
const LIMIT_MAX: i64 = 1000;

/// Query parameters of every list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub struct Paging {
    /// Entries to leave out, from 0
    #[serde(default)]
    #[param(minimum = 0)]
    offset: i64,
    /// Entries to give, 1 to 1000
    #[serde(default = "limit_default")]
    #[param(minimum = 1, maximum = 1000)]
    limit: i64,
    /// Where the next part begins: taken from the `Link` header of the part before
    cursor: Option<String>,
}

fn limit_default() -> i64 {
    LIMIT_MAX
}

impl Paging {
    /// What to ask the store for: one row more than is given, which tells whether there is a next part.
    pub fn page(&self) -> Result<Page, ApiError> {
        if self.offset < 0 || !(1..=LIMIT_MAX).contains(&self.limit) {
            return Err(ApiError::new(
                ErrorCode::BadParameter,
                format!("offset is at least 0 and limit is 1 to {LIMIT_MAX}"),
            ));
        }
        let after = self.cursor.as_deref().map(read_cursor).transpose()?;
        Ok(Page { offset: self.offset, limit: self.limit + 1, after })
    }

    pub(crate) fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(0)
    }
}

/// A cursor is the place of the last row that was given, in a form that nobody is tempted to compute with.
pub(crate) fn cursor(place: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(place.to_be_bytes())
}

fn read_cursor(text: &str) -> Result<i64, ApiError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    bytes
        .map(i64::from_be_bytes)
        .ok_or_else(|| ApiError::new(ErrorCode::BadParameter, "cursor is not one of a Link header; leave it out"))
}

/// The address of the next part, for the `Link` header (RFC 8288).
pub(crate) fn next_link(path: &str, query: Option<&str>, place: i64) -> String {
    let kept = query.unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && name != "cursor" && name != "offset"
    });
    let pairs: Vec<String> = kept.map(str::to_owned).chain([format!("cursor={}", cursor(place))]).collect();
    format!("<{path}?{}>; rel=\"next\"", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_the_link_keeps_the_search() {
        for place in [0, 1, -1, i64::MAX] {
            assert_eq!(read_cursor(&cursor(place)).unwrap(), place);
        }
        for nonsense in ["", "x", "AAAAAAAAAA", "AAAAAAAAAAA="] {
            assert!(read_cursor(nonsense).is_err(), "{nonsense}");
        }
        let link = next_link("/a", Some("limit=2&offset=4&status=ACTIVE&cursor=zzz"), 7);
        assert_eq!(link, format!("</a?limit=2&status=ACTIVE&cursor={}>; rel=\"next\"", cursor(7)));
    }
}
