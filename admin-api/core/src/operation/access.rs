//! Who may call an operation.

use super::row::Effect;

/// What an operation demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: no token is looked at.
    Anonymous,
    /// A token.
    Authenticated,
    /// The right to this entity: the permission key is `<Entity>.<verb>.Allowed`.
    Entity(&'static str),
    /// The same, and no one tenant's person: the platform's own people and those of institutions.
    Platform(&'static str),
    /// The right to this entity for the type of a wallet that the body names: the handler asks by
    /// [`Ctx::require`](crate::Ctx::require), and the test of all rows finds one that does not.
    InHandler(&'static str),
}

impl Access {
    pub fn entity(self) -> Option<&'static str> {
        match self {
            Self::Entity(entity) | Self::Platform(entity) | Self::InHandler(entity) => Some(entity),
            Self::Anonymous | Self::Authenticated => None,
        }
    }

    /// The key under which the right is configured, where there is one.
    pub fn permission_key(self, effect: Effect) -> Option<String> {
        self.entity().map(|entity| format!("{entity}.{}.Allowed", effect.permission()))
    }
}
