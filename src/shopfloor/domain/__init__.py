"""The words of the factory: facts, errors, and the protocols that lower rooms call upward through."""
