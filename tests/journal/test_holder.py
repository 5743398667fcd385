"""Who holds a lease, and whether they are still alive."""

import subprocess
import sys

from shopfloor.journal.holder import is_dead, this_process


def test_this_process_is_alive_under_one_name() -> None:
    """The name is stable and its bearer is not dead."""
    assert this_process() == this_process()
    assert not is_dead(this_process())


def test_a_process_is_dead_once_it_is_killed() -> None:
    """Its name tells when it began; dead means dead also while nobody has yet collected its exit code."""
    say_name = "from shopfloor.journal.holder import this_process; print(this_process(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {say_name}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        alive = not is_dead(name)
        child.kill()
        child.stdout.read()
        dead_uncollected = _soon(name)
        child.wait()
    assert name.split(":")[2] != this_process().split(":")[2]
    assert alive
    assert dead_uncollected
    assert is_dead(name)


def test_a_reused_process_id_is_somebody_else() -> None:
    """The same host and process id with another start time is a process that is gone."""
    host, pid, start = this_process().split(":")
    assert is_dead(f"{host}:{pid}:{int(start) + 1}")


def test_nothing_is_known_of_other_hosts_and_free_names() -> None:
    """Of a holder elsewhere, or of a name that is not made here, nobody is called dead."""
    _, pid, _ = this_process().split(":")
    names = [f"elsewhere.example:{pid}:1", "", "ann", f"{this_process().split(':', maxsplit=1)[0]}:{pid}", "a:b:c"]
    assert [is_dead(name) for name in names] == [False] * 5


def _soon(name: str) -> bool:
    """The kernel takes an instant to end a killed process after its pipes have closed."""
    return any(is_dead(name) for _ in range(10_000))
