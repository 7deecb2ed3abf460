"""Images from files to batches by torchvision and PyTorch's DataLoader, an epoch whenever a line comes in; prints its seconds.

Started by `cargo xtask bench data --against-torch`. Arguments: folder, side, batch, workers.
"""

import sys
import time

import torch
import torchvision
from torchvision import transforms
from torchvision.datasets import ImageFolder

FOLDER = sys.argv[1]
SIDE, BATCH, WORKERS = map(int, sys.argv[2:5])


def main():
    torch.set_num_threads(1)
    transform = transforms.Compose([
        transforms.Resize(SIDE),
        transforms.CenterCrop(SIDE),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.5] * 3, [0.25] * 3),
    ])
    loader = torch.utils.data.DataLoader(
        ImageFolder(FOLDER, transform),
        batch_size=BATCH,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
    )
    print(f"{torch.__version__} with torchvision {torchvision.__version__}", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        images = sum(len(labels) for _, labels in loader)
        assert images == len(loader.dataset)
        print(time.perf_counter() - start, flush=True)
    print(0)


if __name__ == "__main__":
    main()
