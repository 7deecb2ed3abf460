"""Loss of a head and its gradients in PyTorch, whenever a line comes in; prints its seconds.

Started by `cargo xtask bench head --against-torch`. Arguments: eager, compile, linear_cross_entropy,
or step (with SGD and momentum, whose gradient and velocity are those of all classes, as in insightface's PartialFC_V2); head; samples, dimensions,
classes, threads; share of the classes that take part. At the end of its input it prints the largest memory it has used and
that before the first step, in MB.
"""

import math
import sys
import time

import torch
from torch.nn import functional as F

WAY, HEAD = sys.argv[1:3]
SAMPLES, DIM, CLASSES, THREADS = map(int, sys.argv[3:7])
SHARE = float(sys.argv[7])
SCALE = 30.0
MARGIN = {"CosFace": 0.4, "CM-CosFace": 0.4, "L2-Softmax": 0.0, "CM-Softmax": 0.0}[HEAD]

torch.set_num_threads(THREADS)
torch.manual_seed(0)
features = torch.randn(SAMPLES, DIM)
targets = torch.arange(SAMPLES) * 7919 % CLASSES
centers = torch.empty(CLASSES, DIM).uniform_(-0.05, 0.05).requires_grad_()
rows = torch.arange(SAMPLES)


def radii(x):
    norms = x.norm(dim=1, keepdim=True)
    return SCALE * torch.sigmoid(norms) if HEAD.startswith("CM") else torch.full_like(norms, SCALE)


def loss(x, w, y):
    # The radius is put into the features and the margin in place: no pass over the logits that is not needed.
    r = radii(x)
    logits = F.linear(r * F.normalize(x), F.normalize(w))
    if MARGIN:
        logits[rows, y] -= MARGIN * r[:, 0]
    return F.cross_entropy(logits, y)


def chunked(x, w, y):
    # There is no place for a margin.
    return F.linear_cross_entropy(radii(x) * F.normalize(x), F.normalize(w), y)


def sampled(w, y):
    positives = torch.unique(y)
    score = torch.rand(CLASSES)
    score[positives] = 2.0
    chosen = torch.topk(score, max(math.ceil(SHARE * CLASSES), len(positives))).indices.sort().values
    return w.index_select(0, chosen), torch.searchsorted(chosen, y)


function = {"eager": loss, "step": loss, "compile": torch.compile(loss), "linear_cross_entropy": chunked}[WAY]


optimizer = torch.optim.SGD([centers], lr=0.1, momentum=0.9, weight_decay=5e-4) if WAY == "step" else None


def step():
    x = features.detach().requires_grad_()
    # What the last step left is freed outside of the time, as it is for the others.
    centers.grad = None
    start = time.perf_counter()
    w, y = (centers, targets) if SHARE == 1.0 else sampled(centers, targets)
    function(x, w, y).backward()
    if optimizer:
        optimizer.step()
    return time.perf_counter() - start


def memory(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))


# What cannot be done here fails before the greeting; what is compiled is compiled.
if WAY not in ("eager", "step"):
    step()
    centers.grad = None
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
