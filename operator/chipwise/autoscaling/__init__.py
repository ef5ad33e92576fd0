"""What Cluster Autoscaler and Karpenter are told, and what they tell us. Pure: the loops that write are in ``control``."""
