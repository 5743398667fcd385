"""Small exercises to try a factory on: a stub, its instructions, its tests, and a solution that is known to be right.

Read from folders as Exercism's Python track has them. It does not know who will solve them, nor how.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from shopfloor.domain.contract import Check
from shopfloor.domain.fact import Fact
from shopfloor.domain.mission import Verdict
from shopfloor.testing.courtroom import Changes, Courtroom

ASSERTION = "VAL-EXERCISE-001"
VISIBLE = "visible_test.py"
MOST_VISIBLE = 2


class Exercise(Fact):
    """What is to be solved in `module`.py. `tests` stays sealed; a repository shows a slice of it."""

    name: str
    module: str
    stub: str
    tests: str
    reference: str
    instructions: str = ""
    support: Mapping[str, str] = {}
    """Files that the tests need and the repository has."""

    @property
    def test_module(self) -> str:
        return f"{self.module}_test"

    @property
    def test_path(self) -> str:
        return f"{self.test_module}.py"

    @property
    def repository(self) -> dict[str, str]:
        """What the repository holds before anybody works on it."""
        return {
            f"{self.module}.py": self.stub,
            "INSTRUCTIONS.md": self.instructions,
            VISIBLE: visible_slice(self.tests),
            **self.support,
        }

    @property
    def check(self) -> Check:
        """The sealed check: all tests of the exercise."""
        return self.check_by("python3 -m unittest {module}")

    def check_by(self, command: str) -> Check:
        """The same by another runner; `{module}` in its command stands for the tests' module."""
        return Check(assertions=(ASSERTION,), command=command.format(module=self.test_module), files=(self.test_path,))

    @property
    def solution(self) -> dict[str, str]:
        """The files of a right solution."""
        return {f"{self.module}.py": self.reference}

    @property
    def test_count(self) -> int:
        return sum(len(_tests_of(node)) for node in ast.walk(ast.parse(self.tests)) if isinstance(node, ast.ClassDef))

    @property
    def names(self) -> tuple[str, ...]:
        """What the tests ask of the module."""
        tree = ast.parse(self.tests)
        imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == self.module]
        found = [one.name for node in imported for one in node.names]
        found += [
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.module
        ]
        return tuple(dict.fromkeys(found))


def read_exercises(folder: Path) -> Iterator[Exercise]:
    """The exercises below a folder, by name."""
    for place in sorted(path for path in folder.iterdir() if (path / ".meta" / "example.py").is_file()):
        yield read_exercise(place)


def read_exercise(place: Path) -> Exercise:
    """One exercise."""
    module = place.name.replace("-", "_")
    known = {f"{module}.py", f"{module}_test.py"}
    support = {path.name: path.read_text() for path in sorted(place.glob("*.py")) if path.name not in known}
    return Exercise(
        name=place.name,
        module=module,
        stub=(place / f"{module}.py").read_text(),
        tests=(place / f"{module}_test.py").read_text(),
        reference=(place / ".meta" / "example.py").read_text(),
        instructions=(place / ".docs" / "instructions.md").read_text(),
        support=support,
    )


def visible_slice(tests: str) -> str:
    """The tests with only the first two of their test methods, or half of them where there are fewer than four."""
    tree = ast.parse(tests)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods = [test for node in classes for test in _tests_of(node)]
    kept = methods[: max(1, min(MOST_VISIBLE, len(methods) // 2))]
    for node in classes:
        node.body = [part for part in node.body if part not in methods or part in kept] or [ast.Pass()]
    return ast.unparse(tree) + "\n"


def _tests_of(node: ast.ClassDef) -> list[ast.stmt]:
    return [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name.startswith("test")]


async def judged(room: Courtroom, exercise: Exercise, changes: Changes, command: str = "") -> Verdict:
    """What scrutiny says of these changes, by the sealed tests of the exercise."""
    check = exercise.check_by(command) if command else exercise.check
    sealed = room.sealed((check,), {exercise.test_path: exercise.tests})
    # The visible tests fail on a stub, so they refuse nobody: the sealed ones and the rules about tampering must.
    return await room.judge(room.commit(changes), sealed, failing_on_base=("tests",))
