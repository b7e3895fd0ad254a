//! Finding rows again.

use std::ops::Range;

use ledger::Millis;

use crate::error::Error;
use crate::log::{Tranlog, prefix};
use crate::row::StoredRow;

/// Which rows are looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub wanted: Wanted,
    /// Applied at this time or later, Unix milliseconds.
    pub from: Option<Millis>,
    /// Applied before this time.
    pub until: Option<Millis>,
    pub newest_first: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    #[default]
    All,
    /// DE 41.
    Terminal(String),
    /// DE 37.
    Rrn(String),
}

impl Tranlog {
    /// The rows in the order of the journal, or against it.
    pub fn search<'a>(
        &'a self,
        search: &Search,
    ) -> Result<impl Iterator<Item = Result<StoredRow, Error>> + use<'a>, Error> {
        let seqs = self.seqs_between(search.from, search.until)?;
        let (keyspace, prefix) = match &search.wanted {
            Wanted::All => (&self.transactions, Vec::new()),
            Wanted::Terminal(name) => (&self.by_terminal, prefix(name)),
            Wanted::Rrn(name) => (&self.by_rrn, prefix(name)),
        };
        let bound = |seq: u64| [prefix.as_slice(), &seq.to_be_bytes()].concat();
        let found = keyspace.range(bound(seqs.start)..bound(seqs.end));
        let ordered: Box<dyn Iterator<Item = fjall::Guard>> =
            if search.newest_first { Box::new(found.rev()) } else { Box::new(found) };
        let all = search.wanted == Wanted::All;
        Ok(ordered.map(move |entry| {
            let (key, value) = entry.into_inner().map_err(self.failed())?;
            let seq = key.last_chunk::<8>().ok_or_else(|| self.foreign())?;
            let seq = u64::from_be_bytes(*seq);
            if all { self.stored(seq, &value) } else { self.row(seq)?.ok_or_else(|| self.foreign()) }
        }))
    }

    fn seqs_between(&self, from: Option<Millis>, until: Option<Millis>) -> Result<Range<u64>, Error> {
        let end = self.seq()?.saturating_add(1);
        let start = from.map_or(Ok(0), |time| self.first_seq_at(time, end))?;
        let end = until.map_or(Ok(end), |time| self.first_seq_at(time, end))?;
        Ok(start.min(end)..end)
    }

    /// The first sequence whose row, or the next one that is a row, is of this time or later: times rise with
    /// sequences, so it is found by halving.
    fn first_seq_at(&self, time: Millis, end: u64) -> Result<u64, Error> {
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = low + (high - low) / 2;
            let next = self.transactions.range(middle.to_be_bytes()..high.to_be_bytes()).next();
            let earlier = match next {
                None => false,
                Some(entry) => {
                    let (key, value) = entry.into_inner().map_err(self.failed())?;
                    let seq = u64::from_be_bytes(key.as_ref().try_into().map_err(|_| self.foreign())?);
                    if self.stored(seq, &value)?.at < time {
                        low = seq + 1;
                        true
                    } else {
                        false
                    }
                }
            };
            if !earlier {
                high = middle;
            }
        }
        Ok(low)
    }
}
