//! Tokens: JWTs signed with PS256 under a key made at the first start.

use admin_store::{DataKeys, Store, StoreError};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::error::{ApiError, ErrorCode};

/// Life of a token in seconds.
const LIFE_S: i64 = 900;
const ISSUER: &str = "umbra";

/// Name of the sealed key in the store.
const SIGNING_KEY: &str = "token-signing-key";

/// What a token says. Names are those of the API's clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Identity.
    pub sub: String,
    /// How the token was obtained.
    pub src: String,
    /// Comma list of global roles; empty for people of a tenant.
    pub roles: String,
    /// Session, a UUID.
    pub sess: String,
    pub iss: String,
    /// Number of the user.
    pub uid: i64,
    /// Positions held, each with the tenant it is held in.
    pub pos: Vec<PositionClaim>,
    /// Unix seconds.
    pub iat: i64,
    pub exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PositionClaim {
    /// Tenant or organisation.
    pub o: i64,
    /// Position.
    pub p: String,
}

impl Claims {
    /// For a user who has just proved who he is, at `now` (Unix seconds).
    pub fn new(user: &admin_store::UserRow, now: i64) -> Self {
        Self::of_session(user, &uuid::Uuid::new_v4().to_string(), now)
    }

    /// For a session that is open.
    pub fn of_session(user: &admin_store::UserRow, session: &str, now: i64) -> Self {
        let positions = user.positions.split(',').filter(|position| !position.is_empty());
        let held = |tenant: i64| positions.map(move |position| PositionClaim { o: tenant, p: position.to_owned() });
        Self {
            sub: user.identity.clone(),
            src: "Auth-P".into(),
            roles: user.roles.clone(),
            sess: session.to_owned(),
            iss: ISSUER.into(),
            uid: user.id,
            pos: user.tenant_id.map(|tenant| held(tenant).collect()).unwrap_or_default(),
            iat: now,
            exp: now + LIFE_S,
            tenant: user.tenant_id,
        }
    }
}

/// A token that may be handed out. It is not shown by `Debug`.
#[derive(Clone)]
pub struct SignedToken(pub String);

impl std::fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedToken(…)")
    }
}

/// The public half, as a JSON Web Key (RFC 7517).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PublicKey {
    pub kty: String,
    #[serde(rename = "use")]
    pub usage: String,
    pub alg: String,
    pub kid: String,
    /// Modulus and exponent, base64url
    pub n: String,
    pub e: String,
}

/// Signs and verifies.
pub struct TokenKeys {
    id: String,
    public: PublicKey,
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// Why there are no token keys.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the stored token key does not open; is this the database's own HSM?")]
    Damaged,
    #[error("no token key could be made")]
    NotMade,
}

impl TokenKeys {
    /// Unseals the signing key, or makes it at the first start.
    pub async fn open(store: &Store, keys: &DataKeys) -> Result<Self, TokenKeyError> {
        let pkcs8 = match store.key(SIGNING_KEY).await? {
            Some(sealed) => {
                let sealed = hex::decode(sealed).map_err(|_| TokenKeyError::Damaged)?;
                keys.open_token_key(&sealed).map_err(|_| TokenKeyError::Damaged)?
            }
            None => make(store, keys).await?,
        };
        Self::from_pkcs8(&pkcs8).ok_or(TokenKeyError::Damaged)
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(pkcs8).ok()?;
        let public = pair.public_key();
        let (modulus, exponent) = (public.modulus(), public.exponent());
        let verifying = DecodingKey::from_rsa_raw_components(
            modulus.big_endian_without_leading_zero(),
            exponent.big_endian_without_leading_zero(),
        );
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(pkcs8));
        let pem = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *encoded));
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).ok()?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public.as_ref());
        let id = hex::encode(digest.as_ref().get(..8)?);
        let public = PublicKey {
            kty: "RSA".into(),
            usage: "sig".into(),
            alg: "PS256".into(),
            kid: id.clone(),
            n: BASE64_URL_SAFE_NO_PAD.encode(modulus.big_endian_without_leading_zero()),
            e: BASE64_URL_SAFE_NO_PAD.encode(exponent.big_endian_without_leading_zero()),
        };
        Some(Self { id, public, signing, verifying })
    }

    /// With which anybody can check our tokens.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub fn sign(&self, claims: &Claims) -> Result<SignedToken, ApiError> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::PS256) };
        jsonwebtoken::encode(&header, claims, &self.signing)
            .map(SignedToken)
            .map_err(|_| ApiError::new(ErrorCode::Unknown, "the token could not be signed"))
    }

    /// The claims of a token that is ours and not over.
    pub fn verify(&self, token: &str) -> Result<Claims, ApiError> {
        let mut validation = Validation::new(Algorithm::PS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.leeway = 0;
        jsonwebtoken::decode::<Claims>(token, &self.verifying, &validation).map(|token| token.claims).map_err(|error| {
            match error.kind() {
                ErrorKind::ExpiredSignature => {
                    ApiError::new(ErrorCode::TokenExpired, "the token has expired; log in again")
                }
                _ => ApiError::new(ErrorCode::NoToken, "the token is not valid; log in again"),
            }
        })
    }
}

