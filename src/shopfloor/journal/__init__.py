"""What happened, append-only: streams of facts, the leases that fence their writers, and the blobs they name."""
