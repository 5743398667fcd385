"""The RealWorld API (Conduit) in memory, as small as it can honestly be: what contract.md is judged on.

    PORT=8000 python3 app.py

Nothing is kept when it ends. It knows no passwords worth keeping, no database and no pages.
"""

import json
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

Body: TypeAlias = dict[str, Any] | None


class Refused(Exception):
    """An answer that is no success: its status, and what is wrong."""

    def __init__(self, status: int, problem: str = "") -> None:
        super().__init__(problem)
        self.status = status
        self.body: Body = {"errors": {"body": [problem]}} if problem else None


@dataclass(eq=False)
class User:
    username: str
    email: str
    password: str
    bio: str = ""
    image: str = ""
    follows: set["User"] = field(default_factory=set)


@dataclass(eq=False)
class Comment:
    id: int
    body: str
    author: User
    written: str


@dataclass(eq=False)
class Article:
    slug: str
    title: str
    description: str
    body: str
    tags: list[str]
    author: User
    written: str
    changed: str
    fans: set[User] = field(default_factory=set)
    comments: list[Comment] = field(default_factory=list)


@dataclass
class Request:
    """What was asked: what stands in the path, in the query and in the body, and by whom."""

    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    token: str

    def given(self, kind: str, *required: str) -> dict[str, Any]:
        """The fields of the one thing in the body."""
        fields = self.body.get(kind)
        if not isinstance(fields, dict):
            raise Refused(422, f"{kind} is missing")
        for name in required:
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise Refused(422, f"{name} can't be empty")
        return fields


