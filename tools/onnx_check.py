"""Whether the ONNX files of a model give what the program gives:

    python tools/onnx_check.py CM MODEL IMAGE...

CM is the program. Both kinds of export are checked by onnx and run by onnxruntime on the images, one at a time, three at a time and all
at once; features, norms, probabilities and qualities must agree with `cm embed` and `cm predict` to 1e-4 (features relative to the
largest, qualities to 1, for a norm on the edge of two). With onnx, onnxruntime, numpy and pillow installed.
"""

import csv
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
from PIL import Image

LIMIT = 1e-4


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pixels(path, card):
    """Values from 0 to 255 in the size of the network, as the card's preprocessing has them."""
    spec = card["input"]
    image = Image.open(path).convert("L" if spec["channels"] == 1 else "RGB")
    size = (spec["width"], spec["height"])
    if image.size != size:
        if spec["resize"] != "stretch":
            sys.exit(f"{path}: this script knows images of the network's size, and stretched ones")
        image = image.resize(size, Image.BILINEAR)
    values = numpy.asarray(image, dtype=numpy.float32).reshape(size[1], size[0], spec["channels"])
    return values.transpose(2, 0, 1)


def run(session, values, size):
    """All outputs of a session, in batches of a size."""
    names = [found.name for found in session.get_outputs()]
    parts = [session.run(names, {"pixels": values[i : i + size]}) for i in range(0, len(values), size)]
    return {name: numpy.concatenate([part[k] for part in parts]) for k, name in enumerate(names)}


def main(cm, model, images):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        npy = folder / "features.npy"
        listed = list(csv.DictReader(io.StringIO(output(cm, "embed", model, *images, "--npy", str(npy)))))
        features = numpy.load(npy)
        norms = numpy.array([float(row["norm"]) for row in listed])
        qualities = numpy.array([int(row["quality"]) for row in listed])
        predicted = list(csv.DictReader(io.StringIO(output(cm, "predict", model, *images))))
        worst = {}
        for kind in ([], ["--raw-pixels"]):
            path = str(folder / "model.onnx")
            output(cm, "export", model, path, *kind)
            onnx.checker.check_model(path, full_check=True)
            metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
            card, classes = json.loads(metadata["cm_loss_card"]), json.loads(metadata["classes"])
            values = numpy.stack([pixels(image, card) for image in images])
            if not kind:
                mean, std = (numpy.array(card["input"][k], numpy.float32)[:, None, None] for k in ("mean", "std"))
                values = (values / 255 - mean) / std
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            for size in (1, 3, len(images)):
                found = run(session, values.astype(numpy.float32), size)
                chosen = found["probabilities"].argmax(axis=1)
                errors = {
                    "features": numpy.abs(found["features"] - features).max() / numpy.abs(features).max(),
                    "norm": (numpy.abs(found["norm"][:, 0] - norms) / norms).max(),
                    "probability": max(
                        abs(found["probabilities"][i, classes.index(row["class"])] - float(row["probability"]))
                        for i, row in enumerate(predicted)
                    ),
                    "class": float(sum(classes[k] != row["class"] for k, row in zip(chosen, predicted))),
                }
                if "quality" in found:
                    errors["quality"] = max(numpy.abs(found["quality"][:, 0] - qualities).max() - 1, 0)
                elif (qualities >= 0).any():
                    sys.exit("the ONNX file has no quality, and the model has")
                for name, error in errors.items():
                    worst[name] = max(worst.get(name, 0.0), float(error))
    print(f"{model}: {len(images)} images, opset {onnx.defs.onnx_opset_version()} known, largest errors {worst}")
    if any(not error <= LIMIT for error in worst.values()):
        sys.exit("they do not agree")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
