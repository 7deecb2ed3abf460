//! The batches of an epoch, made where they are asked for or by threads ahead of it.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use fast_image_resize::Resizer;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{
    LoaderConfig, RawBatch,
    order::Turn,
    work::{Made, Work, message},
};
use crate::DataError;

/// Images for each worker in the batches that are made at once, at least: so that none waits long
/// for the others.
const IMAGES_PER_WORKER: usize = 8;

/// The batches of an epoch, in their order.
pub struct Batches {
    source: Source,
}

enum Source {
    /// Made when asked for.
    Here(Maker),
    /// Made by threads.
    Ahead(Ahead),
    /// Nothing can be made.
    Failed(DataError),
    /// Nothing more comes.
    Ended,
}

impl Batches {
    pub(super) fn new(work: Arc<Work>, order: Vec<Turn>, epoch: u64, config: &LoaderConfig) -> Self {
        let &LoaderConfig { workers, queue, part, .. } = config;
        let (order, elsewhere) = part.of_order(order, config.batch_size);
        let batch_size = part.images(config.batch_size);
        let images_at_once = batch_size.max(workers.saturating_mul(IMAGES_PER_WORKER));
        let batches_at_once = images_at_once.div_ceil(batch_size);
        let resizers = vec![Resizer::new(); workers.max(1)];
        let maker = Maker { work, order, elsewhere, epoch, batch_size, batches_at_once, done: 0, resizers };
        let source = match workers {
            0 => Source::Here(maker),
            _ => match Ahead::start(maker, queue) {
                Ok(ahead) => Source::Ahead(ahead),
                Err(source) => Source::Failed(DataError::NoThread { source }),
            },
        };
        Self { source }
    }
}

impl Iterator for Batches {
    type Item = Result<RawBatch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.source {
            Source::Here(maker) => maker.next(),
            Source::Ahead(ahead) => ahead.next(),
            failed_or_ended => match mem::replace(failed_or_ended, Source::Ended) {
                Source::Failed(error) => Some(Err(error)),
                _ => None,
            },
        };
        if !matches!(next, Some(Ok(_))) {
            self.source = Source::Ended;
        }
        next
    }
}

/// Makes the batches of an epoch.
struct Maker {
    work: Arc<Work>,
    order: Vec<Turn>,
    /// Of each batch to come, the images that are in other parts of it.
    elsewhere: VecDeque<Vec<usize>>,
    epoch: u64,
    batch_size: usize,
    batches_at_once: usize,
    /// Images that were made.
    done: usize,
    /// One for each task.
    resizers: Vec<Resizer>,
}

impl Maker {
    /// The next batches; none at the end.
    fn make(&mut self, pool: Option<&ThreadPool>, stop: &AtomicBool) -> Made {
        let left = &self.order[self.done..];
        let turns = &left[..left.len().min(self.batch_size.saturating_mul(self.batches_at_once))];
        self.done += turns.len();
        let mut made = self.work.make(turns, self.epoch, self.batch_size, &mut self.resizers, pool, stop);
        for batch in &mut made.batches {
            batch.elsewhere = self.elsewhere.pop_front().unwrap_or_default();
        }
        made
    }

    fn next(&mut self) -> Option<Result<RawBatch, DataError>> {
        let Made { mut batches, error } = self.make(None, &AtomicBool::new(false));
        error.map(Err).or_else(|| batches.pop().map(Ok))
    }

    /// Sends all batches, until nobody listens any more.
    fn send_all(mut self, sender: &SyncSender<Result<RawBatch, DataError>>, stop: &AtomicBool) {
        let name = |task| format!("load images {task}");
        let pool = ThreadPoolBuilder::new().num_threads(self.resizers.len()).thread_name(name).build();
        let pool = match pool {
            Ok(pool) => pool,
            Err(error) => {
                // Nobody listens if this fails, and nothing more is to be done.
                let _ = sender.send(Err(DataError::NoThread { source: io::Error::other(error) }));
                return;
            }
        };
        while self.done < self.order.len() {
            let Made { batches, error } = self.make(Some(&pool), stop);
            let failed = error.is_some();
            for next in batches.into_iter().map(Ok).chain(error.map(Err)) {
                if stop.load(Ordering::Relaxed) || sender.send(next).is_err() {
                    return;
                }
            }
            if failed {
                return;
            }
        }
    }
}

/// Batches that a thread sends through a queue, where it waits while the queue is full.
struct Ahead {
    /// There until this is dropped, as is the thread.
    receiver: Option<Receiver<Result<RawBatch, DataError>>>,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Ahead {
    fn start(maker: Maker, queue: usize) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = thread::Builder::new().name("load batches".to_owned());
        let thread = thread.spawn(move || maker.send_all(&sender, &told))?;
        Ok(Self { receiver: Some(receiver), thread: Some(thread), stop })
    }

    fn next(&mut self) -> Option<Result<RawBatch, DataError>> {
        if let Ok(next) = self.receiver.as_ref()?.recv() {
            return Some(next);
        }
        // The thread has ended; it says how.
        let panic = self.thread.take()?.join().err()?;
        Some(Err(DataError::Panicked { name: "a batch".to_owned(), message: message(&*panic) }))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that waits for a place in the queue wakes up from this.
        drop(self.receiver.take());
        if let Some(thread) = self.thread.take() {
            // How it ended concerns nobody any more.
            let _ = thread.join();
        }
    }
}
