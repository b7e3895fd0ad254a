//! Processor time of threads, by what they are called, and of everybody else on the machine (`proc(5)`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// `/proc/stat` counts in hundredths of a second on every Linux that has it.
const TICK: Duration = Duration::from_millis(10);

/// A moment's reading.
#[derive(Clone, Debug)]
pub struct CpuReading {
    at: Instant,
    /// Thread number to its group and its time on a processor.
    threads: BTreeMap<u32, (String, Duration)>,
    /// What the machine's processors did for nobody among the watched processes.
    others: Duration,
}

/// Between two readings.
#[derive(Clone, Debug, Default)]
pub struct CpuUse {
    pub elapsed: Duration,
    pub groups: BTreeMap<String, Duration>,
    /// Everything that is in no group.
    pub others: Duration,
}

/// Which process's threads make up which groups.
pub struct Watched {
    /// Process number, and what is put before the threads' names.
    processes: Vec<(u32, &'static str)>,
}

impl Watched {
    pub fn new(processes: Vec<(u32, &'static str)>) -> Self {
        Self { processes }
    }

    pub fn read(&self) -> CpuReading {
        let mut all = BTreeMap::new();
        for (process, prefix) in &self.processes {
            all.extend(threads(*process).into_iter().map(|(id, name, time)| (id, (format!("{prefix}{name}"), time))));
        }
        let processes: Vec<u32> = self.processes.iter().map(|(process, _)| *process).collect();
        CpuReading { at: Instant::now(), threads: all, others: theirs(&processes) }
    }
}

impl CpuUse {
    /// What was used between two readings. Threads that ended in between are in no group.
    pub fn between(before: &CpuReading, after: &CpuReading) -> Self {
        let mut groups: BTreeMap<String, Duration> = BTreeMap::new();
        for (id, (group, time)) in &after.threads {
            let until_then = before.threads.get(id).map(|(_, time)| *time).unwrap_or_default();
            *groups.entry(group.clone()).or_default() += time.saturating_sub(until_then);
        }
        let others = after.others.saturating_sub(before.others);
        Self { elapsed: after.at - before.at, groups, others }
    }

    /// All groups whose names begin so.
    pub fn of(&self, start: &str) -> Duration {
        self.groups.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, time)| *time).sum()
    }

    pub fn add(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        self.others += other.others;
        for (name, time) in &other.groups {
            *self.groups.entry(name.clone()).or_default() += *time;
        }
    }

    /// Cores that a time makes over the interval.
    pub fn cores(&self, time: Duration) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { time.as_secs_f64() / self.elapsed.as_secs_f64() }
    }
}

/// Everybody else on the machine from now on: neither this process nor its children, ended threads included.
pub struct Outsiders {
    ours: Vec<u32>,
    since: Instant,
    theirs: Duration,
}

impl Outsiders {
    pub fn start(children: &[u32]) -> Self {
        let ours = [&[std::process::id()], children].concat();
        Self { since: Instant::now(), theirs: theirs(&ours), ours }
    }

    /// Cores they had since then.
    pub fn cores(&self) -> f64 {
        let used = theirs(&self.ours).saturating_sub(self.theirs);
        used.as_secs_f64() / self.since.elapsed().as_secs_f64().max(TICK.as_secs_f64())
    }
}

/// Time of the machine that none of these processes used.
fn theirs(ours: &[u32]) -> Duration {
    machine().saturating_sub(ours.iter().map(|process| process_time(*process)).sum())
}

/// User and system time of a process, threads that have ended included (fields 14 and 15 of its `stat`); none when it
/// is gone. Its name is in parentheses and may hold anything.
fn process_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, behind_name)| behind_name.split_whitespace().skip(11).take(2));
    fields.into_iter().flatten().filter_map(|field| field.parse::<u32>().ok()).map(|ticks| TICK * ticks).sum()
}

/// Number, name and time of each thread; empty when the process is gone. Names end where a number begins: `cards-2` is one of
/// the `cards`.
fn threads(process: u32) -> Vec<(u32, String, Duration)> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    tasks
        .filter_map(|task| {
            let folder = task.ok()?.path();
            let name = std::fs::read_to_string(folder.join("comm")).ok()?;
            let stat = std::fs::read_to_string(folder.join("schedstat")).ok()?;
            let nanos = stat.split_whitespace().next()?.parse().ok()?;
            let name = name.trim().trim_end_matches(|last: char| last.is_ascii_digit() || last == '-');
            let id = folder.file_name()?.to_str()?.parse().ok()?;
            Some((id, name.to_owned(), Duration::from_nanos(nanos)))
        })
        .collect()
}

/// Time all processors were busy: user, nice, system, irq, softirq, steal (the fields of `/proc/stat`'s first line but
/// for idle and iowait; guest time is within user time).
fn machine() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<&str> = line.split_whitespace().skip(1).collect();
    let ticks = [0, 1, 2, 5, 6, 7].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok());
    TICK.mul_f64(ticks.sum())
}

/// Bytes of memory that this process has resident.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_thread_is_seen_under_its_name() {
        let watched = Watched::new(vec![(std::process::id(), "test: ")]);
        let before = watched.read();
        let busy = std::thread::Builder::new().name("busy-7".into());
        let (done, wait) = std::sync::mpsc::channel();
        let thread = busy.spawn(move || {
            let until = Instant::now() + Duration::from_millis(200);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            done.send(()).unwrap();
            std::thread::park();
        });
        wait.recv().unwrap();
        let used = CpuUse::between(&before, &watched.read());
        let time = used.groups["test: busy"];
        // On a loaded machine it is on a processor for part of its time only.
        assert!(time > Duration::from_millis(20) && time < Duration::from_millis(400), "{time:?}");
        assert!(used.cores(time) > 0.0);
        thread.unwrap().thread().unpark();
    }

    #[test]
    fn what_this_process_did_is_not_others() {
        let before = process_time(std::process::id());
        let until = Instant::now() + Duration::from_millis(100);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        assert!(process_time(std::process::id()) > before);
        // Who else works here is not known; this process counted twice would be more than there is.
        let processors = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        let outsiders = Outsiders::start(&[]);
        std::thread::sleep(Duration::from_millis(50));
        assert!((0.0..=processors + 1.0).contains(&outsiders.cores()), "{}", outsiders.cores());
        assert_eq!(process_time(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn memory_in_use_is_seen() {
        let before = resident_bytes();
        let block = vec![1_u8; 64 << 20];
        let grown = resident_bytes().saturating_sub(before);
        assert!(grown > 48 << 20, "{grown} of {}", block.len());
    }
}
