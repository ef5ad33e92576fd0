"""Lays a variant over the author's Deployment, and takes it off again. Pure: documents in, documents out.

manifest    what of a Deployment chipwise may write, and why it may be refused
vocabulary  which resource, label and taint keys speak of a chip
target      where to: chips, pool terms, tolerations, container patch
render      base + target -> Deployment          (container, arguments, affinity, defaults do the parts)
intent      a foreign write over our rendering -> the author's new base
record      what is kept on the Deployment so that it can be taken off again
write       the atomic writes, as JSON Patch
location    which container serves, what it asks for; constraints, footprint and quantity read the rest
"""
