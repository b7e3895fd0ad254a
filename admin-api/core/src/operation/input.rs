//! What handlers take: parameters of path and query, and the body.

use axum::extract::FromRequestParts;
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{OperationBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{Content, Required};
use utoipa::{IntoParams, ToSchema};

use super::document::Schemas;
use super::row::Call;
use crate::error::{ApiError, ErrorCode};

/// Path parameters.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

/// Query parameters.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

/// A JSON body.
#[derive(Clone, Debug)]
pub struct Body<T>(pub T);

/// One argument of a handler.
pub trait Input: Sized + Send {
    fn read(call: &mut Call) -> impl Future<Output = Result<Self, ApiError>> + Send;
    fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder;
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
        match axum::extract::Query::<T>::from_request_parts(&mut call.parts, &()).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError::new(ErrorCode::BadParameter, format!("query: {}", rejection.body_text()))),
        }
    }

    fn describe(operation: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        T::into_params(|| Some(ParameterIn::Query)).into_iter().fold(operation, OperationBuilder::parameter)
    }
}

impl<T: DeserializeOwned + ToSchema + Send + 'static> Input for Body<T> {
    async fn read(call: &mut Call) -> Result<Self, ApiError> {
        let mut deserializer = serde_json::Deserializer::from_slice(&call.body);
        let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let field = error.path().to_string();
            let inner = error.into_inner();
            if inner.is_data() {
                // serde names the kind of value it found, and for texts the value: that may be a secret, so only
                // the rule is repeated.
                let rule = if field == "." { "the body" } else { "the value" };
                ApiError::new(
                    ErrorCode::Validation,
                    format!(
                        "{rule} of {}.{} is missing or not of the published schema",
                        T::name(),
                        field.trim_start_matches('.')
                    ),
                )
            } else {
                ApiError::new(
                    ErrorCode::BadJson,
                    format!("the body is not JSON (line {}, column {})", inner.line(), inner.column()),
                )
            }
        })?;
        deserializer.end().map_err(|_| ApiError::new(ErrorCode::BadJson, "something follows the JSON body"))?;
        Ok(Self(value))
    }

    fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
        let content = Content::new(Some(schemas.reference::<T>()));
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        operation.request_body(Some(body.build()))
    }
}
