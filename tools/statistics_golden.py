"""Golden values of the statistics: paired t-intervals, Holm's correction, Wilson's interval, figures by class.

Shares no code with the Rust functions. Run, with any environment that has SciPy, statsmodels and scikit-learn:

    python tools/statistics_golden.py crates/cm-eval/tests/eval/golden/statistics.json
"""

import json
import sys

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint


def differences(count):
    """The same in Rust, so that the file stays small."""
    return np.sin(np.arange(count)) + 0.05


def paired(count, confidence):
    d = differences(count)
    low, high = stats.t.interval(confidence, count - 1, d.mean(), stats.sem(d))
    p = stats.ttest_1samp(d, 0).pvalue
    return {"count": count, "confidence": confidence, "mean": d.mean(), "low": low, "high": high, "p": p}


def wilson(successes, count, confidence):
    low, high = proportion_confint(successes, count, alpha=1 - confidence, method="wilson")
    return {"successes": successes, "count": count, "confidence": confidence, "low": low, "high": high}


def classification(seed, count, classes):
    noise = np.random.RandomState(seed)
    labels = noise.randint(0, classes, count)
    wrong = noise.uniform(size=count) < 0.4
    predicted = np.where(wrong, noise.randint(0, classes, count), labels)
    return {
        "classes": classes,
        "labels": labels.tolist(),
        "predicted": predicted.tolist(),
        "confusion": confusion_matrix(labels, predicted, labels=range(classes)).tolist(),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, average="macro"),
    }


def calibration(seed, count, bins):
    """Expected and largest calibration error, by membership in each bin and not by index."""
    noise = np.random.RandomState(seed)
    confidence = noise.uniform(size=count)
    right = noise.uniform(size=count) < confidence**2
    edges = np.linspace(0, 1, bins + 1)
    of_bin = [(confidence > low) & (confidence <= high) for low, high in zip(edges, edges[1:])]
    gaps = [(b.mean(), abs(right[b].mean() - confidence[b].mean())) for b in of_bin if b.any()]
    return {
        "bins": bins,
        "confidence": confidence.tolist(),
        "right": right.tolist(),
        "expected": sum(share * gap for share, gap in gaps),
        "largest": max(gap for _, gap in gaps),
    }


def main(path):
    p_values = [np.random.RandomState(i).uniform(0, 0.2, size).tolist() for i, size in enumerate([2, 5, 12])]
    golden = {
        "generated_by": f"tools/statistics_golden.py with NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"statsmodels {statsmodels.__version__}, scikit-learn {sklearn.__version__}",
        "paired": [paired(n, c) for n in [2, 3, 5, 10, 100, 10_000, 1_000_000] for c in [0.5, 0.95, 0.999]],
        "holm": [{"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in p_values],
        "wilson": [wilson(s, n, c) for s, n in [(0, 5), (5, 5), (3, 7), (12_340, 12_630)] for c in [0.9, 0.95, 0.99]],
        "classification": [classification(0, 40, 3), classification(1, 60, 7)],
        "calibration": [calibration(0, 50, 10), calibration(1, 80, 15)],
    }
    with open(path, "w", encoding="utf-8") as file:
        lines = (f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in golden.items())
        file.write("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