class Conduit:
    """All that is known, and what each operation does with it."""

    def __init__(self) -> None:
        self.users: list[User] = []
        self.articles: list[Article] = []
        self.tokens: dict[str, User] = {}
        self.ids = count(1)

    # --- users ----------------------------------------------------------------------------------------------------

    def create_user(self, asked: Request) -> Body:
        given = asked.given("user", "username", "email", "password")
        self._refuse_taken(given, None)
        user = User(given["username"], given["email"], given["password"])
        self.users.append(user)
        return self._session(user)

    def login(self, asked: Request) -> Body:
        given = asked.given("user", "email", "password")
        for user in self.users:
            if (user.email, user.password) == (given["email"], given["password"]):
                return self._session(user)
        raise Refused(401)

    def get_current_user(self, asked: Request) -> Body:
        return self._session(self._someone(asked), asked.token)

    def update_current_user(self, asked: Request) -> Body:
        user, given = self._someone(asked), asked.given("user")
        self._refuse_taken(given, user)
        for name in ("username", "email", "password", "bio", "image"):
            setattr(user, name, given.get(name, getattr(user, name)))
        return self._session(user, asked.token)

    def _refuse_taken(self, given: dict[str, Any], but: User | None) -> None:
        for name in ("username", "email"):
            if any(getattr(user, name) == given.get(name) for user in self.users if user is not but):
                raise Refused(422, f"{name} has already been taken")

    def _session(self, user: User, token: str = "") -> Body:
        if not token:
            token = secrets.token_urlsafe(16)
            self.tokens[token] = user
        shown = {name: getattr(user, name) for name in ("username", "email", "bio", "image")}
        return {"user": {**shown, "token": token}}

    def _someone(self, asked: Request) -> User:
        user = self.tokens.get(asked.token)
        if user is None:
            raise Refused(401)
        return user

    # --- profiles -------------------------------------------------------------------------------------------------

    def get_profile(self, asked: Request) -> Body:
        return {"profile": self._profile(self._named(asked.path["username"]), asked)}

    def follow(self, asked: Request) -> Body:
        self._someone(asked).follows.add(self._named(asked.path["username"]))
        return self.get_profile(asked)

    def unfollow(self, asked: Request) -> Body:
        self._someone(asked).follows.discard(self._named(asked.path["username"]))
        return self.get_profile(asked)

    def _named(self, username: str) -> User:
        for user in self.users:
            if user.username == username:
                return user
        raise Refused(404, "there is no such user")

    def _profile(self, user: User, asked: Request) -> dict[str, Any]:
        viewer = self.tokens.get(asked.token)
        following = viewer is not None and user in viewer.follows
        return {"username": user.username, "bio": user.bio, "image": user.image, "following": following}

    # --- articles -------------------------------------------------------------------------------------------------

    def feed(self, asked: Request) -> Body:
        follows = self._someone(asked).follows
        return self._listed([one for one in self.articles if one.author in follows], asked)

    def get_articles(self, asked: Request) -> Body:
        tag, author, fan = (asked.query.get(name) for name in ("tag", "author", "favorited"))
        found = [
            one
            for one in self.articles
            if (tag is None or tag in one.tags)
            and (author is None or author == one.author.username)
            and (fan is None or fan in [user.username for user in one.fans])
        ]
        return self._listed(found, asked)

    def create_article(self, asked: Request) -> Body:
        author, given = self._someone(asked), asked.given("article", "title", "description", "body")
        words = re.sub(r"[^a-z0-9]+", "-", given["title"].lower()).strip("-")
        article = Article(
            slug=f"{words}-{next(self.ids)}",
            title=given["title"],
            description=given["description"],
            body=given["body"],
            tags=sorted(set(given.get("tagList") or [])),
            author=author,
            written=_now(),
            changed=_now(),
        )
        self.articles.append(article)
        return {"article": self._article(article, asked)}

    def get_article(self, asked: Request) -> Body:
        return {"article": self._article(self._at(asked), asked)}

    def update_article(self, asked: Request) -> Body:
        article, given = self._own(asked), asked.given("article")
        for name in ("title", "description", "body"):
            setattr(article, name, given.get(name, getattr(article, name)))
        article.changed = _now()
        return {"article": self._article(article, asked)}

    def delete_article(self, asked: Request) -> Body:
        self.articles.remove(self._own(asked))
        return None

    def favorite(self, asked: Request) -> Body:
        self._at(asked).fans.add(self._someone(asked))
        return self.get_article(asked)

    def unfavorite(self, asked: Request) -> Body:
        self._at(asked).fans.discard(self._someone(asked))
        return self.get_article(asked)

    def tags(self, asked: Request) -> Body:
        return {"tags": sorted({tag for article in self.articles for tag in article.tags})}

    def _at(self, asked: Request) -> Article:
        for article in self.articles:
            if article.slug == asked.path["slug"]:
                return article
        raise Refused(404, "there is no such article")

    def _own(self, asked: Request) -> Article:
        someone, article = self._someone(asked), self._at(asked)
        if article.author is not someone:
            raise Refused(403, "this article is somebody else's")
        return article

    def _listed(self, articles: list[Article], asked: Request) -> Body:
        """The newest first, and not their texts."""
        try:
            offset, limit = int(asked.query.get("offset", 0)), int(asked.query.get("limit", 20))
        except ValueError:
            raise Refused(422, "offset and limit are numbers") from None
        shown = [self._article(one, asked) for one in articles[::-1][offset : offset + limit]]
        return {
            "articles": [{name: value for name, value in one.items() if name != "body"} for one in shown],
            "articlesCount": len(articles),
        }

    def _article(self, article: Article, asked: Request) -> dict[str, Any]:
        return {
            "slug": article.slug,
            "title": article.title,
            "description": article.description,
            "body": article.body,
            "tagList": article.tags,
            "createdAt": article.written,
            "updatedAt": article.changed,
            "favorited": self.tokens.get(asked.token) in article.fans,
            "favoritesCount": len(article.fans),
            "author": self._profile(article.author, asked),
        }

    # --- comments -------------------------------------------------------------------------------------------------

    def get_comments(self, asked: Request) -> Body:
        return {"comments": [self._comment(one, asked) for one in self._at(asked).comments]}

    def create_comment(self, asked: Request) -> Body:
        author, article, given = self._someone(asked), self._at(asked), asked.given("comment", "body")
        comment = Comment(next(self.ids), given["body"], author, _now())
        article.comments.append(comment)
        return {"comment": self._comment(comment, asked)}

    def delete_comment(self, asked: Request) -> Body:
        someone, article = self._someone(asked), self._at(asked)
        for comment in article.comments:
            if str(comment.id) == asked.path["id"]:
                if someone not in (comment.author, article.author):
                    raise Refused(403, "this comment is somebody else's")
                article.comments.remove(comment)
                return None
        raise Refused(404, "there is no such comment")

    def _comment(self, comment: Comment, asked: Request) -> dict[str, Any]:
        written = {"createdAt": comment.written, "updatedAt": comment.written}
        return {"id": comment.id, "body": comment.body, **written, "author": self._profile(comment.author, asked)}


