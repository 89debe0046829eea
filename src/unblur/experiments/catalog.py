"""The list of experiments. Nothing of an experiment is imported before it is run, torch least of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from unblur.errors import UsageError
from unblur.experiments.result import ExperimentResult, Say
from unblur.system.imports import load_object

__all__ = ["EXPERIMENTS", "Experiment", "find_experiment", "run_of", "settings_class_of"]


@dataclass(frozen=True)
class Experiment:
    """One experiment as a list shows it.

    Attributes:
        summary: One line for people.
        settings: Where its settings class is, `module:name`; that module must not import torch. The defaults are the
            full experiment.
        run: Where its function is, `module:name`; called with the settings and with what tells of progress.
        quick: Settings of the short version, by name.
    """

    summary: str
    settings: str
    run: str
    quick: Mapping[str, Any] = field(default_factory=dict[str, Any])


_SHORT_TRAININGS = {
    "recipe": "recipes/neurmap/semi-small.yaml",
    "baseline": "",
    "steps": 10,
    "size": 64,
    "limit": 2,
    "accelerator": "cpu",
    "folder": "",
}
"""From the identity, so that they need no weights."""
_WEAK_QUICK: Mapping[str, Any] = {"crop": 96, "preset": "warm", "steps": 150}
"""On a processor: small photos, and the start from the teacher, without which so few steps end nowhere."""

EXPERIMENTS: dict[str, Experiment] = {
    "dublid-combinations": Experiment(
        summary="DUBLID and MAP, each alone and each begun with the kernel of the other",
        settings="unblur.experiments.dublid.settings:CombinationSettings",
        run="unblur.experiments.dublid.combinations:run",
        quick={"limit": 2, "suites": "levin"},
    ),
    "golf-toy": Experiment(
        summary="a prior learned as a classifier against one learned as a gradient, in the plane (Figures 4, 10-14)",
        settings="unblur.experiments.golf.settings:ToySettings",
        run="unblur.experiments.golf.toy:run",
        quick={"seeds": 4},
    ),
    "golf-forgetting": Experiment(
        summary="one network, two tasks: what it forgets of the first while it learns the second (Figure 5)",
        settings="unblur.experiments.golf.settings:ForgettingSettings",
        run="unblur.experiments.golf.forgetting:run",
        quick={"steps": 120, "every": 20, "crops": 8, "size": 48, "batch": 4},
    ),
    "golf-lambda": Experiment(
        summary="the weight of the perceptual loss (Figure 8)",
        settings="unblur.experiments.golf.settings:LambdaSettings",
        run="unblur.experiments.golf.perceptual_weight:run",
        quick={"steps": 60, "crops": 8, "size": 64},
    ),
    "golf-iterations": Experiment(
        summary="quality of the first shot and after each putt (Table 2)",
        settings="unblur.experiments.golf.settings:IterationSettings",
        run="unblur.experiments.golf.iterations:run",
        quick={"crops": 12, "sharp": 2},
    ),
    "golf-refine": Experiment(
        summary="camera shake restored by MAP, by golf, and by MAP with golf as the prior",
        settings="unblur.experiments.golf.settings:RefineSettings",
        run="unblur.experiments.golf.refine:run",
        quick={"crops": 6},
    ),
    "golf-runtime": Experiment(
        summary="size and time of the networks (Tables 3 to 5)",
        settings="unblur.experiments.golf.settings:RuntimeSettings",
        run="unblur.experiments.golf.runtime:run",
        quick={"warmups": 1, "runs": 5},
    ),
    "kernel-retrieval": Experiment(
        summary="a blur found in one pair and given to another photo, for known and unseen kernels",
        settings="unblur.experiments.kernel_space.settings:RetrievalSettings",
        run="unblur.experiments.kernel_space.retrieval:run",
        quick={"photos": 2},
    ),
    "kernel-walk": Experiment(
        summary="from one blur to another along the codes between them; invented blurs",
        settings="unblur.experiments.kernel_space.settings:WalkSettings",
        run="unblur.experiments.kernel_space.walk:run",
        quick={"photos": 6, "steps": 7},
    ),
    "kernel-deblur": Experiment(
        summary="blind deblurring in the space of blurs against other methods, and without each of its parts",
        settings="unblur.experiments.kernel_space.settings:DeblurSettings",
        run="unblur.experiments.kernel_space.deblur:run",
        quick={"crops": 1, "size": 128, "methods": "dublid", "ablations": False},
    ),
    "blur-swap": Experiment(
        summary="a network that learned on carried-over blur, against those of the true blur and of another",
        settings="unblur.experiments.kernel_space.settings:SwapSettings",
        run="unblur.experiments.kernel_space.blur_swap:run",
        quick={"steps": 150, "crops": 12, "size": 64},
    ),
    "blur-augmentation": Experiment(
        summary="training pairs as they are, with classical blurs, and with carried-over blur besides",
        settings="unblur.experiments.kernel_space.settings:AugmentationSettings",
        run="unblur.experiments.kernel_space.augmentation:run",
        quick={"steps": 150, "crops": 12, "size": 64},
    ),
    "neurmap-table1": Experiment(
        summary="DMPHN with and without NeurMAP on kernel-synthesised blur, and the motion found (Table I, Figure 8)",
        settings="unblur.experiments.neurmap.settings:TableSettings",
        run="unblur.experiments.neurmap.table1:run",
        quick={"limit": 4},
    ),
    "neurmap-ablation": Experiment(
        summary="what motion and reblurring, and the discriminator, bring to NeurMAP (Table III)",
        settings="unblur.experiments.neurmap.settings:AblationSettings",
        run="unblur.experiments.neurmap.ablation:run",
        quick=_SHORT_TRAININGS,
    ),
    "neurmap-weights": Experiment(
        summary="the weights of NeurMAP's sharpness prior and of its discriminator (Table IV)",
        settings="unblur.experiments.neurmap.settings:WeightSettings",
        run="unblur.experiments.neurmap.weights:run",
        quick=_SHORT_TRAININGS,
    ),
    "neurmap-motion": Experiment(
        summary="the motion that NeurMAP finds against the true one (Figure 8)",
        settings="unblur.experiments.neurmap.settings:MotionSettings",
        run="unblur.experiments.neurmap.motion:run",
        quick={"limit": 4},
    ),
    "weak-ablation": Experiment(
        summary="what each term of SelfDeblur's weak supervision brings, with PSNR along the run",
        settings="unblur.experiments.selfdeblur.settings:AblationSettings",
        run="unblur.experiments.selfdeblur.ablation:run",
        quick={**_WEAK_QUICK, "limit": 2, "suite": "synthetic", "teachers": "map,identity"},
    ),
    "weak-teachers": Experiment(
        summary="how good SelfDeblur's teachers are, and how much of what they say should count",
        settings="unblur.experiments.selfdeblur.settings:TeacherSettings",
        run="unblur.experiments.selfdeblur.teachers:run",
        quick={**_WEAK_QUICK, "limit": 2, "teachers": "map,dublid", "strengths": "0.1,1"},
    ),
    "weak-stopping": Experiment(
        summary="whether a rule stops SelfDeblur near the best step, and what that saves",
        settings="unblur.experiments.selfdeblur.settings:StoppingSettings",
        run="unblur.experiments.selfdeblur.stopping:run",
        quick={
            **_WEAK_QUICK,
            "limit": 3,
            "suite": "synthetic",
            "teachers": "map",
            "steps": 400,
            "calibration": 3,
            "calibration_crop": 96,
            "points": 40,
        },
    ),
    "weak-nonuniform": Experiment(
        summary="what SelfDeblur makes of scenes in which something moves by itself, with and without a teacher",
        settings="unblur.experiments.selfdeblur.settings:NonUniformSettings",
        run="unblur.experiments.selfdeblur.nonuniform:run",
        quick={**_WEAK_QUICK, "limit": 3, "teachers": "map"},
    ),
    "weak-noise": Experiment(
        summary="whether total variation helps SelfDeblur against noise",
        settings="unblur.experiments.selfdeblur.settings:NoiseSettings",
        run="unblur.experiments.selfdeblur.noise:run",
        quick={**_WEAK_QUICK, "limit": 2, "variations": "0,1e-5,1e-4"},
    ),
}


def find_experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        UsageError: There is none; the message lists the names.
    """
    if name not in EXPERIMENTS:
        raise UsageError(f"there is no experiment named {name!r}; choose one of: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def settings_class_of(experiment: Experiment) -> type[Any]:
    """The settings class of an experiment; torch is not imported for it."""
    return load_object(experiment.settings)


def run_of(experiment: Experiment) -> Callable[[Any, Say], ExperimentResult]:
    """The function that runs an experiment."""
    return load_object(experiment.run)
