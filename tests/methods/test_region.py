import pytest
import torch

from planted import draw_picture
from unblur.methods.region import InformativeParts, crop_informative

QUARTERS = {"top left": (0, 0), "top right": (0, 1), "bottom left": (1, 0), "bottom right": (1, 1)}


def photo_with_edges_in(quarter: tuple[int, int]) -> torch.Tensor:
    photo = torch.full((1, 1, 120, 160), 0.4)
    row, column = quarter
    photo[..., 60 * row : 60 * (row + 1), 80 * column : 80 * (column + 1)] = draw_picture(60, 80)
    return photo


@pytest.mark.parametrize("quarter", QUARTERS)
def test_the_quarter_with_edges_is_found(quarter):
    row, column = QUARTERS[quarter]
    photo = photo_with_edges_in((row, column))
    crop = crop_informative(photo, 60 * 80, 10)
    assert crop.shape[-2:] == (60, 80)
    top, left = place_of(crop, photo)
    assert abs(top - 60 * row) <= 4
    assert abs(left - 80 * column) <= 5


def place_of(crop: torch.Tensor, photo: torch.Tensor) -> tuple[int, int]:
    """Where a crop, which is a view, begins in its photo."""
    return divmod(crop.storage_offset(), photo.shape[-1])


def test_a_small_photo_is_looked_at_whole():
    photo = draw_picture(30, 40)
    assert torch.equal(crop_informative(photo, 30 * 40, 1000), photo)


@pytest.mark.parametrize(("smallest", "shape"), [(10, (30, 40)), (50, (50, 50)), (130, (120, 130)), (999, (120, 160))])
def test_sides_are_no_smaller_than_asked_as_far_as_the_photo_reaches(smallest, shape):
    assert crop_informative(photo_with_edges_in((0, 0)), 30 * 40, smallest).shape[-2:] == shape


def test_clipped_light_is_avoided():
    """A lamp has the strongest edges, but they are clipped."""
    photo = torch.full((1, 1, 120, 160), 0.4)
    photo[..., 60:, 80:] = 0.4 + 0.1 * draw_picture(60, 80)
    photo[..., :60, :80] = (draw_picture(60, 80, 1) > 0.5).float()
    top, left = place_of(crop_informative(photo, 60 * 80, 10), photo)
    assert top >= 50
    assert left >= 70


def test_many_moderate_edges_beat_one_glaring_one():
    photo = torch.full((1, 1, 120, 160), 0.1)
    photo[..., :60, :40] = 0.95
    photo[..., 60:, 80:] = 0.3 + 0.4 * draw_picture(60, 80)
    top, left = place_of(crop_informative(photo, 60 * 80, 10), photo)
    assert top >= 50
    assert left >= 70


def test_parts_of_several_sizes_are_those_that_each_size_has_by_itself():
    photo = photo_with_edges_in((1, 0))
    parts = InformativeParts(photo)
    for pixels in (60 * 80, 30 * 40, 100 * 100):
        assert torch.equal(parts.crop(pixels, 10), crop_informative(photo, pixels, 10))
