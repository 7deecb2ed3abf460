use burn::optim::lr_scheduler::LrScheduler;
use cm_train::training::{Schedule, Scheduler, Shape};

fn schedule(shape: Shape) -> Schedule {
    Schedule { learning_rate: 0.1, warm_up_epochs: 0.0, shape }
}

fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-9, "{actual}, not {expected}");
}

#[test]
fn step_falls_after_whole_epochs_whatever_the_steps_in_one() {
    let schedule = schedule(Shape::Step { epochs: 20, factor: 0.8 });
    for (epoch, expected) in [(0, 0.1), (19, 0.1), (20, 0.08), (39, 0.08), (40, 0.064), (99, 0.04096)] {
        assert_close(schedule.rate(epoch * 469, 469, 100), expected);
        assert_close(schedule.rate(epoch * 469 + 468, 469, 100), expected);
    }
}

#[test]
fn one_cycle_is_the_one_of_pytorch() {
    // o = torch.optim.SGD([torch.zeros(1)], lr=1)
    // s = torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=20, cycle_momentum=False)
    // for i in range(20): print(i, s.get_last_lr()[0]); o.step(); s.step()
    let schedule = schedule(Shape::OneCycle);
    for (step, expected) in ONE_CYCLE {
        assert_close(schedule.rate(step, 10, 2), expected);
    }
}

const ONE_CYCLE: [(usize, f64); 5] =
    [(0, 0.004), (2, 0.037_167_184_270_002_526), (5, 0.1), (12, 0.050_000_2), (19, 4e-7)];

#[test]
fn cosine_is_the_one_of_pytorch() {
    // s = torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=20)
    let schedule = schedule(Shape::Cosine);
    for (step, expected) in
        [(0, 0.1), (5, 0.085_355_339_059_327_38), (10, 0.05), (15, 0.014_644_660_940_672_62)]
    {
        assert_close(schedule.rate(step, 10, 2), expected);
    }
}

#[test]
fn warm_up_rises_linearly_and_then_leaves_the_schedule_alone() {
    let schedule = Schedule { warm_up_epochs: 0.5, ..schedule(Shape::Constant) };
    let rates: Vec<f64> = (0..12).map(|step| schedule.rate(step, 8, 3)).collect();
    let expected = [0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1];
    rates.iter().zip(expected).for_each(|(&rate, expected)| assert_close(rate, expected));
}

#[test]
fn a_restored_scheduler_goes_on_where_the_saved_one_was() {
    let mut one = Scheduler::new(schedule(Shape::OneCycle), 7, 3);
    for _ in 0..9 {
        one.step();
    }
    let mut other = Scheduler::new(schedule(Shape::OneCycle), 7, 3);
    other.load_record(one.to_record());
    for _ in 0..12 {
        assert_eq!(one.step(), other.step());
    }
}
