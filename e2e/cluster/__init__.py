"""A local Kubernetes control plane for the tests and the demo, made of real binaries and fake machines.

The API server, etcd, the controllers and the scheduler are the released programs; only the Nodes and what
runs on them are played by kwok. Standard library only, because it runs before anything is installed.
"""

from e2e.cluster.choice import Backend
from e2e.cluster.cluster import Cluster
from e2e.cluster.errors import ClusterError, CommandError
from e2e.cluster.start import find_cluster, start_cluster

__all__ = ["Backend", "Cluster", "ClusterError", "CommandError", "find_cluster", "start_cluster"]
