"""The tables of a study as Markdown: `python tools/study_table.py RECORD`, a results.json or one of docs/results.

Means and standard deviations over the seeds; paired differences from the losses that the study compares with, in percentage
points, with the 95 % intervals and the p after Holm's correction that the record holds.
"""

import json
import statistics
import sys

TITLES = {"": "all", "severity=0": "clean", "severity=1-4": "severity 1–4", "resolution=25–33": "25–33 px"}


def accuracies(record, stratum):
    """Accuracy in percent of every loss on a stratum, one number per seed."""
    found = {}
    for run in record["runs"]:
        for measured in run["measurements"]:
            wanted = (measured["metric"], measured["stratum"]) == ("accuracy", stratum)
            if wanted and measured["value"] is not None:
                found.setdefault(run["loss"], []).append(100 * measured["value"])
    return found


def mean(values):
    if len(values) < 2:
        return f"{values[0]:.2f}" if values else ""
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


def signed(value):
    return f"{100 * value:+.2f}".replace("-", "−")


def difference(record, stratum, loss, baseline):
    """The paired difference, its interval and its p."""
    for found in record["comparisons"]:
        names = (found["metric"], found["stratum"], found["loss"], found["baseline"])
        if names == ("accuracy", stratum, loss, baseline) and found["interval"]:
            low, high = found["interval"]
            p = found["p_adjusted"]
            shown = "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
            return f"{signed(found['mean'])} ({signed(low)} to {signed(high)}) | {shown}"
    return " | "


def read(path):
    """What a file of results says."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"{path} cannot be read: {error}; it takes the results.json of a study")


def main(path):
    record = read(path)
    if not isinstance(record, dict) or "runs" not in record:
        sys.exit(f"{path} is not a record of a study: it has no runs")
    if "layout" not in record:
        sys.exit(f"{path} is of an older format; `cm report FOLDER` prints its tables")
    dims = {run["feature_dim"] for run in record["runs"]}
    if len(dims) != 1:
        sys.exit(f"{path} has {sorted(dims)} as feature dimensions, and these tables are for one")
    whole, worst = (headline["stratum"] for headline in record["layout"]["headlines"][:2])
    others = (pair[1] for pair in record["layout"]["pairs"])
    baselines = list(dict.fromkeys([record["layout"]["baseline"], *others]))
    of_whole, of_worst = accuracies(record, whole), accuracies(record, worst)
    header = ["loss", "seeds", TITLES.get(whole, whole), TITLES.get(worst, worst)]
    for baseline in baselines:
        header += [f"{header[3]}, − {baseline}", "p"]
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    for loss, values in of_worst.items():
        cells = [loss, str(len(values)), mean(of_whole.get(loss, [])), mean(values)]
        cells += [difference(record, worst, loss, baseline) for baseline in baselines]
        print("| " + " | ".join(cells) + " |")
    kinds(record)


def kinds(record):
    """Losses whose training images were degraded by all kinds but one, on the test images degraded by that one."""
    left_out = [run["loss"] for run in record["runs"] if ", no " in run["loss"]]
    if not left_out:
        return
    print("\n| degraded by | loss | not degraded | degraded by all kinds | by all but this |\n|---|---|---|---|---|")
    for name in dict.fromkeys(left_out):
        trained, kind = name.split(", no ")
        plain = trained.removesuffix(" + degraded")
        of_kind = accuracies(record, f"kind={kind}")
        cells = [kind, plain, *(mean(of_kind.get(loss, [])) for loss in (plain, trained, name))]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
