"""What we believe about the cluster: raw documents become facts, facts become a snapshot, a snapshot becomes a problem."""
