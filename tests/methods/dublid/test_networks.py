"""Networks of `dublid` from files of weights."""

import json

import pytest
import torch

from unblur.errors import CheckpointError
from unblur.methods.dublid.model import Dublid as Network
from unblur.methods.dublid.networks import load_network, load_networks
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.shipped import read_weights


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return read_weights("dublid-linear")


def test_the_file_of_both_holds_what_each_file_holds():
    networks = load_networks(read_weights("dublid"))
    assert list(networks) == ["linear", "motion"]
    for name, network in networks.items():
        (alone,) = load_networks(read_weights(f"dublid-{name}")).values()
        assert network.config() == alone.config()
        own = alone.state_dict()
        assert all(torch.equal(values, own[key]) for key, values in network.state_dict().items())


def test_a_part_that_lacks_something_is_refused():
    both = read_weights("dublid")
    tensors = {name: tensor for name, tensor in both.tensors.items() if name != "motion.prox_list.3"}
    with pytest.raises(CheckpointError, match="1 missing"):
        load_networks(Checkpoint("cut", tensors, both.metadata))


@pytest.mark.parametrize(
    "config",
    ["{", "[]", json.dumps({"channels": 10**9}), json.dumps({"channels": "16"})],
)
def test_a_file_that_does_not_say_its_network_is_refused(checkpoint, config):
    with pytest.raises(CheckpointError, match="arch_config"):
        load_network(Checkpoint("odd", checkpoint.tensors, {"arch_config": config}))


@pytest.mark.parametrize(
    "change",
    [{"channels": 10**9}, {"in_channels": 2}, {"kernel_size": 44}, {"variant": "new"}, {"frame": "larger"}],
)
def test_a_file_that_asks_for_an_impossible_network_is_refused(checkpoint, change):
    config = {**Network().config(), **change}
    with pytest.raises(CheckpointError, match="asks for a network that there is not"):
        load_network(Checkpoint("odd", checkpoint.tensors, {"arch_config": json.dumps(config)}))


def test_weights_of_another_network_are_refused(checkpoint):
    tensors = {name: tensor for name, tensor in checkpoint.tensors.items() if "list.9" not in name}
    with pytest.raises(CheckpointError, match="expected DUBLID with 10 layers of 16 channels, grey; 5 missing"):
        load_network(Checkpoint("cut", tensors))
