"""A hostile worker: everything here was tried from inside, and the kernel or the design said no."""

import contextlib
import http.server
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from shopfloor.sandbox.bubblewrap import LARGEST_FOLDER

pytestmark = pytest.mark.usefixtures("enforced")


@pytest.fixture
def loopback_port():
    """A server of the host that answers anyone who reaches it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_outside_the_checkout_can_be_written(live, said, checkout, tmp_path):
    """Neither the system, nor the folder that holds the checkout, nor the root itself; temporary files never arrive."""
    places = ("/etc/canary", "/usr/canary", "/usr/local/bin/canary", "/canary", "/opt/canary", "/repo/../canary")

    async def story(sandbox):
        for place in places:
            assert (await said(sandbox, ["touch", place]))[0] != 0, place
            with pytest.raises(OSError):
                await sandbox.write(place, b"x")
        assert (
            await said(sandbox, f"mkdir -p {tmp_path}; echo x > {tmp_path}/canary; touch /tmp/canary-of-this-test")
        )[0] == 0

    live(story, checkout)
    assert not [place for place in places if Path(place).exists()]
    assert not (tmp_path / "canary").exists()
    assert not Path("/tmp/canary-of-this-test").exists()


def test_a_symlink_leads_nowhere_outside(live, said, checkout, tmp_path):
    """The host opens nothing by a name from inside: a link to a secret finds what the sandbox shows."""
    (tmp_path / "secret").write_text("secret")

    async def story(sandbox):
        await said(sandbox, f"ln -s {tmp_path}/secret leak; ln -s {tmp_path} up; ln -s /etc/shadow shadow")
        for path in ("leak", "up/secret", f"{tmp_path}/secret"):
            with pytest.raises(FileNotFoundError):
                await sandbox.read(path, 100)
        with contextlib.suppress(OSError):
            assert await sandbox.read("shadow", 100) == b""
        await sandbox.write("leak", b"overwritten")

    live(story, checkout)
    assert (tmp_path / "secret").read_text() == "secret"


def test_the_home_and_other_clones_are_out_of_sight(live, said, checkout, tmp_path):
    """No secret of the user's home, no neighbour's clone, no state folder: what is not shown does not exist."""
    neighbour = tmp_path / "neighbour"
    neighbour.mkdir()
    (neighbour / "canary").write_text("secret")
    home = Path.home()
    private = [home / name for name in (".ssh", ".bashrc", ".npmrc", ".config", ".gitconfig", ".claude")]
    program = Path(__file__).parents[2]

    async def story(sandbox):
        for path in (neighbour / "canary", *private, program / "src", program / "tests", "/sys/kernel"):
            assert (await said(sandbox, ["ls", "-d", str(path)]))[0] != 0, path
        code, words = await said(sandbox, f"grep -rs secret {tmp_path} /home /run /var /mnt /media /srv")
        assert (code != 0, words) == (True, "")
        assert (await said(sandbox, "cat /etc/shadow"))[1].count(":") == 0

    live(story, checkout)


def test_the_hosts_network_is_out_of_reach(live, said, checkout, loopback_port):
    """The host's own servers do not answer, by any of its names; nor does anything beyond."""
    fetch = f"import urllib.request; print(urllib.request.urlopen('http://%s:{loopback_port}/', timeout=3).status)"
    assert (
        subprocess.run(["python3", "-c", fetch % "127.0.0.1"], capture_output=True, text=True, check=True).stdout
        == "200\n"
    )

    async def story(sandbox):
        for name in ("127.0.0.1", "localhost", "[::1]", socket.gethostname(), "192.0.2.1"):
            code, words = await said(sandbox, ["python3", "-c", fetch % name])
            assert (code, "URLError" in words) == (1, True), words

    live(story, checkout)


def test_sockets_of_the_host_are_out_of_reach(live, said, checkout, tmp_path):
    """Neither one with a path nor one in the abstract namespace, which no mount hides."""
    with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
        named.bind(str(tmp_path / "sock"))
        named.listen()
        abstract.bind("\0shopfloor-test-" + str(os.getpid()))
        abstract.listen()
        connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1].replace('@', chr(0)))"
        addresses = (str(tmp_path / "sock"), f"@shopfloor-test-{os.getpid()}")
        for address in addresses:
            subprocess.run(["python3", "-c", connect, address], check=True)

        async def story(sandbox):
            for address in addresses:
                code, words = await said(sandbox, ["python3", "-c", connect, address])
                assert (code, "Error" in words) == (1, True)

        live(story, checkout)


def test_processes_of_the_host_are_neither_seen_nor_signalled(live, said, checkout):
    """Inside, there is only what was started inside."""
    with subprocess.Popen(["sleep", "1000"]) as victim:

        async def story(sandbox):
            _, words = await said(sandbox, "ls /proc | grep -E '^[0-9]+$'")
            assert len(words.split()) < 6
            assert (await said(sandbox, f"kill -9 {victim.pid}"))[0] != 0
            await said(sandbox, "kill -9 -1")

        live(story, checkout)
        assert victim.poll() is None
        victim.kill()


