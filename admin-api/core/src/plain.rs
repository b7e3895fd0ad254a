//! Plain resources: what has a name, a profile and no rules of its own. Such a resource is a struct of its profile and
//! one call of [`plain_resource!`](crate::plain_resource); the five operations, their schemas and their SQL follow.

use std::marker::PhantomData;

use admin_store::{PlainRow, PlainTable};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Method;
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Content, KnownFormat, Ref, RefOr, Required, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::amount::UnixMillis;
use crate::ctx::Ctx;
use crate::error::{ApiError, ErrorCode};
use crate::operation::{Access, Call, Effect, Input, Query, Row, Schemas};
use crate::paging::Paging;

/// What tells one plain resource from another.
pub trait PlainResource: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    const TABLE: &'static PlainTable;
    /// Of the permission key.
    const ENTITY: &'static str;
    /// Field and path parameter that hold its id.
    const ID: &'static str;
    /// Paths of all and of one.
    const PATHS: [&'static str; 2];
    /// Ids and summaries of list, create, update, read, delete.
    const OPERATIONS: [(&'static str, &'static str); 5];
}

/// Makes a profile a plain resource: type, entity, plural, path, id, table and what it is called in summaries.
#[macro_export]
macro_rules! plain_resource {
    ($profile:ty, $entity:literal, $plural:literal, $path:literal, $id:literal, $table:expr, $called:literal) => {
        impl $crate::PlainResource for $profile {
            const TABLE: &'static $crate::PlainTable = $table;
            const ENTITY: &'static str = $entity;
            const ID: &'static str = $id;
            const PATHS: [&'static str; 2] =
                [concat!("/tenants/{tenantId}/", $path), concat!("/tenants/{tenantId}/", $path, "/{", $id, "}")];
            const OPERATIONS: [(&'static str, &'static str); 5] = [
                (concat!("list", $plural), concat!("List: every ", $called)),
                (concat!("create", $entity), concat!("Add a ", $called)),
                (concat!("update", $entity), concat!("Change a ", $called)),
                (concat!("get", $entity), concat!("Read a ", $called)),
                (concat!("delete", $entity), concat!("Remove a ", $called)),
            ];
        }
    };
}

/// The five operations of a plain resource.
pub fn plain_rows<T: PlainResource>() -> Vec<Row> {
    let access = Access::Entity(T::ENTITY);
    let [all, one] = T::PATHS;
    let [lists, creates, updates, reads, deletes] = T::OPERATIONS;
    vec![
        Row::new(lists.0, Method::GET, all, access, Effect::List, lists.1, list::<T>),
        Row::new(creates.0, Method::POST, all, access, Effect::Create, creates.1, create::<T>),
        Row::new(updates.0, Method::PUT, one, access, Effect::Update, updates.1, update::<T>),
        Row::new(reads.0, Method::GET, one, access, Effect::Read, reads.1, get::<T>),
        Row::new(deletes.0, Method::DELETE, one, access, Effect::Delete, deletes.1, delete::<T>),
    ]
}

async fn list<T: PlainResource>(ctx: Ctx, _: InTenant, Query(paging): Query<Paging>) -> Result<ShownList<T>, ApiError> {
    let rows = ctx.store().plains(T::TABLE, ctx.scope(), paging.page()?).await?;
    ctx.part(&paging, rows, |row| row.id, Shown::new).map(ShownList)
}

async fn create<T: PlainResource>(ctx: Ctx, _: InTenant, body: Stated<T, false>) -> Result<Shown<T>, ApiError> {
    let tenant = ctx.tenant()?;
    let profile = body.whole(Map::new())?;
    let mut change = ctx.begin().await?;
    let row = ctx.store().insert_plain(change.transaction(), T::TABLE, tenant, body.name()?, &profile).await?;
    change.created(Shown::<T>::new(row)?).await
}

async fn update<T: PlainResource>(ctx: Ctx, id: Id<T>, body: Stated<T, true>) -> Result<Shown<T>, ApiError> {
    let row = find(&ctx, &id).await?;
    let version = body.fields.get("version").and_then(Value::as_i64).unwrap_or(row.version);
    let name = body.name().unwrap_or(&row.name).to_owned();
    let changed = PlainRow { name, profile: body.whole(crate::patch::profile(&row.profile)?)?, ..row.clone() };
    let mut change = ctx.begin().await?;
    let after = ctx.store().update_plain(change.transaction(), T::TABLE, ctx.scope(), &changed, version).await?;
    change.updated(&Shown::<T>::new(row)?, Shown::new(after)?).await
}

async fn get<T: PlainResource>(ctx: Ctx, id: Id<T>) -> Result<Shown<T>, ApiError> {
    Shown::new(find(&ctx, &id).await?)
}

async fn delete<T: PlainResource>(ctx: Ctx, id: Id<T>) -> Result<(), ApiError> {
    let row = find(&ctx, &id).await?;
    let mut change = ctx.begin().await?;
    ctx.store().delete_plain(change.transaction(), T::TABLE, ctx.scope(), row.id).await?;
    change.done(&Shown::<T>::new(row)?).await
}

async fn find<T: PlainResource>(ctx: &Ctx, id: &Id<T>) -> Result<PlainRow, ApiError> {
    let row = ctx.store().plain(T::TABLE, ctx.scope(), id.0).await?;
    row.ok_or_else(|| ApiError::not_found(T::ENTITY))
}

/// The tenant of the path, which the row's layer has judged.
struct InTenant;

impl Input for InTenant {
    async fn read(_: &mut Call) -> Result<Self, ApiError> {
        Ok(Self)
    }

    fn describe(operation: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        operation.parameter(path_id("tenantId"))
    }
}

/// The id of the path.
struct Id<T>(i64, PhantomData<T>);

impl<T: PlainResource> Input for Id<T> {
    async fn read(call: &mut Call) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(&mut call.parts, &()).await.ok();
        let id = params.iter().flatten().find(|(name, _)| *name == T::ID).and_then(|(_, value)| value.parse().ok());
        id.map(|id| Self(id, PhantomData)).ok_or_else(|| ApiError::not_found(T::ENTITY))
    }

    fn describe(operation: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        operation.parameter(path_id("tenantId")).parameter(path_id(T::ID))
    }
}

