import subprocess

from unblur.system.facts import commit, hardware, run_facts


def test_facts_say_where_and_with_what():
    assert hardware().split(", ")[1].split()[0].isdigit()
    facts = run_facts()
    assert facts["torch"]
    assert facts["date"].endswith("+00:00")


def test_the_commit_is_that_of_the_source():
    source = commit.__code__.co_filename
    folder = source.rpartition("/")[0]
    head = subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    assert commit() in ({head, head + "+dirty"} if head else {None})
