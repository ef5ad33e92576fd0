"""What ``chipwise estimate`` answers: one case, a table of rows, or the frontier of cost and latency."""
