//! `cm identify`: who is on an image?

use std::{fmt::Write, path::PathBuf, sync::Arc};

use clap::{Args, builder::RangedU64ValueParser};
use cm_data::{Collection, ImageSet, OpenOptions};
use cm_eval::{rank_accuracy, tpir_at_fpir};
use cm_train::{evaluation::Views, model::Model};
use serde_json::{Value, json};

use super::{
    learned::{self, Learned},
    verify::{Features, unread_in_words},
};
use crate::{
    error::CliError,
    identification::{People, Searched},
    session::ComputeOptions,
    values::{self, rate},
};

/// Options of `cm identify`.
#[derive(Debug, Args)]
#[command(
    after_help = "The first image of everyone with several is the gallery, and their other images are searched for in it, beside those of \
    people with a single one, who are not in it. The classes need not be those of the model.\n\nExamples:\n  \
    cm identify model.safetensors lfw/lfw-deepfunneled\n  cm identify model.safetensors faces.rec --fpir 0.1,0.01 --json"
)]
pub struct Options {
    /// A model file, as `cm train` leaves it
    model: PathBuf,
    /// Images with the person on each: a folder with one for each person, a CSV list, a zip of either, a record file (.rec) or .npz
    data: PathBuf,
    /// What the network looks at of an image: it alone, or its mirror image as well, whose features are averaged
    #[arg(long, value_parser = values::mirrored(), default_value = "flip")]
    views: Views,
    /// False positive identification rates, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "0.1,0.01", value_parser = rate)]
    fpir: Vec<f64>,
    /// Images that are searched for at most, in the gallery and among all others, spread evenly over them
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    searches: usize,
    /// Go on with at most N images that cannot be read: they count as not found
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_bad: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// Searches and prints how often the right one is found.
pub fn run(options: &Options) -> Result<(), CliError> {
    let session = options.compute.open_for(options.json)?;
    let device = session.devices.first()?;
    let model = Model::read(&options.model, &device)?;
    let set = Arc::new(Collection::open(&options.data, &OpenOptions::default())?);
    let people: Vec<u32> = (0..set.len()).map(|image| set.label(image)).collect();
    let learned = Learned::of(&model);
    let is_learned =
        |&image: &usize| set.classes.get(people[image] as usize).is_some_and(|name| learned.knows(name));
    let of_learned = (0..people.len()).filter(is_learned).count();
    learned::warn(of_learned, people.len(), "images");
    let mut features = Features::of(&model, set, options.views, &session, &device)?;
    features.refuse_more_unread_than(options.skip_bad)?;
    let unread = std::mem::take(&mut features.unread);
    let units = features.into_units();
    let units: Vec<Option<&[f32]>> = units.iter().map(Option::as_deref).collect();
    let set = People { features: &units, people: &people };
    let protocol = set.protocol(options.searches);
    let bar = session.display.bar(protocol.searches(), "searching");
    let on = |searched: usize| {
        bar.inc(searched as u64);
        !session.interrupter.should_stop()
    };
    let found = set.search_for(protocol, &on).ok_or(CliError::Stopped)?;
    bar.finish_and_clear();
    if found.gallery == 0 {
        return Err(CliError::Said(format!(
            "{} has nobody with two images, so that nothing can be searched for",
            options.data.display()
        )));
    }
    let unread: Vec<&str> = unread.iter().map(|(file, _)| file.as_str()).collect();
    let told = Told { found: &found, images: people.len(), fpir: &options.fpir, unread: &unread, of_learned };
    match options.json {
        true => println!("{}", told.json()),
        false => print!("{}", told.text()),
    }
    Ok(())
}

struct Told<'a> {
    found: &'a Searched,
    images: usize,
    fpir: &'a [f64],
    unread: &'a [&'a str],
    /// Images of people that the model has learned.
    of_learned: usize,
}

impl Told<'_> {
    fn others(&self) -> usize {
        self.found.searches.len() - self.found.inside
    }

    fn json(&self) -> Value {
        let searches = &self.found.searches;
        let rates: Vec<Value> = self
            .fpir
            .iter()
            .map(|&fpir| json!({"fpir": fpir, "tpir": tpir_at_fpir(searches, fpir)}))
            .collect();
        let retrieval = self.found.retrieval;
        json!({
            "images": self.images, "gallery": self.found.gallery, "searched": self.found.inside, "searched_others": self.others(),
            "rank_1": rank_accuracy(searches, 1), "rank_5": rank_accuracy(searches, 5), "tpir_at_fpir": rates,
            "precision_at_1": retrieval.map(|found| found.precision_at_1), "map_at_r": retrieval.map(|found| found.map_at_r),
            "queries": retrieval.map(|found| found.queries), "unread": self.unread,
            "images_of_learned": self.of_learned,
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let searches = &self.found.searches;
        let percent =
            |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{:.2} %", 100.0 * share));
        let Searched { gallery, inside, retrieval, .. } = self.found;
        let others = self.others();
        let _ = writeln!(text, "{} images; {gallery} people in the gallery, one image each", self.images);
        let _ = writeln!(text, "{inside} searches of them, {others} of people who are not in it");
        for rank in [1, 5] {
            let _ = writeln!(text, "rank {rank}  {:>9}", percent(rank_accuracy(searches, rank)));
        }
        let _ = writeln!(
            text,
            "\nTrue positive identification rate by false positive identification rate (at most)"
        );
        for &fpir in self.fpir {
            let found = tpir_at_fpir(searches, fpir);
            let why = match found {
                None if fpir * (others as f64) < 1.0 => {
                    format!("  less than one of {others} searches of people who are not in the gallery")
                }
                _ => String::new(),
            };
            let _ = writeln!(text, "  {fpir:<8e} {:>9}{why}", percent(found));
        }
        if let Some(found) = retrieval {
            let _ = writeln!(text, "\nImages of them among all others ({} queries)", found.queries);
            let _ = writeln!(text, "precision at 1  {:>9}", percent(Some(found.precision_at_1)));
            let _ = writeln!(text, "MAP@R           {:>9}", percent(Some(found.map_at_r)));
        }
        text.push_str(&unread_in_words(self.unread, "cannot be read; they count as not found"));
        text
    }
}
