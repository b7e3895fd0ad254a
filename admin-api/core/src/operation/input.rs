//! What handlers take: parameters of path and query, and the body.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{OperationBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{Content, RefOr, Required, Schema};
use utoipa::{IntoParams, ToSchema};

use super::document::Schemas;
use super::row::Call;
use crate::error::{ApiError, ErrorCode};

/// PostgreSQL keeps no such text.
const NO_NUL: &str = "no text holds U+0000";

/// Path parameters.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

/// Query parameters.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

/// A JSON body.
#[derive(Clone, Debug)]
pub struct Body<T>(pub T);

/// What a handler makes of the request's headers, beside what the row's layer has done with them.
pub struct Header<T>(pub T);

/// One argument of a handler.
pub trait Input: Sized + Send {
    fn read(call: &mut Call) -> impl Future<Output = Result<Self, ApiError>> + Send;
    fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder;

    /// Name and schema of the body, where this is it.
    fn body_model(_: &mut Schemas) -> Option<(String, RefOr<Schema>)> {
        None
    }
}

impl<T: DeserializeOwned + IntoParams + Send> Input for Path<T> {
    async fn read(call: &mut Call) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(&mut call.parts, &()).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            // An id that cannot be one names nothing.
            Err(_) => Err(ApiError::not_found("entity: a path parameter is not of its form")),
        }
    }

    fn describe(operation: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        T::into_params(|| Some(ParameterIn::Path)).into_iter().fold(operation, OperationBuilder::parameter)
    }
}

impl<T: DeserializeOwned + IntoParams + Send> Input for Query<T> {
    async fn read(call: &mut Call) -> Result<Self, ApiError> {
        if call.parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(ApiError::new(ErrorCode::BadParameter, format!("query: {NO_NUL}")));
        }
        match axum::extract::Query::<T>::from_request_parts(&mut call.parts, &()).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError::new(ErrorCode::BadParameter, format!("query: {}", rejection.body_text()))),
        }
    }

    fn describe(operation: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        T::into_params(|| Some(ParameterIn::Query)).into_iter().fold(operation, OperationBuilder::parameter)
    }
}

impl<T: for<'a> From<&'a HeaderMap> + Send> Input for Header<T> {
    async fn read(call: &mut Call) -> Result<Self, ApiError> {
        Ok(Self(T::from(&call.parts.headers)))
    }

    fn describe(operation: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        operation
    }
}

impl<T: DeserializeOwned + ToSchema + Send + 'static> Input for Body<T> {
    async fn read(call: &mut Call) -> Result<Self, ApiError> {
        let value = call.json(&T::name())?;
        serde_path_to_error::deserialize(value).map(Self).map_err(|error| {
            // What serde says may repeat a value, which may be a secret: only the field is named.
            let field = error.path().to_string();
            let text = format!("the value of {}.{} is not of the published schema", T::name(), field);
            ApiError::new(ErrorCode::Validation, text)
        })
    }

    fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
        let content = Content::new(Some(schemas.reference::<T>()));
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        operation.request_body(Some(body.build()))
    }

    fn body_model(schemas: &mut Schemas) -> Option<(String, RefOr<Schema>)> {
        Some((T::name().into_owned(), schemas.reference::<T>()))
    }
}

impl Call {
    /// The body as JSON, checked against its model. `model`: its name, for errors.
    pub(crate) fn json(&self, model: &str) -> Result<serde_json::Value, ApiError> {
        // No body at all is an empty one: it is for the model to say what is missing.
        let text: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        let value: serde_json::Value = serde_json::from_slice(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            ApiError::new(ErrorCode::BadJson, format!("the body is not JSON ({place})"))
        })?;
        if let Some(published) = &self.model {
            published.check(&value)?;
        }
        if holds_nul(&value) {
            return Err(ApiError::new(ErrorCode::Validation, format!("{model}: {NO_NUL}")));
        }
        Ok(value)
    }
}

fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(holds_nul),
        serde_json::Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_is_found_wherever_it_stands() {
        for held in [json!("a\0"), json!([1, ["\0"]]), json!({"a": {"b\0": 1}}), json!([{"a": "\0b"}])] {
            assert!(holds_nul(&held), "{held}");
        }
        for other in [json!("\\u0000"), json!([0, null, true]), json!({"a": "\u{1}"})] {
            assert!(!holds_nul(&other), "{other}");
        }
    }
}
