"""Golden values of verification, identification and retrieval.

Shares no code with the Rust functions: rates and areas are scikit-learn's, the equal error rate a root that SciPy finds, accuracy in
folds as insightface's `eval/verification.py` computes it (with its names), precision pytorch-metric-learning's, ranks in searches
SciPy's, and the rate at a false positive rate the best of all thresholds tried one by one. Run, with any environment that has them:

    python tools/verification_golden.py crates/cm-eval/tests/eval/golden/verification.json
"""

import json
import sys

import numpy as np
import torch
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import KFold


def calculate_accuracy(threshold, dist, actual_issame):
    predict_issame = np.less(dist, threshold)
    tp = np.sum(np.logical_and(predict_issame, actual_issame))
    tn = np.sum(np.logical_and(np.logical_not(predict_issame), np.logical_not(actual_issame)))
    return float(tp + tn) / dist.size


def insightface(dist, issame, folds):
    thresholds = np.arange(0, 4, 0.01)
    accuracy, chosen = [], []
    for train, test in KFold(n_splits=folds, shuffle=False).split(np.arange(len(dist))):
        on_train = [calculate_accuracy(threshold, dist[train], issame[train]) for threshold in thresholds]
        best = np.argmax(on_train)
        chosen.append(thresholds[best])
        accuracy.append(calculate_accuracy(thresholds[best], dist[test], issame[test]))
    return {"accuracy": accuracy, "thresholds": chosen, "mean": np.mean(accuracy), "std": np.std(accuracy)}


def verification(seed, count, folds, digits):
    noise = np.random.RandomState(seed)
    issame = (np.arange(count) // (count // folds // 2)) % 2 == 0
    # Rounded, so that scores are equal here and there.
    cosine = np.round(np.clip(noise.normal(np.where(issame, 0.55, 0.1), 0.2), -1, 1), digits)
    dist = 2 - 2 * cosine
    fpr, tpr, _ = roc_curve(issame, cosine, drop_intermediate=False)
    at_most, nearest = {}, {}
    for far in (0.1, 0.01, 0.001):
        at_most[str(far)] = tpr[fpr <= far].max() if far * (~issame).sum() >= 1 else None
        # As insightface's `eval_ijbc.py`: the last of the nearest, of the points that scikit-learn leaves.
        fewer, of_them, _ = roc_curve(issame, cosine)
        at = np.argmin(np.abs(np.flipud(fewer) - far))
        nearest[str(far)] = np.flipud(of_them)[at] if far * (~issame).sum() >= 1 else None
    return {
        "scores": cosine.tolist(),
        "same": issame.tolist(),
        "folds": folds,
        "at_most": at_most,
        "nearest": nearest,
        "eer": brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0) if digits > 3 else None,
        "auc": roc_auc_score(issame, cosine),
        "grid": insightface(dist, issame, folds),
    }


def retrieval(seed, classes, each, dim):
    noise = np.random.RandomState(seed)
    labels = np.repeat(np.arange(classes), each)
    # A class with a single image, which searches for nothing.
    labels = np.append(labels, classes)
    features = noise.normal(size=(classes + 1, dim))[labels] + 1.5 * noise.normal(size=(len(labels), dim))
    features = torch.tensor(features / np.linalg.norm(features, axis=1, keepdims=True))
    calculator = AccuracyCalculator(
        include=("precision_at_1", "mean_average_precision_at_r"),
        k="max_bin_count",
        knn_func=CustomKNN(CosineSimilarity()),
    )
    found = calculator.get_accuracy(features, torch.tensor(labels))
    return {
        "labels": labels.tolist(),
        "features": features.tolist(),
        "precision_at_1": found["precision_at_1"],
        "map_at_r": found["mean_average_precision_at_r"],
    }


def identification(seed, gallery, probes, others, digits):
    noise = np.random.RandomState(seed)
    right = noise.randint(gallery, size=probes)
    scores = noise.normal(0.1, 0.2, size=(probes + others, gallery))
    scores[np.arange(probes), right] += 0.5
    # Rounded, so that scores are equal here and there.
    scores = np.round(np.clip(scores, -1, 1), digits)
    known, unknown = scores[:probes], scores[probes:]
    # Of equal scores the right one is the last.
    ranks = rankdata(-known, method="max", axis=1)[np.arange(probes), right]
    own, best = known[np.arange(probes), right], unknown.max(axis=1)
    tpir = {}
    for fpir in (0.3, 0.1, 0.01, 0.001):
        rates = [
            np.mean((ranks == 1) & (own > threshold))
            for threshold in np.append(np.unique(scores), -np.inf)
            if np.mean(best > threshold) <= fpir
        ]
        tpir[str(fpir)] = max(rates) if fpir * others >= 1 else None
    return {
        "scores": scores.tolist(),
        "right": right.tolist(),
        "ranks": {str(rank): np.mean(ranks <= rank) for rank in (1, 2, 5)},
        "tpir": tpir,
    }


def main(path):
    found = {
        "verification": [verification(1, 400, 10, 6), verification(2, 120, 4, 1), verification(3, 2000, 10, 4)],
        "identification": [identification(1, 12, 80, 100, 2), identification(2, 30, 60, 40, 6)],
        "retrieval": [retrieval(1, 8, 5, 6), retrieval(2, 5, 12, 16)],
    }
    with open(path, "w") as file:
        json.dump(found, file)
        file.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
