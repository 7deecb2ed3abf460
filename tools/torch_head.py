"""Loss of a head and its gradients in PyTorch, whenever a line comes in; prints its seconds.

Started by `cargo xtask bench head --against-torch`. Arguments: eager, compile or linear_cross_entropy; head; samples, dimensions,
classes, threads; share of the classes that take part. At the end of its input it prints the largest memory it has used and
that before the first step, in MB.
"""

import sys
import time

import torch
from torch.nn import functional as F

WAY, HEAD = sys.argv[1:3]
SAMPLES, DIM, CLASSES, THREADS = map(int, sys.argv[3:7])
SHARE = float(sys.argv[7])
SCALE = 64.0
MARGIN = {"CosFace": 0.4, "CM-CosFace": 0.4, "L2-Softmax": 0.0, "CM-Softmax": 0.0}[HEAD]

torch.set_num_threads(THREADS)
torch.manual_seed(0)
features = torch.randn(SAMPLES, DIM)
targets = torch.arange(SAMPLES) * 7919 % CLASSES
centres = torch.empty(CLASSES, DIM).uniform_(-0.05, 0.05).requires_grad_()
rows = torch.arange(SAMPLES)


def radii(x):
    return SCALE * torch.sigmoid(x.norm(dim=1, keepdim=True)) if HEAD.startswith("CM") else SCALE


def loss(x, w, y):
    logits = radii(x) * F.linear(F.normalize(x), F.normalize(w))
    if MARGIN:
        penalty = (radii(x) * MARGIN).expand(len(x), 1) if HEAD.startswith("CM") else torch.full((len(x), 1), SCALE * MARGIN)
        logits = logits.scatter_add(1, y[:, None], -penalty)
    return F.cross_entropy(logits, y)


def chunked(x, w, y):
    # Row scales fold into the features; there is no place for a margin.
    return F.linear_cross_entropy(radii(x) * F.normalize(x), F.normalize(w), y)


def sampled(w, y):
    positives = torch.unique(y)
    score = torch.rand(CLASSES)
    score[positives] = 2.0
    chosen = torch.topk(score, max(int(SHARE * CLASSES), len(positives))).indices.sort().values
    return w[chosen], torch.searchsorted(chosen, y)


function = {"eager": loss, "compile": torch.compile(loss), "linear_cross_entropy": chunked}[WAY]


def step():
    start = time.perf_counter()
    x = features.detach().requires_grad_()
    centres.grad = None
    w, y = (centres, targets) if SHARE == 1.0 else sampled(centres, targets)
    function(x, w, y).backward()
    return time.perf_counter() - start


def memory(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))


if WAY == "linear_cross_entropy":
    F.linear_cross_entropy
try:
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
except OSError:
    pass
base = memory("VmRSS:")
print(torch.__version__, flush=True)
for _ in sys.stdin:
    print(step(), flush=True)
print(memory("VmHWM:"), base, flush=True)
