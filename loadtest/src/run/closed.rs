//! The closed model: each connection sends its next message when an answer comes.

use std::collections::VecDeque;

use super::lane::{Finish, Lane, Record, Shot, key_of};

/// How many shots there are to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Each once; the slice ends when a lane has none left.
    Once,
    /// Over and over, for a server that does not mind.
    Cycle,
}

/// Sends the shots with at most `depth` outstanding until the slice is over; gives one record for each that was sent,
/// in order. The lane comes back if its connection still serves and no answer is outstanding on it.
pub async fn fire(
    mut lane: Lane,
    shots: &[Shot],
    supply: Supply,
    depth: usize,
    finish: &Finish,
) -> (Option<Lane>, Vec<Record>) {
    let mut records = Vec::with_capacity(shots.len());
    tokio::time::sleep_until(finish.start.into()).await;
    let work = exchange(&mut lane, shots, supply, depth, finish, &mut records);
    let whole = tokio::time::timeout_at(finish.deadline.into(), work).await;
    (matches!(whole, Ok(Some(()))).then_some(lane), records)
}

/// `None` when the connection broke.
async fn exchange(
    lane: &mut Lane,
    shots: &[Shot],
    supply: Supply,
    depth: usize,
    finish: &Finish,
    records: &mut Vec<Record>,
) -> Option<()> {
    let mut outstanding: VecDeque<usize> = VecDeque::with_capacity(depth);
    loop {
        while outstanding.len() < depth && !finish.is_over() {
            let Some(shot) = shot(shots, supply, records.len()) else {
                finish.stop();
                break;
            };
            let now = finish.start.elapsed();
            outstanding.push_back(records.len());
            records.push(Record { due: now, sent: Some(now), answer: None });
            lane.send(shot).await.ok()?;
        }
        if outstanding.is_empty() {
            return Some(());
        }
        let answer = lane.receive().await?;
        let at = finish.start.elapsed();
        finish.count();
        if let Some(place) = answered(lane, shots, &outstanding, &answer)
            && let Some(index) = outstanding.remove(place)
        {
            records.get_mut(index)?.answer = Some((at, answer));
        }
    }
}

fn shot(shots: &[Shot], supply: Supply, number: usize) -> Option<&Shot> {
    match supply {
        Supply::Once => shots.get(number),
        Supply::Cycle => shots.get(number.checked_rem(shots.len())?),
    }
}

/// Place in the queue of the shot that an answer belongs to: the only one, or the oldest of its key.
fn answered(lane: &Lane, shots: &[Shot], outstanding: &VecDeque<usize>, answer: &[u8]) -> Option<usize> {
    if outstanding.len() == 1 {
        return Some(0);
    }
    let key = key_of(lane.dialect(), answer)?;
    outstanding.iter().position(|number| shot(shots, Supply::Cycle, *number).is_some_and(|shot| shot.key == key))
}
