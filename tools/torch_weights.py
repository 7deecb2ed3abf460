"""PyTorch reads our weights, and we read PyTorch's.

The networks are written here once more, with nothing taken from the Rust code but the names of
their tensors. With PyTorch, safetensors and NumPy installed:

    python tools/torch_weights.py check MODEL.safetensors IMAGES.npy FEATURES.npy

reads a model file, runs the images `[batch, channels, height, width]` through its backbone and
compares the features with those that Rust got. The three files come from
`cargo run -p cm-models --example torch_check -- BACKBONE FOLDER`; any model file does, with images
as its card prepares them.

    python tools/torch_weights.py make crates/cm-models/tests/models/torch

writes the files that the tests read: random weights of a narrow ResNet-18 as torchvision, timm and
a training program save them, and of a narrow IResNet-18 as insightface does, with the features of
two images; class centers in the files of other programs; and features of networks too large for a
file, whose weights are numbers that both sides can make.
"""

import json
import sys
from pathlib import Path

import numpy
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

# Of the largest feature.
TOLERANCE = 1e-4


class LeNetPP(nn.Module):
    """Of Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", table 1."""

    def __init__(self, state, config):
        super().__init__()
        width, before, *_ = state["stages.0.convolutions.0.weight"].shape
        self.stages = nn.ModuleList()
        for channels in (width, 2 * width, 4 * width):
            self.stages.append(
                nn.ModuleDict(
                    {
                        "convolutions": nn.ModuleList(
                            [nn.Conv2d(before, channels, 5, padding=2), nn.Conv2d(channels, channels, 5, padding=2)]
                        ),
                        "activations": nn.ModuleList([nn.PReLU(), nn.PReLU()]),
                    }
                )
            )
            before = channels
        feature_dim, inputs = state["linear.weight"].shape
        self.linear = nn.Linear(inputs, feature_dim)
        self.activation = nn.PReLU()

    def forward(self, x):
        for stage in self.stages:
            for convolution, activation in zip(stage["convolutions"], stage["activations"]):
                x = activation(convolution(x))
            x = nn.functional.max_pool2d(x, 2)
        return self.activation(self.linear(x.flatten(1)))


def projection(before, after, stride, convolution=nn.Conv2d, normalization=nn.BatchNorm2d):
    """What the shortcut of a residual block has where the size or the channels change."""
    if stride == 1 and before == after:
        return None
    return nn.Sequential(convolution(before, after, 1, stride, bias=False), normalization(after))


def three_stages(network, block, width, blocks):
    """The stages of section 4.2 of He et al.; returns the channels of the last."""
    before = width
    for number, (factor, stride) in enumerate(((1, 1), (2, 2), (4, 2)), start=1):
        after = factor * width
        stage = [block(before, after, stride)] + [block(after, after, 1) for _ in range(blocks - 1)]
        setattr(network, f"layer{number}", nn.Sequential(*stage))
        before = after
    return before


