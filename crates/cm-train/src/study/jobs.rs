//! Several trainings at once.

use std::{
    io,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use cm_data::DataError;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Error;

/// Does some work for every item, `jobs` of them at once, each on its share of the threads, and hands each result to `keep`
/// when it is there.
///
/// # Errors
///
/// The first error. Nothing is begun after it; what was begun before ends, and is kept.
pub(super) fn each<T: Send, R: Send>(
    jobs: usize,
    items: Vec<T>,
    work: impl Fn(T) -> Result<R, Error> + Sync,
    mut keep: impl FnMut(R) -> Result<(), Error>,
) -> Result<(), Error> {
    let jobs = jobs.min(items.len());
    if jobs < 2 {
        return items.into_iter().try_for_each(|item| keep(work(item)?));
    }
    let threads = (rayon::current_num_threads() / jobs).max(1);
    let pools = (0..jobs).map(|_| pool(threads)).collect::<Result<Vec<_>, _>>()?;
    let queue = Mutex::new(items.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let stop = || queue.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
    let (sender, results) = mpsc::channel();
    let (work, next, stop) = (&work, &next, &stop);
    thread::scope(|scope| {
        for pool in pools {
            let sender = sender.clone();
            scope.spawn(move || {
                while let Some(item) = next() {
                    let result = pool.install(|| work(item));
                    if result.is_err() {
                        stop();
                    }
                    if sender.send(result).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut outcome = Ok(());
        for result in results {
            let kept = result.and_then(&mut keep);
            if kept.is_err() {
                stop();
            }
            outcome = outcome.and(kept);
        }
        outcome
    })
}

fn pool(threads: usize) -> Result<ThreadPool, Error> {
    let built = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("train {i}")).build();
    built.map_err(|error| DataError::NoThread { source: io::Error::other(error) }.into())
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, time::Duration};

    use super::*;

    fn failure() -> Error {
        Error::Stopped
    }

    #[test]
    fn everything_is_done_once_and_so_many_things_at_once() {
        for jobs in [1, 2, 3, 50] {
            let mut kept = Vec::new();
            each(jobs, (0..20).collect(), Ok::<usize, _>, |item| {
                kept.push(item);
                Ok(())
            })
            .expect("nothing fails");
            kept.sort_unstable();
            assert_eq!(kept, (0..20).collect::<Vec<_>>(), "{jobs}");
        }
        // Each waits for the other two: with fewer at once this would not end.
        let together = Barrier::new(3);
        let work = |_| {
            together.wait();
            Ok(rayon::current_num_threads())
        };
        let share = (rayon::current_num_threads() / 3).max(1);
        each(3, vec![(); 3], work, |threads| {
            assert_eq!(threads, share);
            Ok(())
        })
        .expect("nothing fails");
        each(3, Vec::<u8>::new(), Ok, |_| Ok(())).expect("nothing to do");
    }

    #[test]
    fn after_an_error_nothing_is_begun_and_what_was_begun_is_kept() {
        let mut kept = Vec::new();
        // The second is begun before the first fails.
        let begun = Barrier::new(2);
        let work = |item: usize| {
            if item < 2 {
                begun.wait();
            }
            match item {
                0 => Err(failure()),
                item => {
                    thread::sleep(Duration::from_millis(100));
                    Ok(item)
                }
            }
        };
        let keep = |item| {
            kept.push(item);
            Ok(())
        };
        let found = each(2, (0..20).collect(), work, keep);
        assert!(matches!(found, Err(Error::Stopped)));
        assert_eq!(kept, [1]);
        for jobs in [1, 2] {
            let mut count = 0;
            let unwritable = each(jobs, (0..20).collect(), Ok::<usize, _>, |_| {
                count += 1;
                Err(failure())
            });
            assert!(unwritable.is_err() && count < 20, "{count} of 20 after the first could not be kept");
        }
    }
}
