//! What is sent: the workloads by name, each a mix of acts over a choice of cards.

use clap::ValueEnum;

/// Workloads of `loadtest run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Purchases without PIN and MAC
    Purchase,
    /// Purchases with PIN and MAC
    PinPurchase,
    /// Pre-authorizations and their completions, with PIN and MAC
    PreAuth,
    /// Purchases that are taken back: reversals, advices, repeats of them, in part and of messages that never were
    ReversalStorm,
    /// Purchases with one card
    HotAccount,
    /// Purchases with cards of which few are used often
    ZipfAccounts,
    /// Transfers between wallets over REST
    RestTransfer,
    /// What shops send in a day, with PIN and MAC, in waves where the rate is fixed
    ShoppingDay,
}

/// One thing a terminal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Purchase,
    /// Only the blocked card, an empty one, or one nobody issued.
    DeclinedPurchase,
    Cashback,
    Refund,
    Balance,
    PreAuth,
    /// Of a pre-authorization that was approved in an earlier round; where there is none, a pre-authorization.
    Completion,
    /// A purchase, and the reversal of it right behind.
    TakenBack,
    /// A reversal of a message that was never sent.
    ReversalOfNothing,
}

/// How cards are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cards {
    Uniform,
    One,
    /// The nth card as often as 1/n.
    Zipf,
}

/// What makes up a workload of card messages.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// Acts and how often each comes, relative to the others.
    pub acts: &'static [(Act, u32)],
    pub cards: Cards,
    /// Messages carry MACs, and a PIN where one is asked for.
    pub secured: bool,
}

impl Workload {
    /// As on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// `None` for what is not sent by terminals.
    pub fn mix(self) -> Option<Mix> {
        const PURCHASES: &[(Act, u32)] = &[(Act::Purchase, 1)];
        let purchases = |cards, secured| Mix { acts: PURCHASES, cards, secured };
        Some(match self {
            Self::Purchase => purchases(Cards::Uniform, false),
            Self::PinPurchase => purchases(Cards::Uniform, true),
            Self::HotAccount => purchases(Cards::One, false),
            Self::ZipfAccounts => purchases(Cards::Zipf, false),
            Self::PreAuth => {
                Mix { acts: &[(Act::PreAuth, 1), (Act::Completion, 1)], cards: Cards::Uniform, secured: true }
            }
            Self::ReversalStorm => {
                Mix { acts: &[(Act::TakenBack, 9), (Act::ReversalOfNothing, 1)], cards: Cards::Uniform, secured: true }
            }
            Self::ShoppingDay => Mix {
                acts: &[
                    (Act::Purchase, 62),
                    (Act::Cashback, 3),
                    (Act::Refund, 3),
                    (Act::Balance, 4),
                    (Act::PreAuth, 9),
                    (Act::Completion, 9),
                    (Act::TakenBack, 4),
                    (Act::ReversalOfNothing, 1),
                    (Act::DeclinedPurchase, 5),
                ],
                cards: Cards::Zipf,
                secured: true,
            },
            Self::RestTransfer => return None,
        })
    }

    /// How the rate goes through a run of the open model, as a factor on the mean: 1 but for the day, which begins and
    /// ends quietly and has its rush at noon and in the evening. `at`: 0 to 1.
    pub fn rate_factor(self, at: f64) -> f64 {
        /// Shape of a day in twelve parts, their mean 1.
        const DAY: [f64; 12] = [0.3, 0.5, 0.8, 1.0, 1.3, 1.6, 1.2, 1.0, 1.2, 1.6, 1.1, 0.4];
        if self != Self::ShoppingDay {
            return 1.0;
        }
        let part = (at.clamp(0.0, 1.0) * DAY.len() as f64) as usize;
        DAY.get(part.min(DAY.len() - 1)).copied().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_the_mean_rate_that_was_asked_for() {
        let parts = 1200;
        let sum: f64 =
            (0..parts).map(|part| Workload::ShoppingDay.rate_factor(f64::from(part) / f64::from(parts))).sum();
        assert!((sum / f64::from(parts) - 1.0).abs() < 1e-9);
        assert_eq!(Workload::Purchase.rate_factor(0.1), 1.0);
    }

    #[test]
    fn every_workload_has_a_name_and_most_have_a_mix() {
        for workload in Workload::value_variants() {
            assert!(!workload.name().is_empty());
            assert_eq!(workload.mix().is_none(), *workload == Workload::RestTransfer);
        }
    }
}
