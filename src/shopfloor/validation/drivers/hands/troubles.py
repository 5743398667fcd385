"""What goes wrong on the pages of one session, and answers to what they ask: errors, dialogs, downloads, lost requests.

Everything is kept in one line and within bounds: a page may shout without end. It does not know what was being done.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, WebError
    from playwright.sync_api import Request as Sent

MOST_KEPT = 50
"""Troubles of each sort that are kept; the others are counted."""
MOST_WINDOWS = 20
"""A page that opens windows without end would fill the memory of whoever looks."""
_ENDLESS = ("eventsource", "websocket", "media", "ping")


class Troubles:
    """Listens to all pages of a browser's session, from its beginning."""

    def __init__(self, context: "BrowserContext") -> None:
        self._context = context
        self._new: list[str] = []
        self._left_out = 0
        self.errors: list[str] = []
        """Errors of the pages themselves, all since the beginning."""
        self.open_requests: set[Sent] = set()
        self.accepts: bool | None = None
        """How dialogs are answered; None until somebody says so: no, but a page may be left that would rather not."""
        self.reply = ""
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        context.on("dialog", self._asked)
        context.on("page", self._opened)
        context.on("request", self._requested)
        context.on("requestfinished", self._request_finished)
        context.on("requestfailed", self._request_failed)

    def note(self, words: str) -> None:
        """Keeps a trouble until it is told."""
        if len(self._new) < MOST_KEPT:
            self._new.append(_one_line(words))
        else:
            self._left_out += 1

    def told(self) -> tuple[str, ...]:
        """What came since this was last asked, each trouble once."""
        more = [f"and {self._left_out} more"] if self._left_out else []
        said = tuple(dict.fromkeys([*self._new, *more]))
        self._new, self._left_out = [], 0
        return said

    def _heard(self, message: "ConsoleMessage") -> None:
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            self._went_wrong(f"console error: {message.text[:500]} ({message.location['url']})")

    def _failed(self, failure: "WebError") -> None:
        self._went_wrong(f"uncaught error: {str(failure.error)[:500]}")

    def _went_wrong(self, words: str) -> None:
        self.note(words)
        if len(self.errors) < MOST_KEPT:
            self.errors.append(_one_line(words))

    def _asked(self, dialog: "Dialog") -> None:
        if dialog.type == "beforeunload":
            yes, advice = self.accepts is not False, "who leaves a page means it, unless dialogs are dismissed"
        else:
            yes, advice = self.accepts is True, "say beforehand how dialogs are to be answered"
        self.note(f"{dialog.type} dialog {dialog.message[:500]!r} was {'accepted' if yes else 'dismissed'}; {advice}")
        if yes:
            dialog.accept(self.reply)
        else:
            dialog.dismiss()

    def _opened(self, page: "Page") -> None:
        page.on("crash", lambda _: self.note("the page crashed"))
        page.on("download", lambda file: self.note(f"a download began, and was not kept: {file.suggested_filename!r}"))
        if len(self._context.pages) > MOST_WINDOWS:
            self.note(f"a window was closed at once: {MOST_WINDOWS} are open already")
            page.close()

    def _requested(self, sent: "Sent") -> None:
        if sent.resource_type not in _ENDLESS:
            self.open_requests.add(sent)

    def _request_finished(self, sent: "Sent") -> None:
        self.open_requests.discard(sent)

    def _request_failed(self, sent: "Sent") -> None:
        self.open_requests.discard(sent)
        if sent.failure and "ERR_ABORTED" not in sent.failure and not sent.url.endswith("/favicon.ico"):
            self.note(f"request failed: {sent.method} {sent.url}: {sent.failure}")


def _one_line(words: str) -> str:
    return " ".join(words.split())
