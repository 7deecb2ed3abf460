"""Golden values of the quality functions: small samples with ties, and what SciPy, scikit-learn and plain NumPy make of
them.

Shares no code with the Rust functions. The samples are chosen so that conventions the functions may differ in (which of
two neighboring scores the threshold is, how a share that falls between two groups is rounded) make no difference. Run,
with PyTorch's environment or any other that has SciPy and scikit-learn:

    python tools/quality_golden.py crates/cm-eval/tests/eval/golden/quality.json
"""

import json
import math
import sys

import numpy as np
import scipy
import sklearn
from sklearn.isotonic import IsotonicRegression

QUALITIES = 8
SHARES = [0.0, 0.125, 0.25, 0.5, 0.75]


def within_classes(a, b, classes):
    """Mean over the classes in which both vary, weighted by their sizes."""
    parts = [(a[classes == k], b[classes == k]) for k in np.unique(classes)]
    parts = [(x, y) for x, y in parts if len(np.unique(x)) > 1 and len(np.unique(y)) > 1]
    return np.average([scipy.stats.spearmanr(x, y).statistic for x, y in parts], weights=[len(x) for x, _ in parts])


def threshold_between(scores, below):
    """Halfway between the scores so many of which are to lie below it, and their neighbors above."""
    ordered = np.sort(scores)
    assert ordered[below - 1] < ordered[below], "a tie at the threshold"
    return (ordered[below - 1] + ordered[below]) / 2


def count(share, of):
    assert (share * of).is_integer(), "a share of whole comparisons only"
    return int(share * of)


def fixed_curve(score, quality, starting_error):
    fails = score < threshold_between(score, count(starting_error, len(score)))
    points = [(0.0, fails.mean())]
    for level in np.unique(quality)[:-1]:
        left = quality > level
        points.append((1 - left.mean(), fails[left].mean()))
    return [*points, (1.0, 0.0)]


def recomputed_curve(mated, non_mated, false_match_rate):
    (score, quality), (other_score, other_quality) = mated, non_mated
    every_quality = np.concatenate([quality, other_quality])
    points = []
    for share in SHARES:
        left = np.sort(every_quality)[count(share, len(every_quality))]
        assert (every_quality < left).mean() == (quality < left).mean() == (other_quality < left).mean() == share
        kept, others = score[quality >= left], other_score[other_quality >= left]
        accepted = count(false_match_rate, len(others))
        threshold = threshold_between(others, len(others) - accepted)
        lower, upper = np.sort(others)[[-accepted - 1, -accepted]]
        assert not ((kept >= lower) & (kept <= upper)).any(), "a mated score where the threshold may be anywhere"
        points.append((share, (kept < threshold).mean()))
    assert len({error for _, error in points}) > 3, "hardly an error to find"
    return [*points, (1.0, 0.0)]


def partial_area(points, limit):
    """In steps, each error rate up to the next share; the best case of an error rate e falls along e - s."""
    shares = [min(share, limit) for share, _ in points]
    area = sum((right - left) * error for (_, error), left, right in zip(points, shares, shares[1:]))
    start = points[0][1]
    best = scipy.integrate.quad(lambda s: start - s, 0, min(limit, start), epsabs=1e-13)[0]
    return area - best


def risk_coverage(certainty, right):
    points = []
    for level in np.unique(certainty)[::-1]:
        taken = certainty >= level
        points.append((taken.mean(), 1 - right[taken].mean()))
    area = sum(risk * (upper - lower) for (upper, risk), (lower, _) in zip(points, [(0.0, 0.0), *points]))
    return points, area


def isotonic(norms, outcomes, queries):
    return IsotonicRegression(out_of_bounds="clip").fit(norms, outcomes).predict(queries)


def sample(name, seed, mated, non_mated, starting_error, false_match_rate):
    """Qualities are spread evenly over mated and non-mated comparisons, so that a share is one of both."""
    noise = np.random.RandomState(seed)
    norm = np.round(noise.uniform(5, 30, mated) * 2) / 2
    quality = np.round(0.02 * norm + noise.uniform(0, 0.5, mated), 1)
    outcome = np.round(np.clip(norm / 30 + noise.uniform(-0.4, 0.4, mated), 0, 1), 2)
    classes = np.minimum(noise.randint(0, 5, mated), np.arange(mated)[::-1])
    # A class of one image and one without variation have no correlation.
    classes[0], classes[1:4], norm[1:4] = 7, 9, 12.5
    right = noise.uniform(0, 35, mated) < norm + 4

    level = np.arange(mated) % QUALITIES
    other_level = np.arange(non_mated) % QUALITIES
    mated_pairs = np.round(0.25 + 0.03 * level + noise.normal(0, 0.15, mated), 2), 10.0 + level
    non_mated_pairs = np.round(noise.normal(0.15, 0.12, non_mated), 3), 10.0 + other_level

    curve = fixed_curve(*mated_pairs, starting_error)
    recomputed = recomputed_curve(mated_pairs, non_mated_pairs, false_match_rate)
    limits = [0.0, 0.1, 0.2, 0.3, 0.7, 1.0]
    points, area = risk_coverage(norm, right)
    corners = np.unique(norm)
    queries = np.concatenate([[corners[0] - 3], corners, (corners[1:] + corners[:-1]) / 2, [corners[-1] + 3]])
    return {
        "name": name,
        "norm": norm,
        "quality": quality,
        "classes": classes,
        "spearman": scipy.stats.spearmanr(norm, quality).statistic,
        "pearson": scipy.stats.pearsonr(norm, quality).statistic,
        "spearman_within_classes": within_classes(norm, quality, classes),
        "mated": list(zip(*mated_pairs)),
        "non_mated": list(zip(*non_mated_pairs)),
        "starting_error": starting_error,
        "fixed": curve,
        "partial_areas": [(limit, partial_area(curve, limit)) for limit in limits],
        "false_match_rate": false_match_rate,
        "shares": SHARES,
        "recomputed": recomputed,
        "right": right,
        "risk_coverage": points,
        "risk_coverage_area": area,
        "outcome": outcome,
        "isotonic": list(zip(queries, isotonic(norm, outcome, queries))),
    }


def first(name, seeds, *arguments):
    """The sample of the first seed that keeps clear of what conventions may differ in."""
    for seed in seeds:
        try:
            return sample(name, seed, *arguments)
        except AssertionError:
            continue
    sys.exit(f"no seed for the sample {name}")


def plain(value):
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        assert math.isfinite(value)
        return float(f"{value:.15g}") + 0.0
    return value.item() if isinstance(value, np.generic) else value


def main(path):
    samples = [
        first("sixteen", range(10_000), 16, 32, 0.25, 0.25),
        first("twenty-four", range(10_000), 24, 32, 0.125, 0.25),
        first("forty", range(10_000), 40, 64, 0.25, 0.125),
        first("fifty-six", range(10_000), 56, 64, 0.375, 0.25),
    ]
    with open(path, "w", encoding="utf-8") as file:
        versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}"
        file.write(f'{{"generated_by":"tools/quality_golden.py with {versions}","samples":[\n')
        texts = []
        for one in samples:
            fields = (f"{json.dumps(key)}:{json.dumps(plain(v), separators=(',', ':'))}" for key, v in one.items())
            texts.append("{" + ",\n".join(fields) + "}")
        file.write(",\n".join(texts) + "\n]}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
