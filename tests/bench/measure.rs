//! Clocks and figures: CPU time of a thread or a process, rounds, medians.

use std::{fs, hint::black_box, time::Duration};

use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};
use semper_tests::{Failure, Result};
use serde::Serialize;

/// How much is done for a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How many rounds; the figure is their median.
    pub(crate) rounds: usize,
    /// How long a round takes at least.
    pub(crate) round: Duration,
    /// How many connections make a round.
    pub(crate) connections: u32,
    /// How many bytes are sealed in a round.
    pub(crate) sealed: usize,
    /// How many sales are open when a shop starts.
    pub(crate) open: u32,
}

impl Effort {
    /// For figures to go by.
    pub(crate) const WHOLE: Self = Self {
        rounds: 7,
        round: Duration::from_millis(200),
        connections: 200,
        sealed: 64 << 20,
        open: 10_000,
    };
    /// To see that everything is measured.
    pub(crate) const QUICK: Self =
        Self { rounds: 1, round: Duration::from_millis(5), connections: 3, sealed: 1 << 20, open: 100 };
}

/// The middle and the slow end of some times, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    /// Half of them took at most so long.
    pub(crate) p50: f64,
    /// Nine in ten took at most so long.
    pub(crate) p90: f64,
}

/// CPU time of a process in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Cpu {
    /// In the program.
    pub(crate) user: f64,
    /// In the system, on its behalf.
    pub(crate) system: f64,
}

impl Cpu {
    /// What the process with this id has used since it began, to the system's tick (10 ms as a rule).
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let ticks = ticks(&stat).ok_or_else(|| Failure::of("no CPU times", &stat))?;
        let [user, system] = ticks.map(|ticks| ticks as f64 * 1e3 / clock_ticks_per_second() as f64);
        Ok(Self { user, system })
    }

    /// In both.
    pub(crate) fn sum(self) -> f64 {
        self.user + self.system
    }

    /// What was used since `before`, for each of `count`.
    pub(crate) fn each(self, before: Self, count: u32) -> Self {
        let each = |after: f64, before: f64| (after - before) / f64::from(count.max(1));
        Self { user: each(self.user, before.user), system: each(self.system, before.system) }
    }
}

/// The times in a line of the system's about a process (proc(5)): the 14th and 15th field, of which the second is a
/// name in brackets that may hold anything.
fn ticks(stat: &str) -> Option<[u64; 2]> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some([fields.next()?.parse().ok()?, fields.next()?.parse().ok()?])
}

/// The CPU time of this thread so far.
pub(crate) fn thread_cpu() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// The CPU time of all threads of this process so far.
pub(crate) fn process_cpu() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(now.tv_nsec).unwrap_or_default())
}

/// The CPU time of one piece of `work` on what `prepare` made for it beforehand, in microseconds.
///
/// # Errors
/// Those of the work.
pub(crate) fn each<P, T>(
    effort: Effort,
    mut prepare: impl FnMut() -> Result<P>,
    mut work: impl FnMut(P) -> Result<T>,
) -> Result<f64> {
    let mut round = |count: u32| {
        let prepared = (0..count).map(|_| prepare()).collect::<Result<Vec<_>>>()?;
        let before = thread_cpu();
        for one in prepared {
            black_box(work(one)?);
        }
        Ok::<_, Failure>(thread_cpu() - before)
    };
    // These rounds warm up, and show how many pieces make one.
    let mut count = 1;
    while round(count)? < effort.round && count < 1 << 20 {
        count *= 2;
    }
    let rounds = (0..effort.rounds).map(|_| Ok(round(count)?.as_secs_f64() * 1e6 / f64::from(count)));
    Ok(median(rounds.collect::<Result<_>>()?))
}

/// The one in the middle.
pub(crate) fn median(all: Vec<f64>) -> f64 {
    percentile(all, 50)
}

/// The middle and the slow end.
pub(crate) fn spread(all: &[f64]) -> Spread {
    Spread { p50: percentile(all.to_vec(), 50), p90: percentile(all.to_vec(), 90) }
}

/// The smallest of them that so many in a hundred do not exceed; 0 if there are none.
fn percentile(mut all: Vec<f64>, hundredths: usize) -> f64 {
    all.sort_by(f64::total_cmp);
    let rank = (all.len() * hundredths).div_ceil(100).max(1);
    all.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_figures() {
        assert_eq!(percentile(vec![3.0, 1.0, 2.0], 50), 2.0);
        assert_eq!(percentile((1..=10).map(f64::from).collect(), 90), 9.0);
        assert_eq!((percentile(vec![7.0], 90), percentile(Vec::new(), 50)), (7.0, 0.0));
    }

    #[test]
    fn the_name_of_a_process_does_not_disturb_its_times() {
        let rest = "S 1 2 3 0 -1 4194560 100 0 0 0 12 34 0 0 20 0 3 0";
        assert_eq!(ticks(&format!("4711 (a) b) {rest}")), Some([12, 34]));
        assert_eq!(ticks("4711 (short) S 1"), None);
    }

    #[test]
    fn work_takes_time_and_its_faults_come_out() {
        let busy = |n: u64| Ok((0..n).fold(0_u64, |sum, n| black_box(sum.wrapping_add(n))));
        assert!(each(Effort::QUICK, || Ok(10_000), busy).unwrap() > 0.0);
        assert!(each(Effort::QUICK, || Ok(()), |()| Err::<(), _>(Failure::new("broken"))).is_err());
        assert!(Cpu::of(std::process::id()).is_ok() && Cpu::of(u32::MAX).is_err());
    }
}
