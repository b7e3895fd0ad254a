//! The open model: messages go out at their times, whatever comes back. Latency counts from the time a message was
//! meant to go out, so that a stall shows in every message that it held up.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::{Buf, Bytes};
use tokio::net::tcp::OwnedWriteHalf;

use super::book::MessageKey;
use super::lane::{Finish, Lane, Receiver, Record, Shot, key_of};
use parties::Dialect;

/// Times of `count` messages at a rate that follows a factor, `factor(at)` with `at` from 0 to 1 over the slice.
pub fn times(count: usize, length: Duration, factor: impl Fn(f64) -> f64) -> Vec<Duration> {
    // Small steps; each message goes out where the sum of the rate passes its number.
    const STEPS: usize = 1000;
    let weights: Vec<f64> = (0..STEPS).map(|step| factor(step as f64 / STEPS as f64).max(0.0)).collect();
    let all: f64 = weights.iter().sum();
    let mut times = Vec::with_capacity(count);
    let mut passed = 0.0;
    for (step, weight) in weights.iter().enumerate() {
        let share = weight / all * count as f64;
        while times.len() < count && (times.len() as f64) < passed + share {
            let within = if share > 0.0 { (times.len() as f64 - passed) / share } else { 0.0 };
            times.push(length.mul_f64((step as f64 + within.clamp(0.0, 1.0)) / STEPS as f64));
        }
        passed += share;
    }
    times
}

/// Tells the pacing thread that nobody waits for it any more.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What each lane fires: shots and the times they are due, rising.
pub struct Load {
    pub lane: Lane,
    pub shots: Vec<Shot>,
    pub due: Vec<Duration>,
}

/// Fires everything at its time; gives each lane, if it still serves, with one record a shot.
pub async fn fire(
    loads: Vec<Load>,
    dialect: &Dialect,
    finish: &Finish,
) -> anyhow::Result<Vec<(Option<Lane>, Vec<Record>)>> {
    let mut guns = Vec::with_capacity(loads.len());
    let mut receiving = Vec::with_capacity(loads.len());
    for load in loads {
        let (writer, receiver) = load.lane.split();
        let waiting = by_key(&load.shots);
        receiving.push(tokio::spawn(collect(receiver, dialect.clone(), waiting, load.shots.len(), finish.clone())));
        guns.push(Gun {
            writer,
            shots: load.shots,
            due: load.due,
            next: 0,
            backlog: VecDeque::new(),
            sent: Vec::new(),
        });
    }
    // On a thread of its own: the runtime's clock rings every millisecond only, a thread sleeps to some 50 µs.
    let (on_time, given_up) = (finish.clone(), GivenUp::default());
    let pacer_given_up = Arc::clone(&given_up.0);
    let guns = tokio::task::spawn_blocking(move || {
        pace(&mut guns, &on_time, &pacer_given_up);
        guns
    });
    let guns = guns.await.context("the pacing thread failed")?;
    let mut done = Vec::with_capacity(guns.len());
    for (gun, receiving) in guns.into_iter().zip(receiving) {
        let (receiver, answers) = receiving.await.context("a receiver failed")?;
        let whole = answers.iter().all(Option::is_some) && gun.backlog.is_empty();
        let records = gun.due.iter().zip(&gun.sent).zip(answers);
        let records = records.map(|((due, sent), answer)| Record { due: *due, sent: Some(*sent), answer }).collect();
        done.push((whole.then(|| Lane::join(gun.writer, receiver)), records));
    }
    Ok(done)
}

/// The sending side of a lane.
struct Gun {
    writer: OwnedWriteHalf,
    shots: Vec<Shot>,
    due: Vec<Duration>,
    next: usize,
    /// What the socket has not taken yet.
    backlog: VecDeque<Bytes>,
    sent: Vec<Duration>,
}

impl Gun {
    /// Sends its next message.
    fn fire(&mut self, now: Duration) {
        if let Some(shot) = self.shots.get(self.next) {
            self.backlog.push_back(shot.frame.clone());
            self.sent.push(now);
            self.next += 1;
            self.flush();
        }
    }

