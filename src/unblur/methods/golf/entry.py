"""The entry of `golf` in the list of methods."""

from unblur.methods.entry import Entry
from unblur.methods.golf.architectures import FIRST_SHOT, GOLF_OPTIMIZER

__all__ = ["GOLF"]

GOLF = Entry(
    summary="two small networks for blur that varies over the photo: one large step, then three small ones",
    role="restorer",
    settings="unblur.methods.golf.settings:GolfSettings",
    method="unblur.methods.golf.method:Golf",
    uses=frozenset({"engine"}),
    takes_weights=True,
    weights="golf",
    architectures=(GOLF_OPTIMIZER, FIRST_SHOT),
    can_teach=True,
    refiner="unblur.methods.golf.method:load_refiner",
)
