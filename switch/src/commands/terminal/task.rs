//! The commands, and what each becomes.

use iso8583::domain::OriginalData;
use parties::{Administration, CardProfile, Kind, Original, Request, Reversal, Terminal, parse_reference};

use super::setup::{Setup, minor_units, usage};

#[derive(clap::Subcommand)]
pub enum Action {
    /// Tell the switch that the terminal begins to work (0800, 001)
    SignOn,
    /// Tell the switch that the terminal ends its work (0800, 002)
    SignOff,
    /// See whether the switch answers (0800, 301)
    Echo,
    /// Get session keys, check them, forget them (0800, 101)
    KeyExchange,
    /// Buy for --amount (0200)
    Purchase,
    /// Take --amount in cash (0200)
    Cash,
    /// Buy and take cash, --amount in all (0200)
    Cashback {
        /// The part of --amount that is handed out, in major units
        #[arg(long)]
        cash: String,
    },
    /// Give --amount back (0200)
    Refund,
    /// Hold --amount (0100)
    PreAuth,
    /// Post --amount of what a pre-authorization held (0220)
    Completion(CompletionArgs),
    /// Ask what is on the card's account (0200)
    Balance,
    /// Take an earlier request back (0400, or 0420 with --advice); --amount is the original's
    Reversal(ReversalArgs),
}

#[derive(clap::Args)]
pub struct CompletionArgs {
    /// The pre-authorization as MTI:STAN:DE7, like 0100:000123:1125041500; without it --rrn says which
    #[arg(long, value_parser = parse_reference, value_name = "ORIGINAL")]
    original: Option<OriginalData>,
    /// The pre-authorization's DE 37
    #[arg(long)]
    rrn: Option<String>,
    /// The pre-authorization's approval, DE 38 of its answer
    #[arg(long)]
    approval: String,
}

#[derive(clap::Args)]
pub struct ReversalArgs {
    /// The original as MTI:STAN:DE7, like 0200:000123:1125041500; without it --stan (and --rrn) must be the original's
    #[arg(long, value_parser = parse_reference, value_name = "ORIGINAL")]
    original: Option<OriginalData>,
    /// The original's DE 37
    #[arg(long)]
    rrn: Option<String>,
    /// The original's DE 3
    #[arg(long, default_value = PURCHASE, value_name = "DE3")]
    processing_code: String,
    /// What remains of the amount, in major units; all of it is reversed otherwise
    #[arg(long)]
    remaining: Option<String>,
    /// Send an advice, which the switch never refuses
    #[arg(long)]
    advice: bool,
}

/// DE 3 of purchases and pre-authorizations.
pub const PURCHASE: &str = "000000";

/// What is to be sent, checked as far as it can be without a switch.
pub enum Task {
    Administer(Administration),
    Transact { kind: Kind, card: CardProfile, amount: u64 },
    Complete { card: CardProfile, amount: u64, approval: String, hold: Original },
    Reverse { how: Reversal, card: CardProfile, original: Original },
}

impl Task {
    pub fn plan(action: &Action, setup: &Setup<'_>) -> anyhow::Result<Self> {
        match action {
            Action::SignOn => administer(Administration::SignOn, setup),
            Action::SignOff => administer(Administration::SignOff, setup),
            Action::Echo => administer(Administration::Echo, setup),
            Action::KeyExchange => administer(Administration::KeyExchange, setup),
            Action::Purchase => transact(Kind::Purchase, setup),
            Action::Cash => transact(Kind::Cash, setup),
            Action::Refund => transact(Kind::Refund, setup),
            Action::PreAuth => transact(Kind::PreAuth, setup),
            Action::Cashback { cash } => {
                let cash = minor_units("--cash", cash, setup.card()?.currency())?;
                transact(Kind::Cashback { cash }, setup)
            }
            Action::Balance => {
                setup.refuse_amount()?;
                Ok(Self::Transact { kind: Kind::Balance, card: setup.card()?, amount: 0 })
            }
            Action::Completion(args) => complete(args, setup),
            Action::Reversal(args) => reverse(args, setup),
        }
    }

    /// `KeyExchange` is better left to [`Terminal::exchange_keys`], which also takes the keys.
    pub fn build(&self, terminal: &Terminal) -> Result<Request, parties::Error> {
        match self {
            Self::Administer(what) => terminal.administer(*what),
            Self::Transact { kind, card, amount } => terminal.request(*kind, card, *amount),
            Self::Complete { card, amount, approval, hold } => terminal.completion(card, *amount, approval, hold),
            Self::Reverse { how, card, original } => terminal.reversal(*how, card, original),
        }
    }
}

fn administer(what: Administration, setup: &Setup<'_>) -> anyhow::Result<Task> {
    setup.refuse_amount()?;
    Ok(Task::Administer(what))
}

fn transact(kind: Kind, setup: &Setup<'_>) -> anyhow::Result<Task> {
    let card = setup.card()?;
    let amount = setup.amount(&card)?;
    Ok(Task::Transact { kind, card, amount })
}

fn complete(args: &CompletionArgs, setup: &Setup<'_>) -> anyhow::Result<Task> {
    if args.original.is_none() && args.rrn.is_none() {
        return Err(usage("a completion needs --original or --rrn of its pre-authorization; pre-auth prints both"));
    }
    let card = setup.card()?;
    let amount = setup.amount(&card)?;
    let hold = original(&args.original, &args.rrn, PURCHASE, amount, &card);
    Ok(Task::Complete { card, amount, approval: args.approval.clone(), hold })
}

fn reverse(args: &ReversalArgs, setup: &Setup<'_>) -> anyhow::Result<Task> {
    if args.original.is_none() && setup.options.stan.is_none() {
        return Err(usage("a reversal needs --original, or the original's --stan; the original's command prints it"));
    }
    let card = setup.card()?;
    let amount = setup.amount(&card)?;
    let remaining = args.remaining.as_deref();
    let remaining = remaining.map(|text| minor_units("--remaining", text, card.currency())).transpose()?;
    let how = Reversal { advice: args.advice, remaining_minor: remaining };
    let original = original(&args.original, &args.rrn, &args.processing_code, amount, &card);
    Ok(Task::Reverse { how, card, original })
}

fn original(
    data: &Option<OriginalData>,
    rrn: &Option<String>,
    processing_code: &str,
    amount_minor: u64,
    card: &CardProfile,
) -> Original {
    Original {
        data: data.clone(),
        rrn: rrn.clone(),
        processing_code: processing_code.to_owned(),
        amount_minor,
        currency: card.currency().to_owned(),
    }
}