def test_nobody_inside_gains_power(live, said, checkout):
    """No capability, no new user namespace to find one in, and the kernel's switches cannot be moved.

    Whoever runs us as root owns those switches in any namespace: only a cover keeps core_pattern, which would have the
    host run a program, out of a worker's hands.
    """

    async def story(sandbox):
        assert await said(
            sandbox, "id -u; grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status | cut -f2 | uniq"
        ) == (
            0,
            "1000\n0000000000000000\n1\n",
        )
        assert (await said(sandbox, "unshare -Urm true"))[0] != 0
        assert (await said(sandbox, "mount -t tmpfs none /tmp"))[0] != 0
        assert await said(sandbox, "find /proc/sys -writable 2>/dev/null | head -1") == (0, "")
        with pytest.raises(OSError):
            await sandbox.write("/proc/sys/kernel/core_pattern", b"|/repo/evil")

    live(story, checkout)


def test_typing_into_the_hosts_terminal_is_impossible(live, said, checkout):
    """There is no controlling terminal to push characters into."""

    async def story(sandbox):
        assert (await said(sandbox, ": < /dev/tty"))[0] != 0

    live(story, checkout)


def test_a_git_directory_made_by_a_worker_never_runs_anything_of_it_on_the_host(live, said, checkout, tmp_path):
    """THE escape: `.git` becomes a pointer to the worker's own git directory, with programs in its configuration.

    The host gets the work as a bundle made inside, fetched into a repository of its own: nothing of the worker's runs.
    That the trap is armed is shown last: the host's own `git status` in that checkout, which we never run, springs it.
    """
    pwned = tmp_path / "pwned"
    evil = f"#!/bin/sh\necho sprung > {pwned}\nprintf '\\0'\n"

    async def story(sandbox):
        await sandbox.write("evil.sh", evil.encode())
        git = "git -c user.email=w@example.com -c user.name=w"
        assert await said(
            sandbox,
            "set -e; chmod +x evil.sh; git init -q theirs -b main; mv theirs/.git hidden; rmdir theirs;"
            f" echo 'gitdir: hidden' > .git; git config core.worktree ..; echo work > work; {git} add work;"
            f" {git} commit -qm work; cp evil.sh hidden/hooks/reference-transaction;"
            " cp evil.sh hidden/hooks/post-index-change",
        ) == (0, "")
        traps = ("core.fsmonitor", "uploadpack.packObjectsHook", "core.sshCommand", "core.pager", "diff.external")
        for trap in traps:
            await said(sandbox, ["git", "config", trap, f"{checkout}/evil.sh"])
        finished, bundle = await said.finished(sandbox, "git bundle create -q - main 2>/dev/null")
        assert finished.exit_code == 0
        (tmp_path / "work.bundle").write_bytes(bundle)

    live(story, checkout)

    ours = str(tmp_path / "ours.git")
    quiet = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    git = ["git", "-c", "core.hooksPath=/dev/null"]
    subprocess.run([*git, "init", "-q", "--bare", ours], env=quiet, check=True)
    fetch = [*git, "-C", ours, "fetch", "-q", str(tmp_path / "work.bundle"), "main:refs/heads/work"]
    subprocess.run(fetch, env=quiet, check=True)
    shown = subprocess.run(
        [*git, "-C", ours, "show", "work:work"], env=quiet, check=True, capture_output=True, text=True
    )
    assert shown.stdout == "work\n"
    assert not pwned.exists()

    subprocess.run([*git, "-C", str(checkout), "status"], env=quiet, check=False, capture_output=True)
    assert pwned.exists(), "the trap was not armed: this test proves nothing"


def test_a_worker_cannot_have_a_folder_of_the_host_shown_to_the_next_sandbox(live, said, checkout, tmp_path):
    """What a checkout says it borrows objects from is a worker's word, and nobody follows it."""
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    (checkout / ".git" / "objects" / "info").mkdir(parents=True)
    (checkout / ".git" / "objects" / "info" / "alternates").write_text(f"{other}/.git/objects\n")

    async def sees_nothing(sandbox):
        assert (await said(sandbox, ["ls", f"{other}/.git/objects"]))[0] != 0

    live(sees_nothing, checkout)


def test_a_folder_in_memory_is_full_before_the_hosts_memory_is(live, said, checkout):
    """A program that writes for ever is told that there is no more room; the host never hears of it."""

    async def story(sandbox):
        exit_code, text = await said(sandbox, "df -B1 --output=size /tmp /var/tmp /home/worker | sort -u")
        assert exit_code == 0 and set(text.split()) == {"1B-blocks", str(LARGEST_FOLDER)}

    live(story, checkout)
