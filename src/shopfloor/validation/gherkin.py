"""Gherkin feature files as contracts: each scenario is an assertion, each row of its examples one more.

Parsing is gherkin-official's, the reference; here is only what a scenario means as an assertion. A tag gives the id
(@VAL-CART-001), the surface (@web), or says that it holds already (@guard).
"""

import re
from collections.abc import Iterable
from typing import Any, cast, get_args

from shopfloor.domain.contract import Assertion, Contract, Surface
from shopfloor.domain.errors import GiveUp
from shopfloor.validation.contract_file import Draft

_KEYWORDS = {"Context": "Given", "Action": "When", "Outcome": "Then", "Conjunction": "And"}
"""A contract speaks English, whatever language a feature file is written in."""
_SURFACES: tuple[str, ...] = get_args(Surface)


def parse_feature(text: str, name: str = "the feature file") -> dict[str, Any]:
    """The syntax tree of a feature file, as the reference parser gives it. GiveUp names every line it refuses."""
    from gherkin.errors import CompositeParserException, ParserError
    from gherkin.parser import Parser

    try:
        return cast("dict[str, Any]", Parser().parse(text))
    except CompositeParserException as refused:
        problems = "\n".join(f"- line {problem}" for problem in refused.errors)
        raise GiveUp(f"{name} is no Gherkin:\n{problems}") from refused
    except ParserError as refused:
        raise GiveUp(f"{name} is no Gherkin: {refused}") from refused


def read_feature(text: str, name: str = "the feature file", surface: Surface = "web") -> Draft:
    """The contract that a feature file is; `surface` is for scenarios that say none. GiveUp when it is no Gherkin."""
    feature = parse_feature(text, name).get("feature")
    if feature is None:
        return Draft(contract=Contract(title=name, assertions=()))
    area = re.sub(r"[^A-Z0-9]+", "-", feature["name"].upper()).strip("-")[:20].strip("-") or "FEATURE"
    found: list[Assertion] = []
    for scenario, background in _scenarios(feature["children"], ""):
        tags = [tag["name"].removeprefix("@") for tag in (*feature["tags"], *scenario["tags"])]
        said = next((tag for tag in tags if tag.upper().startswith("VAL-")), "")
        for values in _rows(scenario):
            found.append(
                Assertion(
                    id=said if said and len(_rows(scenario)) == 1 else f"VAL-{_letters(area)}-{len(found) + 1:03}",
                    title=_filled(scenario["name"], values),
                    behaviour="\n".join(filter(None, (background, _steps(scenario, values)))),
                    surface=cast("Surface", next((tag for tag in tags if tag in _SURFACES), surface)),
                    kind="guard" if "guard" in tags else "new",
                )
            )
    published = feature["description"].strip()
    return Draft(contract=Contract(title=feature["name"] or name, assertions=tuple(found), published=published))


def _letters(area: str) -> str:
    """An area begins with a letter."""
    return area if area[0].isalpha() else f"F-{area}"


def _scenarios(children: Iterable[dict[str, Any]], background: str) -> list[tuple[dict[str, Any], str]]:
    """Every scenario with the background before it; a rule's own comes after the feature's."""
    found: list[tuple[dict[str, Any], str]] = []
    for child in children:
        if "background" in child:
            background = "\n".join(filter(None, (background, _steps(child["background"], {}))))
        elif "scenario" in child:
            found.append((child["scenario"], background))
        elif "rule" in child:
            found += _scenarios(child["rule"]["children"], background)
    return found


def _rows(scenario: dict[str, Any]) -> list[dict[str, str]]:
    """The values of each row of its examples; one empty row for a scenario without any."""
    rows: list[dict[str, str]] = []
    for table in scenario["examples"]:
        if "tableHeader" in table:
            names = [cell["value"] for cell in table["tableHeader"]["cells"]]
            rows += [
                dict(zip(names, (cell["value"] for cell in row["cells"]), strict=True)) for row in table["tableBody"]
            ]
    return rows or [{}]


def _steps(scenario: dict[str, Any], values: dict[str, str]) -> str:
    return "\n".join(_step(step, values) for step in scenario["steps"])


def _step(step: dict[str, Any], values: dict[str, str]) -> str:
    keyword = _KEYWORDS.get(step["keywordType"], step["keyword"].strip())
    lines = [_filled(f"{keyword} {step['text']}", values)]
    if "docString" in step:
        lines += ['"""', _filled(step["docString"]["content"], values), '"""']
    if "dataTable" in step:
        cells = ([_filled(cell["value"], values) for cell in row["cells"]] for row in step["dataTable"]["rows"])
        lines += [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join(lines)


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text
