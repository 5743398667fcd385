"""What a model gets to see: prompts put together from fragments, and how well the prefix cache served them."""
