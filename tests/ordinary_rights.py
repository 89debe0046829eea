"""Commands that the permissions of files hold for, also where root runs the tests."""

import os
import shutil
from functools import cache

import pytest


@cache
def with_ordinary_rights() -> tuple[str, ...]:
    """The words before such a command; none are needed for anybody but root.

    Its user stays root, who owns the checkout: another one could not enter a checkout below a folder of mode 700. What
    it gives up, in its own process, is the capability to pass over permissions.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root passes over permissions, and setpriv (util-linux) is not there to give that up")
    return (setpriv, "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search")
