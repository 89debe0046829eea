import subprocess
from pathlib import Path

import unblur
from unblur.system.facts import commit, hardware, run_facts


def test_facts_say_where_and_with_what():
    assert hardware().split(", ")[1].split()[0].isdigit()
    facts = run_facts()
    assert facts["torch"]
    assert facts["date"].endswith("+00:00")


def test_the_commit_is_that_of_the_source():
    """Of the whole package: a change anywhere below `unblur` makes it dirty."""
    folder = Path(unblur.__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
        ).stdout.strip()

    head = git("rev-parse", "HEAD")
    changed = git("status", "--porcelain", "--", ".")
    assert commit() == (head + ("+dirty" if changed else "") if head else None)
