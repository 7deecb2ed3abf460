//! Times of the heads as multiples of the baseline's, and what checking the input costs.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use cm_loss_core::Preset;

use crate::{Loss, SIZES, Size, Subject, name, subjects};

const ROUNDS: usize = 9;

/// Seconds of one pass, the mean over enough of them to be measured.
fn seconds(subject: &Subject, backward: bool, passes: usize) -> f64 {
    let time: Duration = (0..passes).map(|_| subject.pass(backward)).sum();
    time.as_secs_f64() / passes as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Median ratio to the baseline of every subject, which are measured in turn.
fn ratios(size: Size, backward: bool, device: &Device) -> Vec<f64> {
    let passes = if size.2 < 100 { 50 } else { 1 };
    let all: Vec<Subject> = subjects().map(|preset| Subject::new(preset, size, device)).collect();
    let mut found = vec![Vec::new(); all.len()];
    // The first round warms caches up and does not count.
    for round in 0..=ROUNDS {
        let baseline = seconds(&all[0], backward, passes);
        for (subject, found) in all.iter().zip(&mut found) {
            let ratio = seconds(subject, backward, passes) / baseline;
            if round > 0 {
                found.push(ratio);
            }
        }
    }
    found.into_iter().map(median).collect()
}

pub fn print(device: &Device) {
    let heading = |size: Size, what: &str| format!("{what} ({}, {}, {})", size.0, size.1, size.2);
    let columns: Vec<(Size, bool)> =
        SIZES.into_iter().flat_map(|size| [(size, false), (size, true)]).collect();
    let titles: Vec<String> = columns
        .iter()
        .map(|&(size, backward)| heading(size, if backward { "both" } else { "forward" }))
        .collect();
    println!("| head | {} |", titles.join(" | "));
    println!("|---|{}", "---:|".repeat(titles.len()));
    let found: Vec<Vec<f64>> =
        columns.iter().map(|&(size, backward)| ratios(size, backward, device)).collect();
    for (i, subject) in subjects().enumerate().skip(1) {
        let cells: Vec<String> = found.iter().map(|column| format!("{:.2}", column[i])).collect();
        println!("| {} | {} |", name(subject), cells.join(" | "));
    }

    for size in SIZES {
        let subject = Subject::new(Some(Preset::CmCosFace), size, device);
        let Loss::Head(head) = &subject.loss else { panic!("CM-CosFace is a head") };
        let time = |work: &dyn Fn()| {
            let passes = if size.2 < 100 { 200 } else { 20 };
            let start = Instant::now();
            (0..passes).for_each(|_| work());
            start.elapsed().as_secs_f64() / f64::from(passes)
        };
        let check = time(&|| head.check(&subject.features, &subject.targets).unwrap());
        let forward = seconds(&subject, false, if size.2 < 100 { 200 } else { 20 });
        println!(
            "checking features and targets at {size:?}: {:.1} µs, {:.1} % of a forward pass",
            check * 1e6,
            100.0 * check / forward
        );
    }
}
