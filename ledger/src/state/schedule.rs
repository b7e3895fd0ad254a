//! Records in the order of a time, and of one time in that of their sequences. Most come in that order and most are
//! never asked for, so each costs four bytes: places are gathered by the quarter of a second, and put in order when
//! the first of a quarter is asked for.

use std::collections::{BTreeMap, VecDeque};

use super::record::Record;
use super::records::{Place, Records, SPAN_BITS};
use crate::event::{EventId, Millis};

/// The time of a record, if it is to stand here. A record is taken out before it changes and put in afterwards.
type Time = fn(EventId, &Record) -> Option<Millis>;

/// Places that a span may keep of what has been taken out, besides as many as are there.
const SLACK: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Schedule {
    time: Time,
    spans: BTreeMap<u64, Span>,
}

#[derive(Clone, Debug)]
struct Span {
    places: VecDeque<Place>,
    /// Records of this span. While it is not in order it keeps places that were taken out, and some of them twice.
    len: usize,
    in_order: bool,
    /// Of the records that are or were here.
    earliest: Millis,
}

type Order = (Millis, u64);

fn order(time: Time, records: &Records, place: Place) -> Option<Order> {
    let (id, record) = records.at(place)?;
    Some((time(id, record)?, record.seq))
}

fn number((time, _): Order) -> u64 {
    time >> SPAN_BITS
}

impl Span {
    /// Puts it in order. `out`: is being taken out.
    fn settle(&mut self, of: u64, out: Option<Place>, order: impl Fn(Place) -> Option<Order>) {
        // A place is another's by now if its time is of another span.
        let here = |place: Place| order(place).filter(|found| number(*found) == of && Some(place) != out);
        let mut rows: Vec<_> = self.places.iter().filter_map(|place| Some((here(*place)?, *place))).collect();
        rows.sort_unstable();
        rows.dedup();
        self.places = rows.into_iter().map(|(_, place)| place).collect();
        self.in_order = true;
    }

    /// Where one of this order stands or is to stand; it is in order.
    fn seat(&self, wanted: Order, order: impl Fn(Place) -> Option<Order>) -> usize {
        self.places.partition_point(|place| order(*place) < Some(wanted))
    }
}

impl Schedule {
    pub fn new(time: Time) -> Self {
        Self { time, spans: BTreeMap::new() }
    }

    pub fn insert(&mut self, place: Place, records: &Records) {
        let order = |place| order(self.time, records, place);
        let Some(new) = order(place) else { return };
        let span = match self.spans.get_mut(&number(new)) {
            Some(span) => span,
            None => {
                // As large as the one before, so that it need not grow.
                let before = self.spans.range(..number(new)).next_back().map_or(0, |(_, span)| span.len);
                let places = || VecDeque::with_capacity(before);
                let empty = || Span { places: places(), len: 0, in_order: false, earliest: new.0 };
                self.spans.entry(number(new)).or_insert_with(empty)
            }
        };
        span.len += 1;
        span.earliest = span.earliest.min(new.0);
        if span.in_order {
            let seat = span.seat(new, order);
            span.places.insert(seat, place);
        } else {
            span.places.push_back(place);
        }
    }

    /// Before the record changes or goes.
    pub fn remove(&mut self, place: Place, records: &Records) {
        let order = |place| order(self.time, records, place);
        let Some(old) = order(place) else { return };
        let Some(span) = self.spans.get_mut(&number(old)) else { return };
        span.len = span.len.saturating_sub(1);
        if span.len == 0 {
            self.spans.remove(&number(old));
        } else if span.in_order && span.places.front() == Some(&place) {
            span.places.pop_front();
        } else if span.in_order {
            let seat = span.seat(old, order);
            span.places.remove(seat);
        } else if span.places.len() > 2 * span.len + SLACK {
            span.settle(number(old), Some(place), order);
        }
    }

    /// The first, made ready to be taken out.
    pub fn first(&mut self, records: &Records) -> Option<(Millis, Place)> {
        let order = |place| order(self.time, records, place);
        let mut span = self.spans.first_entry()?;
        let number = *span.key();
        if !span.get().in_order {
            span.get_mut().settle(number, None, order);
        }
        let place = *span.get().places.front()?;
        Some((order(place)?.0, place))
    }

    /// The first ones of the first span, as far as they are in order already.
    pub fn front(&self) -> impl Iterator<Item = Place> {
        let span = self.spans.first_key_value().map(|(_, span)| span).filter(|span| span.in_order);
        span.into_iter().flat_map(|span| span.places.iter().copied())
    }

