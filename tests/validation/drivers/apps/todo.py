"""A small real app: a to-do page with a JSON interface, and some ways to misbehave. `python todo.py PORT`."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STORE = Path("todos.json")
PAGE = Path(__file__).with_name("todo.html")


class Todo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match self.path:
            case "/":
                self.answer(200, PAGE.read_bytes(), "text/html; charset=utf-8")
            case "/dead":
                self.answer(200, PAGE.with_name("dead.html").read_bytes(), "text/html; charset=utf-8")
            case page if page.endswith(".html"):
                self.answer(200, PAGE.with_name(page[1:]).read_bytes(), "text/html; charset=utf-8")
            case "/todos":
                self.answer(200, json.dumps(todos()).encode())
            case "/login":
                self.answer(302, b"", extra={"Location": "/me", "Set-Cookie": "who=ada; HttpOnly"})
            case "/me":
                known = "who=ada" in self.headers.get("Cookie", "")
                self.answer(200 if known else 401, b'{"name": "ada"}' if known else b'{"error": "who are you?"}')
            case "/slow":
                time.sleep(30)
            case "/garbage":
                self.wfile.write(b"\x00\xff\xfe garbage\r\n\r\n")
                self.close_connection = True
            case "/binary":
                self.answer(200, bytes(range(256)), "application/octet-stream")
            case "/cut":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"half a body")
                self.close_connection = True
            case "/crash":
                os._exit(3)
            case _:
                self.answer(404, b'{"error": "not here"}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        STORE.write_text(json.dumps([*todos(), body["title"]]))
        self.answer(201, json.dumps(body).encode())

    def answer(
        self, status: int, body: bytes, kind: str = "application/json", extra: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def todos() -> list[str]:
    return json.loads(STORE.read_text()) if STORE.exists() else []


print("to-do app starting", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Todo).serve_forever()
