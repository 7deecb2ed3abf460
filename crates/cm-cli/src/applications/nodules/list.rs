//! The table that tells which nodule of the user's each row of a features file is.

use std::path::Path;

use cm_record::{RecordError, files::write_atomically};

use super::{nodule::CLASSES, study::NoduleStudy};
use crate::applications::common::Drawn;

/// Writes `nodules.csv` beside the results: the number of every nodule, as features files have it in `index`, with what the user's table calls it. The fold is empty where
/// it is not tested on.
pub fn write(study: &NoduleStudy, folder: &Path) -> Drawn<()> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["index", "nodule_id", "patient", "fold", "class"])?;
    for (index, nodule) in study.nodules.iter().enumerate() {
        let fold = study.fold_of(index).map_or_else(String::new, |fold| fold.to_string());
        let class = CLASSES[study.labels[index] as usize];
        csv.write_record([&*index.to_string(), &nodule.id, &nodule.patient, &fold, class])?;
    }
    let path = folder.join("nodules.csv");
    write_atomically(&path, &csv.into_inner()?).map_err(RecordError::io("write", &path))?;
    Ok(())
}
