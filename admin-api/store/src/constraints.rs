//! What must be unique, by PostgreSQL's name of the constraint, and the field of the API that it is about. A test
//! holds this list against the schema.

pub const UNIQUE: [(&str, &str); 20] = [
    ("accounts_tenant_id_kind_name_key", "name"),
    ("cards_external_unique_id_key", "externalUniqueId"),
    ("cards_pan_hash_key", "pan"),
    ("config_items_owner_key_key", "key"),
    ("customers_external_unique_id_key", "externalUniqueId"),
    ("idempotency_keys_actor_key_key", "Idempotency-Key"),
    ("institutions_code_key", "institution"),
    ("money_operations_event_id_key", "eventId"),
    ("money_operations_external_unique_id_key", "externalUniqueId"),
    ("money_operations_actor_idempotency_key_key", "Idempotency-Key"),
    ("money_operations_reverses_key", "originalExternalUniqueId"),
    ("networks_institution_key", "id"),
    ("tenants_name_key", "name"),
    ("terminal_types_tenant_id_name_key", "name"),
    ("terminals_terminal_id_merchant_id_key", "deviceId"),
    ("users_identity_key", "identity"),
    ("wallet_types_tenant_id_name_key", "name"),
    ("wallets_account_key", "account"),
    ("wallets_external_unique_id_key", "externalUniqueId"),
    ("wallets_friendly_id_key", "friendlyId"),
];