# --- the wire -----------------------------------------------------------------------------------------------------

ROUTES: tuple[tuple[str, str, int, Callable[[Conduit, Request], Body]], ...] = (
    ("POST", "/users/login", 200, Conduit.login),
    ("POST", "/users", 201, Conduit.create_user),
    ("GET", "/user", 200, Conduit.get_current_user),
    ("PUT", "/user", 200, Conduit.update_current_user),
    ("GET", "/profiles/{username}", 200, Conduit.get_profile),
    ("POST", "/profiles/{username}/follow", 200, Conduit.follow),
    ("DELETE", "/profiles/{username}/follow", 200, Conduit.unfollow),
    ("GET", "/articles/feed", 200, Conduit.feed),
    ("GET", "/articles", 200, Conduit.get_articles),
    ("POST", "/articles", 201, Conduit.create_article),
    ("GET", "/articles/{slug}", 200, Conduit.get_article),
    ("PUT", "/articles/{slug}", 200, Conduit.update_article),
    ("DELETE", "/articles/{slug}", 204, Conduit.delete_article),
    ("GET", "/articles/{slug}/comments", 200, Conduit.get_comments),
    ("POST", "/articles/{slug}/comments", 200, Conduit.create_comment),
    ("DELETE", "/articles/{slug}/comments/{id}", 204, Conduit.delete_comment),
    ("POST", "/articles/{slug}/favorite", 200, Conduit.favorite),
    ("DELETE", "/articles/{slug}/favorite", 200, Conduit.unfavorite),
    ("GET", "/tags", 200, Conduit.tags),
)


def matched(template: str, path: str) -> dict[str, str] | None:
    """What stands in the places of a path, if it is one of these."""
    names = re.findall(r"{(\w+)}", template)
    found = re.fullmatch(re.sub(r"{\w+}", "([^/]+)", f"/api{template}"), path)
    return dict(zip(names, map(unquote, found.groups()), strict=True)) if found else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    conduit = Conduit()
    one_at_a_time = Lock()

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        try:
            body = json.loads(sent) if sent else {}
            with self.one_at_a_time:
                status, shown = self.routed(body if isinstance(body, dict) else {})
        except ValueError:
            status, shown = 422, {"errors": {"body": ["this is no JSON"]}}
        except Refused as refused:
            status, shown = refused.status, refused.body
        self.send(status, shown)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - as the standard library wants them

    def routed(self, body: dict[str, Any]) -> tuple[int, Body]:
        """The status and the body of an answer."""
        parts = urlsplit(self.path)
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        for method, template, status, operation in ROUTES:
            path = matched(template, parts.path)
            if method == self.command and path is not None:
                asked = Request(path, dict(parse_qsl(parts.query)), body, token if kind == "Token" else "")
                return status, operation(self.conduit, asked)
        raise Refused(404, "there is nothing here")

    def send(self, status: int, body: Body) -> None:
        sent = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def serve(handler: type[Handler]) -> None:
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), handler).serve_forever()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    serve(Handler)
