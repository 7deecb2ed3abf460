//! What a resumed study may change: nothing, but it may grow.

use std::path::Path;

use serde_json::Value;

use crate::Error;

/// Lists that may get longer: what is trained, in every combination.
const GROW: [&str; 4] = ["plan.losses", "plan.arms", "plan.feature_dims", "plan.seeds"];
/// What is computed anew from the runs.
const FREE: &str = "plan.compare_with";

/// Compares the settings of a record with those of `config.json`. The number of epochs may be raised, and losses, dimensions
/// and seeds added.
///
/// # Errors
///
/// [`Error::SettingChanged`] with the first setting that differs.
pub fn refuse_changes(folder: &Path, recorded: &Value, found: &Value) -> Result<(), Error> {
    compare(folder, "", recorded, found)
}

fn compare(folder: &Path, name: &str, recorded: &Value, found: &Value) -> Result<(), Error> {
    if recorded == found || name == FREE {
        return Ok(());
    }
    if GROW.contains(&name) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (before, now) = (list(recorded), list(found));
        if before.iter().all(|value| now.contains(value)) {
            return Ok(());
        }
    }
    if let (Value::Object(a), Value::Object(b)) = (recorded, found) {
        let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        return names.into_iter().try_for_each(|key| {
            let below = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            compare(folder, &below, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null))
        });
    }
    let raised = recorded.as_u64().zip(found.as_u64()).is_some_and(|(before, now)| now > before);
    if raised && matches!(name, "recipe.epochs" | "plan.recipe.epochs" | "training.epochs") {
        return Ok(());
    }
    Err(Error::SettingChanged {
        path: folder.to_owned(),
        name: name.to_owned(),
        recorded: recorded.to_string(),
        found: found.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compared(recorded: &Value, found: &Value) -> Result<(), String> {
        refuse_changes(Path::new("out"), recorded, found).map_err(|error| error.to_string())
    }

    #[test]
    fn epochs_may_be_raised_and_losses_added_and_nothing_else_changed() {
        let settings = |epochs: u64, rate: f64| json!({"plan": {"recipe": {"epochs": epochs, "rate": rate}}, "seeds": [0]});
        assert_eq!(compared(&settings(4, 0.1), &settings(4, 0.1)), Ok(()));
        assert_eq!(compared(&settings(4, 0.1), &settings(6, 0.1)), Ok(()));
        let lowered = compared(&settings(4, 0.1), &settings(3, 0.1)).expect_err("lowered");
        assert!(lowered.contains("plan.recipe.epochs = 4, and not with 3"), "{lowered}");
        let changed = compared(&settings(4, 0.1), &settings(4, 0.2)).expect_err("changed");
        assert!(changed.contains("recipe.rate = 0.1"), "{changed}");
        let arms = |losses: &[&str]| json!({"plan": {"losses": losses, "compare_with": losses}});
        assert_eq!(compared(&arms(&["a"]), &arms(&["b", "a"])), Ok(()));
        assert!(compared(&arms(&["a", "b"]), &arms(&["b"])).expect_err("taken away").contains("plan.losses"));
        let added = json!({"recipe": {"epochs": 4, "rate": 0.1}, "seeds": [0], "novel": 1});
        assert!(compared(&settings(4, 0.1), &added).expect_err("added").contains("novel = null"));
    }
}
