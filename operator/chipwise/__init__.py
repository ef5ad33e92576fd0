"""Moves Kubernetes inference Deployments onto the accelerators that serve them at the lowest cost per token."""
