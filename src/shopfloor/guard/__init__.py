"""What is allowed. Pure decisions over values; nothing here reads, writes or runs anything."""
