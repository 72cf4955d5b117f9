"""Networks of users in plain torch, as they write them; random weights of a fixed seed."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class Mlp(nn.Module):
    """784-64-32-10 style perceptron with batch normalisation."""

    def __init__(self, activation=nn.ReLU):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, 24), nn.BatchNorm1d(24), activation(),
            nn.Linear(24, 16), nn.BatchNorm1d(16), activation(), nn.Dropout(),
            nn.Linear(16, 5),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


class Sign(nn.Module):
    def forward(self, x):
        return torch.sign(x)


class StridedCnn(nn.Module):
    """Convolutions with strides and padding, pooled before the activation."""

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.n1 = nn.BatchNorm2d(8)
        self.c2 = nn.Conv2d(8, 10, 3, padding=1)
        self.fc = nn.Linear(10 * 3 * 3, 4)

    def forward(self, x):
        x = torch.relu(nn.functional.max_pool2d(self.n1(self.c1(x)), 2))
        return self.fc(nn.functional.relu6(self.c2(x)).flatten(1))


class Depthwise(nn.Module):
    """Depthwise and pointwise convolutions, a mean over the map."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, stride=2, bias=False)
        self.n0 = nn.BatchNorm2d(8)
        self.depth = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.n1 = nn.BatchNorm2d(8)
        self.point = nn.Conv2d(8, 12, 1)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        x = torch.relu(self.n0(self.stem(x)))
        x = torch.relu(self.n1(self.depth(x)))
        x = torch.relu(self.point(x))
        return self.fc(x.mean((2, 3)))


class Residual(nn.Module):
    """Two residual blocks."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.a1, self.a2 = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.b = nn.Conv2d(6, 6, 1)
        self.n = nn.BatchNorm2d(6)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.n(self.a2(torch.relu(self.a1(x)))))
        x = torch.relu(x + self.b(x))
        return self.fc(self.pool(x).flatten(1))


class Branches(nn.Module):
    """Two branches joined along their channels."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(2, 4, 1)
        self.c = nn.Conv2d(8, 6, 3, dilation=2)
        self.fc = nn.Linear(6 * 16, 3)

    def forward(self, x):
        x = torch.cat([torch.relu(self.a(x)), torch.relu(self.b(x))], 1)
        return self.fc(torch.relu(self.c(x)).flatten(1))


class Sequence(nn.Module):
    """One-dimensional convolutions."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(4, 8, 5, stride=2, padding=2), nn.BatchNorm1d(8), nn.ReLU(),
            nn.MaxPool1d(2), nn.Conv1d(8, 8, 3, padding=1), nn.Tanh(),
            nn.Flatten(), nn.Linear(64, 4),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


class BinaryCnn(nn.Module):
    """Bits of -1 and +1, pooled before they are normalised, as many binary networks are."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 8, 3), nn.MaxPool2d(2), nn.BatchNorm2d(8), Sign(),
            nn.Conv2d(8, 8, 2), nn.MaxPool2d(2), nn.BatchNorm2d(8), Sign(),
            nn.Flatten(), nn.Linear(8 * 4, 16), nn.BatchNorm1d(16), Sign(),
            nn.Linear(16, 4),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


class Recurrent(nn.Module):
    """GRU with reset gate or LSTM, of which the last state is read."""

    def __init__(self, layers=1, kind=nn.GRU):
        super().__init__()
        self.gru = kind(6, 12, layers, batch_first=True)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        steps, _ = self.gru(x)
        return self.fc(steps[:, -1])


class LastOfLstm(nn.Module):
    """LSTM without biases, read through its final state."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 10, batch_first=True, bias=False)
        self.fc = nn.Linear(10, 4)

    def forward(self, x):
        _, (state, _) = self.lstm(x)
        return self.fc(state[-1])


class Keywords(nn.Module):
    """GRU read through its final state."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(6, 10, batch_first=True)
        self.fc = nn.Linear(10, 4)

    def forward(self, x):
        _, state = self.gru(x)
        return self.fc(state[-1])


# name: module, shape of one input
USERS = {
    "mlp with batch normalisation": (Mlp, (1, 8, 8)),
    "mlp with tanh": (lambda: Mlp(nn.Tanh), (1, 8, 8)),
    "mlp with sigmoid": (lambda: Mlp(nn.Sigmoid), (1, 8, 8)),
    "binary mlp": (lambda: Mlp(Sign), (1, 8, 8)),
    "binary cnn": (BinaryCnn, (2, 12, 12)),
    "strided cnn": (StridedCnn, (3, 12, 12)),
    "depthwise cnn": (Depthwise, (1, 13, 11)),
    "residual cnn": (Residual, (3, 8, 8)),
    "branches": (Branches, (2, 8, 8)),
    "one-dimensional cnn": (Sequence, (4, 32)),
    "gru with reset gate": (Recurrent, (9, 6)),
    "two layers of gru": (lambda: Recurrent(2), (9, 6)),
    "gru by its final state": (Keywords, (9, 6)),
    "lstm": (lambda: Recurrent(1, nn.LSTM), (9, 6)),
    "two layers of lstm": (lambda: Recurrent(2, nn.LSTM), (9, 6)),
    "lstm by its final state": (LastOfLstm, (9, 6)),
}
HAS_STEPS = tuple(name for name in USERS if "gru" in name or "lstm" in name)


def build(name: str, n: int = 150):
    """A module with lively batch normalisation, inputs in its layout, and features."""
    torch.manual_seed(5)
    make, shape = USERS[name]
    module = make()
    inputs = torch.randn(n, *shape)
    module.train()
    with torch.no_grad():
        for _ in range(3):
            module(inputs)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                part.weight.copy_(torch.randn_like(part.weight))
                part.bias.copy_(0.3 * torch.randn_like(part.bias))
    module.eval()
    features = inputs.numpy()
    if len(shape) > 1 and name not in HAS_STEPS:
        features = np.moveaxis(features, 1, -1)
    return module, inputs, np.ascontiguousarray(features)
