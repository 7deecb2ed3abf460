"""The beginning of the authors' training on MNIST, in PyTorch: does a loss get going in two dimensions?

Independent of the Rust code: LeNet++ with two-dimensional features, SGD (learning rate 1e-3, momentum 0.9, weight decay 5e-4),
batches of 128, as in Liu et al. (2024). Prints the accuracy on the training images and the mean feature norm of the last epoch.

    pip install torch numpy
    python tools/authors_recipe.py FOLDER_OF_MNIST --losses Softmax L2-Softmax CM-Softmax CosFace CM-CosFace --seeds 0 1 2 3 4
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SCALE, MARGIN = 30.0, 0.4


def read(path, header):
    return np.frombuffer(gzip.open(path).read(), np.uint8, offset=header)


def lenet(width):
    def stage(given, made):
        return [nn.Conv2d(given, made, 5, padding=2), nn.PReLU(), nn.Conv2d(made, made, 5, padding=2), nn.PReLU(), nn.MaxPool2d(2)]

    stages = [*stage(1, width), *stage(width, 2 * width), *stage(2 * width, 4 * width)]
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(4 * width * 9, 2), nn.PReLU())


def logits(loss, features, centers, bias, labels):
    if loss == "Softmax":
        return features @ centers.T + bias
    cosines = F.normalize(features, eps=1e-12) @ F.normalize(centers).T
    if loss.endswith("CosFace"):
        cosines = cosines - MARGIN * F.one_hot(labels, len(centers))
    radius = SCALE * torch.sigmoid(features.norm(dim=1, keepdim=True)) if loss.startswith("CM") else SCALE
    return radius * cosines


def train(images, labels, loss, seed, options):
    torch.manual_seed(seed)
    net, bias = lenet(options.width), nn.Parameter(torch.zeros(10))
    centers = nn.Parameter(nn.init.xavier_uniform_(torch.empty(10, 2)))
    optimizer = torch.optim.SGD([*net.parameters(), centers, bias], lr=1e-3, momentum=0.9, weight_decay=5e-4)
    for _ in range(options.epochs):
        right, norms, batches = 0, 0.0, torch.randperm(len(images)).split(128)
        for batch in batches:
            features, truth = net(images[batch]), labels[batch]
            found = logits(loss, features, centers, bias, truth)
            optimizer.zero_grad()
            F.cross_entropy(found, truth).backward()
            optimizer.step()
            right += (found.argmax(1) == truth).sum().item()
            norms += features.norm(dim=1).sum().item()
    return right / len(images), norms / len(images)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path)
    parser.add_argument("--losses", nargs="+", default=["Softmax", "CM-Softmax"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--width", type=int, default=8)
    options = parser.parse_args()
    images = read(options.mnist / "train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)[: options.images]
    images = (torch.tensor(images).float() / 255 - 0.1307) / 0.3081
    labels = torch.tensor(read(options.mnist / "train-labels-idx1-ubyte.gz", 8)[: options.images]).long()
    for loss in options.losses:
        for seed in options.seeds:
            accuracy, norm = train(images, labels, loss, seed, options)
            print(f"{loss:12} seed {seed}  accuracy {100 * accuracy:5.1f} %  norm {norm:.3g}", flush=True)


if __name__ == "__main__":
    main()
