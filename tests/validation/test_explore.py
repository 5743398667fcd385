"""What an explorer is told: its whole first prompt, and every line that it may say."""

from collections.abc import Callable

from shopfloor.agent.roles import ROLES
from shopfloor.domain.contract import Assertion, Contract
from shopfloor.domain.messages import ConversationKey
from shopfloor.domain.spending import Budget
from shopfloor.validation.drivers.steps import PHRASES, language
from shopfloor.validation.explore import Expedition, first_prompt
from shopfloor.validation.judging import Elsewhere

CONTRACT = Contract(
    title="Orders",
    published="A page at `/` with a table of orders.",
    names=(("rows", 'element "tr" in class "orders"'),),
    assertions=(
        Assertion(
            id="VAL-ORDER-003",
            title="an order is added",
            behaviour="When a title is entered and Add is clicked, then the order shall be listed.",
            negative="an order that is gone after a reload",
            surface="web",
            controls=("reload", "two inputs"),
        ),
    ),
)


def test_the_first_prompt_of_an_explorer_is_what_its_golden_file_says(golden: Callable[[str, str], None]) -> None:
    """Prompts are product copy: every change of them is seen, and meant."""
    system, task = first_prompt(
        Expedition(
            key=ConversationKey(mission="explore-orders", role="explorer"),
            contract=CONTRACT,
            site=Elsewhere(url="http://localhost:8000"),
            wanted=CONTRACT.assertions,
            budget=Budget(),
        )
    )
    role = ROLES["explorer"]
    names = ", ".join((*role.tools, role.finish))

    golden("prompts/explorer.md", f"<!-- system -->\n{system}\n<!-- task -->\n{task}\n<!-- tools: {names} -->\n")


def test_the_language_tells_every_phrase_there_is() -> None:
    """One line each, without the braces that mark its gaps."""
    said = language().splitlines()

    assert len(said) == len(PHRASES)
    assert not any("{" in line for line in said if "JSON}" not in line)
    assert 'fill TARGET with "TEXT"' in said and "exit code is CODE" in said
