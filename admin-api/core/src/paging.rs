//! Parts of lists.

use serde::Deserialize;
use utoipa::IntoParams;

use admin_store::Page;

use crate::error::{ApiError, ErrorCode};

/// Entries in an answer at most.
const LIMIT_MAX: i64 = 1000;

/// Query parameters of every list.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
pub struct Paging {
    /// Entries to leave out, from 0
    #[serde(default)]
    #[param(minimum = 0)]
    offset: i64,
    /// Entries to give, 1 to 1000
    #[serde(default = "limit_default")]
    #[param(minimum = 1, maximum = 1000)]
    limit: i64,
}

fn limit_default() -> i64 {
    LIMIT_MAX
}

impl Paging {
    pub fn page(self) -> Result<Page, ApiError> {
        if self.offset < 0 || !(1..=LIMIT_MAX).contains(&self.limit) {
            return Err(ApiError::new(
                ErrorCode::BadParameter,
                format!("offset is at least 0 and limit is 1 to {LIMIT_MAX}"),
            ));
        }
        Ok(Page { offset: self.offset, limit: self.limit })
    }
}
