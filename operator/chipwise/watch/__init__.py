"""The only place that imports kopf."""
