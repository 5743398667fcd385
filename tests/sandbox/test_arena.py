"""The arena: one network, two views. The judge never sees what it judges, however it looks."""

import subprocess
import sys
import textwrap

import anyio
import pytest

from shopfloor.sandbox.probe import probe
from shopfloor.sandbox.protocol import Mount

pytestmark = pytest.mark.usefixtures("arena_works")

SERVE = textwrap.dedent("""
    import http.server, sys
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = open("/repo/page.html", "rb").read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *words): pass
    server = http.server.ThreadingHTTPServer(("", 8000), Page)
    print("serving", flush=True)
    server.serve_forever()
""")

BROWSE = textwrap.dedent("""
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        browser = chromium.launch(executable_path={chromium!r}, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page()
        page.goto("http://localhost:8000/")
        print(page.get_by_role("heading").inner_text())
        page.screenshot(path="/evidence/page.png")
        browser.close()
""")


def test_the_app_sees_its_source_and_the_judge_nothing_of_it(live, said, checkout):
    """Not at /repo, not through /proc, not in any mount, not by walking up from a process of the app."""
    (checkout / "canary-source.py").write_text("CANARY_SOURCE = 1")

    async def story(sandbox):
        app = await sandbox.open("cd /repo && sleep 1000", view="app")
        assert await said(sandbox, "pwd; cat canary-source.py") == (0, "/repo\nCANARY_SOURCE = 1")
        assert await sandbox.read("canary-source.py", 6) == b"CANARY"
        look = "ls -d /repo /.proc; find / -name 'canary-source*' 2>/dev/null; grep -s repo /proc/self/mountinfo"
        look += "; cat /proc/*/cwd/canary-source.py /proc/*/root/repo/canary-source.py; ls /proc | grep -cE '^[0-9]+$'"
        _, words = await said(sandbox, look, view="judge")
        lines = [line for line in words.splitlines() if "No such file" not in line]
        assert [line for line in lines if "canary" in line.lower() or "repo" in line] == []
        assert int(lines[-1]) < 6
        await app.kill()

    live(story, checkout, arena=True)


def test_both_share_a_network_that_leads_nowhere_else(live, said, checkout):
    """The judge reaches the app at localhost:8000; neither reaches a server of the host."""
    (checkout / "page.html").write_text("<h1>Hello judge</h1>")
    fetch = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
    host = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=checkout,
    )  # fmt: skip
    with host:
        assert host.stdout
        port = host.stdout.readline().split(" port ")[1].split()[0]

        async def story(sandbox):
            app = await sandbox.open(["python3", "-c", SERVE])
            assert await app.read() == b"serving\n"
            heard = await said(sandbox, ["python3", "-c", fetch, "http://localhost:8000/"], view="judge")
            assert heard == (0, "<h1>Hello judge</h1>\n")
            for view in ("app", "judge"):
                code, words = await said(sandbox, ["python3", "-c", fetch, f"http://127.0.0.1:{port}/"], view=view)
                assert (code, "refused" in words) == (1, True)

        live(story, checkout, arena=True)
        host.terminate()


def test_what_one_view_keeps_the_other_cannot_touch(live, said, checkout, tmp_path):
    """Temporary files, homes and processes are each view's own; so is a mount that names its view."""
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    mount = Mount(source=str(evidence), target="/evidence", writable=True, view="judge")

    async def story(sandbox):
        assert (await said(sandbox, "echo app > /tmp/x; echo app > ~/x; mkfifo /tmp/f"))[0] == 0
        assert await said(sandbox, "cat /tmp/x ~/x", view="app") == (0, "app\napp\n")
        assert (await said(sandbox, "cat /tmp/x", view="judge"))[0] != 0
        assert (await said(sandbox, "cat ~/x", view="judge"))[0] != 0
        assert (await said(sandbox, "echo seen > /evidence/note", view="judge"))[0] == 0
        assert (await said(sandbox, "ls /evidence", view="app"))[0] != 0
        process = await sandbox.open("sleep 1000", view="judge")
        await said(sandbox, "kill -9 -1", view="app")
        with anyio.move_on_after(0.3) as scope:
            await process.wait()
        assert scope.cancelled_caught

    live(story, checkout, arena=True, mounts=(mount,))
    assert (evidence / "note").read_text() == "seen\n"


def test_no_view_can_look_into_the_shell_around_it(live, said, checkout):
    """The outer shell keeps a whole /proc for the kernel's sake: no path leads there from a view, nor for the host's
    file calls, which serve models too."""

    async def story(sandbox):
        for view in ("app", "judge"):
            assert (await said(sandbox, "ls /.proc", view=view))[0] != 0
            assert await said(sandbox, "find /proc/sys -writable 2>/dev/null | head -1", view=view) == (0, "")
            assert (await said(sandbox, "unshare -Ur true", view=view))[0] != 0
        with pytest.raises(FileNotFoundError):
            await sandbox.read("/.proc/1/environ", 10)

    live(story, checkout, arena=True)


def test_a_judge_drives_a_browser_against_the_app(live, said, checkout, tmp_path):
    """Chromium starts in the judge's view, loads the page that the app serves, and its picture reaches the host."""
    if not probe().chromium:
        pytest.skip(probe().why_no_chromium)
    pytest.importorskip("playwright")
    (checkout / "page.html").write_text("<h1>Hello judge</h1>")
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    mount = Mount(source=str(evidence), target="/evidence", writable=True, view="judge")

    async def story(sandbox):
        app = await sandbox.open(["python3", "-c", SERVE])
        assert await app.read() == b"serving\n"
        browse = [sys.executable, "-c", BROWSE.format(chromium=probe().chromium)]
        assert await said(sandbox, browse, view="judge", timeout_s=50) == (0, "Hello judge\n")

    live(story, checkout, arena=True, mounts=(mount,))
    assert (evidence / "page.png").read_bytes().startswith(b"\x89PNG")


def test_without_enforcement_views_are_one(live, said, checkout):
    """At level `none` a judge is an ordinary process: whoever uses it must say that independence is not enforced."""
    (checkout / "source").write_text("seen")

    async def story(sandbox):
        assert sandbox.level == "none"
        assert await said(sandbox, "cat source", view="judge") == (0, "seen")

    live(story, checkout, "none", arena=True)
