"""Finds things on a page as a user would name them: in the page itself, or else in a frame that it shows.

It does not know what is done with them.
"""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shopfloor.validation.drivers.hands.wire import Where

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Locator, Page

Names = dict[str, tuple[tuple[Where, ...], ...]]
"""What published names stand for: ways that lead to a thing."""
MOST_FRAMES = 20
FRAME_S = 0.5
"""How long a frame may take to answer."""
_HOLD_WORDS = ("listitem", "paragraph", "article", "blockquote", "term", "definition", "status", "alert", "log")
"""Roles of things that are named by nothing but what is read in them."""


def playwright():
    """The library, imported when a browser is first wanted: it is optional, and takes half a second."""
    from playwright import sync_api

    return sync_api


def shown_frames(page: "Page") -> "tuple[Frame, ...]":
    """The page itself, and the frames in it that can be seen and answer; none that lies in one which cannot."""
    shown = [page.main_frame]
    for frame in page.frames[1 : MOST_FRAMES + 1]:
        with contextlib.suppress(playwright().Error):  # it has just gone, or hangs
            if frame.parent_frame in shown and frame.frame_element().is_visible():
                frame.locator("html").wait_for(state="attached", timeout=FRAME_S * 1000)
                shown.append(frame)
    return tuple(shown)


def found(scope: "Frame | Locator", where: Sequence[Where], names: Names) -> "Locator":
    """The things that a way leads to, from the outermost container inward."""
    for step in where[:-1]:
        scope = _container(scope, step, names)
    return _things(scope, where[-1], names)


def _things(scope: "Frame | Locator", step: Where, names: Names) -> "Locator":
    """The things at one step of the way; by a published name, all that it may stand for."""
    if step.by != "published":
        return _by_itself(scope, step)
    if step.role not in names:
        raise playwright().Error(f"no @{step.role} is published")
    first, *others = (found(scope, way, names) for way in names[step.role])
    every = first
    for other in others:
        every = every.or_(other)
    if step.name:
        every = every.filter(has_text=step.name)
    return every.nth(step.number - 1) if step.number else every


def _container(scope: "Frame | Locator", step: Where, names: Names) -> "Locator":
    """Containers seldom have a name of their own, so what stands in them counts as one."""
    if step.by != "role" or not step.name:
        return _things(scope, step, names)
    named = scope.get_by_role(step.role, name=step.name, exact=True)  # type: ignore[arg-type]
    either = named.or_(scope.get_by_role(step.role).filter(has_text=step.name))  # type: ignore[arg-type]
    return either.nth(step.number - 1) if step.number else either


def _by_itself(scope: "Frame | Locator", step: Where) -> "Locator":
    match step.by:
        case "label":
            # the words of a label around a drop-down list include its options: its name as a list does not
            by_name = scope.get_by_role("combobox", name=step.name, exact=True)
            things = scope.get_by_label(step.name, exact=True).or_(by_name)
        case "placeholder":
            things = scope.get_by_placeholder(step.name, exact=True)
        case "testid":
            things = scope.get_by_test_id(step.name)
        case "text":
            things = scope.get_by_text(step.name)
        case "class":
            things = scope.locator(f'[class~="{step.name}"]')
        case "id":
            things = scope.locator(f'[id="{step.name}"]')
        case "element":
            things = scope.locator(step.name)
        case _ if step.name and step.role in _HOLD_WORDS:
            things = scope.get_by_role(step.role).filter(has_text=step.name)  # type: ignore[arg-type]
        case _ if step.name:
            things = scope.get_by_role(step.role, name=step.name, exact=True)  # type: ignore[arg-type]
        case _:
            things = scope.get_by_role(step.role)  # type: ignore[arg-type]
    return things.nth(step.number - 1) if step.number else things


# --- what a click should meet -----------------------------------------------------------------------------------

_HAS_LABEL = (
    "e => /^(checkbox|radio)$/.test(e.type) && (e.labels.length || e.nextElementSibling?.localName === 'label')"
)
_IS_HIT = """e => {
    const b = e.getBoundingClientRect();
    const hit = e.getRootNode().elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
    return hit === e && b.width > 2 && b.height > 2;
}"""
"""Whether a click in the middle of it would reach it."""


def as_seen(thing: "Locator", frame: "Frame", patience: float) -> "Locator":
    """What a user would click: a box that is drawn by its label is ticked by clicking the label."""
    if not thing.evaluate(_HAS_LABEL, timeout=patience):
        return thing
    thing.scroll_into_view_if_needed(timeout=patience)
    if thing.evaluate(_IS_HIT, timeout=patience):
        return thing
    return frame.locator("label").filter(visible=True).and_(_labels_of(thing, frame)).first


def _labels_of(thing: "Locator", frame: "Frame") -> "Locator":
    """The labels that a box has: around it, with its id, or else the one drawn in its place, right behind it."""
    named = thing.get_attribute("id") or ""
    own = thing.locator("xpath=ancestor::label").or_(frame.locator(f'label[for="{named}"]'))
    return own if own.count() else thing.locator("xpath=following-sibling::*[1][self::label]")
