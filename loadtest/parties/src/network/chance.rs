//! Chance that can be repeated: every draw is a function of the seed, a number and what it is for.

/// What a draw decides. Each has draws of its own, so that one more kind of chance does not change the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draw {
    Delivery = 1,
    Decline = 2,
    Delay = 3,
    DelayToo = 4,
    Opening = 5,
    Approval = 6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(self, number: u64, draw: Draw) -> u64 {
        mixed(mixed(mixed(self.0) ^ number) ^ draw as u64)
    }

    /// From 0 up to, but not including, 1.
    pub fn unit(self, number: u64, draw: Draw) -> f64 {
        // The 53 bits that a double holds exactly.
        (self.bits(number, draw) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From the standard normal distribution (Box and Muller).
    pub fn normal(self, number: u64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit(number, Draw::Delay)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit(number, Draw::DelayToo)).cos()
    }

    /// A number for a text, as good as the text itself for drawing.
    pub fn of_text(self, text: &str) -> u64 {
        text.bytes().fold(mixed(self.0), |state, byte| mixed(state ^ u64::from(byte)))
    }
}

/// The output step of SplitMix64 (Steele, Lea and Flood, 2014).
fn mixed(state: u64) -> u64 {
    let mut bits = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_repeatable_and_spread() {
        let (chance, again, other) = (Chance::new(7), Chance::new(7), Chance::new(8));
        let draws = |chance: Chance| (0..1_000).map(|n| chance.unit(n, Draw::Delivery)).collect::<Vec<_>>();
        assert_eq!(draws(chance), draws(again));
        assert_ne!(draws(chance), draws(other));
        let mean = draws(chance).iter().sum::<f64>() / 1_000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        assert_ne!(chance.bits(1, Draw::Delivery), chance.bits(1, Draw::Decline));
        assert_ne!(chance.of_text("9999990000000008"), chance.of_text("9999990000000009"));
    }

    #[test]
    fn the_normal_is_normal() {
        let chance = Chance::new(3);
        let within = (0..10_000).filter(|n| chance.normal(*n).abs() < 1.0).count();
        assert!((6_600..7_060).contains(&within), "{within} of 10,000 within one deviation; 68.3 % should be");
    }
}
