"""The floor: the smallest agent loop there is, that needs nothing installed. `python bench/floor.py URL FOLDER`.

With `--kept` it gives what shopfloor gives, done the plain way: every command in a bubblewrap of its own, every fact
flushed to disk before the next thing happens. It does not know errors, limits, or when to stop but one.
"""

import argparse
import http.client
import json
import os
import subprocess
from typing import BinaryIO
from urllib.parse import urlsplit

TOOL = {
    "type": "function",
    "function": {
        "name": "shell",
        "description": "Run a shell command.",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    },
}
SANDBOX = [
    *("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/"),
    *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("folder")
    parser.add_argument("--kept", action="store_true")
    given = parser.parse_args()
    connection = http.client.HTTPConnection(urlsplit(given.url).netloc)
    journal = open(f"{given.folder}/facts", "wb") if given.kept else None  # noqa: SIM115, PTH123
    prompt = json.dumps({"model": "mock", "tools": [TOOL]})[:-1] + ', "messages": ['
    prompt += json.dumps({"role": "user", "content": "Run the shell commands you need, one per turn."})
    while True:
        connection.request("POST", "/v1/chat/completions", prompt + "]}", {"content-type": "application/json"})
        message = json.loads(connection.getresponse().read())["choices"][0]["message"]
        keep(journal, message)
        prompt += ", " + json.dumps(message)
        if not message.get("tool_calls"):
            return
        for call in message["tool_calls"]:
            command = json.loads(call["function"]["arguments"])["command"]
            keep(journal, {"called": call["id"]})
            words = [*(SANDBOX if given.kept else []), "bash", "-c", command]
            ran = subprocess.run(words, capture_output=True, text=True, check=False)
            result = {"role": "tool", "tool_call_id": call["id"], "content": f"exit {ran.returncode}\n{ran.stdout}"}
            keep(journal, result)
            prompt += ", " + json.dumps(result)


def keep(journal: BinaryIO | None, fact: object) -> None:
    if journal is not None:
        journal.write(json.dumps(fact).encode() + b"\n")
        journal.flush()
        os.fdatasync(journal.fileno())


if __name__ == "__main__":
    main()
