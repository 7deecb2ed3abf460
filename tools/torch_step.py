"""One training step of a network in PyTorch, whenever a line with the name of a head comes in; prints its seconds.

Started by `cargo xtask bench step --against-torch`. Arguments: network, batch, width, feature dimension, threads. At the end of
its input it prints the largest memory it has used, in MB.
"""

import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

NETWORK = sys.argv[1]
BATCH, WIDTH, FEATURE_DIM, THREADS = map(int, sys.argv[2:6])
SCALE, MARGIN, CLASSES = 30.0, 0.4, 10
# Of each stage of resnet3d, as it is by default.
BLOCKS = 1


class LeNetPP(nn.Sequential):
    def __init__(self):
        layers, channels = [], 1
        for out in (WIDTH, 2 * WIDTH, 4 * WIDTH):
            for _ in range(2):
                layers += [nn.Conv2d(channels, out, 5, padding=2), nn.PReLU()]
                channels = out
            layers.append(nn.MaxPool2d(2))
        super().__init__(*layers, nn.Flatten(), nn.Linear(channels * 9, FEATURE_DIM), nn.PReLU())


class Residual(nn.Module):
    def __init__(self, beside, shortcut=None, last=None):
        super().__init__()
        self.beside, self.shortcut, self.last = beside, shortcut or nn.Identity(), last or nn.Identity()

    def forward(self, x):
        return self.last(self.beside(x) + self.shortcut(x))


class SphereFace20(nn.Sequential):
    def __init__(self):
        def unit(before, after, stride):
            return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.PReLU(after))

        layers, before = [], 3
        for factor, blocks in ((1, 1), (2, 2), (4, 4), (8, 1)):
            channels = factor * WIDTH
            layers.append(unit(before, channels, 2))
            layers += [
                Residual(nn.Sequential(unit(channels, channels, 1), unit(channels, channels, 1)))
                for _ in range(blocks)
            ]
            before = channels
        super().__init__(*layers, nn.Flatten(), nn.Linear(before * 16, FEATURE_DIM))


class ResNet18(nn.Sequential):
    def __init__(self):
        def unit(before, after, kernel, stride):
            convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(after))

        def block(before, after, stride):
            beside = nn.Sequential(unit(before, after, 3, stride), nn.ReLU(), unit(after, after, 3, 1))
            shortcut = unit(before, after, 1, stride) if before != after or stride != 1 else None
            return Residual(beside, shortcut, nn.ReLU())

        layers, before = [unit(3, WIDTH, 3, 1), nn.ReLU(), nn.MaxPool2d(2)], WIDTH
        for factor, stride in ((1, 1), (2, 2), (4, 2), (8, 2)):
            layers += [block(before, factor * WIDTH, stride), block(factor * WIDTH, factor * WIDTH, 1)]
            before = factor * WIDTH
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, FEATURE_DIM))


def of_weights(name, image=(3, 112, 112)):
    def network():
        # Needs safetensors and NumPy as well.
        from torch_weights import NETWORKS

        is_volume = name == "resnet3d"
        width = "layers.0.layers.0.weight" if name == "mobilefacenet" else "conv1.weight"
        shapes = {
            width: torch.empty(WIDTH, 3, 3, 3),
            "fc.weight": torch.empty(FEATURE_DIM, 4 * WIDTH if is_volume else 8 * WIDTH * 49),
            "features.layers.0.layers.0.weight": torch.empty(512, 1, 7, 7),
            "features.layers.2.weight": torch.empty(FEATURE_DIM, 512),
        }
        return NETWORKS[name](shapes, {"backbone": name, "blocks": BLOCKS if is_volume else [1, 4, 6, 2]})

    return network, image


NETWORKS = {
    "lenet++": (LeNetPP, (1, 28, 28)),
    "sphereface20": (SphereFace20, (3, 64, 64)),
    "resnet18": (ResNet18, (3, 64, 64)),
    "resnet3d": of_weights("resnet3d", (28, 28, 28)),
    **{name: of_weights(name) for name in ("iresnet18", "iresnet50", "iresnet100", "mobilefacenet")},
}


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(FEATURE_DIM, CLASSES)

    def forward(self, features, targets):
        return self.linear(features)


class Margin(nn.Module):
    def __init__(self, contraction, margin):
        super().__init__()
        self.centers = nn.Parameter(torch.empty(CLASSES, FEATURE_DIM))
        nn.init.xavier_uniform_(self.centers)
        self.contraction, self.margin = contraction, margin

    def forward(self, features, targets):
        cosines = F.linear(F.normalize(features), F.normalize(self.centers))
        if self.margin:
            cosines = cosines - self.margin * F.one_hot(targets, CLASSES)
        radius = SCALE
        if self.contraction:
            radius = SCALE * torch.sigmoid(features.norm(dim=1, keepdim=True))
        return radius * cosines


class Step:
    def __init__(self, head):
        torch.manual_seed(0)
        network, image = NETWORKS[NETWORK]
        self.network, self.head = network(), head
        parameters = [*self.network.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, weight_decay=5e-4)
        self.images = torch.randn(BATCH, *image)
        self.targets = torch.arange(BATCH) % CLASSES

    def __call__(self):
        start = time.perf_counter()
        self.optimizer.zero_grad()
        logits = self.head(self.network(self.images), self.targets)
        F.cross_entropy(logits, self.targets).backward()
        self.optimizer.step()
        return time.perf_counter() - start


torch.set_num_threads(THREADS)
HEADS = {
    "Softmax": Linear,
    "L2-Softmax": lambda: Margin(False, 0.0),
    "CM-Softmax": lambda: Margin(True, 0.0),
    "CosFace": lambda: Margin(False, MARGIN),
    "CM-CosFace": lambda: Margin(True, MARGIN),
}
steps = {}
print(torch.__version__, flush=True)
for line in sys.stdin:
    name = line.strip()
    if name not in steps:
        steps[name] = Step(HEADS[name]())
    print(steps[name](), flush=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)
