"""Makes `hostile` importable, which lies one folder up because other tests use it too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