async fn make(store: &Store, keys: &DataKeys) -> Result<Zeroizing<Vec<u8>>, TokenKeyError> {
    let made = tokio::task::spawn_blocking(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        Some(Zeroizing::new(der.as_ref().to_vec()))
    });
    let pkcs8 = made.await.ok().flatten().ok_or(TokenKeyError::NotMade)?;
    let sealed = keys.seal_token_key(&pkcs8)?;
    store.put_key(SIGNING_KEY, &hex::encode(sealed), "").await?;
    Ok(pkcs8)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn keys() -> (TokenKeys, TokenKeys) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&admin_store::Database::Sqlite(folder.path().join("umbra.sqlite"))).await.unwrap();
        let key = |byte| Zeroizing::new([byte; 32]);
        let data = DataKeys { pan_cipher: key(1), pan_lookup: key(2), token_seal: key(3) };
        let first = TokenKeys::open(&store, &data).await.unwrap();
        let second = TokenKeys::open(&store, &data).await.unwrap();
        assert!(
            TokenKeys::open(&store, &DataKeys { token_seal: key(4), ..data }).await.is_err(),
            "another seal opens nothing"
        );
        (first, second)
    }

    fn claims(now: i64) -> Claims {
        let user = admin_store::UserRow {
            id: 7,
            tenant_id: Some(3),
            identity: "someone".into(),
            password_hash: String::new(),
            roles: String::new(),
            positions: "TENANT_SYSTEM".into(),
            institution_id: None,
            profile: "{}".into(),
            status: "ACTIVE".into(),
            version: 0,
            created_at: 0,
            modified_at: 0,
            locked_until: 0,
        };
        Claims::new(&user, now)
    }

    #[tokio::test]
    async fn tokens_hold_until_they_expire() {
        let (first, after_restart) = keys().await;
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let token = first.sign(&claims(now)).unwrap();
        assert!(token.0.starts_with("eyJ") && format!("{token:?}") == "SignedToken(…)");
        let read = after_restart.verify(&token.0).unwrap();
        assert_eq!((read.uid, read.tenant, read.pos[0].p.as_str()), (7, Some(3), "TENANT_SYSTEM"));
        let old = first.sign(&claims(now - LIFE_S - 1)).unwrap();
        assert_eq!(first.verify(&old.0).unwrap_err().code, ErrorCode::TokenExpired);
        let (head, tail) = token.0.split_at(token.0.len() / 2);
        let altered = format!("{head}{}{}", if tail.starts_with('A') { 'B' } else { 'A' }, &tail[1..]);
        assert_eq!(first.verify(&altered).unwrap_err().code, ErrorCode::NoToken);
        assert_eq!(first.verify("").unwrap_err().code, ErrorCode::NoToken);
    }
}
