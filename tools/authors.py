"""The formulas of golden.py against the code of those who published the losses, in double precision.

Takes a folder with checkouts of their repositories, prints the largest difference of losses and gradients for every loss and
case, and fails beyond 1e-9. With PyTorch, sympy and scikit-learn installed:

    for name in hpcc-hcmut/QCFace LSIbabnikz/FunFace CVI-SZU/UniTSFace XieZixiUSTC/X2-Softmax idstcv/SoftTriple \
        tjddus9597/Proxy-Anchor-CVPR2020 KevinMusgrave/pytorch-metric-learning; do
        git -C FOLDER clone --depth 1 https://github.com/$name
    done
    python tools/authors.py FOLDER

CircleLoss has no code of its authors; it and P2SGrad are held against pytorch-metric-learning, which is used by most.
"""

import importlib.util
import pathlib
import sys

import torch
from torch.nn.functional import cross_entropy, normalize

import golden

TOLERANCE = 1e-9
# They use a GPU without asking, and 32-bit zeros beside 64-bit numbers.
torch.Tensor.cuda = lambda self, *_, **__: self
torch.nn.Module.cuda = lambda self, *_, **__: self


def module(folder, path):
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, folder / path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def with_weights(head, name, centers):
    """The head in double precision with these centers, which are part of the graph."""
    head = head.double()
    del head._parameters[name]
    setattr(head, name, centers)
    return head


def qcface(folder, x, w, y, **_):
    head = module(folder, "QCFace/model/single/qcface.py").QCFace(x.shape[1], len(w), 64.0)
    head.norm_training_flag = True
    (_, logits), _, penalty, _ = with_weights(head, "weight", w.T)(x, y)
    return cross_entropy(logits, y) + 20 * penalty


def funface(folder, x, w, y, **_):
    head = module(folder, "FunFace/src/loss/funface.py").FunFace(x.shape[1], len(w))
    return cross_entropy(with_weights(head, "kernel", w.T)(x, y)[0], y)


def unitsface(folder, x, w, y, bias):
    head = module(folder, "UniTSFace/head.py").Unified_Cross_Entropy_Loss(x.shape[1], len(w))
    head = with_weights(head, "weight", w)
    head = with_weights(head, "bias", -bias)
    # It holds each logit between -64 and 64, and a sample beyond learns nothing: compared without.
    clamp, torch.Tensor.clamp = torch.Tensor.clamp, lambda self, **_: self
    try:
        return head(x, y)
    finally:
        torch.Tensor.clamp = clamp


def x2_softmax(folder, x, w, y, **_):
    loss = module(folder, "X2-Softmax/loss.py").X2Softmax([64.0, -0.9, 0.0, 0.65])
    return cross_entropy(loss(normalize(x) @ normalize(w).T, y), y)


def soft_triple(folder, x, w, y, **_):
    # Its network normalizes the features; the penalty of close centers is not part of the loss here.
    classes = len(w) // 10
    head = module(folder, "SoftTriple/loss/SoftTriple.py").SoftTriple(20, 0.1, 0.0, 0.01, x.shape[1], classes, 10)
    return with_weights(head, "fc", w.T)(normalize(x), y)


def proxy_anchor(folder, x, w, y, **_):
    head = module(folder, "Proxy-Anchor-CVPR2020/code/losses.py").Proxy_Anchor(len(w), x.shape[1])
    return with_weights(head, "proxies", w)(x, y)


def circle(folder, x, w, y, **_):
    from pytorch_metric_learning.losses import CircleLoss
    from pytorch_metric_learning.reducers import MeanReducer

    loss = CircleLoss(m=0.25, gamma=256, reducer=MeanReducer())
    return loss(x, y, ref_emb=w, ref_labels=torch.arange(len(w)))


def p2sgrad(folder, x, w, y, **_):
    from pytorch_metric_learning.losses import P2SGradLoss

    # It writes unit centers into its weights, outside of the graph: given unit centers, that changes nothing.
    head = P2SGradLoss(x.shape[1], len(w)).double()
    units = normalize(w).T

    class Weight(torch.Tensor):
        data = property(lambda self: self, lambda self, value: None)

    del head._parameters["weight"]
    head.weight = units.as_subclass(Weight)
    return head(x, y)


AUTHORS = {
    "QCFace": qcface,
    "FunFace": funface,
    "UniTSFace": unitsface,
    "X2-Softmax": x2_softmax,
    "CircleLoss": circle,
    "SoftTriple": soft_triple,
    "ProxyAnchor": proxy_anchor,
    "P2SGrad": p2sgrad,
}


# What cannot be compared.
EXCEPT = {
    (None, "zero"): "theirs divides by the norm, or by 1e-12",
    ("FunFace", "one sample"): "theirs takes the standard deviation of one sample",
    ("UniTSFace", "norms"): "theirs divides by 1e-5 at least, and the shortest has a norm of 1e-6",
    ("ProxyAnchor", "one class"): "theirs marks no target, as scikit-learn does with one class",
    ("ProxyAnchor", "norms"): "theirs adds 1e-12 to the square of a norm, 1e-6 for the shortest",
}


def difference(found, expected):
    """Of the largest number; NaN where the authors' code has one."""
    return ((found - expected).abs().max() / expected.abs().max().clamp(min=1e-300)).item()


def compared(folder, name, one):
    _, x, w, y = one
    learned, _ = golden.parameters(name, w, x)
    features, centers, bias = learned["features"], learned["centers"], learned["bias"]
    ours = golden.sample_losses(name, None, features, y, centers, bias, learned["radius"], None)
    by = [features, centers, *([bias] if name == "UniTSFace" else [])]
    expected = AUTHORS[name](folder, features, centers, y, bias=bias)
    pairs = [(ours.mean(), expected)]
    pairs += zip(torch.autograd.grad(ours.mean(), by), torch.autograd.grad(expected, by))
    return max(difference(*pair) for pair in pairs)


def main(folder):
    sys.path.insert(0, str(folder / "pytorch-metric-learning/src"))
    failed = False
    for name in AUTHORS:
        for one in golden.cases():
            reason = EXCEPT.get((name, one[0])) or EXCEPT.get((None, one[0]))
            if reason:
                print(f"{name:<12} {one[0]:<10} not compared: {reason}")
                continue
            found = compared(folder, name, one)
            print(f"{name:<12} {one[0]:<10} {found:.1e}")
            failed |= not found <= TOLERANCE
    sys.exit("some differ" if failed else 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
