"""Classes of images from files by PyTorch eager, beside `cm predict`:

    python tools/torch_predict.py MODEL.safetensors FOLDER [--workers N]

reads every image in the folder, however deep, by Pillow in N processes of a DataLoader (one for each core), prepares it as the
card of the model says (images of the network's size, or stretched ones), and runs the backbone and cosines in batches of 250.
Prints images/s without the time that Python needs to start, and with it. With PyTorch, safetensors, NumPy and Pillow installed.
"""

import time

START = time.perf_counter()

import argparse
import json
import os
from pathlib import Path

import numpy
import torch
from PIL import Image
from safetensors import safe_open

from torch_weights import NETWORKS



class Files(torch.utils.data.Dataset):
    def __init__(self, paths, spec):
        self.paths, self.spec = paths, spec
        shape = (spec["channels"], 1, 1)
        self.mean, self.std = (numpy.array(spec[k], numpy.float32).reshape(shape) for k in ("mean", "std"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        spec = self.spec
        image = Image.open(self.paths[index]).convert("L" if spec["channels"] == 1 else "RGB")
        size = (spec["width"], spec["height"])
        if image.size != size:
            image = image.resize(size, Image.BILINEAR)
        values = numpy.asarray(image, dtype=numpy.float32).reshape(size[1], size[0], spec["channels"])
        return torch.from_numpy((values.transpose(2, 0, 1) / 255 - self.mean) / self.std)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with safe_open(options.model, "pt") as file:
        card = json.loads(file.metadata()["cm_loss_card"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    state = {key.removeprefix("backbone."): value for key, value in tensors.items() if key.startswith("backbone.")}
    config = card["backbone"]
    network = NETWORKS[config["backbone"]](state, config)
    network.load_state_dict(state)
    network.eval()
    centers = torch.nn.functional.normalize(tensors["head.class_centers"])
    paths = sorted(path for path in Path(options.folder).rglob("*") if path.suffix.lower() in (".png", ".jpg", ".pgm", ".ppm"))
    loader = torch.utils.data.DataLoader(Files(paths, card["input"]), batch_size=250, num_workers=options.workers)
    begin = time.perf_counter()
    chosen = []
    with torch.inference_mode():
        for images in loader:
            features = network(images)
            chosen.append((torch.nn.functional.normalize(features) @ centers.T).argmax(1))
    end = time.perf_counter()
    print(
        f"PyTorch {torch.__version__}, {options.workers} workers: {len(paths)} images, {len(paths) / (end - begin):.0f} images/s, "
        f"{len(paths) / (end - START):.0f} images/s with the start"
    )


if __name__ == "__main__":
    main()
