//! Figures of a classification.

use crate::Proportion;

/// What was predicted of images with known classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    confusion: ConfusionMatrix,
}

/// How often each class was taken for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// `counts[class][predicted]`
    pub counts: Vec<Vec<usize>>,
}

/// Figures of one class. A figure is `None` where it is not defined: without images, or without predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassFigures {
    /// Images of the class.
    pub support: usize,
    /// Share of its images that were recognized.
    pub recall: Option<f64>,
    /// Share of the images taken for it that are of it.
    pub precision: Option<f64>,
    /// `2 p r / (p + r)`, where there are images of the class; 0 where none was recognized.
    pub f1: Option<f64>,
}

impl Classification {
    /// `None` if there are no images, the lengths differ, or a label or prediction is none of the classes.
    pub fn new(labels: &[u32], predicted: &[u32], classes: usize) -> Option<Self> {
        let known = |class: &u32| (*class as usize) < classes;
        if labels.is_empty() || labels.len() != predicted.len() {
            return None;
        }
        if !labels.iter().all(known) || !predicted.iter().all(known) {
            return None;
        }
        let mut counts = vec![vec![0; classes]; classes];
        for (&label, &predicted) in labels.iter().zip(predicted) {
            counts[label as usize][predicted as usize] += 1;
        }
        Some(Self { confusion: ConfusionMatrix { counts } })
    }

    /// How often each class was taken for each.
    pub fn confusion(&self) -> &ConfusionMatrix {
        &self.confusion
    }

    /// Images that were recognized.
    pub fn accuracy(&self) -> Proportion {
        let counts = &self.confusion.counts;
        Proportion {
            successes: (0..counts.len()).map(|class| counts[class][class]).sum(),
            count: counts.iter().flatten().sum(),
        }
    }

    /// Figures of each class.
    pub fn classes(&self) -> Vec<ClassFigures> {
        let counts = &self.confusion.counts;
        let share = |successes: usize, count: usize| Proportion { successes, count }.value();
        let figures = |class: usize| {
            let support = counts[class].iter().sum();
            let predicted = counts.iter().map(|row| row[class]).sum();
            let right = counts[class][class];
            let f1 = (support > 0).then(|| 2.0 * right as f64 / (support + predicted) as f64);
            ClassFigures { support, recall: share(right, support), precision: share(right, predicted), f1 }
        };
        (0..counts.len()).map(figures).collect()
    }

    /// Mean recall of the classes that have images.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        mean(self.classes().iter().filter_map(|class| class.recall))
    }

    /// Mean F1 of the classes that have images.
    pub fn macro_f1(&self) -> Option<f64> {
        mean(self.classes().iter().filter_map(|class| class.f1))
    }
}

impl ConfusionMatrix {
    /// The most frequent confusions: class, what it was taken for, and how often; the first classes first among equals.
    pub fn most_frequent(&self, most: usize) -> Vec<(usize, usize, usize)> {
        let cells = self.counts.iter().enumerate().flat_map(|(class, row)| {
            row.iter().enumerate().map(move |(predicted, &count)| (class, predicted, count))
        });
        let mut wrong: Vec<_> =
            cells.filter(|&(class, predicted, count)| class != predicted && count > 0).collect();
        wrong.sort_by_key(|&(class, predicted, count)| (std::cmp::Reverse(count), class, predicted));
        wrong.truncate(most);
        wrong
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_scikit_learn() {
        // y, p = [0, 0, 1, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2, 0]
        // accuracy_score 4/7; balanced_accuracy_score (1/2 + 2/3 + 1/2) / 3; f1_score(average="macro") (1/2 + 2/3 + 1/2) / 3
        let found = Classification::new(&[0, 0, 1, 1, 1, 2, 2], &[0, 1, 1, 1, 2, 2, 0], 3).expect("images");
        assert_eq!(found.accuracy(), Proportion { successes: 4, count: 7 });
        let expected = (0.5 + 2.0 / 3.0 + 0.5) / 3.0;
        assert!((found.balanced_accuracy().expect("classes") - expected).abs() < 1e-12);
        assert!((found.macro_f1().expect("classes") - expected).abs() < 1e-12);
        assert_eq!(found.classes()[1].precision, Some(2.0 / 3.0));
        assert_eq!(found.confusion().most_frequent(2), [(0, 1, 1), (1, 2, 1)]);
    }

    #[test]
    fn a_class_without_images_or_predictions_has_no_figure_and_takes_no_part_in_means() {
        let found = Classification::new(&[0, 0], &[0, 3], 4).expect("images");
        let classes = found.classes();
        assert_eq!((classes[1].recall, classes[1].precision, classes[1].f1), (None, None, None));
        assert_eq!((classes[3].support, classes[3].recall, classes[3].precision), (0, None, Some(0.0)));
        assert_eq!(found.balanced_accuracy(), Some(0.5));
    }

    #[test]
    fn labels_beyond_the_classes_and_beyond_a_byte_are_told_apart() {
        let found = Classification::new(&[300, 44], &[300, 300], 301).expect("images");
        assert_eq!(found.confusion().counts[44][300], 1);
        assert_eq!(Classification::new(&[301], &[0], 301), None);
        assert_eq!(Classification::new(&[], &[], 3), None);
        assert_eq!(Classification::new(&[0], &[0, 1], 3), None);
    }
}
