"""A story to test factories with: a small server learns to keep notes, and a judge who cannot read it tries it out.

The judge believes its eyes: it passes the work only if the note that it posted once is there once.
It does not know which factory plays it.
"""

from pathlib import Path

from shopfloor.domain.messages import ConversationKey, Message
from shopfloor.models.script import Answer, call_prefix, message_of
from shopfloor.models.scripted import ScriptedModel
from shopfloor.testing.workshop import Workshop, call, make_repository, plan

BRIEF = "Keep notes over HTTP"
MISSION = "keep-notes-over-http-1"
SERVER = """\
import http.server
import json
import os

NOTES = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(NOTES)

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
SERVER_TEST = """\
import unittest

import server


class ServerTest(unittest.TestCase):
    def test_begins_empty(self):
        self.assertEqual(server.NOTES, [])
"""
POSTING = """\
    def do_POST(self):
        NOTES.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.answer(NOTES)

    def answer"""
WITH_POST = SERVER.replace("    def answer", POSTING, 1)
PLAN = plan(
    "Notes",
    [
        {
            "id": "VAL-NOTES-001",
            "title": "a posted note is kept",
            "behaviour": "When milk is posted to /notes, then GET /notes returns a list that contains milk, once.",
            "surface": "http",
        }
    ],
    [{"id": "notes", "title": "Post notes", "description": "POST /notes", "claims": ["VAL-NOTES-001"]}],
    published="GET /notes and POST /notes, a JSON list of texts",
    start="python3 server.py",
)
BUILD = (
    call("write", path="server.py", content=WITH_POST),
    call("hand_off", summary="notes are kept", done="POST /notes", commands=[]),
)
REVIEW = (call("submit_review", findings=[]),)


def answer(key: ConversationKey, turn: int, newest: Message | None) -> Message:
    """What each role says at each turn; only the judge's last word depends on what it saw."""
    told: dict[str, tuple[Answer, ...]] = {
        "orchestrator": (PLAN,),
        "worker": BUILD,
        "reviewer": REVIEW,
        "user-tester": (
            call("request", method="POST", path="/notes", body="milk"),
            call("request", method="GET", path="/notes"),
            _verdict(newest),
        ),
    }
    return message_of(told[key.role][turn - 1], call_prefix(key, turn))


def _verdict(newest: Message | None) -> Answer:
    seen = "".join(result.text for result in newest.results) if newest else ""
    once = seen.startswith("[E2 ") and seen.count("milk") == 1
    reason = "" if once else f"posted milk once and saw: {seen}"
    word = {"assertion": "VAL-NOTES-001", "verdict": "passed" if once else "failed", "reason": reason}
    return call("submit_verdicts", verdicts=[{**word, "evidence": ["E2"]}])


def notes(folder: Path, *, tested: bool = True) -> Workshop:
    """A fresh workshop in a folder, with the small server and a model that plays the story."""
    files = {"server.py": SERVER, "test_server.py": SERVER_TEST} if tested else {"server.py": SERVER}
    repository = make_repository(folder / "repo", files)
    return Workshop(repository=repository, state=folder / "state", model=ScriptedModel(answer))
