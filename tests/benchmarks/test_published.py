from unblur.benchmarks.published import published_numbers, published_results
from unblur.datasets import datasets
from unblur.metrics.protocols import PROTOCOLS

RANGES = {
    "psnr": (15, 40), "ssim": (0.5, 1), "gain": (0, 10), "kernel_rmse": (0, 0.01), "error_ratio_spectral": (1, 7),
    "lpips": (0, 0.4), "niqe": (2, 7),
}  # fmt: skip


def test_every_number_has_its_place_and_its_source():
    for number in published_numbers():
        assert number.dataset in datasets()
        assert number.protocol in PROTOCOLS
        assert number.source
        least, most = RANGES[number.metric]
        assert least <= number.value <= most, number


def test_no_number_is_there_twice():
    keys = [(n.method, n.dataset, n.protocol, n.metric, n.source) for n in published_numbers()]
    assert len(keys) == len(set(keys))


def test_tables_are_read_as_they_are_printed():
    results = {(r["method"], r["source"]): r for r in published_results("gopro", "gopro")}
    golf = results["Golf Optimizer", "Luo, Chen, Qian, Golf Optimizer, table 2"]
    assert (golf["psnr"], golf["ssim"]) == (28.06, 0.85)
    neurmap = results["MPRNet + NeurMAP", "Zhang, Wang, Tao, NeurMAP, 2022, table I"]
    assert (neurmap["psnr"], neurmap["ssim"], neurmap["lpips"], neurmap["niqe"]) == (32.30, 0.9601, 0.0539, 4.110)
    values = [r["psnr"] for r in published_results("neurmap", "plain")]
    assert values == sorted(values, reverse=True)
    assert published_results("levin", "plain") == []
