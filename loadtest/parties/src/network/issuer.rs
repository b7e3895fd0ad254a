//! A network in front of issuers: answers what the other side asks, on one connection or many.

mod account;
mod asked;
mod books;
mod card;
mod digest;
mod host;
mod memory;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use iso8583::domain::Pan;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::account::Accounts;
pub use self::account::Balance;
use self::books::Books;
pub use self::card::IssuerCard;
use self::host::Host;
use super::behaviour::Behaviour;
use super::counts::Counts;
use super::link::{End, Link};
use super::party::Party;
use super::{NetworkError, Watch, Zone};

/// Pauses between attempts to connect again double from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long answers that are under way may hold up the end.
const FINISHING: Duration = Duration::from_secs(2);

/// How an [`IssuerSide`] is set up.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    pub behaviour: Behaviour,
    /// What is on the account of a card that nobody told of, in minor units; its number and the seed say where in the
    /// range.
    pub opening_minor: RangeInclusive<u64>,
    pub cards: Vec<IssuerCard>,
    /// Sign on at the beginning of every connection.
    pub sign_on: bool,
    /// Give the other side keys at the beginning of a connection, unless it proves that it has some.
    pub exchange_keys: bool,
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            behaviour: Behaviour::default(),
            opening_minor: 1_000_000..=10_000_000,
            cards: Vec::new(),
            sign_on: true,
            exchange_keys: true,
        }
    }
}

/// Ends with [`IssuerSide::stop`], and when it is dropped.
pub struct IssuerSide {
    party: Party,
    host: Arc<Host>,
    settings: IssuerSettings,
    links: Arc<Mutex<Vec<Arc<Link>>>>,
    stopped: CancellationToken,
}

impl IssuerSide {
    pub fn new(zone: Arc<Zone>, settings: IssuerSettings, watch: Option<Watch>) -> Result<Self, NetworkError> {
        settings.behaviour.check()?;
        let party = Party::new(zone, watch)?;
        let seed = settings.behaviour.seed;
        let accounts = Accounts::new(seed, settings.opening_minor.clone(), &settings.cards);
        let books = Books::new(accounts, seed);
        let host = Arc::new(Host::new(settings.behaviour.clone(), books, Arc::clone(&party.counts)));
        let party = party.with_traffic(Arc::clone(&host) as _);
        Ok(Self { party, host, settings, links: Arc::default(), stopped: CancellationToken::new() })
    }

    /// Accepts connections from now on; gives the address it is bound to.
    pub async fn listen(&self, address: SocketAddr) -> Result<SocketAddr, NetworkError> {
        let fault = |error: std::io::Error| NetworkError::Listen { address, reason: error.to_string() };
        let socket = TcpListener::bind(address).await.map_err(fault)?;
        let bound = socket.local_addr().map_err(fault)?;
        let greeter = self.greeter();
        let stopped = self.stopped.clone();
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stopped.cancelled() => return,
                    accepted = socket.accept() => accepted,
                };
                match accepted {
                    Ok((stream, _)) => {
                        let Ok(link) = Link::start(stream, End::Accepted, greeter.party.clone()) else { continue };
                        let greeter = greeter.clone();
                        tokio::spawn(async move { greeter.keep(link).await });
                    }
                    // Out of file descriptors, most likely; others will be given back.
                    Err(_) => tokio::time::sleep(FIRST_PAUSE).await,
                }
            }
        });
        Ok(bound)
    }

    /// Connects, signs on and exchanges keys; from then on connects again whenever the connection ends.
    pub async fn connect(&self, address: SocketAddr) -> Result<(), NetworkError> {
        let greeter = self.greeter();
        let first = Link::connect(address, self.party.clone()).await?;
        greeter.greet(&first).await?;
        let stopped = self.stopped.clone();
        tokio::spawn(async move {
            let again = async {
                first.closed().await;
                greeter.connect_again(address).await;
            };
            tokio::select! {
                () = stopped.cancelled() => {}
                () = again => {}
            }
        });
        Ok(())
    }

    /// What is on a card's account.
    pub fn balance(&self, pan: &str, currency: &str) -> Result<Balance, NetworkError> {
        let pan = Pan::parse(pan).map_err(|fault| NetworkError::Cards(fault.to_string()))?;
        let books = self.host.books();
        let account = books.accounts.account(&pan, currency);
        Ok(books.accounts.balance(account))
    }

    pub fn counts(&self) -> &Counts {
        &self.party.counts
    }

    pub fn zone(&self) -> &Arc<Zone> {
        &self.party.zone
    }

    /// The connections that are open.
    pub fn links(&self) -> Vec<Arc<Link>> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.is_open());
        links.clone()
    }

    /// Signs off on every connection, answers nothing but 91 for so long, and signs on again.
    pub async fn stay_away(&self, away: Duration) {
        self.host.go_away(away);
        let links = self.links();
        futures::future::join_all(links.iter().map(|link| link.stay_away(away))).await;
    }

    /// Signs off, sends what answers are under way, and closes.
    pub async fn stop(&self) {
        self.stopped.cancel();
        let links = self.links();
        let endings = links.iter().map(|link| async {
            // The other side may be gone already.
            let _ = tokio::time::timeout(FINISHING, link.sign_off()).await;
            link.finish(FINISHING).await;
        });
        futures::future::join_all(endings).await;
    }

    fn greeter(&self) -> Greeter {
        Greeter {
            party: self.party.clone(),
            sign_on: self.settings.sign_on,
            exchange_keys: self.settings.exchange_keys,
            links: Arc::clone(&self.links),
        }
    }
}

impl Drop for IssuerSide {
    fn drop(&mut self) {
        self.stopped.cancel();
        self.links().iter().for_each(|link| link.close());
    }
}

impl std::fmt::Debug for IssuerSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerSide").field("zone", &self.party.zone).finish_non_exhaustive()
    }
}

/// Begins connections.
#[derive(Clone)]
struct Greeter {
    party: Party,
    sign_on: bool,
    exchange_keys: bool,
    links: Arc<Mutex<Vec<Arc<Link>>>>,
}

impl Greeter {
    async fn greet(&self, link: &Arc<Link>) -> Result<(), NetworkError> {
        self.note(link);
        let greeted = async {
            if self.sign_on {
                link.sign_on().await?;
            }
            if self.exchange_keys {
                link.ensure_keys().await?;
            }
            Ok(())
        };
        let result = greeted.await;
        if result.is_err() {
            link.close();
        }
        result
    }

    /// An accepted connection serves, whether the other side cares for being greeted or not.
    async fn keep(&self, link: Arc<Link>) {
        self.note(&link);
        if self.sign_on {
            let _ = link.sign_on().await;
        }
        if self.exchange_keys {
            let _ = link.ensure_keys().await;
        }
    }

    async fn connect_again(&self, address: SocketAddr) {
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let connected = Link::connect(address, self.party.clone()).await;
            match connected {
                Ok(link) if self.greet(&link).await.is_ok() => {
                    pause = FIRST_PAUSE;
                    link.closed().await;
                }
                _ => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    fn note(&self, link: &Arc<Link>) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.is_open());
        links.push(Arc::clone(link));
    }
}
