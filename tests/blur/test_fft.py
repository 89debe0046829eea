import pytest
import torch

from unblur.blur.fft import from_spectrum, good_size, kernel_spectrum, multiply, multiply_conjugate, power, spectrum


def test_good_size_is_the_next_even_product_of_small_primes():
    def is_good(n: int) -> bool:
        for factor in (2, 3, 5, 7):
            while n % factor == 0:
                n //= factor
        return n == 1

    for n in range(1, 700):
        expected = next(m for m in range(n, 2 * n + 2) if m % 2 == 0 and is_good(m))
        assert good_size(n) == expected


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (5, 8)])
def test_products_agree_with_complex_arithmetic(size):
    generator = torch.Generator().manual_seed(0)
    a, b = (spectrum(torch.randn(1, 1, *size, generator=generator, dtype=torch.float64)) for _ in range(2))
    torch.testing.assert_close(multiply(a, b), a * b)
    torch.testing.assert_close(multiply_conjugate(a, b), a.conj() * b)
    torch.testing.assert_close(power(a), a.abs() ** 2)


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (5, 8)])
def test_spectrum_and_back_is_the_zero_padded_image(size):
    image = torch.rand(2, 3, 5, 6, dtype=torch.float64)
    back = from_spectrum(spectrum(image, (size[0], size[1])), size)
    torch.testing.assert_close(back[..., :5, :6], image)
    assert back.sum().item() == pytest.approx(image.sum().item())


def test_convention_kernel_spectrum_has_the_centre_at_the_origin():
    impulse = torch.zeros(1, 1, 5, 7)
    impulse[..., 2, 3] = 1
    values = kernel_spectrum(impulse, (8, 10))
    torch.testing.assert_close(values, torch.ones_like(values))


def test_a_kernel_larger_than_the_frame_wraps():
    kernel = torch.rand(1, 1, 9, 11, dtype=torch.float64)
    rows, columns = 4, 6
    wrapped = torch.zeros(rows, columns, dtype=torch.float64)
    for i in range(9):
        for j in range(11):
            wrapped[(i - 4) % rows, (j - 5) % columns] += kernel[0, 0, i, j]
    torch.testing.assert_close(kernel_spectrum(kernel, (rows, columns))[0, 0], torch.fft.rfft2(wrapped))
