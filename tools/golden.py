"""Golden values of the losses: small batches, the loss of every sample, and the gradients of the losses' sum.

Written from the published formulas with PyTorch's autograd in double precision, so that the Rust losses have something
to agree with that shares no code with them. Inputs are exact in single precision. Run, with PyTorch installed:

    python tools/golden.py crates/cm-loss-core/tests/core/golden/heads.json
"""

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import logsigmoid, normalize, one_hot

torch.set_default_dtype(torch.float64)


def held(value):
    """Without gradient."""
    return value.detach()


class Noise:
    """Multiples of 1/4096 between -1 and 1 from a linear congruential generator: the same with every PyTorch."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self, *shape):
        values = []
        for _ in range(math.prod(shape)):
            self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
            values.append((2 * (self.state >> 52) + 1) / 4096 - 1)
        return torch.tensor(values).reshape(shape)


def single(x):
    return x.float().double()


def with_norms(x, norms):
    return single(normalize(x, dim=1) * torch.tensor(norms).unsqueeze(1))


def at_angle(x, center, angle):
    """As long as x, at this angle to the center, in the plane of the two."""
    axis = normalize(center, dim=0)
    side = normalize(x - x.dot(axis) * axis, dim=0)
    return single(x.norm() * (math.cos(angle) * axis + math.sin(angle) * side))


def case(name, seed, samples, classes, dimensions, norms=None, angles=()):
    noise = Noise(seed)
    x, w = noise(samples, dimensions), noise(classes, dimensions)
    y = torch.tensor([(3 * i + 1) % classes for i in range(samples)])
    if norms:
        x = with_norms(x, norms)
    for row, angle in angles:
        x[row] = at_angle(x[row], w[y[row]], angle)
    return name, x, w, y


def cases():
    zero = case("zero", 4, 3, 5, 4)
    zero[1][1] = 0.0
    return [
        case("random", 1, 6, 7, 5),
        # Beyond 10 rather than at it, where the gradient of MagFace's clamp would hang on the last bit.
        case("norms", 2, 7, 4, 6, [1e-6, 1e-3, 1.0, 12.0, 60.0, 1e3, 1e6], [(4, math.pi - 0.3), (6, 0.08)]),
        case("long", 3, 5, 7, 8, [19.0, 20.5, 22.0, 17.5, 20.0], [(0, math.pi - 0.2), (1, 0.3), (3, math.pi - 0.4)]),
        zero,
        case("one sample", 5, 1, 6, 4),
        case("one class", 6, 3, 1, 4),
    ]


class Batch:
    """Norms `r` and the cosines `c` to every class; cosine `cy` and angle `theta` to the target."""

    def __init__(self, x, w, y, subcenters, softness=None):
        square = (x * x).sum(1)
        zero = square == 0
        length = square.where(~zero, 1.0).sqrt()
        u = (x / length.unsqueeze(1)).where(~zero.unsqueeze(1), 0.0)
        c = u @ normalize(w, dim=1, eps=0.0).T
        self.r = length.where(~zero, 0.0)
        self.dimensions = x.shape[1]
        of_centers = c.reshape(len(x), -1, subcenters)
        if softness:
            self.c = (of_centers * (of_centers / softness).softmax(2)).sum(2)
        else:
            self.c = of_centers.max(2).values
        self.is_target = one_hot(y, self.c.shape[1]).bool()
        self.cy = self.c[self.is_target]
        self.theta = self.cy.acos()


def fixed(scale):
    return lambda b: torch.full_like(b.r, scale)


def sigmoid(b):
    return 30 * b.r.sigmoid()


def calibrated_sigmoid(b):
    one = len(b.r) == 1
    mean = held(b.r.mean())
    spread = held(torch.ones(()) if one else b.r.std().clamp(min=1e-3))
    return 15 * (1 + ((b.r - mean) / spread).sigmoid())


def cosine(margin):
    return lambda b: b.cy - margin


def arc(b):
    return (b.theta + 0.5).cos().where(b.theta + 0.5 <= math.pi, b.cy - 0.5 * math.sin(0.5))


def plain_arc(b):
    return (b.theta + 0.5).cos()


def multiplicative(b):
    k = held((1.7 * b.theta / math.pi).floor())
    return (1 - 2 * k.remainder(2)) * (1.7 * b.theta).cos() - 2 * k


def magface(b):
    margin = 0.45 + (0.8 - 0.45) / (110 - 10) * (b.r.clamp(10, 110) - 10)
    return (b.theta + margin).cos().where(b.cy > 0, b.cy)


def magface_regularizer(b, radius):
    a = b.r.clamp(10, 110)
    return 35 * (a / 110**2 + 1 / a)


def adaface(b):
    norm = b.r.clamp(1e-3, 100)
    mean = 0.99 * 20 + 0.01 * norm.mean()
    spread = 100 if len(norm) == 1 else 0.99 * 100 + 0.01 * norm.std()
    z = held((0.333 * (norm - mean) / (spread + 1e-3)).clamp(-1, 1))
    return (b.theta - 0.4 * z).clamp(1e-3, math.pi - 1e-3).cos() - (0.4 + 0.4 * z)


def curricular_others(b):
    progress = held(0.01 * b.cy.mean())
    hard = b.c > held(plain_arc(b)).unsqueeze(1)
    return (b.c * (progress + b.c)).where(hard, b.c)


def funface(b):
    """With the running statistics after one batch."""
    def standardized(value, first_mean, first_spread):
        spread = first_spread if len(value) == 1 else 0.99 * first_spread + 0.01 * value.std()
        return (0.333 * (value - (0.99 * first_mean + 0.01 * value.mean())) / (spread + 1e-5)).clamp(-1, 1)

    other = b.c.masked_fill(b.is_target, -1e-5).max(1).values
    certainty = held(b.cy.clamp(0, 1) / (other.clamp(0, 1) + 1e-5))
    z = held(0.9 * standardized(b.r.clamp(1e-3, 100), 20, 100) + 0.1 * standardized(certainty, 2, 10))
    return (b.theta - 0.4 * z).clamp(1e-5, math.pi - 1e-5).cos() - (0.4 + 0.4 * z)


def easy_arc(b):
    return (b.theta + 0.5).cos().where(b.cy > 0, b.cy)


def qcface_regularizer(b, radius):
    """The norm that suits the certainty of the sample."""
    others = (64 * b.c).masked_fill(b.is_target, -1e300).logsumexp(1)
    p = held((64 * b.cy - others).sigmoid())
    lower, upper, small = 1.0, 100.0, 1e-3
    middle = ((lower + upper) / 2) ** 2
    k = (middle / lower**2 - 1) / (1 - middle / upper**2)

    def pull(n):
        return k * p * (1 / (n + small) + n / upper**2) + (1 - p) * (1 / (n + small) + n / lower**2)

    best = (((k - 1) * p + 1) / ((k / upper**2 - 1 / lower**2) * p + 1 / lower**2 + small)).sqrt()
    return 20 * (pull(b.r) - pull(best))


def quadratic(b):
    return -0.9 * b.theta**2 + 0.65


def circle(b):
    return held((1.25 - b.cy).clamp(min=0)) * (b.cy - 0.75)


def circle_others(b):
    return held((b.c + 0.25).clamp(min=0)) * (b.c - 0.25)


def filtered(b):
    return b.c.where(b.c <= 0.4, 0.0)


def mean_preserving(b):
    contracted = b.r.sigmoid()
    return 30 * contracted / contracted.mean()


def von_mises_fisher(b):
    nu = (b.dimensions - 1) / 2
    return 30 * b.r / (nu + (nu**2 + b.r**2).sqrt())


def ranked(difference):
    def target(b):
        if len(b.r) == 1:
            return b.cy - 0.4
        ranks = held(b.r).argsort().argsort() / (len(b.r) - 1)
        return b.cy - 0.4 * (1 + difference * (0.5 - ranks))

    return target


@dataclass
class Loss:
    scale: Callable
    target: Callable = lambda b: b.cy
    others: Callable = lambda b: b.c
    regularizer: Callable = lambda b, radius: 0.0
    subcenters: int = 1
    softness: float | None = None
    detached: bool = False


# Softmax, the one-vs-all losses and those with proxies are of another form: see `sample_losses`.
LOSSES = {
    "Softmax": None,
    "NormFace": Loss(fixed(20.0)),
    "L2-Softmax": Loss(fixed(30.0)),
    "Ring": Loss(lambda b: b.r, regularizer=lambda b, radius: 0.01 / 2 * (b.r - radius) ** 2),
    "CM-Softmax": Loss(sigmoid),
    "SphereFace": Loss(fixed(30.0), multiplicative),
    "CosFace": Loss(fixed(30.0), cosine(0.4)),
    "CM-CosFace": Loss(sigmoid, cosine(0.4)),
    "ArcFace": Loss(fixed(64.0), arc),
    "CM-ArcFace": Loss(sigmoid, arc),
    "Combined": Loss(fixed(64.0), lambda b: (b.theta + 0.3).cos() - 0.2),
    "MagFace": Loss(fixed(64.0), magface, regularizer=magface_regularizer),
    "AdaFace": Loss(fixed(64.0), adaface),
    "CM-AdaFace": Loss(sigmoid, adaface),
    "CurricularFace": Loss(fixed(64.0), arc, curricular_others),
    "ElasticFace-Arc": Loss(fixed(64.0), plain_arc),
    "ElasticFace-Arc+": Loss(fixed(64.0), plain_arc),
    "ElasticFace-Cos": Loss(fixed(64.0), cosine(0.35)),
    "ElasticFace-Cos+": Loss(fixed(64.0), cosine(0.35)),
    "SubCenterArcFace": Loss(fixed(64.0), arc, subcenters=3),
    "QCFace": Loss(fixed(64.0), easy_arc, regularizer=qcface_regularizer),
    "FunFace": Loss(fixed(64.0), funface),
    "UniTSFace": None,
    "X2-Softmax": Loss(fixed(64.0), quadratic, detached=True),
    "CircleLoss": Loss(fixed(256.0), circle, circle_others),
    "SoftTriple": Loss(fixed(20.0), cosine(0.01), subcenters=10, softness=0.1),
    "ProxyAnchor": None,
    "P2SGrad": None,
    "Calibrated-CM-Softmax": Loss(calibrated_sigmoid),
    "Calibrated-CM-CosFace": Loss(calibrated_sigmoid, cosine(0.4)),
    "Calibrated-CM-ArcFace": Loss(calibrated_sigmoid, arc),
    "Calibrated-CM-AdaFace": Loss(calibrated_sigmoid, adaface),
    "SphereFace2": None,
}


def cross_entropy(z, is_target):
    """Without the loss of digits of `logsumexp(z) - z_y` where a sample is nearly certain."""
    others = z.masked_fill(is_target, -1e300).logsumexp(1)
    return -logsigmoid(z[is_target] - others)


def similarity(c):
    return 2 * ((c + 1) / 2) ** 3 - 1


def sphereface2_bias(classes):
    """Where the pulls of a target and of the other classes balance at right angles: a quadratic in exp(b + others)."""
    if classes == 1:
        return 0.0
    target, others = (40 * (similarity(0.0) + margin) for margin in (-0.4, 0.4))
    pull = 0.3 * (classes - 1)
    square, linear = pull * math.exp(target - others), pull - 0.7
    root = math.sqrt(linear**2 + 4 * square * 0.7)
    solution = 1.4 / (linear + root) if linear > 0 else (root - linear) / (2 * square)
    return math.log(solution) - others


def sphereface2(b, bias, detached):
    shifted = similarity(b.c) + torch.where(b.is_target, -0.4, 0.4)
    if detached:
        shifted = b.c + held(shifted - b.c)
    z = 40 * shifted + bias
    of_target, of_others = -0.7 * logsigmoid(z), -0.3 * logsigmoid(-z)
    return 1.25 * of_target.where(b.is_target, of_others).sum(1)


def unitsface(b, bias):
    """One-vs-all with a margin on the target alone."""
    z = 64 * (b.c - 0.4 * b.is_target) + bias
    return -logsigmoid(z).where(b.is_target, logsigmoid(-z)).sum(1)


def proxy_anchor_sums(b):
    """What every class pulls and pushes."""
    def log_one_plus_sum(x):
        return torch.cat([torch.zeros(1, x.shape[1]), x]).logsumexp(0)

    pull = log_one_plus_sum((-32 * (b.c - 0.1)).masked_fill(~b.is_target, -1e300))
    push = log_one_plus_sum((32 * (b.c + 0.1)).masked_fill(b.is_target, -1e300))
    return pull, push


def proxy_anchor(b):
    """The pull of a class is shared by its samples, the push is the same for all."""
    pull, push = proxy_anchor_sums(b)
    samples = b.is_target.sum(0)
    share = (pull / samples.clamp(min=1)).expand(b.c.shape)[b.is_target]
    return len(b.c) * share / (samples > 0).sum() + push.mean()


def proxy_anchor_loss(b):
    """The loss of a batch as it is published."""
    pull, push = proxy_anchor_sums(b)
    return pull.sum() / (b.is_target.sum(0) > 0).sum() + push.mean()


def class_weights(classes):
    return 0.5 + 0.25 * torch.arange(classes)


def spread_of_centers(w, y):
    directions = normalize(w, dim=1, eps=0.0)
    terms = (4 * (directions @ directions.T - 1)).exp()
    others = terms.masked_fill(torch.eye(len(w)).bool(), 0.0).sum(1) / (len(w) - 1)
    return 0.5 * others.log()[y]


def sample_losses(name, option, x, y, w, bias, radius, loss_centers):
    loss = LOSSES[name]
    b = Batch(x, w, y, loss.subcenters if loss else 1, loss.softness if loss else None)
    if name == "UniTSFace":
        return unitsface(b, bias)
    if name == "ProxyAnchor":
        return proxy_anchor(b)
    if name == "P2SGrad":
        return ((b.c - b.is_target.double()) ** 2).mean(1)
    if name == "SphereFace2":
        return sphereface2(b, bias, option == "detached")
    if name == "Softmax":
        z, regularizer = x @ w.T + bias, 0.0
    else:
        target = {"ranked": ranked(1.0), "ranked-back": ranked(-1.0)}.get(option, loss.target)(b)
        if option == "detached" or loss.detached:
            target = b.cy + held(target - b.cy)
        others = filtered(b) if option == "filtered" else loss.others(b)
        scale = {"mean-preserving": mean_preserving, "vmf": von_mises_fisher}.get(option, loss.scale)(b)
        if option == "detached-norm":
            scale = held(scale)
        t = target.unsqueeze(1).where(b.is_target, others)
        z, regularizer = scale.unsqueeze(1) * t, loss.regularizer(b, radius)
        if option == "outside":
            outside = scale * b.cy + 30 * (target - b.cy)
            z = outside.unsqueeze(1).where(b.is_target, z)

    entropy = certain = cross_entropy(z, b.is_target)
    if option in ("label-smoothing", "all"):
        entropy = 0.9 * certain + 0.1 * (certain + z[b.is_target] - z.mean(1))
    if option in ("focal", "all"):
        entropy = (-torch.expm1(-certain)) ** 2 * entropy
    if option == "compensated":
        entropy = entropy * held(30 / scale)
    value = entropy + regularizer
    if option in ("class-weights", "all"):
        value = class_weights(b.c.shape[1])[y] * value
    if option == "center-loss":
        value = value + 0.003 / 2 * ((x - loss_centers[y]) ** 2).sum(1)
    if option == "center-spread":
        value = value + spread_of_centers(w, y)
    return value


IGNORED = [1, 3]
OPTIONS = ["label-smoothing", "focal", "class-weights", "ignore", "all"]
OPTIONS_OF = {
    **{name: OPTIONS for name in ("CosFace", "AdaFace", "Softmax")},
    "CM-CosFace": [
        *OPTIONS, "detached", "outside", "detached-norm", "compensated", "mean-preserving", "vmf", "ranked",
        "ranked-back", "filtered",
    ],
    **{name: ["ignore"] for name in ("QCFace", "FunFace", "CircleLoss", "ProxyAnchor", "P2SGrad")},
    "UniTSFace": ["ignore"],
    **{name: ["ignore"] for name in ("CurricularFace", "Calibrated-CM-CosFace", "Ring")},
    **{name: ["detached"] for name in ("ArcFace", "SphereFace")},
    "SphereFace2": ["ignore", "detached"],
}


def chosen():
    """Name of the loss, case and option of every entry."""
    for one in cases():
        for name in LOSSES:
            yield name, one, None
    for one in cases()[:2]:
        for name, options in OPTIONS_OF.items():
            for option in options:
                yield name, one, option
    for option in ("center-loss", "center-spread"):
        yield "CosFace", cases()[0], option


def digits(value):
    """Twelve of them, in plain lists."""
    value = value.tolist() if isinstance(value, torch.Tensor) else value
    return [digits(v) for v in value] if isinstance(value, list) else float(f"{value:.12g}") + 0.0


def parameters(name, w, x):
    """Learned tensors by name, and the constant centers of the center loss."""
    classes = len(w)
    if LOSSES[name] and LOSSES[name].subcenters > 1:
        w = Noise(7)(LOSSES[name].subcenters * classes, w.shape[1])
    learned = {"features": x, "centers": w, "radius": torch.tensor(20.0)}
    learned["bias"] = 0.25 * torch.arange(classes) - 0.5
    if name == "SphereFace2":
        learned["bias"] = torch.tensor(sphereface2_bias(classes))
    if name == "UniTSFace":
        learned["bias"] = torch.tensor(-math.log(10 * classes))
    learned = {key: value.clone().requires_grad_() for key, value in learned.items()}
    return learned, Noise(8)(classes, w.shape[1])


def entry(name, one, option):
    case_name, x, w, y = one
    learned, loss_centers = parameters(name, w, x)
    kept = torch.tensor([option != "ignore" or i not in IGNORED for i in range(len(x))])
    losses = sample_losses(
        name, option, learned["features"][kept], y[kept],
        learned["centers"], learned["bias"], learned["radius"], loss_centers,
    )  # fmt: skip
    gradients = torch.autograd.grad(losses.sum(), list(learned.values()), allow_unused=True, materialize_grads=True)
    by = dict(zip(learned, gradients))

    value = torch.zeros(len(x)).masked_scatter(kept, held(losses))
    result = {"loss": name, "case": case_name, "option": option, "value": digits(value)}
    result |= {"by_features": digits(by["features"]), "by_centers": digits(by["centers"])}
    if name in ("Softmax", "SphereFace2", "UniTSFace"):
        result["by_bias"] = digits(by["bias"])
    if name in ("SphereFace2", "UniTSFace"):
        result["bias"] = learned["bias"].item()
    if name == "Ring":
        result["by_radius"] = digits(by["radius"])
    if LOSSES[name] and LOSSES[name].subcenters > 1:
        result["centers"] = learned["centers"].tolist()
    if option == "center-loss":
        result["loss_centers"] = loss_centers.tolist()
    if option == "ignore":
        result["ignored"] = IGNORED
        result["mean"] = digits(value.sum() / kept.sum())
    if name == "ProxyAnchor":
        b = Batch(x[kept], w, y[kept], 1)
        result["mean"] = digits(proxy_anchor_loss(b))
    if option in ("class-weights", "all"):
        result["mean"] = digits(value.sum() / class_weights(len(w))[y].sum())
    return result


def lines(values):
    return ",\n".join(json.dumps(value, allow_nan=False, separators=(",", ":")) for value in values)


def main(path):
    keys = ("name", "features", "centers", "targets")
    inputs = [dict(zip(keys, (name, x.tolist(), w.tolist(), y.tolist()))) for name, x, w, y in cases()]
    entries = [entry(*of) for of in chosen()]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{{"generated_by":"tools/golden.py with PyTorch {torch.__version__}","cases":[\n')
        file.write(f'{lines(inputs)}\n],"entries":[\n{lines(entries)}\n]}}\n')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
