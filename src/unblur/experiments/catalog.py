"""The list of experiments. An experiment is imported when it runs; its settings never import torch."""

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
        module: Module with the function `run(settings, say)`, relative to `unblur.experiments`.
        settings: Settings class in the module `settings` beside it; its defaults are the full experiment.
        summary: One line for people.
        needs: Data and weights that do not come with unblur; empty: none.
        quick: Settings of the short version, by name.
    """

    module: str
    settings: str
    summary: str
    needs: str = ""
    quick: Mapping[str, Any] = field(default_factory=dict[str, Any])


_BSDS_KODAK = "the data sets BSDS500 and Kodak"
_WEAK_DATA = "the data sets BSDS500 and Levin"
_NEURMAP = "the kernel-synthesised set (unblur data make kernel-synthesised)"
_TRAININGS = f"a clone of the repository, for its recipes; the data set BSDS500; {_NEURMAP}"

_SHORT_TRAININGS = {
    "recipe": "recipes/neurmap/semi-small.yaml",
    "baseline": "",
    "steps": 10,
    "size": 64,
    "limit": 2,
    "accelerator": "cpu",
    "folder": "",
}
"""Trainings from the identity, which need no weights."""
_SHORT_FITS: Mapping[str, Any] = {"crop": 96, "preset": "warm", "steps": 150}
"""Small photos for a processor, started from the teacher: from random weights, so few steps restore nothing."""

EXPERIMENTS: dict[str, Experiment] = {
    "auto-judge": Experiment(
        "auto.judge",
        "JudgeSettings",
        "training of the judge of auto on refined answers of the kernel search, and its test on other scenes",
        "the data set BSDS500 and recordings of gyroscopes (kernels/gyro); auto-refiner comes first",
        {"count": 19, "held_out": 19, "size": 96, "steps": 100, "second_steps": 50, "second_from": 10},
    ),
    "auto-refiner": Experiment(
        "auto.refiner",
        "RefinerSettings",
        "training of the refiner of auto on answers of the kernel search, and its test on other scenes",
        "the data set BSDS500 and recordings of gyroscopes (kernels/gyro)",
        {"count": 19, "held_out": 19, "size": 96, "minutes": 0.5},
    ),
    "part-combinations": Experiment(
        "parts.combinations",
        "CombinationSettings",
        "every kernel estimator with every solver, with and without a refiner",
        "the data set Kodak",
        {"crops": 2, "size": 128, "estimators": "known-kernel,dublid"},
    ),
    "network-frames": Experiment(
        "networks.frames",
        "FrameSettings",
        "gain of a published network on pairs made from the frames of a fast camera",
        "the frames of a fast camera (frames); weights of the network",
        {"counts": "9,13", "crop": 64},
    ),
    "burst-gain": Experiment(
        "burst.gain",
        "GainSettings",
        "several photos of one scene together against the best of the answers to each of them",
        "the data set Kodak",
        {"bursts": 1, "crop": 200},
    ),
    "text-recognition": Experiment(
        "text.recognition",
        "RecognitionSettings",
        "pages of text read by an optical reader before and after: character error rates",
        "tesseract (Debian: tesseract-ocr) and the extra [metrics]",
        {"pages": 1, "width": 300},
    ),
    "solver-peers": Experiment(
        "solvers.peers",
        "PeerSettings",
        "solvers with the true kernel beside those of scikit-image and OpenCV: dB and seconds",
        "the data set Levin",
        {"limit": 2, "repeats": 1},
    ),
    "network-tiles": Experiment(
        "networks.tiles",
        "TileSettings",
        "loss by restoring in tiles in place of one pass",
        "the data set Kodak; weights of the network",
        {"photos": 1, "side": 128, "tile": 64},
    ),
    "dublid-combinations": Experiment(
        "dublid.combinations",
        "CombinationSettings",
        "DUBLID and MAP, each alone and each initialised with the kernel of the other",
        "the data sets Levin and dublid-bsds",
        {"limit": 2, "suites": "levin"},
    ),
    "golf-toy": Experiment(
        "golf.toy",
        "ToySettings",
        "a prior trained as a classifier against one trained as a gradient, in the plane (Figures 4, 10-14)",
        quick={"seeds": 4},
    ),
    "golf-forgetting": Experiment(
        "golf.forgetting",
        "ForgettingSettings",
        "one network, two tasks: what it forgets of the first while it learns the second (Figure 5)",
        _BSDS_KODAK,
        {"steps": 120, "every": 20, "crops": 8, "size": 48, "batch": 4},
    ),
    "golf-lambda": Experiment(
        "golf.perceptual_weight",
        "LambdaSettings",
        "the weight of the perceptual loss (Figure 8)",
        f"{_BSDS_KODAK}; weights of VGG-11",
        {"steps": 60, "crops": 8, "size": 64},
    ),
    "golf-iterations": Experiment(
        "golf.iterations",
        "IterationSettings",
        "quality of the first network and after each refinement step (Table 2)",
        "the data set Kodak",
        {"crops": 12, "sharp": 2},
    ),
    "golf-refine": Experiment(
        "golf.refine",
        "RefineSettings",
        "camera shake restored by MAP, by golf, and by MAP with golf as the prior",
        "the data set Kodak",
        {"crops": 6},
    ),
    "golf-runtime": Experiment(
        "golf.runtime",
        "RuntimeSettings",
        "size and time of the networks (Tables 3 to 5)",
        quick={"warmups": 1, "runs": 5},
    ),
    "kernel-retrieval": Experiment(
        "kernel_space.retrieval",
        "RetrievalSettings",
        "a blur found in one pair and applied to another photo, for known and unseen kernels",
        "the data sets Kodak and Levin",
        {"photos": 2},
    ),
    "kernel-walk": Experiment(
        "kernel_space.walk",
        "WalkSettings",
        "interpolation between the codes of two blurs; sampled blurs",
        "the data set Kodak",
        {"photos": 6, "steps": 7},
    ),
    "kernel-deblur": Experiment(
        "kernel_space.deblur",
        "DeblurSettings",
        "blind deblurring with the kernel space against other methods, and without each of its parts",
        "the data set Kodak",
        {"crops": 1, "size": 128, "methods": "dublid", "ablations": False},
    ),
    "blur-swap": Experiment(
        "kernel_space.blur_swap",
        "SwapSettings",
        "a network trained on transferred blur, against those trained on the true blur and on another",
        _BSDS_KODAK,
        {"steps": 150, "crops": 12, "size": 64},
    ),
    "blur-augmentation": Experiment(
        "kernel_space.augmentation",
        "AugmentationSettings",
        "training pairs as they are, with classical blurs, and with transferred blur as well",
        _BSDS_KODAK,
        {"steps": 150, "crops": 12, "size": 64},
    ),
    "neurmap-table1": Experiment(
        "neurmap.table1",
        "TableSettings",
        "DMPHN with and without NeurMAP on kernel-synthesised blur, and the motion found (Table I, Figure 8)",
        f"{_NEURMAP}; weights of DMPHN trained by recipes/neurmap",
        {"limit": 4},
    ),
    "neurmap-ablation": Experiment(
        "neurmap.ablation",
        "AblationSettings",
        "contribution of motion and reblurring, and of the discriminator, to NeurMAP (Table III)",
        _TRAININGS,
        _SHORT_TRAININGS,
    ),
    "neurmap-weights": Experiment(
        "neurmap.weights",
        "WeightSettings",
        "the weights of NeurMAP's sharpness prior and of its discriminator (Table IV)",
        _TRAININGS,
        _SHORT_TRAININGS,
    ),
    "neurmap-motion": Experiment(
        "neurmap.motion",
        "MotionSettings",
        "the motion that NeurMAP finds against the true one (Figure 8)",
        _NEURMAP,
        {"limit": 4},
    ),
    "weak-ablation": Experiment(
        "selfdeblur.ablation",
        "AblationSettings",
        "contribution of each term of SelfDeblur's weak supervision, with PSNR along the run",
        _WEAK_DATA,
        {**_SHORT_FITS, "limit": 2, "suite": "synthetic", "teachers": "map,identity"},
    ),
    "weak-teachers": Experiment(
        "selfdeblur.teachers",
        "TeacherSettings",
        "quality of SelfDeblur's teachers alone, and the best weight of their images",
        _WEAK_DATA,
        {**_SHORT_FITS, "limit": 2, "teachers": "map,dublid", "strengths": "0.1,1"},
    ),
    "weak-stopping": Experiment(
        "selfdeblur.stopping",
        "StoppingSettings",
        "loss and saving by rules that stop SelfDeblur early",
        _WEAK_DATA,
        {
            **_SHORT_FITS,
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
        "selfdeblur.nonuniform",
        "NonUniformSettings",
        "SelfDeblur on scenes in which an object moves by itself, with and without a teacher",
        "the data set BSDS500",
        {**_SHORT_FITS, "limit": 3, "teachers": "map"},
    ),
    "weak-noise": Experiment(
        "selfdeblur.noise",
        "NoiseSettings",
        "effect of total variation on SelfDeblur under noise",
        "the data set BSDS500",
        {**_SHORT_FITS, "limit": 2, "variations": "0,1e-5,1e-4"},
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
    package = experiment.module.partition(".")[0]
    return load_object(f"unblur.experiments.{package}.settings:{experiment.settings}")


def run_of(experiment: Experiment) -> Callable[[Any, Say], ExperimentResult]:
    """The function that runs an experiment."""
    return load_object(f"unblur.experiments.{experiment.module}:run")
