//! One row declares an operation.

use std::any::TypeId;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::{Content, RefOr, ResponseBuilder, Schema};

use super::access::Access;
use super::document::Schemas;
use super::input::Input;
use crate::ctx::Ctx;
use crate::error::{ApiError, ErrorCode};
use crate::validation::Model;

/// What an operation does to what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Read,
    List,
    Create,
    Update,
    Delete,
    /// Neither of these: log-in, enrolment, a money movement.
    Action,
}

impl Effect {
    /// The verb of the permission key.
    pub fn permission(self) -> &'static str {
        match self {
            Self::Read | Self::List => "READ",
            Self::Create | Self::Action => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// A request after its head has been judged.
pub struct Call {
    pub parts: Parts,
    pub body: Bytes,
    /// What the body is checked against.
    pub(super) model: Option<Arc<Model>>,
}

type Run = Arc<dyn Fn(Ctx, Call) -> BoxFuture<'static, Result<Response, ApiError>> + Send + Sync>;
type Describe = fn(OperationBuilder, &mut Schemas) -> OperationBuilder;
type BodyModel = fn(&mut Schemas) -> Option<(String, RefOr<Schema>)>;

/// An operation: where it is, who may call it, what it does, and the function that does it.
#[derive(Clone)]
pub struct Row {
    /// Unique; also the OpenAPI operation id and the name in audit records and metrics.
    pub id: &'static str,
    pub method: Method,
    /// Below the base path, with parameters in braces.
    pub path: &'static str,
    pub access: Access,
    pub effect: Effect,
    pub summary: &'static str,
    pub(super) run: Run,
    pub(super) describe: Describe,
    pub(super) body_model: BodyModel,
}

impl Row {
    pub fn new<A, H: Handler<A>>(
        id: &'static str,
        method: Method,
        path: &'static str,
        access: Access,
        effect: Effect,
        summary: &'static str,
        handler: H,
    ) -> Self {
        let run: Run = Arc::new(move |ctx, call| handler.clone().run(ctx, call));
        Self { id, method, path, access, effect, summary, run, describe: H::describe, body_model: H::body_model }
    }

    /// Whether a change that comes again under its `Idempotency-Key` is answered as the first time.
    pub(super) fn is_change(&self) -> bool {
        !matches!(self.effect, Effect::Read | Effect::List) && self.access != Access::Anonymous
    }

    /// The first path segment that names a kind of thing, for grouping in the document.
    pub fn group(&self) -> &'static str {
        let named = |segment: &&str| !segment.is_empty() && !segment.starts_with('{') && *segment != "tenants";
        self.path.split('/').find(named).unwrap_or("platform")
    }
}

/// A function that answers an operation. Implemented for async functions of a [`Ctx`] and up to four inputs
/// ([`super::Path`], [`super::Query`], [`super::Body`]) that give a model, or `()` for an answer without a body.
pub trait Handler<A>: Clone + Send + Sync + 'static {
    fn run(self, ctx: Ctx, call: Call) -> BoxFuture<'static, Result<Response, ApiError>>;
    fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder;
    fn body_model(schemas: &mut Schemas) -> Option<(String, RefOr<Schema>)>;
}

/// Nothing to tell is 204.
fn respond<T: Serialize>(answer: &T) -> Result<Response, ApiError> {
    let text = serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "answer not written");
        ApiError::new(ErrorCode::Unknown, "the answer could not be written; report the trace id")
    })?;
    if text == b"null" {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

/// `()` always has nothing to tell, an `Option` sometimes.
fn describe_answer<T: ToSchema + 'static>(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
    let nothing = || ResponseBuilder::new().description("done");
    if TypeId::of::<T>() == TypeId::of::<()>() {
        return operation.response("204", nothing());
    }
    let (operation, schema) = match schemas.reference::<T>() {
        // Of null and the model; null is never sent.
        RefOr::T(Schema::OneOf(mut either)) => {
            let model = either.items.pop().unwrap_or_else(|| Schema::OneOf(either).into());
            (operation.response("204", nothing()), model)
        }
        schema => (operation, schema),
    };
    let content = Content::new(Some(schema));
    operation.response("200", ResponseBuilder::new().description("the answer").content("application/json", content))
}

macro_rules! handler {
    ($($input:ident),*) => {
        impl<F, Fut, T, $($input),*> Handler<(T, $($input,)*)> for F
        where
            F: Fn(Ctx, $($input),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<T, ApiError>> + Send + 'static,
            T: Serialize + ToSchema + 'static,
            $($input: Input,)*
        {
            #[allow(unused_mut, unused_variables, non_snake_case, reason = "the form without inputs uses none of it")]
            fn run(self, ctx: Ctx, mut call: Call) -> BoxFuture<'static, Result<Response, ApiError>> {
                Box::pin(async move {
                    $(let $input = $input::read(&mut call).await?;)*
                    respond(&self(ctx, $($input),*).await?)
                })
            }

            fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
                $(let operation = $input::describe(operation, schemas);)*
                describe_answer::<T>(operation, schemas)
            }

            #[allow(unused_variables, reason = "the form without inputs uses none of it")]
            fn body_model(schemas: &mut Schemas) -> Option<(String, RefOr<Schema>)> {
                $(if let Some(model) = $input::body_model(schemas) {
                    return Some(model);
                })*
                None
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
