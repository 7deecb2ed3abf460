"""One training step of LeNet++ in PyTorch, whenever a line with the name of a head comes in; prints its seconds.

Started by `cargo xtask bench step --against-torch`. Arguments: batch, width, feature dimension, threads.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, WIDTH, FEATURE_DIM, THREADS = map(int, sys.argv[1:5])
SCALE, MARGIN, CLASSES = 30.0, 0.4, 10


class LeNetPP(nn.Sequential):
    def __init__(self):
        layers, channels = [], 1
        for out in (WIDTH, 2 * WIDTH, 4 * WIDTH):
            for _ in range(2):
                layers += [nn.Conv2d(channels, out, 5, padding=2), nn.PReLU()]
                channels = out
            layers.append(nn.MaxPool2d(2))
        super().__init__(*layers, nn.Flatten(), nn.Linear(channels * 9, FEATURE_DIM), nn.PReLU())


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(FEATURE_DIM, CLASSES)

    def forward(self, features, targets):
        return self.linear(features)


class Margin(nn.Module):
    def __init__(self, contraction, margin):
        super().__init__()
        self.centres = nn.Parameter(torch.empty(CLASSES, FEATURE_DIM))
        nn.init.xavier_uniform_(self.centres)
        self.contraction, self.margin = contraction, margin

    def forward(self, features, targets):
        cosines = F.linear(F.normalize(features), F.normalize(self.centres))
        if self.margin:
            cosines = cosines - self.margin * F.one_hot(targets, CLASSES)
        radius = SCALE
        if self.contraction:
            radius = SCALE * torch.sigmoid(features.norm(dim=1, keepdim=True))
        return radius * cosines


class Step:
    def __init__(self, head):
        torch.manual_seed(0)
        self.network, self.head = LeNetPP(), head
        parameters = [*self.network.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, weight_decay=5e-4)
        self.images = torch.randn(BATCH, 1, 28, 28)
        self.targets = torch.arange(BATCH) % CLASSES

    def __call__(self):
        start = time.perf_counter()
        self.optimizer.zero_grad()
        logits = self.head(self.network(self.images), self.targets)
        F.cross_entropy(logits, self.targets).backward()
        self.optimizer.step()
        return time.perf_counter() - start


torch.set_num_threads(THREADS)
STEPS = {
    "Softmax": Step(Linear()),
    "L2-Softmax": Step(Margin(False, 0.0)),
    "CM-Softmax": Step(Margin(True, 0.0)),
    "CosFace": Step(Margin(False, MARGIN)),
    "CM-CosFace": Step(Margin(True, MARGIN)),
}
print(torch.__version__, flush=True)
for line in sys.stdin:
    print(STEPS[line.strip()](), flush=True)
