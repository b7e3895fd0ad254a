//! The whole state as bytes, and back: what a snapshot holds.
//!
//! Table after table: the number of rows (8 bytes), then of each row its length (4 bytes) and itself, as postcard
//! writes it. Rows stand in the order of their keys, so equal states are equal bytes. Indexes are not written; they are
//! made again.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::State;
use super::accounts::Accounts;
use super::holds::Holds;
use super::memory::Memory;
use super::messages::Messages;
use super::rooms::Rooms;
use super::terminals::Terminals;
use super::usages::Usages;
use crate::limits::{ROW_BYTES_MAX, ROWS_MAX};

impl State {
    pub(crate) fn write_image(&self, out: &mut impl Write) -> io::Result<()> {
        put(out, self.accounts.len(), self.accounts.sorted().into_iter())?;
        put(out, self.holds.len(), self.holds.iter())?;
        put(out, self.memory.len(), self.memory.records())?;
        put(out, self.memory.tombstone_count(), self.memory.tombstones())?;
        put(out, self.pin_tries.len(), self.pin_tries.iter())?;
        put(out, self.counters.len(), self.counters.iter())?;
        put(out, self.usages.len(), self.usages.rows())?;
        put(out, self.terminals.len(), self.terminals.rows())?;
        put(out, self.messages.len(), self.messages.rows())?;
        put(out, 1, std::iter::once((self.seq, self.at, self.memory.forgotten_before())))
    }

    /// An error of kind `InvalidData` means bytes that are no state. What is read is bounded, whatever they say.
    pub(crate) fn read_image(input: &mut impl Read, rooms: Option<&Rooms>) -> io::Result<Self> {
        let accounts = take(input, |rows| Accounts::from_rows(rows, rooms))?;
        let holds = take(input, |rows| Holds::from_rows(rows))?;
        let records = take(input, |rows| Memory::from_records(rows, rooms))?;
        let tombstones = take(input, |rows| rows.collect::<Vec<_>>())?;
        let pin_tries = take(input, |rows| rows.collect())?;
        let counters = take(input, |rows| rows.collect())?;
        let usages = take(input, |rows| Usages::from_rows(rows))?;
        let terminals = take(input, |rows| Terminals::from_rows(rows))?;
        let messages = take(input, |rows| Messages::from_rows(rows))?;
        let last = take(input, |rows| rows.next())?;
        let (seq, at, forgotten_before) = last.ok_or_else(|| invalid("it has no end"))?;
        let memory = records.with_tombstones(tombstones, forgotten_before);
        let bounds = crate::limits::Bounds::default();
        Ok(Self { bounds, accounts, holds, memory, pin_tries, counters, usages, terminals, messages, seq, at })
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn put<T: Serialize>(out: &mut impl Write, count: usize, rows: impl Iterator<Item = T>) -> io::Result<()> {
    out.write_all(&(count as u64).to_le_bytes())?;
    let mut buffer = vec![0; ROW_BYTES_MAX];
    for row in rows {
        let bytes = postcard::to_slice(&row, &mut buffer).map_err(|_| invalid("a row is too large"))?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(bytes)?;
    }
    Ok(())
}

fn take<T: DeserializeOwned, R>(
    input: &mut impl Read,
    collect: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
) -> io::Result<R> {
    let mut count = [0; 8];
    input.read_exact(&mut count)?;
    let mut left = u64::from_le_bytes(count);
    if left > ROWS_MAX {
        return Err(invalid("a table has more rows than any may have"));
    }
    let (mut buffer, mut fault) = (Vec::new(), None);
    let table = collect(&mut std::iter::from_fn(|| {
        left = left.checked_sub(1)?;
        match row(input, &mut buffer) {
            Ok(row) => Some(row),
            Err(error) => {
                (left, fault) = (0, Some(error));
                None
            }
        }
    }));
    match fault {
        Some(error) => Err(error),
        None if left > 0 => Err(invalid("a table has more rows than it may have")),
        None => Ok(table),
    }
}

fn row<T: DeserializeOwned>(input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<T> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > ROW_BYTES_MAX {
        return Err(invalid("a row is larger than any may be"));
    }
    buffer.resize(length, 0);
    input.read_exact(buffer)?;
    match postcard::take_from_bytes(buffer) {
        Ok((row, [])) => Ok(row),
        _ => Err(invalid("a row does not read")),
    }
}
