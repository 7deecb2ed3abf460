//! How tables and pictures show faces.

use cm_loss_core::Preset;
use cm_record::{Column, Headline, Layout};

use super::evaluation;
use crate::applications::{common::SATURATED, plan::pairs};

/// The layout, before losses are chosen.
pub fn layout() -> Layout {
    Layout {
        baseline: Preset::Softmax.name().to_owned(),
        pairs: pairs(),
        headlines: vec![
            Headline::new("accuracy", "", "on untouched pairs"),
            Headline::new("auc", "", "on untouched pairs"),
            Headline::new("accuracy", "severity=3", "on pairs of degraded images (severity 3)"),
        ],
        stratifications: evaluation::stratifications(),
        columns: vec![
            Column::percent("auc", "", "AUC"),
            Column::percent("eer", "", "EER"),
            Column::percent("tar_at_far_0.1", "", "TAR at\nFAR 0.1"),
            Column::percent("tar_at_far_0.01", "", "TAR at\nFAR 0.01"),
            Column::percent("rank_1", "", "rank 1"),
            Column::percent("map_at_r", "", "MAP@R"),
            Column::number("spearman_norm_severity", "", "ρ (norm,\nintactness)"),
            Column::number("spearman_norm_sharpness", "", "ρ (norm,\nsharpness)"),
            Column::percent(SATURATED, "", "norms where the\nmap is flat"),
            Column::number("pauc_norm", "", "pAUC,\nnorm"),
            Column::number("pauc_sharpness", "", "pAUC,\nsharpness"),
            Column::number("pauc_random", "", "pAUC,\nno order"),
        ],
        notes: vec![
            "Accuracy on pairs of faces of people who were not learned, in percent: each tenth of the pairs by the threshold that is \
             best on the other nine. TAR: true accept rate with at most so large a false accept rate."
                .to_owned(),
            "ρ: Spearman correlation of feature norm and intactness (minus the severity) over the images of pairs at all severities, \
             and of feature norm and sharpness over untouched images."
                .to_owned(),
            "pAUC: area below the share of pairs of one person that are rejected, above that of leaving out the rejected ones \
             first, when up to 30 % of them are left out, those of the lowest norm or sharpness first, by a threshold that stays; severities are mixed. Lower is better."
                .to_owned(),
        ],
    }
}
