"""`shopfloor mock-provider`: the scripted provider, as a command."""

from pathlib import Path

from shopfloor.models.mock_provider import MockProvider
from shopfloor.models.mock_provider import serve as serve_provider


def serve(port: int, script: Path | None) -> None:
    """Serves until interrupted; first of all, where."""
    serve_provider(port, script, _tell)


def _tell(provider: MockProvider) -> None:
    for name, value in provider.environment.items():
        print(f"export {name}={value}")
    print("# then, for example: shopfloor run TASK --model openai:any", flush=True)
