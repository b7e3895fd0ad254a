//! Free attributes: lists of `{att, val}` that the API calls `configuration`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attribute {
    #[schema(min_length = 1, max_length = 100)]
    pub att: String,
    #[schema(max_length = 2000)]
    pub val: String,
}

/// The value of an attribute.
pub fn attribute<'a>(list: &'a [Attribute], name: &str) -> Option<&'a str> {
    list.iter().find(|attribute| attribute.att == name).map(|attribute| attribute.val.as_str())
}
