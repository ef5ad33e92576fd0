"""Which chips and models are known, and whether what was measured can be true of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from chipwise.api import AcceleratorClass, ModelProfile
from chipwise.cli.errors import BadInput
from chipwise.cli.importers.manifests import Document
from chipwise.cli.importers.measurement import Measurement
from chipwise.cli.importers.problems import Problems
from chipwise.cluster.knowledge import hardware_of
from chipwise.cluster.manifests import BadManifest, load
from chipwise.performance import Metric
from chipwise.performance.plausible import implausible
from chipwise.reasons import Reason, Refusal


class Known:
    """The AcceleratorClasses, and the architectures by model, of manifests. Raises BadInput for files that hold none."""

    def __init__(self, files: Sequence[Path]) -> None:
        try:
            found = load(files) if files else None
        except BadManifest as error:
            raise BadInput(str(error)) from error
        self.classes: Mapping[str, AcceleratorClass] = found.classes if found else {}
        self._architectures: dict[str, Document] = {}
        for profile in found.profiles.values() if found else ():
            if profile.spec.architecture is not None:
                shape = profile.spec.architecture.model_dump(by_alias=True, exclude_none=True, mode="json")
                self._architectures.setdefault(profile.spec.model.lower(), shape)

    def chip(self, name: str) -> str | None:
        """The class that ``name`` means: by its own name, or as other tools write it (h100_sxm for h100-sxm)."""
        return next((each for each in (name, name.lower().replace("_", "-")) if each in self.classes), None)

    def unknown(self, name: str, flag: str) -> Refusal:
        """That no class is meant."""
        have = f"; there are {', '.join(sorted(self.classes))}" if self.classes else ""
        return Refusal(
            Reason.CLASS_MISSING,
            f"no AcceleratorClass {name!r} is known{have}: give its manifest with -f, or name another with {flag}",
        )

    def architecture(self, model: str) -> Document | None:
        """The shape of a model as it stands in a ModelProfile; None if nobody stated it."""
        return self._architectures.get(model.lower())

    def state(self, models: Collection[str], shape: Document, config: Path | None) -> None:
        """The architecture of the one model that was measured. Raises BadInput if there are several."""
        if len(models) > 1:
            raise BadInput(
                f"{config}: is of one model, and measured are {', '.join(sorted(models))}: import them one by one"
            )
        self._architectures |= {model.lower(): shape for model in models}

    def check(
        self, profile: ModelProfile, variant: str, measured: Iterable[Measurement], problems: Problems
    ) -> bool:
        """Adds a problem for each latency that the hardware cannot show; False if that cannot be told without an architecture."""
        found = profile.spec.variant(variant)
        assert found is not None  # noqa: S101 - the profile was made of these variants
        hardware = hardware_of(profile, found, self.classes[found.class_name])
        if isinstance(hardware, Refusal):
            return False
        for one in measured:
            for metric in Metric:
                refusal = implausible(hardware, one.point, metric, one.tokens_per_step)
                if refusal is not None:
                    problems.add(one.error(metric, f"{refusal.reason}: {refusal.message}"))
        return True