    fn flush(&mut self) {
        while let Some(front) = self.backlog.front_mut() {
            match self.writer.try_write(front) {
                Ok(written) => front.advance(written),
                Err(_) => return,
            }
            if front.is_empty() {
                self.backlog.pop_front();
            }
        }
    }

    fn is_stuck(&self) -> bool {
        !self.backlog.is_empty()
    }
}

/// Fires what is due, in order of time over all lanes, and sleeps until the next message is.
fn pace(guns: &mut [Gun], finish: &Finish, given_up: &AtomicBool) {
    /// A socket that takes nothing is asked again after this long.
    const AGAIN: Duration = Duration::from_micros(500);
    let of_lane = |(lane, gun): (usize, &Gun)| gun.due.iter().map(move |due| (*due, lane)).collect::<Vec<_>>();
    let mut order: Vec<(Duration, usize)> = guns.iter().enumerate().flat_map(of_lane).collect();
    order.sort_unstable();
    let mut order = order.into_iter().peekable();
    let mut stuck: Vec<usize> = Vec::new();
    std::thread::sleep(finish.start.saturating_duration_since(Instant::now()));
    while !given_up.load(Ordering::Relaxed) {
        stuck.retain(|lane| guns.get_mut(*lane).is_some_and(|gun| (gun.flush(), gun.is_stuck()).1));
        let now = finish.start.elapsed();
        while let Some((_, lane)) = order.next_if(|(due, _)| *due <= now) {
            if let Some(gun) = guns.get_mut(lane) {
                gun.fire(finish.start.elapsed());
                if gun.is_stuck() && !stuck.contains(&lane) {
                    stuck.push(lane);
                }
            }
        }
        let until_next = order.peek().map(|(due, _)| due.saturating_sub(finish.start.elapsed()));
        let pause = match until_next {
            Some(pause) if stuck.is_empty() => pause,
            Some(pause) => pause.min(AGAIN),
            None if !stuck.is_empty() && Instant::now() < finish.deadline => AGAIN,
            None => return,
        };
        std::thread::sleep(pause);
    }
}

/// Places of the shots by what their answers name; the oldest first where several have one name.
fn by_key(shots: &[Shot]) -> HashMap<MessageKey, VecDeque<usize>> {
    let mut waiting: HashMap<MessageKey, VecDeque<usize>> = HashMap::with_capacity(shots.len());
    for (index, shot) in shots.iter().enumerate() {
        waiting.entry(shot.key).or_default().push_back(index);
    }
    waiting
}

/// Takes answers until every shot has one or patience ends.
async fn collect(
    mut receiver: Receiver,
    dialect: Dialect,
    mut waiting: HashMap<MessageKey, VecDeque<usize>>,
    count: usize,
    finish: Finish,
) -> (Receiver, Vec<Option<(Duration, Bytes)>>) {
    let mut answers = vec![None; count];
    let mut left = count;
    while left > 0 {
        let Ok(Some(answer)) = tokio::time::timeout_at(finish.deadline.into(), receiver.receive()).await else { break };
        let at = finish.start.elapsed();
        let index = key_of(&dialect, &answer).and_then(|key| waiting.get_mut(&key)?.pop_front());
        if let Some(place) = index.and_then(|index| answers.get_mut(index)) {
            *place = Some((at, answer));
            finish.count();
            left -= 1;
        }
    }
    (receiver, answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_spread_as_the_rate_says() {
        let second = Duration::from_secs(1);
        let even = times(1000, second, |_| 1.0);
        assert_eq!(even.len(), 1000);
        assert!(
            even.windows(2)
                .all(|pair| (pair[1] - pair[0]).abs_diff(Duration::from_millis(1)) < Duration::from_micros(1))
        );
        let rising = times(1000, second, |at| if at < 0.5 { 1.0 } else { 3.0 });
        let early = rising.iter().filter(|at| **at < second / 2).count();
        assert!((249..=251).contains(&early), "{early}");
        assert!(rising.is_sorted() && rising.iter().all(|at| *at < second));
        assert!(times(0, second, |_| 1.0).is_empty());
    }
}