fn path_id(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(number()))
        .build()
}

fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}

/// A body: the profile with its name, or what is to change of it.
struct Stated<T, const PATCH: bool> {
    fields: Map<String, Value>,
    profile: PhantomData<T>,
}

impl<T: PlainResource, const PATCH: bool> Stated<T, PATCH> {
    fn name(&self) -> Result<&str, ApiError> {
        let missing = || ApiError::new(ErrorCode::Validation, format!("{}.name is missing", Self::model_name()));
        self.fields.get("name").and_then(Value::as_str).ok_or_else(missing)
    }

    /// The profile for its column: what was there, with what is stated in its place, and nothing that is not of it.
    fn whole(&self, mut profile: Map<String, Value>) -> Result<String, ApiError> {
        profile.extend(
            self.fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())),
        );
        let profile: T = serde_path_to_error::deserialize(Value::Object(profile)).map_err(|error| {
            let field = error.path().to_string();
            ApiError::new(
                ErrorCode::Validation,
                format!("{}.{field} is missing or not of its kind", Self::model_name()),
            )
        })?;
        crate::patch::profile_text(&profile)
    }

    fn model_name() -> String {
        if PATCH { format!("{}Change", T::ENTITY) } else { format!("New{}", T::ENTITY) }
    }

    /// The profile's schema with the name; of a change nothing is required.
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut object)) = T::schema() else { return T::schema() };
        let name = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(3))
            .max_length(Some(50))
            .description(Some("Unique in the tenant"));
        object.properties.insert("name".into(), name.into());
        if PATCH {
            object.required.clear();
            object.properties.insert("version".into(), number().minimum(Some(0)).into());
        } else {
            object.required.push("name".into());
        }
        RefOr::T(Schema::Object(object))
    }
}

impl<T: PlainResource, const PATCH: bool> Input for Stated<T, PATCH> {
    async fn read(call: &mut Call) -> Result<Self, ApiError> {
        match call.json(&Self::model_name())? {
            Value::Object(fields) => Ok(Self { fields, profile: PhantomData }),
            _ => Err(ApiError::new(ErrorCode::Validation, format!("{} is an object", Self::model_name()))),
        }
    }

    fn describe(operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
        let schema = schemas.named(&Self::model_name(), Self::schema());
        let content = Content::new(Some(schema));
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        operation.request_body(Some(body.build()))
    }

    fn body_model(_: &mut Schemas) -> Option<(String, RefOr<Schema>)> {
        Some((Self::model_name(), Self::schema()))
    }
}

/// A plain resource as the API shows it.
struct Shown<T> {
    row: PlainRow,
    profile: T,
}

impl<T: PlainResource> Shown<T> {
    fn new(row: PlainRow) -> Result<Self, ApiError> {
        Ok(Self { profile: crate::patch::profile(&row.profile)?, row })
    }
}

impl<T: PlainResource> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(T::ID, &self.row.id)?;
        map.serialize_entry("tenantId", &self.row.tenant_id)?;
        map.serialize_entry("name", &self.row.name)?;
        if let Value::Object(profile) = serde_json::to_value(&self.profile).map_err(serde::ser::Error::custom)? {
            for (name, value) in profile.iter().filter(|(_, value)| !value.is_null()) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("version", &self.row.version)?;
        map.serialize_entry("created", &UnixMillis(self.row.created_at))?;
        map.serialize_entry("lastModified", &UnixMillis(self.row.modified_at))?;
        map.end()
    }
}

impl<T: PlainResource> PartialSchema for Shown<T> {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut object)) = T::schema() else { return T::schema() };
        let text = || ObjectBuilder::new().schema_type(Type::String);
        for name in [T::ID, "tenantId", "version"] {
            object.properties.insert(name.into(), number().into());
        }
        object.properties.insert("name".into(), text().into());
        for name in ["created", "lastModified"] {
            object.properties.insert(name.into(), UnixMillis::schema());
        }
        object.required.extend([T::ID, "tenantId", "name", "version", "created", "lastModified"].map(str::to_owned));
        RefOr::T(Schema::Object(object))
    }
}

impl<T: PlainResource> ToSchema for Shown<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        T::ENTITY.into()
    }
}

/// A part of the list.
#[derive(Serialize)]
#[serde(transparent)]
struct ShownList<T: PlainResource>(Vec<Shown<T>>);

impl<T: PlainResource> PartialSchema for ShownList<T> {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new().items(Ref::from_schema_name(T::ENTITY)).into()
    }
}

impl<T: PlainResource> ToSchema for ShownList<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::ENTITY.to_owned(), Shown::<T>::schema()));
    }
}
