"""Training: what every recipe shares on top of Lightning. It knows objectives and streams, no method by name."""

from unblur.losses.objective import Objective
from unblur.training.data import StreamData
from unblur.training.module import SupervisedModule
from unblur.training.recipe import Recipe, load_recipe
from unblur.training.run import TrainingResult, train
from unblur.training.settings import RunSettings
from unblur.training.streams import Stream

__all__ = [
    "Objective",
    "Recipe",
    "RunSettings",
    "Stream",
    "StreamData",
    "SupervisedModule",
    "TrainingResult",
    "load_recipe",
    "train",
]