class BasicBlock(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = projection(before, after, stride)

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(x + shortcut)


class Bottleneck(nn.Module):
    def __init__(self, before, within, stride):
        super().__init__()
        after = 4 * within
        self.conv1 = nn.Conv2d(before, within, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(within)
        self.conv2 = nn.Conv2d(within, within, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(within)
        self.conv3 = nn.Conv2d(within, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample = projection(before, after, stride)

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return torch.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet(nn.Module):
    """Of He et al., "Deep Residual Learning for Image Recognition", with the names of torchvision."""

    def __init__(self, state, config):
        super().__init__()
        width, channels, kernel, _ = state["conv1.weight"].shape
        stride = 2 if config["stem"] == "imagenet" else 1
        self.conv1 = nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        pools = {"cifar": nn.Identity(), "small": nn.MaxPool2d(2), "imagenet": nn.MaxPool2d(3, 2, 1)}
        self.maxpool = pools[config["stem"]]
        before, is_deep = width, config["backbone"] == "resnet50"
        blocks = (3, 4, 6, 3) if is_deep else (2, 2, 2, 2)
        for number, count in enumerate(blocks):
            within, stage = width << number, []
            for stride in [1 if number == 0 else 2] + [1] * (count - 1):
                stage.append(Bottleneck(before, within, stride) if is_deep else BasicBlock(before, within, stride))
                before = 4 * within if is_deep else within
            setattr(self, f"layer{number + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(before, state["fc.weight"].shape[0])

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class CifarResNet(nn.Module):
    """Of section 4.2 of the same paper, with projections where channels change."""

    def __init__(self, state, config):
        super().__init__()
        width, channels, *_ = state["conv1.weight"].shape
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        three_stages(self, BasicBlock, width, config["blocks"])
        self.is_flat = config["pooling"] == "none"
        feature_dim, inputs = state["fc.weight"].shape
        self.fc = nn.Linear(inputs, feature_dim)
        self.features = nn.BatchNorm1d(feature_dim) if config["feature_norm"] else nn.Identity()

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.features(self.fc(x.flatten(1) if self.is_flat else x.mean((2, 3))))


class BasicBlock3d(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv3d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(after)
        self.conv2 = nn.Conv3d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm3d(after)
        self.downsample = projection(before, after, stride, nn.Conv3d, nn.BatchNorm3d)

    forward = BasicBlock.forward


class ResNet3d(nn.Module):
    """The same in three dimensions; the slices of a volume come as channels."""

    def __init__(self, state, config):
        super().__init__()
        width = state["conv1.weight"].shape[0]
        self.conv1 = nn.Conv3d(1, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        before = three_stages(self, BasicBlock3d, width, config["blocks"])
        self.fc = nn.Linear(before, state["fc.weight"].shape[0])

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x[:, None])))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3, 4)))


class Unit(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, stride, 1)
        self.activation = nn.PReLU(after)

    def forward(self, x):
        return self.activation(self.convolution(x))


class SphereFace20(nn.Module):
    """Of Liu et al., "SphereFace", table 2."""

    def __init__(self, state, config):
        super().__init__()
        width, before, *_ = state["stages.0.down.convolution.weight"].shape
        self.stages = nn.ModuleList()
        for factor, count in ((1, 1), (2, 2), (4, 4), (8, 1)):
            channels = factor * width
            blocks = [
                nn.ModuleList([Unit(channels, channels, 1), Unit(channels, channels, 1)]) for _ in range(count)
            ]
            self.stages.append(
                nn.ModuleDict({"down": Unit(before, channels, 2), "blocks": nn.ModuleList(blocks)})
            )
            before = channels
        feature_dim, inputs = state["linear.weight"].shape
        self.linear = nn.Linear(inputs, feature_dim)

    def forward(self, x):
        for stage in self.stages:
            x = stage["down"](x)
            for first, second in stage["blocks"]:
                x = x + second(first(x))
        return self.linear(x.flatten(1))


class IBasicBlock(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.prelu = nn.PReLU(after)
        self.conv2 = nn.Conv2d(after, after, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample = projection(before, after, stride)

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(x)) + shortcut


class IResNet(nn.Module):
    """Of Duta et al., "Improved Residual Networks", in insightface's form and with its names."""

    BLOCKS = {
        "iresnet18": (2, 2, 2, 2),
        "iresnet34": (3, 4, 6, 3),
        "iresnet50": (3, 4, 14, 3),
        "iresnet100": (3, 13, 30, 3),
    }

    def __init__(self, state, config):
        super().__init__()
        width, channels, *_ = state["conv1.weight"].shape
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        before = width
        for number, count in enumerate(self.BLOCKS[config["backbone"]]):
            after = width << number
            blocks = [IBasicBlock(before, after, 2)] + [IBasicBlock(after, after, 1) for _ in range(count - 1)]
            setattr(self, f"layer{number + 1}", nn.Sequential(*blocks))
            before = after
        self.bn2 = nn.BatchNorm2d(before)
        feature_dim, inputs = state["fc.weight"].shape
        self.fc = nn.Linear(inputs, feature_dim)
        self.features = nn.BatchNorm1d(feature_dim)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(self.bn2(x).flatten(1)))


class Layers(nn.Module):
    """Modules one after another, below the name that insightface has for them."""

    def __init__(self, *layers, is_residual=False):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.is_residual = is_residual

    def forward(self, x):
        return x + self.layers(x) if self.is_residual else self.layers(x)


def convolved(before, after, kernel, stride=1, padding=0, groups=1, has_prelu=True):
    layers = [nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(after)]
    return Layers(*layers, *([nn.PReLU(after)] if has_prelu else []))


def depthwise(before, after, within, stride, is_residual=False):
    return Layers(
        convolved(before, within, 1),
        convolved(within, within, 3, stride, 1, groups=within),
        convolved(within, after, 1, has_prelu=False),
        is_residual=is_residual,
    )


class MobileFaceNet(nn.Module):
    """Of Chen et al., "MobileFaceNets", in insightface's form and with its names."""

    def __init__(self, state, config):
        super().__init__()
        width, channels, *_ = state["layers.0.layers.0.weight"].shape
        blocks = config["blocks"]

        def residual(channels, within, count):
            return Layers(*[depthwise(channels, channels, within, 1, is_residual=True) for _ in range(count)])

        self.layers = nn.ModuleList(
            [
                convolved(channels, width, 3, 2, 1),
                convolved(width, width, 3, 1, 1, groups=64) if blocks[0] == 1 else residual(width, 128, blocks[0]),
                depthwise(width, width, 128, 2),
                residual(width, 128, blocks[1]),
                depthwise(width, 2 * width, 256, 2),
                residual(2 * width, 256, blocks[2]),
                depthwise(2 * width, 2 * width, 512, 2),
                residual(2 * width, 256, blocks[3]),
            ]
        )
        self.conv_sep = convolved(2 * width, 512, 1)
        kernel = tuple(state["features.layers.0.layers.0.weight"].shape[2:])
        feature_dim = state["features.layers.2.weight"].shape[0]
        self.features = Layers(
            convolved(512, 512, kernel, groups=512, has_prelu=False),
            nn.Flatten(),
            nn.Linear(512, feature_dim, bias=False),
            nn.BatchNorm1d(feature_dim),
        )

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.features(self.conv_sep(x))


NETWORKS = {
    "lenet++": LeNetPP,
    "cifar-resnet": CifarResNet,
    "resnet18": ResNet,
    "resnet50": ResNet,
    "resnet3d": ResNet3d,
    "sphereface20": SphereFace20,
    "mobilefacenet": MobileFaceNet,
    **{name: IResNet for name in IResNet.BLOCKS},
}


def read_model(path):
    """The backbone of a model file."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        state = {name: file.get_tensor(name) for name in file.keys()}
    # A model file has a card and a head beside the backbone.
    if "cm_loss_card" in metadata:
        config = json.loads(metadata["cm_loss_card"])["backbone"]
        state = {n.removeprefix("backbone."): t for n, t in state.items() if n.startswith("backbone.")}
    else:
        config = json.loads(metadata["backbone"])
    network = NETWORKS[config["backbone"]](state, config)
    # PyTorch counts the batches that it has seen; nothing depends on it at inference.
    counters = {n: t for n, t in network.state_dict().items() if n.endswith("num_batches_tracked")}
    network.load_state_dict(counters | state, strict=True)
    return network.eval()


def check(model, images, features):
    network = read_model(model)
    with torch.no_grad():
        ours = network(torch.from_numpy(numpy.load(images))).numpy()
    theirs = numpy.load(features)
    if ours.shape != theirs.shape:
        sys.exit(f"the features are {theirs.shape}, and here {ours.shape}")
    difference, largest = numpy.abs(ours - theirs).max(), numpy.abs(ours).max()
    spread = numpy.ptp(ours, axis=0).max()
    print(
        f"{model}: largest difference {difference:.1e}, of features up to {largest:.2f} that differ "
        f"between images by up to {spread:.2f}"
    )
    if not difference <= TOLERANCE * largest:
        sys.exit(f"that is more than {TOLERANCE} of the largest feature")


def pattern(*shape):
    """Numbers that are exact in single precision and easily made anywhere."""
    count = int(numpy.prod(shape))
    return torch.tensor([index * 7919 % 257 / 128 - 1 for index in range(count)]).reshape(shape)


def make(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    shapes = {"conv1.weight": torch.empty(1, 3, 7, 7), "fc.weight": torch.empty(3, 8)}
    network = ResNet(shapes, {"backbone": "resnet18", "stem": "imagenet"}).eval()
    state = randomized(network)
    with torch.no_grad():
        features = network(pattern(2, 3, 40, 33)).tolist()
    (folder / "features.json").write_text(json.dumps(features) + "\n")
    # As torchvision had its weights before PyTorch 1.6, without counters and in the format of that time.
    older = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    torch.save(older, folder / "state-dict.pth", _use_new_zipfile_serialization=False)
    # As timm has them.
    save_file(state, folder / "timm.safetensors", metadata={"format": "pt"})
    # As a program that trains on several GPUs keeps a checkpoint.
    torch.save(
        {
            "epoch": 3,
            "arch": "resnet18",
            "state_dict": {f"module.{name}": tensor for name, tensor in state.items()},
            "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]},
        },
        folder / "checkpoint.pth",
    )
    make_heads(folder)
    make_faces(folder)


def randomized(network):
    """The state of a network, all of it changed to other numbers than it starts with."""
    state = network.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
            tensor.uniform_(0.5, 1.5)
        elif tensor.dim() == 1:
            tensor.uniform_(-0.2, 0.8)
        else:
            tensor.normal_(0, 1.5 / tensor[0].numel() ** 0.5)
    return state


def make_faces(folder):
    """A narrow IResNet-18 as insightface saves it, and features of networks with numbers that anyone can make."""
    shapes = {"conv1.weight": torch.empty(1, 3, 3, 3), "fc.weight": torch.empty(3, 8 * 3 * 3)}
    network = IResNet(shapes, {"backbone": "iresnet18"}).eval()
    state = randomized(network)
    torch.save(state, folder / "iresnet18.pth")
    # As insightface keeps a whole training, of one worker.
    centers = torch.tensor(json.loads((folder / "centers.json").read_text()))
    torch.save(
        {
            "epoch": 2,
            "global_step": 40,
            "state_dict_backbone": {f"module.{name}": tensor for name, tensor in state.items()},
            "state_dict_softmax_fc": {"weight": centers},
            "state_optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3, 4)}}, "param_groups": [{"lr": 0.1}]},
        },
        folder / "iresnet18-checkpoint.pth",
    )
    with torch.no_grad():
        features = {"iresnet18.pth": network(pattern(2, 3, 40, 33)).tolist()}
    flat = torch.empty(5, 64 * 3 * 2)
    for config, state in (
        ({"backbone": "iresnet34"}, {"conv1.weight": torch.empty(8, 3, 3, 3), "fc.weight": flat}),
        ({"backbone": "iresnet50"}, {"conv1.weight": torch.empty(8, 3, 3, 3), "fc.weight": flat}),
        ({"backbone": "iresnet100"}, {"conv1.weight": torch.empty(8, 3, 3, 3), "fc.weight": flat}),
        (
            {"backbone": "resnet50", "stem": "imagenet"},
            {"conv1.weight": torch.empty(8, 3, 7, 7), "fc.weight": torch.empty(5, 256)},
        ),
        (
            {"backbone": "cifar-resnet", "blocks": 2, "pooling": "average", "feature_norm": False},
            {"conv1.weight": torch.empty(8, 3, 3, 3), "fc.weight": torch.empty(5, 32)},
        ),
        (
            {"backbone": "cifar-resnet", "blocks": 1, "pooling": "none", "feature_norm": True},
            {"conv1.weight": torch.empty(8, 3, 3, 3), "fc.weight": torch.empty(5, 32 * 12 * 8)},
        ),
        (
            {"backbone": "resnet3d", "blocks": 1},
            {"conv1.weight": torch.empty(8, 1, 3, 3, 3), "fc.weight": torch.empty(5, 32)},
        ),
        (
            {"backbone": "mobilefacenet", "blocks": [1, 4, 6, 2]},
            {
                "layers.0.layers.0.weight": torch.empty(64, 3, 3, 3),
                "features.layers.0.layers.0.weight": torch.empty(512, 1, 3, 2),
                "features.layers.2.weight": torch.empty(5, 512),
            },
        ),
        (
            {"backbone": "mobilefacenet", "blocks": [2, 1, 1, 1]},
            {
                "layers.0.layers.0.weight": torch.empty(64, 3, 3, 3),
                "features.layers.0.layers.0.weight": torch.empty(512, 1, 3, 2),
                "features.layers.2.weight": torch.empty(5, 512),
            },
        ),
    ):
        network = NETWORKS[config["backbone"]](state, config).eval()
        named = {n: t for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked")}
        for number, name in enumerate(sorted(named)):
            named[name].copy_(known(name, number, named[name].shape))
        with torch.no_grad():
            # A volume has its slices where an image has its channels.
            channels = 4 if config["backbone"] == "resnet3d" else 3
            features[json.dumps(config)] = network(pattern(2, channels, 48, 32)).tolist()
    (folder / "faces.json").write_text(json.dumps(features, indent=1) + "\n")


def known(name, number, shape):
    """The numbers of the tensor of this name, the so-and-so-manieth in alphabetical order."""
    count = int(numpy.prod(shape))
    steps = (numpy.arange(count, dtype=numpy.int64) * 209 + number * 57) % 257
    steps = torch.from_numpy(steps.astype(numpy.float32) / 128 - 1)
    if name.endswith("running_var"):
        numbers = 1 + steps / 2
    elif len(shape) == 1 and name.endswith("weight"):
        numbers = 0.75 + steps / 4
    elif len(shape) == 1:
        numbers = steps / 4
    else:
        numbers = steps * numpy.float32((2 / numpy.prod(shape[1:])) ** 0.5)
    return numbers.reshape(shape)


def make_heads(folder):
    """Heads of 5 classes and features of 3 numbers as other programs save them, and the centers."""
    centers = torch.randn(5, 3)
    (folder / "centers.json").write_text(json.dumps(centers.tolist()) + "\n")
    # As AdaFace saves a whole training with Lightning: a column a class, and linear layers beside it.
    torch.save(
        {
            "epoch": 1,
            "state_dict": {
                "model.output_layer.3.weight": torch.zeros(3, 7),
                "model.output_layer.3.bias": torch.zeros(3),
                "head.kernel": centers.T.contiguous(),
                "head.batch_mean": torch.full((1,), 20.0),
            },
        },
        folder / "head-adaface.pth",
    )
    # As insightface saves the part of one worker.
    torch.save({"weight": centers.half()}, folder / "head-insightface.pth")
    # As pytorch-metric-learning has ArcFace's, beside a second loss.
    save_file({"loss.W": centers.T.contiguous(), "other.W": torch.ones(3, 4)}, folder / "heads.safetensors")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["check", model, images, features]:
            check(model, images, features)
        case ["make", folder]:
            make(folder)
        case _:
            sys.exit(__doc__)
