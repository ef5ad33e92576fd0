"""What the workload, its policy and the pool's owner allow."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Reason, Refusal


def allowed_variant(case: Case) -> Refusal | None:
    """``spec.allowedVariants``; empty allows all."""
    allowed = case.subject.workload.spec.allowed_variants
    if not allowed or case.variant.name in allowed:
        return None
    return Refusal(Reason.VARIANT_NOT_ALLOWED, f"spec.allowedVariants names only {', '.join(allowed)}")


def allowed_pool(case: Case) -> Refusal | None:
    """``spec.allowedPools``; empty allows all."""
    allowed = case.subject.workload.spec.allowed_pools
    if not allowed or case.pool.name in allowed:
        return None
    return Refusal(Reason.POOL_NOT_ALLOWED, f"spec.allowedPools names only {', '.join(allowed)}")


def allowed_namespace(case: Case) -> Refusal | None:
    """The pool's ``namespaceSelector``: our tolerations must not bypass tenancy."""
    selector = case.snapshot.pools[case.pool.name].spec.namespace_selector
    if selector is None:
        return None
    namespace = case.subject.workload.metadata.namespace or "default"
    fact = case.snapshot.namespaces.get(namespace)
    if fact is not None and selector.matches(dict(fact.labels)):
        return None
    return Refusal(
        Reason.NAMESPACE_NOT_ALLOWED,
        f"the namespaceSelector of pool {case.pool.name} does not match namespace {namespace}",
    )


def allowed_capacity_type(case: Case) -> Refusal | None:
    """The policy's ``capacityTypes``; empty allows all."""
    allowed = tuple(str(kind) for kind in case.subject.policy.capacity_types)
    if not allowed or case.pool.capacity_type in allowed:
        return None
    return Refusal(
        Reason.CAPACITY_TYPE_NOT_ALLOWED,
        f"pool {case.pool.name} is {case.pool.capacity_type}; the policy allows only {', '.join(allowed)}",
    )
