//! Places by what is kept there, through a hash of it: an open table of eight bytes a place, probed in a line. Finding out
//! where something most likely lies takes one look and no branch, so many can be looked for at once; growing and
//! removing ask nothing of what is kept.

use super::records::Place;

#[derive(Clone, Default)]
pub(super) struct Index {
    /// Empty ones are 0, others half of a hash above a place and one. As many as a power of two, or none.
    slots: Vec<u64>,
    len: usize,
}

/// A slot's half of the hash; where it stands follows from that.
fn half(slot: u64) -> usize {
    (slot >> 32) as usize
}

fn place(slot: u64) -> Option<Place> {
    (slot as u32).checked_sub(1)
}

impl Index {
    /// With room for so many.
    pub fn with_capacity(places: usize) -> Self {
        let slots = if places == 0 { 0 } else { (places + places / 2 + 1).next_power_of_two() };
        Self { slots: vec![0; slots], len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn iter(&self) -> impl Iterator<Item = Place> {
        self.slots.iter().filter_map(|slot| place(*slot))
    }

    fn mask(&self) -> usize {
        self.slots.len().wrapping_sub(1)
    }

    fn slot(&self, at: usize) -> u64 {
        self.slots.get(at & self.mask()).copied().unwrap_or(0)
    }

    fn set(&mut self, at: usize, slot: u64) {
        let at = at & self.mask();
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
    }

    /// The place that something of this hash most likely has: of a few slots, without a branch that waits for them.
    pub fn guess(&self, hash: u64) -> Option<Place> {
        const NEAR: usize = 4;
        let home = half(hash);
        let slots = (0..NEAR).map(|step| self.slot(home.wrapping_add(step)));
        place(slots.fold(0, |found, slot| std::hint::select_unpredictable(half(slot) == home, slot, found)))
    }

    /// Where it stands. `is_meant`: whether what is kept at a place is what is sought.
    fn seat(&self, hash: u64, is_meant: impl Fn(Place) -> bool) -> Option<(usize, Place)> {
        let mut at = half(hash);
        loop {
            let slot = self.slot(at);
            let place = place(slot)?;
            if half(slot) == half(hash) && is_meant(place) {
                return Some((at, place));
            }
            at = at.wrapping_add(1);
        }
    }

    pub fn find(&self, hash: u64, is_meant: impl Fn(Place) -> bool) -> Option<Place> {
        self.seat(hash, is_meant).map(|(_, place)| place)
    }

    /// What is kept at the place is not there yet. Not for the last place of all that 32 bits can say.
    pub fn insert(&mut self, hash: u64, place: Place) {
        // At most two of three are taken, so that there always is an empty one, and near.
        if (self.len + 1) * 3 > self.slots.len() * 2 {
            let larger = vec![0; (self.slots.len() * 2).max(4)];
            let before = std::mem::replace(&mut self.slots, larger);
            before.into_iter().filter(|slot| *slot != 0).for_each(|slot| self.put(slot));
        }
        self.put(hash >> 32 << 32 | (u64::from(place) + 1));
        self.len += 1;
    }

    fn put(&mut self, slot: u64) {
        let mut at = half(slot);
        while self.slot(at) != 0 {
            at = at.wrapping_add(1);
        }
        self.set(at, slot);
    }

    pub fn remove(&mut self, hash: u64, is_meant: impl Fn(Place) -> bool) -> Option<Place> {
        let (seat, place) = self.seat(hash, is_meant)?;
        let (mut gap, mut at) = (seat, seat);
        // What stands behind and would no longer be found moves up.
        loop {
            at = at.wrapping_add(1);
            let slot = self.slot(at);
            if slot == 0 {
                break;
            }
            let distance = |from: usize| at.wrapping_sub(from) & self.mask();
            if distance(half(slot)) >= distance(gap) {
                self.set(gap, slot);
                gap = at;
            }
        }
        self.set(gap, 0);
        self.len -= 1;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Hashes of which many collide, in the half that is used or in a part of it.
    fn hash(key: u16) -> u64 {
        let home = [0, 1, 2, 0xFFFF_FFFF, 0xFFFF_FFFE, 0x10][usize::from(key) % 6];
        home << 32 | u64::from(key)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_finds_what_a_map_finds(acts in prop::collection::vec((any::<bool>(), 0..40_u16), 0..300), room in 0..50_usize) {
            let (mut index, mut map) = (Index::with_capacity(room), BTreeMap::new());
            let mut kept: Vec<u16> = Vec::new();
            for (adds, key) in acts {
                if adds && !map.contains_key(&key) {
                    let place = u32::try_from(kept.len()).unwrap();
                    kept.push(key);
                    index.insert(hash(key), place);
                    map.insert(key, place);
                } else if !adds {
                    let removed = index.remove(hash(key), |place| kept[place as usize] == key);
                    prop_assert_eq!(removed, map.remove(&key));
                }
                for key in 0..40 {
                    let found = index.find(hash(key), |place| kept[place as usize] == key);
                    prop_assert_eq!(found, map.get(&key).copied());
                }
                prop_assert_eq!(index.len(), map.len());
                let (mut all, mut wanted): (Vec<_>, Vec<_>) = (index.iter().collect(), map.values().copied().collect());
                all.sort_unstable();
                wanted.sort_unstable();
                prop_assert_eq!(all, wanted);
            }
        }
    }

    #[test]
    fn nothing_is_in_an_empty_one() {
        let index = Index::default();
        assert_eq!((index.find(7, |_| true), index.guess(7), index.iter().count()), (None, None, 0));
        let mut index = index;
        index.insert(u64::MAX, 5);
        assert_eq!((index.guess(u64::MAX), index.find(u64::MAX, |_| true)), (Some(5), Some(5)));
    }
}
