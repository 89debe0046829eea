"""What tests of clusters have their actors do; the actors import it for themselves."""

import os
import signal

__all__ = ["died", "double_or_die"]


def double_or_die(deadly, number, send):
    if number == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def died(number, how):
    return (int(number), how)
