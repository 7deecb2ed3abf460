"""Golden values of the statistics: paired t-intervals, Holm's correction, Wilson's interval, figures by class, of a diagnosis,
DeLong's and McNemar's tests.

Shares no code with the Rust functions. Run, with any environment that has SciPy, statsmodels and scikit-learn:

    python tools/statistics_golden.py crates/cm-eval/tests/eval/golden/statistics.json
"""

import json
import sys

import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    recall_score,
    roc_auc_score,
)
from statsmodels.stats.contingency_tables import mcnemar
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


def placements(scores, positive):
    """Every positive with every negative, without ranks: the definition."""
    pairs = scores[positive][:, None] - scores[~positive][None, :]
    wins = (pairs > 0) + 0.5 * (pairs == 0)
    return wins.mean(1), wins.mean(0)


def grouped_covariance(first, second, positive, groups):
    """Obuchowski's covariance of two areas, group by group as in the paper."""
    (a10, a01), (b10, b01) = placements(first, positive), placements(second, positive)
    m, n = positive.sum(), (~positive).sum()
    names = np.unique(groups)
    of_positive, of_negative = groups[positive], groups[~positive]
    total = {"10": 0.0, "01": 0.0, "11": 0.0}
    with_positive, with_negative = 0, 0
    for name in names:
        p, q = of_positive == name, of_negative == name
        with_positive += p.any()
        with_negative += q.any()
        d10a, d10b = a10[p].sum() - p.sum() * a10.mean(), b10[p].sum() - p.sum() * b10.mean()
        d01a, d01b = a01[q].sum() - q.sum() * a10.mean(), b01[q].sum() - q.sum() * b10.mean()
        total["10"] += d10a * d10b
        total["01"] += d01a * d01b
        total["11"] += d10a * d01b + d01a * d10b
    s10 = with_positive / (with_positive - 1) / m * total["10"]
    s01 = with_negative / (with_negative - 1) / n * total["01"]
    s11 = len(names) / (len(names) - 1) * total["11"]
    return s10 / m + s01 / n + s11 / (m * n)


def delong(seed, count, decimals, groups):
    """With `groups` as many groups; otherwise single images, for which the covariance is NumPy's of the placements."""
    noise = np.random.RandomState(seed)
    positive = noise.uniform(size=count) < 0.4
    first = np.round(noise.normal(size=count) + positive, decimals)
    second = np.round(0.6 * first + 0.7 * noise.normal(size=count) + 0.3 * positive, decimals)
    of = noise.randint(0, groups, count) if groups else np.arange(count)
    if groups:
        cov = {k: grouped_covariance(a, b, positive, of) for k, (a, b) in
               {"11": (first, first), "22": (second, second), "12": (first, second)}.items()}
        matrix = np.array([[cov["11"], cov["12"]], [cov["12"], cov["22"]]])
    else:
        parts = [placements(scores, positive) for scores in (first, second)]
        matrix = sum(np.cov([p[i] for p in parts]) / len(parts[0][i]) for i in (0, 1))
    aucs = [roc_auc_score(positive, scores) for scores in (first, second)]
    error = np.sqrt(matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1])
    z = (aucs[0] - aucs[1]) / error
    low, high = stats.norm.interval(0.95, aucs[0], np.sqrt(matrix[0, 0]))
    return {
        "first": first.tolist(),
        "second": second.tolist(),
        "positive": positive.tolist(),
        "groups": of.tolist() if groups else None,
        "aucs": aucs,
        "low": max(low, 0.0),
        "high": min(high, 1.0),
        "std_error": error,
        "p": 2 * stats.norm.sf(abs(z)),
    }


def mcnemar_of(first_only, second_only):
    found = mcnemar([[10, first_only], [second_only, 20]], exact=True)
    return {"first_only": first_only, "second_only": second_only, "p": found.pvalue}


def diagnosis(seed, count):
    noise = np.random.RandomState(seed)
    positive = noise.uniform(size=count) < 0.4
    probability = np.round(np.clip(0.5 + 0.25 * noise.normal(size=count) + 0.2 * (positive - 0.5), 0, 1), 2)
    called = probability >= 0.5
    edges = np.linspace(0, 1, 11)
    of_bin = [(probability > low) & (probability <= high) for low, high in zip(edges, edges[1:])]
    of_bin[0] |= probability == 0
    gaps = [b.mean() * abs(positive[b].mean() - probability[b].mean()) for b in of_bin if b.any()]
    return {
        "probability": probability.tolist(),
        "positive": positive.tolist(),
        "values": [
            roc_auc_score(positive, probability),
            accuracy_score(positive, called),
            recall_score(positive, called),
            recall_score(~positive, ~called),
            f1_score(positive, called),
            balanced_accuracy_score(positive, called),
            sum(gaps),
        ],
    }


def regression(seed, count):
    noise = np.random.RandomState(seed)
    rows = noise.normal(size=(count, 2)) * [1.0, 30.0] + [5.0, -100.0]
    positive = noise.uniform(size=count) < 1 / (1 + np.exp(-(rows[:, 0] - 5 + 0.02 * (rows[:, 1] + 100))))
    fitted = statsmodels.api.Logit(positive, statsmodels.api.add_constant(rows)).fit(disp=0, tol=1e-12)
    return {
        "rows": rows.tolist(),
        "positive": positive.tolist(),
        "weights": fitted.params[1:].tolist(),
        "bias": fitted.params[0],
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
        "delong": [delong(0, 40, 9, 0), delong(1, 60, 1, 0), delong(2, 80, 9, 25), delong(3, 60, 1, 12)],
        "mcnemar": [mcnemar_of(*counts) for counts in [(0, 1), (3, 9), (12, 12), (41, 20), (300, 371)]],
        "logistic": [regression(0, 50), regression(1, 120)],
        "diagnosis": [diagnosis(0, 40), diagnosis(1, 90)],
    }
    with open(path, "w", encoding="utf-8") as file:
        lines = (f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in golden.items())
        file.write("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
