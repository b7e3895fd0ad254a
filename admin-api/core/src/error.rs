//! Errors as the API tells them: one list of codes, one form of answer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use admin_store::StoreError;

/// Stable codes. What each means for the caller is its description; whether a retry may help is its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// No such entity, or one of another tenant.
    NotFound,
    /// No such operation.
    NoOperation,
    /// The operation exists under another method.
    WrongMethod,
    /// The body is not JSON.
    BadJson,
    /// A value breaks a rule of its model.
    Validation,
    /// A parameter of path or query makes no sense.
    BadParameter,
    /// No token, or one that is not valid.
    NoToken,
    /// The token's time is over.
    TokenExpired,
    /// The caller lacks the right.
    NotAllowed,
    /// Wrong identity or password.
    BadLogin,
    /// The row has been changed since it was read.
    StaleVersion,
    /// Another row has this value, which must be unique.
    Taken,
    /// Something else depends on what was to be removed, or names what is not there.
    Referred,
    /// The `Idempotency-Key` has been used for another request.
    KeyReused,
    /// The first request under this `Idempotency-Key` has not been answered yet.
    KeyBusy,
    /// More requests than the caller may make; the next window opens soon.
    TooMany,
    /// The wallet has not so much.
    NoFunds,
    /// What is asked does not fit the state of what it is asked of.
    WrongState,
    /// A setting that this needs is missing.
    NoSetting,
    /// The body is larger than the API takes.
    TooLarge,
    /// Something this operation needs does not answer.
    Downstream,
    /// A fault of ours.
    Unknown,
}

impl ErrorCode {
    /// HTTP status, code, type.
    fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "ARCH086", "BUSINESS"),
            Self::NoOperation => (StatusCode::NOT_FOUND, "NFE001", "BUSINESS"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "NFE001", "BUSINESS"),
            Self::BadJson => (StatusCode::BAD_REQUEST, "JPE001", "BUSINESS"),
            Self::Validation => (StatusCode::BAD_REQUEST, "VAL001", "BUSINESS"),
            Self::BadParameter => (StatusCode::BAD_REQUEST, "IAE002", "BUSINESS"),
            Self::NoToken => (StatusCode::UNAUTHORIZED, "SEC001", "BUSINESS"),
            Self::TokenExpired => (StatusCode::UNAUTHORIZED, "ARCH014", "BUSINESS"),
            Self::NotAllowed => (StatusCode::FORBIDDEN, "SEC001", "BUSINESS"),
            Self::BadLogin => (StatusCode::UNAUTHORIZED, "USR002", "BUSINESS"),
            Self::StaleVersion => (StatusCode::BAD_REQUEST, "VAL001", "BUSINESS"),
            Self::Taken => (StatusCode::BAD_REQUEST, "VAL001", "BUSINESS"),
            Self::Referred => (StatusCode::BAD_REQUEST, "VAL001", "BUSINESS"),
            Self::KeyReused => (StatusCode::BAD_REQUEST, "IAE002", "BUSINESS"),
            Self::KeyBusy => (StatusCode::SERVICE_UNAVAILABLE, "DAE001", "SYSTEM"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "RLT001", "BUSINESS"),
            Self::NoFunds => (StatusCode::BAD_REQUEST, "WAL009", "BUSINESS"),
            Self::WrongState => (StatusCode::BAD_REQUEST, "IAE002", "BUSINESS"),
            Self::NoSetting => (StatusCode::BAD_REQUEST, "PNF001", "BUSINESS"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "VAL001", "BUSINESS"),
            Self::Downstream => (StatusCode::SERVICE_UNAVAILABLE, "DAE001", "SYSTEM"),
            Self::Unknown => (StatusCode::INTERNAL_SERVER_ERROR, "UNK001", "SYSTEM"),
        }
    }

    pub fn status(self) -> StatusCode {
        self.facts().0
    }
}

/// What a handler refuses with. The description is for the caller: it says what to do and holds no secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{description}")]
pub struct ApiError {
    pub code: ErrorCode,
    pub description: String,
}

impl ApiError {
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    /// For an entity that does not exist in the caller's scope.
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("no such {what}"))
    }

    /// For a value that must be unique and is not.
    pub fn taken(field: &str) -> Self {
        Self::new(ErrorCode::Taken, format!("the value of {field} is taken; it must be unique"))
    }

    /// A value that breaks a rule: names value, model, field and rule. `value` must be fit to be shown.
    pub fn validation(value: &str, model: &str, field: &str, rule: &str) -> Self {
        Self::new(ErrorCode::Validation, format!("value {value:?} of {model}.{field} is not valid: {rule}"))
    }
}

impl From<ledger::Stopped> for ApiError {
    fn from(stopped: ledger::Stopped) -> Self {
        Self::new(ErrorCode::Downstream, stopped.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::StaleVersion => Self::new(ErrorCode::StaleVersion, error.to_string()),
            StoreError::Taken { field: "Idempotency-Key", .. } => Self::new(
                ErrorCode::KeyBusy,
                "the first request under this Idempotency-Key is still in work; try again",
            ),
            StoreError::Taken { field, .. } => Self::taken(field),
            StoreError::Referred => Self::new(
                ErrorCode::Referred,
                "something else depends on this, or it names something that is not there",
            ),
            other => {
                // Details are for the operator; the caller gets the trace id to ask with.
                tracing::error!(error = %other, "store failed");
                Self::new(ErrorCode::Downstream, "the database does not answer as it should; try again later")
            }
        }
    }
}

/// One error of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EclipseError)]
pub struct ErrorItem {
    pub code: String,
    pub description: String,
    pub severity: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub trace_id: String,
    pub span_id: String,
}

/// An error on its way out, with the ids by which it is found in the logs.
#[derive(Clone, Debug)]
pub struct Rejected {
    pub error: ApiError,
    pub trace_id: String,
    pub span_id: String,
}

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        let (status, code, kind) = self.error.code.facts();
        let severity = if status.is_server_error() { "HIGH" } else { "LOW" };
        let items = [ErrorItem {
            code: code.to_owned(),
            description: self.error.description,
            severity: severity.to_owned(),
            kind: kind.to_owned(),
            trace_id: self.trace_id,
            span_id: self.span_id,
        }];
        (status, Json(items)).into_response()
    }
}
