"""What a run shows: its understanding of the data, its progress, its findings."""
