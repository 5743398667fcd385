"""`python -m shopfloor`."""

from shopfloor.faces.cli import main

main()
