"""`make demo`: chipwise moves real Deployments on a real control plane, and every claim is checked while one watches."""
