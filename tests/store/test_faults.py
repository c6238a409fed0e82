"""A system call that fails, on whatever file and at whatever point, is one line and harms nothing.

The program that is started here is the one of the big run (scripts/crash.py), with less to do.
"""

STEPS = ("create", "open", "recover", "learn", "report", "round", "drop", "revert", "gc", "erase", "backup")


def test_a_call_that_fails_is_one_line_and_harms_nothing(run):
    tried = run("crash_faults.py", 1000, *STEPS)
    assert [each for each in tried if each["problems"]] == []
    spoken = [each["line"] for each in tried if each["line"]]
    assert len(spoken) > len(tried) / 2
    for what in ("full while writing a commit", "full while writing an adapter", "failed while erasing"):
        assert any(f"disk {what}" in line for line in spoken), what
