//! What was measured, as a table or as JSON.

use crate::{
    Options,
    statistics::{median, range},
    worker::SQUARE,
};

/// A path and its steps.
pub struct Measured {
    pub path: String,
    pub greeting: String,
    pub seconds: Vec<f64>,
    pub peak_mb: f64,
    /// Before the first step, with the features and the centers.
    pub base_mb: f64,
}

impl Measured {
    pub fn new(path: &str, greeting: &str) -> Self {
        Self {
            path: path.to_owned(),
            greeting: greeting.to_owned(),
            seconds: Vec::new(),
            peak_mb: 0.0,
            base_mb: 0.0,
        }
    }
}

/// The rows but for the floor, which is the first.
pub fn print(options: &Options, measured: &[Measured]) {
    let Some((floor, paths)) = measured.split_first() else { return };
    let machine = 2.0 * (SQUARE as f64).powi(3) / median(floor.seconds.clone()) / 1e9;
    let classes = (options.sampled.unwrap_or(1.0) * options.c as f64).ceil();
    // Logits, gradient of the features, gradient of the centers.
    let work = 6.0 * options.n as f64 * options.d as f64 * classes / 1e9;
    let eager = paths.iter().find(|path| path.path == "torch_eager");
    if !options.json {
        let sampled =
            options.sampled.map_or(String::new(), |fraction| format!(", {fraction} of them a step"));
        println!(
            "{}: {} samples, {} dimensions, {} classes{sampled}; {}",
            options.head,
            options.n,
            options.d,
            options.c,
            paths.first().map_or("", |path| &path.greeting)
        );
        println!(
            "floor: three products at {machine:.0} GFLOP/s (a product of {SQUARE} x {SQUARE}), {:.3} s",
            work / machine
        );
        println!(
            "{:<28} {:>9} {:>9} {:>7} {:>9} {:>9}",
            "path", "seconds", "GFLOP/s", "floor", "peak MB", "base MB"
        );
    }
    for path in paths {
        let seconds = median(path.seconds.clone());
        let ratios: Option<Vec<f64>> = eager
            .map(|eager| eager.seconds.iter().zip(&path.seconds).map(|(eager, ours)| eager / ours).collect());
        let ratio = ratios.clone().map(median);
        let spread = ratios.as_deref().map(range);
        let (rate, share) = (work / seconds, work / seconds / machine);
        if options.json {
            let row = serde_json::json!({
                "n": options.n, "d": options.d, "c": options.c, "sampled": options.sampled,
                "head": options.head.name(), "path": path.path, "seconds": seconds, "gflops": rate,
                "floor_share": share, "peak_mb": path.peak_mb, "base_mb": path.base_mb,
                "ratio_to_torch_eager": ratio, "ratio_range": spread,
            });
            println!("{row}");
            continue;
        }
        let to_eager = ratios.map_or(String::new(), |ratios| {
            let (low, high) = range(&ratios);
            format!("  {:.2} times as fast as PyTorch eager ({low:.2} to {high:.2})", median(ratios))
        });
        println!(
            "{:<28} {seconds:>9.3} {rate:>9.0} {:>6.0}% {:>9.0} {:>9.0}{to_eager}",
            path.path,
            100.0 * share,
            path.peak_mb,
            path.base_mb
        );
    }
}