    /// The time of the first; where its span is not in order yet perhaps an earlier one of it. Looks at one record at
    /// most, because this is asked again and again.
    pub fn next(&self, records: &Records) -> Option<Millis> {
        let (_, span) = self.spans.first_key_value()?;
        if !span.in_order {
            return Some(span.earliest);
        }
        let place = *span.places.front()?;
        order(self.time, records, place).map(|(time, _)| time)
    }

    /// Whether every record that has a time stands here, once, and nothing else does. Reads everything.
    pub fn check(&self, records: &Records) -> bool {
        let order = |place| order(self.time, records, place);
        let is_right = |(of, span): (&u64, &Span)| {
            let mut settled = span.clone();
            settled.settle(*of, None, order);
            settled.places.len() == span.len && span.len > 0 && (!span.in_order || settled.places == span.places)
        };
        let wanted = records.iter().filter(|(id, record)| (self.time)(*id, record).is_some()).count();
        self.spans.iter().all(is_right) && self.spans.values().map(|span| span.len).sum::<usize>() == wanted
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::event::Content;
    use crate::outcome::{Code, Outcome};
    use crate::state::record::Effect;

    fn record(seq: u64, forget_at: Millis) -> Record {
        let (code, account) = (Code::Approved, None);
        let outcome =
            Outcome { code, reason: 0, seq, at: 0, amount: 0, account, balance: 0, available: 0, approval: 0 };
        Record::new(Content([0; 16]), &outcome, Effect::Nothing, Some(forget_at), false)
    }

    #[derive(Clone, Debug)]
    enum Act {
        Insert(Millis),
        /// Of those that are there, the one so far from the first.
        Remove(prop::sample::Index),
        Move(prop::sample::Index, Millis),
        First,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let time = || 1..1200_u64;
        let act = prop_oneof![
            4 => time().prop_map(Act::Insert),
            3 => any::<prop::sample::Index>().prop_map(Act::Remove),
            1 => (any::<prop::sample::Index>(), time()).prop_map(|(which, time)| Act::Move(which, time)),
            1 => Just(Act::First),
        ];
        prop::collection::vec(act, 0..600)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Beside a set that is always in order.
        #[test]
        fn the_first_is_the_first(acts in acts()) {
            let mut records = Records::default();
            let mut schedule = Schedule::new(|_, record| record.forget_at());
            let mut model: BTreeSet<(Millis, u64)> = BTreeSet::new();
            let mut seq = 0;
            let id = |seq: u64| EventId(seq.into());
            for act in acts {
                match act {
                    Act::Insert(time) => {
                        seq += 1;
                        let place = records.insert(id(seq), record(seq, time));
                        schedule.insert(place, &records);
                        model.insert((time, seq));
                    }
                    Act::Remove(which) if !model.is_empty() => {
                        let row = *model.iter().nth(which.index(model.len())).unwrap();
                        let place = records.place(id(row.1)).unwrap();
                        schedule.remove(place, &records);
                        records.remove(place);
                        model.remove(&row);
                    }
                    Act::Move(which, time) if !model.is_empty() => {
                        let row = *model.iter().nth(which.index(model.len())).unwrap();
                        let place = records.place(id(row.1)).unwrap();
                        schedule.remove(place, &records);
                        records.at_mut(place).unwrap().set_forget_at(time);
                        schedule.insert(place, &records);
                        model.remove(&row);
                        model.insert((time, row.1));
                    }
                    Act::First => {
                        let first = model.first().map(|(time, seq)| (*time, records.place(id(*seq)).unwrap()));
                        prop_assert_eq!(schedule.first(&records), first);
                        prop_assert_eq!(schedule.front().next(), first.map(|(_, place)| place));
                    }
                    Act::Remove(_) | Act::Move(..) => {}
                }
                let (next, first) = (schedule.next(&records), model.first().map(|(time, _)| *time));
                prop_assert_eq!(next.map(|time| time >> SPAN_BITS), first.map(|time| time >> SPAN_BITS));
                prop_assert!(next <= first);
                prop_assert!(next == first || schedule.front().next().is_none());
                prop_assert!(schedule.check(&records));
            }
        }
    }

    #[test]
    fn what_was_taken_out_is_not_kept_for_ever() {
        let mut records = Records::default();
        let mut schedule = Schedule::new(|_, record| record.forget_at());
        let kept = records.insert(EventId(0), record(0, 5));
        schedule.insert(kept, &records);
        for seq in 1..10_000 {
            let place = records.insert(EventId(seq.into()), record(seq, 5));
            schedule.insert(place, &records);
            schedule.remove(place, &records);
            records.remove(place);
            let places: usize = schedule.spans.values().map(|span| span.places.len()).sum();
            assert!(places <= 2 + SLACK + 1, "{places}");
        }
        assert!(schedule.check(&records));
        assert_eq!(schedule.first(&records), Some((5, kept)));
    }
}
