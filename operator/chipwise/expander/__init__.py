"""``chipwise expander``: answers Cluster Autoscaler, pod by pod, which node group to grow. A process of its own that writes nothing."""
