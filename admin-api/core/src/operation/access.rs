//! Who may call an operation.

use super::row::Effect;
use crate::ctx::Actor;
use crate::token::Claims;

/// What an operation demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: no token is looked at.
    Anonymous,
    /// A token.
    Authenticated,
    /// The right to this entity: the permission key is `<Entity>.<verb>.Allowed`.
    Entity(&'static str),
}

/// Holders of every right: over the whole platform, and within their tenant.
const PLATFORM_ADMINISTRATOR: &str = "GLOBAL_ADMIN";
const TENANT_ADMINISTRATOR: &str = "TENANT_SYSTEM";

impl Access {
    /// The key under which the right is configured, where there is one.
    pub fn permission_key(self, effect: Effect) -> Option<String> {
        match self {
            Self::Entity(entity) => Some(format!("{entity}.{}.Allowed", effect.permission())),
            Self::Anonymous | Self::Authenticated => None,
        }
    }

    pub(super) fn allows(self, actor: &Actor) -> bool {
        match (self, actor) {
            (Self::Anonymous, _) => true,
            (_, Actor::Anonymous) => false,
            (Self::Authenticated, Actor::User(_)) => true,
            (Self::Entity(_), Actor::User(claims)) => is_administrator(claims),
        }
    }
}

fn is_administrator(claims: &Claims) -> bool {
    let global = claims.tenant.is_none() && claims.roles.split(',').any(|role| role == PLATFORM_ADMINISTRATOR);
    let own =
        |tenant: i64| claims.pos.iter().any(|position| position.o == tenant && position.p == TENANT_ADMINISTRATOR);
    global || claims.tenant.is_some_and(own)
}
