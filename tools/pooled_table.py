"""The figures of all folds or seeds together as Markdown: `python tools/pooled_table.py RECORD`, a results.json or one of docs/results.

For each loss the figures over all test images with their 95 % intervals, the first of them, sensitivity and specificity by
stratum, the mean over the trainings of the figures of each (correlations of the norm among them), and the paired tests with p after Holm's correction, as the record holds them.
"""

import statistics
import sys

from study_table import read

PERCENT = {"accuracy", "sensitivity", "specificity", "balanced_accuracy", "tar_at_far_0.1", "tar_at_far_0.01", "eer"}
OF_TRAININGS = ["valid_auc", "auc", "spearman_norm_subtlety", "spearman_norm_subtlety_within", "spearman_norm_agreement",
                "spearman_norm_severity", "spearman_norm_sharpness", "norm_saturated", "pauc_norm", "pauc_sharpness", "pauc_random",
                "pauc_best", "rank_1", "rank_5", "tpir_at_fpir_0.1", "map_at_r"]


def shown(metric, value):
    if value is None:
        return "–"
    return f"{100 * value:.1f}" if metric in PERCENT else f"{value:.3f}"


def with_interval(figure):
    text = shown(figure["metric"], figure["value"])
    if figure["interval"] is None:
        return text
    low, high = (shown(figure["metric"], value) for value in figure["interval"])
    return f"{text} ({low}–{high})"


def table(header, rows):
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def unique(values):
    return list(dict.fromkeys(values))


def figures(found):
    by = {(figure["loss"], figure["metric"], figure["stratum"]): figure for figure in found}
    losses, metrics, strata = (unique(key[i] for key in by) for i in range(3))
    cell = lambda key: with_interval(by[key]) if key in by else ""
    whole = [metric for metric in metrics if any((loss, metric, "") in by for loss in losses)]
    names = [f"{metric} (%)" if metric in PERCENT else metric for metric in whole]
    table(["", *names], [[loss, *(cell((loss, metric, "")) for metric in whole)] for loss in losses])
    for metric in [*metrics[:2], *(metric for metric in ("sensitivity", "specificity") if metric in metrics[2:])]:
        of = [stratum for stratum in strata if any((loss, metric, stratum) in by for loss in losses)]
        rows = [[loss, *(cell((loss, metric, stratum)) for stratum in of)] for loss in losses]
        table([metric, *(stratum or "all" for stratum in of)], rows)
    of_norm = unique(key[1] for key in by if key[1].startswith("spearman"))
    if of_norm:
        rows = [[loss, *(cell((loss, metric, "norm and quality")) for metric in of_norm)] for loss in losses]
        table(["", *of_norm], [row for row in rows if any(row[1:])])


def trainings(runs):
    values = {}
    for run in runs:
        for found in run["measurements"]:
            if found["stratum"] == "" and found["value"] is not None:
                values.setdefault((run["loss"], found["metric"]), []).append(found["value"])
    metrics = [metric for metric in OF_TRAININGS if any(key[1] == metric for key in values)]
    mean = lambda of: f"{statistics.mean(of):.3f}" + (f" ± {statistics.stdev(of):.3f}" if len(of) > 1 else "")
    losses = unique(run["loss"] for run in runs)
    rows = [[loss, *(mean(values[loss, metric]) if (loss, metric) in values else "" for metric in metrics)] for loss in losses]
    table(["mean of the trainings", *metrics], rows)


def tests(found):
    rows = []
    for test in found:
        signed = lambda value: f"{value:+.4f}".replace("-", "−")
        interval = test["interval"]
        between = "" if interval is None else f" ({signed(interval[0])} to {signed(interval[1])})"
        p = ["" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}" for value in (test["p"], test["p_adjusted"])]
        difference = signed(test["difference"]) + between
        rows.append([test["loss"], test["baseline"], test["stratum"] or "all", test["test"], test["metric"], difference, *p])
    table(["loss", "against", "of", "test", "figure", "difference", "p", "p, Holm"], rows)


def main(path):
    record = read(path)
    if not isinstance(record, dict) or not record.get("pooled"):
        sys.exit(f"{path} has no figures of all runs together; the studies of nodules and faces have them")
    for dim in sorted({figure["feature_dim"] for figure in record["pooled"]["figures"]}):
        of_dim = lambda found: [one for one in found if one["feature_dim"] == dim]
        runs = of_dim(record["runs"])
        seconds = sum(run["train_seconds"] for run in runs)
        print(f"{len(runs)} trainings with {dim} features, {seconds / 60:.0f} minutes of training\n")
        figures(of_dim(record["pooled"]["figures"]))
        trainings(runs)
        tests(of_dim(record["pooled"]["tests"]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
