"""Each module has its mirrored test file, or stands in the table with the test that covers it."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "unblur"

OF_EVERY_METHOD = re.compile(r"methods/(?!optimisation/)\w+/(entry|settings|architectures)")
"""What tests over the whole catalogue cover: `methods/test_contract.py` and `methods/test_architectures.py`."""

COVERED = {
    "app/test_page.py": "app/application app/controls cli/app",
    "app/test_runs.py": "app/sessions",
    "backbones/test_maxim.py": "backbones/maxim_blocks backbones/multi_axis weights/maxim_package weights/tfjs",
    "batch/test_plan.py": "batch/collisions batch/naming",
    "batch/test_resume.py": "batch/provenance",
    "batch/test_run.py": "batch/executors batch/options batch/work system/pool_worker",
    "batch/test_steps.py": "batch/jobs batch/writing",
    "benchmarks/report/test_write.py": "benchmarks/report/content",
    "benchmarks/test_benchmark.py": (
        "benchmarks/options benchmarks/pair_run benchmarks/reference benchmarks/suites benchmarks/summary"
        " benchmarks/tables"
    ),
    "benchmarks/test_command.py": "benchmarks/columns cli/benchmark",
    "benchmarks/test_resume.py": "benchmarks/record benchmarks/rows benchmarks/run",
    "cli/test_blur_learned.py": "cli/learned_blur",
    "cli/test_command_line.py": "cli/main cli/commands cli/methods cli/option_parameters cli/options cli/run_command",
    "cli/test_interruption.py": "system/signals",
    "cli/test_kernels_and_progress.py": "cli/progress",
    "cli/test_names.py": "cli/messages",
    "cli/test_report.py": "benchmarks/report/runs benchmarks/report/sections benchmarks/report/sheets",
    "cli/test_side_outputs.py": "batch/report",
    "cli/test_streams.py": "system/streams",
    "datasets/test_photo_kinds.py": (
        "datasets/photo_kinds/blurs datasets/photo_kinds/kinds datasets/photo_kinds/names datasets/photo_kinds/scenes"
    ),
    "images/test_working.py": "images/filling",
    "methods/test_overlays.py": "images/labels",
    "experiments/test_auto.py": (
        "experiments/auto/answers experiments/auto/bursts experiments/auto/examples experiments/auto/judge"
        " experiments/auto/measured experiments/auto/processing experiments/auto/refiner experiments/auto/searched"
        " experiments/auto/second experiments/auto/settings experiments/auto/weights"
    ),
    "experiments/test_burst.py": "datasets/photo_kinds/bursts experiments/burst/gain experiments/burst/settings",
    "experiments/test_networks.py": (
        "experiments/networks/frames experiments/networks/settings experiments/networks/tiles"
    ),
    "methods/auto/test_method.py": "methods/auto/networks methods/auto/verdicts",
    "methods/burst/test_method.py": "methods/burst/joining",
    "metrics/test_shift.py": "metrics/wide_shift",
    "datasets/test_catalog.py": "datasets/folders datasets/verify",
    "datasets/test_datasets.py": "datasets/dublid datasets/levin datasets/pair_list datasets/pairs datasets/sun",
    "datasets/test_layouts.py": (
        "datasets/kohler datasets/lai datasets/pairing datasets/photos datasets/realblur datasets/sequences"
    ),
    "datasets/test_streams.py": "datasets/sampling",
    "datasets/test_synthesis.py": "datasets/blur_settings datasets/camera datasets/gyro datasets/segments",
    "experiments/test_catalog.py": "cli/experiment",
    "experiments/test_solvers.py": "experiments/solvers/peers experiments/solvers/settings",
    "experiments/test_dublid.py": "experiments/dublid/combinations experiments/dublid/settings",
    "experiments/test_golf.py": (
        "experiments/golf/data experiments/golf/forgetting experiments/golf/iterations"
        " experiments/golf/perceptual_weight experiments/golf/refine experiments/golf/runtime"
        " experiments/golf/settings"
    ),
    "experiments/test_golf_toy.py": "experiments/golf/toy experiments/golf/toy_figures",
    "experiments/test_kernel_space.py": (
        "experiments/kernel_space/augmentation experiments/kernel_space/blur_swap"
        " experiments/kernel_space/data experiments/kernel_space/deblur experiments/kernel_space/retrieval"
        " experiments/kernel_space/settings experiments/kernel_space/walk"
    ),
    "experiments/test_neurmap.py": (
        "experiments/neurmap/ablation experiments/neurmap/arms experiments/neurmap/motion"
        " experiments/neurmap/scores experiments/neurmap/settings experiments/neurmap/table1"
        " experiments/neurmap/weights"
    ),
    "experiments/test_papers.py": (
        "experiments/papers/contents experiments/papers/counted experiments/papers/lines experiments/papers/page"
        " experiments/papers/stored"
    ),
    "experiments/test_parts.py": "experiments/parts/combinations experiments/parts/settings",
    "experiments/test_report.py": "experiments/result",
    "experiments/test_text.py": "experiments/text/recognition experiments/text/settings",
    "experiments/test_selfdeblur.py": (
        "experiments/selfdeblur/ablation experiments/selfdeblur/noise experiments/selfdeblur/nonuniform"
        " experiments/selfdeblur/photos experiments/selfdeblur/runs experiments/selfdeblur/settings"
        " experiments/selfdeblur/stopping experiments/selfdeblur/teachers"
    ),
    "experiments/test_shared.py": (
        "experiments/figures experiments/photos experiments/scores experiments/settings experiments/training"
    ),
    "images/test_facts.py": "images/exif images/tiff_exif",
    "images/test_hostile_files.py": (
        "images/decoder images/decoding images/files images/limits images/signatures system/messages"
        " system/sandbox system/sandbox_worker"
    ),
    "images/test_kernel_files.py": "images/arrays images/kernels",
    "images/test_pages.py": "images/page_reading images/page_writing images/tiff_pages",
    "images/test_round_trip.py": (
        "images/colour images/containers images/encoding images/fitting images/inks images/palettes images/picture"
    ),
    "images/test_unsupported.py": "images/tiff_structure",
    "losses/test_structure.py": "metrics/ms_ssim",
    "methods/dublid/test_model.py": "methods/dublid/retrieval methods/dublid/spectra methods/dublid/start",
    "methods/golf/test_objective.py": "losses/objective",
    "methods/kernel_space/test_method.py": "methods/kernel_space/loading",
    "methods/kernel_space/test_photos.py": "methods/kernel_space/streams",
    "methods/kernel_space/test_problem.py": "methods/kernel_space/fit_schedules methods/kernel_space/generators",
    "methods/neurmap/test_method.py": "methods/neurmap/posterior",
    "methods/neurmap/test_networks.py": "methods/neurmap/discriminator methods/neurmap/model methods/neurmap/motion",
    "methods/neurmap/test_objective.py": (
        "methods/neurmap/motion_objective methods/neurmap/motion_terms methods/neurmap/pool methods/neurmap/presets"
    ),
    "methods/optimisation/test_run.py": (
        "methods/optimisation/checkpointing methods/optimisation/problem methods/optimisation/progress"
    ),
    "methods/selfdeblur/test_method.py": "methods/optimisation/settings methods/optimisation/validation",
    "methods/selfdeblur/test_problem.py": "methods/selfdeblur/fit_schedules",
    "methods/selfdeblur/test_weak.py": "methods/optimisation/teachers",
    "methods/test_adding_a_method.py": "methods/entry system/imports",
    "methods/test_apply.py": "methods/base methods/inputs methods/options methods/transforms",
    "methods/test_architectures.py": "weights/architecture",
    "methods/test_contract.py": (
        "methods/catalog methods/identity/method methods/loading methods/refiners methods/settings"
    ),
    "methods/test_known_kernel.py": "methods/kernel_method methods/known_kernel/method",
    "methods/test_kernel_cepstrum.py": "methods/kernel_search/cepstrum",
    "methods/test_kernel_families.py": "methods/kernel_search/families",
    "methods/test_kernel_finder.py": "methods/kernel_search/finder",
    "methods/test_kernel_refit.py": "methods/kernel_search/refit",
    "methods/test_kernel_straight.py": "methods/kernel_search/straight",
    "methods/test_kernel_streaks.py": "methods/kernel_search/streaks",
    "methods/test_kernel_turning.py": "methods/kernel_search/turning",
    "methods/test_map.py": (
        "methods/classical_map/method methods/kernel_search/latent_step methods/kernel_search/pyramid"
        " methods/kernel_search/search"
    ),
    "methods/test_map_answer_quality.py": "methods/kernel_search/answer_quality",
    "methods/test_map_kernel_step.py": "methods/kernel_search/kernel_step",
    "methods/test_network_runner.py": "system/allocator",
    "metrics/test_kernel_and_residual.py": "metrics/kernel metrics/residual",
    "metrics/test_niqe.py": "metrics/niqe_fit",
    "metrics/test_protocols.py": (
        "metrics/aligned_pair metrics/alignment metrics/catalog metrics/homography metrics/motion"
        " metrics/perceptual metrics/score metrics/sharpness"
    ),
    "metrics/test_psnr_ssim.py": "metrics/luma metrics/psnr metrics/ssim",
    "solvers/test_deconvolution.py": "solvers/richardson_lucy",
    "solvers/test_iterations.py": (
        "solvers/data_terms solvers/descent solvers/half_quadratic solvers/iteration solvers/sparse_problem"
    ),
    "solvers/test_photo.py": "solvers/names solvers/registry",
    "solvers/test_sparsity.py": "methods/orientation",
    "test_public_surface.py": "errors",
    "server/test_api.py": (
        "cli/serve server/answers server/application server/client server/forms server/guard"
        " server/observation server/schemas server/settings"
    ),
    "server/test_queue.py": "server/device_worker server/job server/storage server/tasks",
    "training/test_kills.py": "training/interruption",
    "training/test_parts.py": (
        "training/averaging training/data training/guard training/hooks training/step_log training/streams"
    ),
    "training/test_recipes.py": "training/recipe",
    "training/test_run.py": (
        "training/export training/module training/record training/run_log training/settings training/validation"
    ),
    "weights/test_broken.py": "system/memory",
    "weights/test_checkpoint.py": (
        "weights/checking weights/convert weights/files weights/legacy_file weights/safe_file"
        " weights/storages weights/unwrapping weights/zip_file"
    ),
    "weights/test_hostile.py": "system/text weights/foreign weights/limits weights/pickles weights/zip_end",
    "weights/test_retrieval.py": "weights/cache weights/public",
}
"""Test files with the modules that they cover, for modules without a test file of their own."""


def modules() -> set[str]:
    files = (path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if not path.name.startswith("__"))
    names = {path.with_suffix("").as_posix() for path in files}
    return {name for name in names if not OF_EVERY_METHOD.fullmatch(name)}


def test_every_module_is_mirrored_or_in_the_table():
    without = {name for name in modules() if not (TESTS / name).with_name(f"test_{Path(name).name}.py").is_file()}
    listed = [name for names in COVERED.values() for name in names.split()]
    assert without - set(listed) == set(), "modules without a test file that no test is said to cover"
    assert set(listed) - without == set(), "modules that are gone, or have a test file of their own"
    assert len(listed) == len(set(listed))
    assert [name for name in COVERED if not (TESTS / name).is_file()] == []
