//! One interrupter for the program, and one for each training.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};

use burn::train::Interrupter;

/// How long a training goes on at most after the program was told to stop, beside the step that it is in.
const INTERVAL: Duration = Duration::from_millis(20);

/// Hands a stop of the program on to a training while it lives. The stop of a training, for example by divergence,
/// stays its own: Burn's interrupter cannot be told apart from its clones.
pub(super) struct Forwarded {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Forwarded {
    pub fn start(program: &Interrupter, training: &Interrupter) -> Self {
        let (program, training) = (program.clone(), training.clone());
        let (end, ended) = mpsc::channel();
        if program.should_stop() {
            training.stop(program.get_message().as_deref());
        }
        let thread = thread::spawn(move || {
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if program.should_stop() {
                    training.stop(program.get_message().as_deref());
                    return;
                }
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It only waits and stops: it cannot panic.
            let _ = thread.join();
        }
    }
}
