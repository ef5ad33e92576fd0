"""What autoscalers are told: pure rendering of decisions into their own objects."""
