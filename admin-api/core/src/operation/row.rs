//! One row declares an operation.

use std::any::TypeId;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::{Content, ResponseBuilder};

use super::access::Access;
use super::document::Schemas;
use super::input::Input;
use crate::ctx::Ctx;
use crate::error::ApiError;

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
}

type Run = Arc<dyn Fn(Ctx, Call) -> BoxFuture<'static, Result<Response, ApiError>> + Send + Sync>;
type Describe = fn(OperationBuilder, &mut Schemas) -> OperationBuilder;

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
        Self { id, method, path, access, effect, summary, run, describe: H::describe }
    }

    /// The first path segment that names a kind of thing, for grouping in the document.
    pub fn group(&self) -> &'static str {
        let named = |segment: &&str| !segment.is_empty() && !segment.starts_with('{') && *segment != "tenants";
        self.path.split('/').find(named).unwrap_or("platform")
    }
}

/// A function that answers an operation. Implemented for async functions of a [`Ctx`] and up to three inputs
/// ([`super::Path`], [`super::Query`], [`super::Body`]) that give a model, or `()` for an answer without a body.
pub trait Handler<A>: Clone + Send + Sync + 'static {
    fn run(self, ctx: Ctx, call: Call) -> BoxFuture<'static, Result<Response, ApiError>>;
    fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder;
}

fn is_empty<T: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<()>()
}

fn respond<T: Serialize + 'static>(answer: T) -> Response {
    if is_empty::<T>() { StatusCode::NO_CONTENT.into_response() } else { Json(answer).into_response() }
}

fn describe_answer<T: ToSchema + 'static>(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
    if is_empty::<T>() {
        return operation.response("204", ResponseBuilder::new().description("done"));
    }
    let content = Content::new(Some(schemas.reference::<T>()));
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
                    self(ctx, $($input),*).await.map(respond)
                })
            }

            fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
                $(let operation = $input::describe(operation, schemas);)*
                describe_answer::<T>(operation, schemas)
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
