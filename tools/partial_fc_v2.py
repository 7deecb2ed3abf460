"""Whole training steps of insightface's PartialFC_V2 on one process: seconds and largest memory.

Takes a checkout of github.com/deepinsight/insightface and samples, dimensions, classes and the share that is drawn:

    python tools/partial_fc_v2.py INSIGHTFACE 256 128 1000000 0.1

The margin is CosFace's, the optimizer SGD with momentum and weight decay, as in its own configurations. The first of seven
steps is not counted.
"""

import os
import statistics
import sys
import time

import torch


def cosface(logits, labels):
    rows = torch.where(labels != -1)[0]
    target = logits[rows, labels[rows].view(-1)]
    logits = logits.clone()
    logits[rows, labels[rows].view(-1)] = target - 0.4
    return logits * 64


def main(folder, samples, dimensions, classes, share):
    sys.path.insert(0, f"{folder}/recognition/arcface_torch")
    from partial_fc_v2 import PartialFC_V2

    # It uses a GPU without asking.
    torch.Tensor.cuda = lambda self, *_, **__: self
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:29511", rank=0, world_size=1)
    head = PartialFC_V2(cosface, dimensions, classes, share)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    features = torch.randn(samples, dimensions)
    targets = torch.arange(samples) * 7919 % classes
    seconds = []
    for _ in range(7):
        x = features.clone().requires_grad_()
        optimizer.zero_grad()
        start = time.perf_counter()
        head(x, targets).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    seconds = sorted(seconds[1:])
    with open("/proc/self/status") as status:
        largest = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))
    median = statistics.median(seconds)
    print(f"{median:.2f} s ({seconds[0]:.2f} to {seconds[-1]:.2f}), largest memory {largest:.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5]))
