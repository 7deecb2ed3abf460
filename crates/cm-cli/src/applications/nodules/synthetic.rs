//! Nodules drawn by the program, for machines without those of LIDC-IDRI: soft, solid, spiculated and calcified ones in lungs with
//! vessels and noise, with the ratings that four radiologists might give.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;

use super::{
    nodule::{HIGHEST_RATING, Nodule, SIDE},
    source::{Nodules, checksums},
};
use crate::applications::start::Origin;

/// Radiologists who look at every nodule; not all of them mark it.
const RADIOLOGISTS: usize = 4;
/// Name of the data set in every table and picture.
pub const NAME: &str = "synthetic nodules";
/// Most nodules of a patient.
const MOST_NODULES: u64 = 4;
/// Hounsfield units of lungs and of the chest wall.
const LUNG: f64 = -860.0;
const WALL: f64 = 40.0;

/// What a nodule is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Ground glass: little denser than the lung, without a sharp edge.
    Soft,
    Solid,
    /// Solid, with lines that go out from it.
    Spiculated,
    /// With lime in it, as old inflammations have.
    Calcified,
}

/// Nodules of so many patients. What is drawn depends on the seed, the patient and the nodule alone.
pub fn nodules(patients: usize, seed: u64) -> Nodules {
    let nodules: Vec<Nodule> =
        (0..patients as u64).into_par_iter().flat_map_iter(|patient| of_patient(seed, patient)).collect();
    Nodules { origin: Origin::drawn(NAME, seed, checksums(&nodules)), duplicates: 0, guessed: 0, nodules }
}

