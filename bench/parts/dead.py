"""Ways in which a TodoMVC app can look alive and be dead: scripts that come before all of its own.

Each breaks the assertions that need what it takes away, found by name or by what their steps do; everything else in
the app goes on working. It does not know any app.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from shopfloor.domain.contract import Contract


@dataclass(frozen=True)
class Dead:
    """A way to be dead: a script that comes before all others, or a page in place of the app's."""

    name: str
    breaks: frozenset[str]
    script: str = ""
    page: str = ""


DEAF = """
const deaf = (types, when) => types.forEach(type => addEventListener(type, event => {
  if (when(event)) { event.stopImmediatePropagation(); event.preventDefault(); }
}, true));
const within = selector => event => event.composedPath().some(node => node.matches && node.matches(selector));
const keys = ['keydown', 'keypress', 'keyup'];
"""
NAMED = {
    "deaf to double clicks": ("deaf(['dblclick'], () => true)", (14, 15, 16, 17, 18, 19)),
    "deaf to Escape": ("deaf(keys, event => event.key === 'Escape')", (19,)),
    "deaf to leaving a field": (
        "['blur', 'focusout', 'change'].forEach(type => addEventListener(type, event => {"
        " if (within('.edit')(event)) event.stopImmediatePropagation(); }, true))",
        (16,),
    ),
    "removes nothing": ("deaf(['click', 'mousedown', 'mouseup'], within('.destroy'))", (30,)),
    "forgets at a reload": (
        "const memory = Object.create({"
        " getItem(key) { return Object.hasOwn(this, key) ? this[key] : null },"
        " setItem(key, value) { this[key] = String(value) }, removeItem(key) { delete this[key] },"
        " clear() { Object.keys(this).forEach(key => delete this[key]) },"
        " key(place) { return Object.keys(this)[place] ?? null }});"
        "Object.defineProperty(window, 'localStorage', {get: () => memory})",
        (24,),
    ),
    "does not go back": (
        "addEventListener('click', event => {"
        " const link = event.target.closest && event.target.closest('.filters a, #filters a');"
        " if (link) { event.preventDefault(); location.replace(link.href); }}, true)",
        (26,),
    ),
}
"""A script, and the numbers of the assertions that it breaks."""
ENTER_COUNTS = """
let seen = 0, down = false;
deaf(keys, event => {
  if (event.key !== 'Enter') return false;
  if (event.type === 'keydown') seen += 1;
  return seen > ALLOWED;
});
deaf(['submit', 'change'], event => seen > ALLOWED && within('.new-todo, #new-todo, form')(event));
"""
SAME_TITLES = """
new MutationObserver(() => document.querySelectorAll('.todo-list label, #todo-list label').forEach(label => {
  if (label.textContent !== 'Buy milk') label.textContent = 'Buy milk';
})).observe(document, {subtree: true, childList: true, characterData: true});
"""


def ways_to_be_dead(contract: Contract) -> Iterator[Dead]:
    """Each with the assertions that it must fail on."""
    for name, (script, numbers) in NAMED.items():
        yield Dead(
            name=name, breaks=frozenset(f"VAL-TODO-{number:03}" for number in numbers), script=in_own_scope(script)
        )
    for allowed, name in ((0, "takes no todo"), (1, "takes one todo only")):
        broken = frozenset(one.id for one in contract.assertions if added(one.steps) > allowed)
        yield Dead(name=name, breaks=broken, script=in_own_scope(ENTER_COUNTS.replace("ALLOWED", str(allowed))))
    read = frozenset(one.id for one in contract.assertions if any(step.startswith("read @title") for step in one.steps))
    yield Dead(name="shows the same title always", breaks=read, script=in_own_scope(SAME_TITLES))


def in_own_scope(script: str) -> str:
    """A script that leaves no name behind."""
    return f"(() => {{{DEAF}{script}}})()"


def added(steps: tuple[str, ...]) -> int:
    """How many todos these steps add before they do anything else that Enter is pressed for."""
    return sum(step.startswith("fill @new-todo") and then == "press Enter" for step, then in pairwise(steps))
