"""A small real training run for tests: a blurred photo is sharpened by one convolution."""

import json
import os
from pathlib import Path

import torch
import yaml
from torch import nn
from torch.nn import functional

from unblur.datasets.photos import photos_of


class TinyObjective(nn.Module):
    """Mean square error of a 5 x 5 convolution, with dropout, so that steps draw random numbers.

    Args:
        bad_from: From this step on, the loss is not a number; -1: never.
        bad_steps: For so many steps.
    """

    def __init__(self, width: int = 4, dropout: float = 0.1, bad_from: int = -1, bad_steps: int = 1) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(3, width, 5, padding=2), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(width, 3, 5, padding=2)
        )
        self.term_weights = {"image": 1.0}
        self.bad = range(bad_from, bad_from + bad_steps) if bad_from >= 0 else range(0)
        self.calls = 0

    def forward(self, batch):
        restored = self.network(batch["blurry"])
        error = functional.mse_loss(restored, batch["sharp"])
        self.calls += 1
        if self.calls - 1 in self.bad:
            error = error * float("nan")
        return {"image": error, "bias": restored.mean() - batch["sharp"].mean()}

    def project(self):
        with torch.no_grad():
            self.network[0].weight.clamp_(-0.5, 0.5)

    @torch.no_grad()
    def evaluate(self, batch):
        errors = (self.network(batch["blurry"]) - batch["sharp"]).square().mean((1, 2, 3))
        return {"psnr": -10 * errors.log10()}

    @torch.no_grad()
    def pictures(self, batch):
        return {"restored": self.network(batch["blurry"])}

    def metadata(self):
        return {"method": "tiny", "arch": "tiny", "arch_config": json.dumps({"width": 4})}


class TinyDuel(nn.Module):
    """Two networks that learn in turns: a critic learns the error of a picture, and the network to please it."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Conv2d(3, 3, 3, padding=1)
        self.critic = nn.Conv2d(3, 1, 3)
        self.players = {"critic": self.critic, "network": self.network}
        self.term_weights = {"judged": 1.0, "pleased": 0.1, "image": 1.0}

    def turns(self, batch):
        restored = self.network(batch["blurry"])
        error = (restored.detach() - batch["sharp"]).square().mean()
        yield {"judged": (self.critic(restored.detach()).mean() - error).square()}
        self.critic.requires_grad_(False)
        terms = {
            "pleased": self.critic(restored).mean().square(),
            "image": functional.mse_loss(restored, batch["sharp"]),
        }
        self.critic.requires_grad_(True)
        yield terms

    def project(self):
        pass

    @torch.no_grad()
    def evaluate(self, batch):
        return {"error": (self.network(batch["blurry"]) - batch["sharp"]).square().mean((1, 2, 3))}

    @torch.no_grad()
    def pictures(self, batch):
        return {"restored": self.network(batch["blurry"])}

    def metadata(self):
        return {"method": "tiny", "arch": "duel"}


class TinyStream:
    """Crops of photos and their blurred versions, after a walk over a folder of photos.

    Args:
        photos: The folder.
        seed: Another seed is another stream.
        size: Side of a crop.
    """

    def __init__(self, photos: str, seed: int = 0, size: int = 16) -> None:
        self.photos = photos_of(Path(photos))
        self.paths, self.seed, self.size = self.photos.paths, seed, size

    def sample(self, index: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(self.seed * 7_919 + index)
        photo = self.photos[int(torch.randint(len(self.photos), (), generator=generator))]
        top, left = (int(torch.randint(side - self.size + 1, (), generator=generator)) for side in photo.shape[-2:])
        sharp = photo[..., top : top + self.size, left : left + self.size]
        blurry = functional.avg_pool2d(sharp, 3, stride=1, padding=1, count_include_pad=False)
        return {"blurry": blurry[0], "sharp": sharp[0]}

    def source(self, index: int) -> str:
        generator = torch.Generator().manual_seed(self.seed * 7_919 + index)
        return self.paths[int(torch.randint(len(self.photos), (), generator=generator))].name


def tiny_recipe(photos: Path, **changes: dict) -> dict:
    """A recipe of 20 steps over the photos of a folder, with changes by part."""
    recipe = {
        "model": {
            "objective": {"class_path": "tiny_training.TinyObjective"},
            "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.01}},
            "schedule": {"class_path": "unblur.training.schedules.Cosine", "init_args": {"period": 12, "warmup": 3}},
            "clip_norm": 1.0,
            "ema_decay": 0.9,
        },
        "data": {
            "train": {"class_path": "tiny_training.TinyStream", "init_args": {"photos": os.fspath(photos)}},
            "validation": {
                "class_path": "tiny_training.TinyStream",
                "init_args": {"photos": os.fspath(photos), "seed": 1},
            },
            "batch_size": 2,
            "validation_samples": 3,
            "workers": 0,
        },
        "trainer": {"max_steps": 20, "accelerator": "cpu"},
        "run": {"save_every": 5, "log_every": 1, "validate_every": 10, "pictures_every": 20},
    }
    for part, values in changes.items():
        recipe[part].update(values)
    return recipe


def write_recipe(path: Path, recipe: dict) -> Path:
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return path