/// Random numbers of a patient, or of one of the patient's nodules.
fn generator(seed: u64, patient: u64, nodule: u64) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (place, number) in bytes.chunks_exact_mut(8).zip([seed, patient, nodule]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

fn normal(random: &mut impl Rng, mean: f64, deviation: f64) -> f64 {
    let Ok(distribution) = Normal::new(mean, deviation) else { unreachable!("the deviation is finite") };
    distribution.sample(random)
}

fn of_patient(seed: u64, patient: u64) -> Vec<Nodule> {
    // Nodules are numbered from 1, so that 0 is the patient.
    let mut random = generator(seed, patient, 0);
    let spacing = random.random_range(0.5..0.9);
    let noise = random.random_range(20.0..70.0);
    let count = (1..MOST_NODULES).take_while(|_| random.random_bool(0.5)).count() as u64 + 1;
    (1..=count)
        .map(|number| {
            let mut random = generator(seed, patient, number);
            let traits = Traits::random(&mut random);
            let (malignancy, subtlety) = traits.ratings(&mut random);
            Nodule {
                id: number.to_string(),
                name: format!("nodule {number} of patient {patient}"),
                patient: format!("patient {patient}"),
                spacing,
                diameter: traits.diameter * random.random_range(0.94..1.06),
                malignancy,
                subtlety,
                side: SIDE,
                values: traits.drawn(spacing, noise, &mut random),
            }
        })
        .collect()
}

/// What a nodule is like.
#[derive(Debug)]
struct Traits {
    kind: Kind,
    /// In millimeters.
    diameter: f64,
    /// From 0, invisible, to 1.
    contrast: f64,
    /// How irregular the outline is, as a share of the radius.
    irregularity: f64,
}

impl Traits {
    fn random(random: &mut impl Rng) -> Self {
        let kind = match random.random_range(0.0..1.0) {
            share if share < 0.2 => Kind::Soft,
            share if share < 0.68 => Kind::Solid,
            share if share < 0.86 => Kind::Spiculated,
            _ => Kind::Calcified,
        };
        let median: f64 = match kind {
            Kind::Spiculated => 11.0,
            Kind::Soft => 8.5,
            Kind::Solid => 7.0,
            Kind::Calcified => 5.5,
        };
        Self {
            kind,
            diameter: normal(random, median.ln(), 0.42).exp().clamp(3.0, 30.0),
            contrast: 1.0 - 0.8 * random.random_range(0.0f64..1.0).powi(2),
            irregularity: random.random_range(0.03..0.16),
        }
    }

    /// Where the mean of many ratings of malignancy would be.
    fn suspicion(&self) -> f64 {
        let by_kind = match self.kind {
            Kind::Soft => 0.1,
            Kind::Solid => -0.1,
            Kind::Spiculated => 0.8,
            Kind::Calcified => -1.2,
        };
        2.85 + 1.5 * (self.diameter / 8.0).ln() + by_kind + 3.0 * (self.irregularity - 0.1)
    }

    /// Where the mean of many ratings of subtlety would be: small, soft and faint nodules are hard to see.
    fn obviousness(&self) -> f64 {
        let by_kind = match self.kind {
            Kind::Soft => -1.0,
            Kind::Solid => 0.0,
            Kind::Spiculated => 0.2,
            Kind::Calcified => 0.9,
        };
        2.6 + 2.2 * (self.contrast - 0.4) + 0.9 * (self.diameter / 7.0).ln() + by_kind
    }

    /// Ratings of malignancy and subtlety of the radiologists who mark the nodule: at least of one.
    fn ratings(&self, random: &mut impl Rng) -> (Vec<u8>, Vec<u8>) {
        // What the image does not tell, and what each radiologist thinks.
        let suspicion = normal(random, self.suspicion(), 0.35);
        let obviousness = self.obviousness();
        let marking = (0.35 + 0.15 * obviousness).clamp(0.3, 0.98);
        let rating = |value: f64| value.round().clamp(1.0, f64::from(HIGHEST_RATING)) as u8;
        let (mut malignancy, mut subtlety) = (Vec::new(), Vec::new());
        for radiologist in 0..RADIOLOGISTS {
            let opinions = [normal(random, suspicion, 0.6), normal(random, obviousness, 0.6)];
            let is_last = radiologist + 1 == RADIOLOGISTS && malignancy.is_empty();
            if random.random_bool(marking) || is_last {
                malignancy.push(rating(opinions[0]));
                subtlety.push(rating(opinions[1]));
            }
        }
        (malignancy, subtlety)
    }

    /// Hounsfield units of the nodule in its surroundings.
    fn drawn(&self, spacing: f64, noise: f64, random: &mut impl Rng) -> Vec<f32> {
        let outline = Outline::random(self, random);
        let surroundings = Surroundings::random(random);
        let (density, edge) = match self.kind {
            Kind::Soft => (-560.0, 2.2),
            Kind::Solid | Kind::Spiculated => (20.0, 0.9),
            Kind::Calcified => (420.0, 0.7),
        };
        // Faint ones are partly beside the slice.
        let density = LUNG + (density - LUNG) * self.contrast;
        let middle = [random.random_range(-1.5..1.5), random.random_range(-1.5..1.5)];
        let half = (SIDE / 2) as f64;
        let mut values = Vec::with_capacity(SIDE * SIDE);
        for row in 0..SIDE {
            for column in 0..SIDE {
                let place = [(column as f64 - half) * spacing, (row as f64 - half) * spacing];
                let around = surroundings.value(place);
                let share = outline.share([place[0] - middle[0], place[1] - middle[1]], edge);
                let value = around.max(LUNG) * (1.0 - share) + density.max(around) * share;
                values.push(normal(random, value, noise).round().clamp(-1024.0, 3071.0) as f32);
            }
        }
        values
    }
}

/// The border of a nodule, in millimeters around its middle.
struct Outline {
    radius: f64,
    /// Waves around the border: how many, how high as a share of the radius, and where they begin.
    waves: Vec<(f64, f64, f64)>,
    /// Lines that go out: their direction and length.
    spicules: Vec<(f64, f64)>,
}

impl Outline {
    fn random(traits: &Traits, random: &mut impl Rng) -> Self {
        let waves = (2..6).map(|count| {
            let height = traits.irregularity * random.random_range(0.2..1.0) / f64::from(count - 1).sqrt();
            (f64::from(count), height, random.random_range(0.0..TAU))
        });
        let waves = waves.collect();
        let radius = traits.diameter / 2.0;
        let count = if traits.kind == Kind::Spiculated { random.random_range(7..14) } else { 0 };
        let spicule = |_| (random.random_range(-PI..PI), radius * random.random_range(0.4..1.1));
        Self { radius, waves, spicules: (0..count).map(spicule).collect() }
    }

    /// How much of a place is nodule, from 0 to 1.
    fn share(&self, [x, y]: [f64; 2], edge: f64) -> f64 {
        let (distance, angle) = (x.hypot(y), y.atan2(x));
        let waves: f64 =
            self.waves.iter().map(|(count, height, start)| height * (count * angle + start).cos()).sum();
        let border = self.radius * (1.0 + waves);
        let inside = 1.0 / (1.0 + ((distance - border) / (edge / 3.0)).exp());
        let line = self.spicules.iter().map(|&(direction, length)| {
            let off = (angle - direction + PI).rem_euclid(TAU) - PI;
            let beside = distance * off.sin();
            let thin = (-(beside / 0.55).powi(2)).exp();
            let far = ((distance - border) / length).max(0.0);
            if off.abs() < PI / 2.0 { 0.75 * thin * (1.0 - far).max(0.0) } else { 0.0 }
        });
        inside.max(line.fold(0.0, f64::max))
    }
}

/// Lung, vessels, and sometimes the chest wall.
struct Surroundings {
    /// A point, a direction, a radius in millimeters, and Hounsfield units.
    vessels: Vec<([f64; 2], f64, f64, f64)>,
    /// Direction and distance of the chest wall.
    wall: Option<(f64, f64)>,
    /// Slow changes of the lung: direction, length of the wave, and where it begins.
    haze: [(f64, f64, f64); 3],
}

impl Surroundings {
    fn random(random: &mut impl Rng) -> Self {
        let vessel = |random: &mut dyn Rng| {
            let point = [random.random_range(-18.0..18.0), random.random_range(-18.0..18.0)];
            (
                point,
                random.random_range(0.0..PI),
                random.random_range(0.4..1.3),
                random.random_range(-450.0..0.0),
            )
        };
        let count = random.random_range(1..5);
        let vessels = (0..count).map(|_| vessel(random)).collect();
        let wall =
            random.random_bool(0.25).then(|| (random.random_range(-PI..PI), random.random_range(9.0..22.0)));
        let haze = std::array::from_fn(|_| {
            (random.random_range(0.0..TAU), random.random_range(12.0..40.0), random.random_range(0.0..TAU))
        });
        Self { vessels, wall, haze }
    }

    fn value(&self, [x, y]: [f64; 2]) -> f64 {
        let waves = self.haze.iter().map(|(direction, length, start)| {
            25.0 * (TAU * (x * direction.cos() + y * direction.sin()) / length + start).sin()
        });
        let lung = LUNG + waves.sum::<f64>();
        let vessels = self.vessels.iter().map(|&([from_x, from_y], direction, radius, density)| {
            let beside = (x - from_x) * direction.sin() - (y - from_y) * direction.cos();
            lung + (density - lung) * (-(beside / radius).powi(2)).exp()
        });
        let wall = self.wall.map_or(lung, |(direction, distance)| {
            let beyond = x * direction.cos() + y * direction.sin() - distance;
            lung + (WALL - lung) / (1.0 + (-beyond / 0.5).exp())
        });
        vessels.fold(lung.max(wall), f64::max)
    }
}

#[cfg(test)]
mod tests {
    use cm_eval::{auc, spearman};

    use super::{super::nodule::LabelRule, *};

    #[test]
    fn the_same_seed_draws_the_same_nodules_and_more_patients_add_to_them() {
        let (few, many) = (nodules(4, 3), nodules(9, 3));
        assert_eq!(few.nodules[..], many.nodules[..few.nodules.len()]);
        assert_ne!(few.nodules, nodules(4, 4).nodules);
        assert!(!few.origin.name.contains("LIDC") && !few.origin.source.contains("LIDC"));
    }

    #[test]
    fn diameter_tells_much_of_malignancy_and_not_all_and_contrast_is_what_makes_nodules_obvious() {
        let all = nodules(400, 0).nodules;
        let rule = LabelRule { min_raters: 1, undecided: [3.0, 3.0] };
        let labeled: Vec<(&Nodule, u32)> =
            all.iter().filter_map(|nodule| nodule.label(&rule).ok().map(|label| (nodule, label))).collect();
        let diameters: Vec<f64> = labeled.iter().map(|(nodule, _)| nodule.diameter).collect();
        let malignant: Vec<bool> = labeled.iter().map(|(_, label)| *label == 1).collect();
        let area = auc(&diameters, &malignant).expect("both classes");
        assert!((0.8..0.95).contains(&area), "{area}");
        let share = malignant.iter().filter(|&&m| m).count() as f64 / malignant.len() as f64;
        assert!((0.25..0.5).contains(&share), "{share}");
        // The brightest tenth of a patch is the nodule, mostly.
        let brightness = |nodule: &Nodule| {
            let mut values = nodule.values.clone();
            values.sort_by(f32::total_cmp);
            f64::from(values[values.len() * 98 / 100])
        };
        let subtlety: Vec<f64> = all.iter().map(Nodule::mean_subtlety).collect();
        let brightness: Vec<f64> = all.iter().map(brightness).collect();
        assert!(spearman(&subtlety, &brightness).expect("both vary") > 0.2);
    }
}
