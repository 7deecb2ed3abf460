//! Gradient descent with momentum in one pass, in place.

use rayon::prelude::*;

/// Weights that a thread takes at a time.
const CHUNK: usize = 16 * 1024;

/// The numbers of a step, for all weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descent {
    pub rate: f32,
    pub momentum: f32,
    pub weight_decay: f32,
}

/// `v ← momentum · v + (g + weight_decay · w)`, `w ← w − rate · v`.
pub fn step(step: Descent, w: &mut [f32], v: &mut [f32], g: &[f32]) {
    let Descent { rate, momentum, weight_decay } = step;
    let parts = w.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK)).zip(g.par_chunks(CHUNK));
    parts.for_each(|((w, v), g)| {
        for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
            *v = (*g + *w * weight_decay) + *v * momentum;
            *w -= *v * rate;
        }
    });
}
