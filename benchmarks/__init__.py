"""Every figure that the README states: a size, a count, or seconds and ratios within one run. ``python -m benchmarks`` measures them."""
