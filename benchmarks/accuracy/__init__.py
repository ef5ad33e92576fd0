"""How good the estimator is, on measurements that it has not seen: ``make accuracy`` and ``make calibrate``."""
