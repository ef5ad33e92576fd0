"""One file per format that can be turned into manifests. Each has its click command; importing.py lists them."""
