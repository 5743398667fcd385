"""Where commands of the repository under work run, and what they can reach. It knows no agent and no git."""
