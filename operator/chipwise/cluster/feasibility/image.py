"""A variant is laid only over images that it was made for, so that an author's new image never silently vanishes."""

from __future__ import annotations

from fnmatch import fnmatchcase

from chipwise.api import Variant
from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Reason, Refusal


def fits_image(variant: Variant, image: str) -> bool:
    """Whether the variant was made for the image."""
    return (
        not variant.base_images
        or not image
        or any(fnmatchcase(image, pattern) for pattern in variant.base_images)
    )


def made_for_the_image(case: Case) -> Refusal | None:
    """``baseImages`` are shell patterns over the author's image; none allows all, and so does an image that is not known (a plan without the Deployment)."""
    patterns, image = case.variant.base_images, case.subject.image
    if fits_image(case.variant, image):
        return None
    return Refusal(
        Reason.VARIANT_OUTDATED,
        f"the author's image is {image}; variant {case.variant.name} was made for {', '.join(patterns)}: extend its baseImages "
        "once it was checked against the new image",
    )
