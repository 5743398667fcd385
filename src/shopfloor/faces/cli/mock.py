"""`shopfloor mock-provider`: the scripted provider, as a command."""

from pathlib import Path

from shopfloor.models.mock_provider import serve as serve_provider


def serve(port: int, script: Path | None) -> None:
    """Serves until interrupted."""
    serve_provider(port, script)
