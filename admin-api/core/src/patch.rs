//! PUT as patch: what is null or absent stays.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ApiError, ErrorCode};

/// A profile as JSON for its column.
pub fn profile_text(profile: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(&without_nulls(profile)?).map_err(|_| damaged())
}

/// A profile out of its column.
pub fn profile<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|_| damaged())
}

/// The stored profile with what the change states in its place.
pub fn patched(stored: &str, change: &impl Serialize) -> Result<String, ApiError> {
    let mut merged: Value = serde_json::from_str(stored).map_err(|_| damaged())?;
    if let (Value::Object(merged), Value::Object(change)) = (&mut merged, without_nulls(change)?) {
        merged.extend(change);
    }
    serde_json::to_string(&merged).map_err(|_| damaged())
}

fn without_nulls(profile: &impl Serialize) -> Result<Value, ApiError> {
    let mut value = serde_json::to_value(profile).map_err(|_| damaged())?;
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(value)
}

fn damaged() -> ApiError {
    ApiError::new(ErrorCode::Unknown, "a stored profile is not of its form; report the trace id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_and_absent_stay_and_the_rest_is_replaced() {
        let stored = r#"{"a":1,"b":"x","c":[1]}"#;
        let after: Value =
            serde_json::from_str(&patched(stored, &json!({"a": null, "b": "y", "d": 2})).unwrap()).unwrap();
        assert_eq!(after, json!({"a": 1, "b": "y", "c": [1], "d": 2}));
    }
}
