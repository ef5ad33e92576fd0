"""Which chips and models are known, and whether what was measured can be true of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from chipwise import catalog
from chipwise.api import AcceleratorClass, ModelProfile, parse
from chipwise.catalog.manifests import chip_class
from chipwise.cli.errors import BadInput
from chipwise.cli.importers.manifests import Document
from chipwise.cli.importers.measurement import Measurement
from chipwise.cli.importers.problems import Problems
from chipwise.cluster.knowledge import hardware_of
from chipwise.cluster.manifests import BadManifest, load
from chipwise.performance import Metric
from chipwise.performance.plausible import implausible
from chipwise.reasons import Refusal


class Known:
    """The AcceleratorClasses, and the architectures by model, of manifests and of the catalogue.

    ``classes`` has those of the manifests, and of the shipped ones those that were asked for. Raises BadInput for files that cannot be
    read.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        try:
            found = load(files) if files else None
        except BadManifest as error:
            raise BadInput(str(error)) from error
        self.classes: dict[str, AcceleratorClass] = dict(found.classes) if found else {}
        self._architectures: dict[str, Document] = {}
        for profile in found.profiles.values() if found else ():
            if profile.spec.architecture is not None:
                shape = profile.spec.architecture.model_dump(by_alias=True, exclude_none=True, mode="json")
                self._architectures.setdefault(profile.spec.model.lower(), shape)

    def chip(self, name: str) -> str | None:
        """The class that ``name`` means: one of the manifests, also as other tools write it (h100_sxm), else one that ships."""
        plain = name.lower().replace("_", "-")
        found = next((each for each in (name, plain) if each in self.classes), None)
        if found is not None:
            return found
        shipped = catalog.chip(name)
        if isinstance(shipped, Refusal):
            return None
        if shipped.name not in self.classes:
            made = parse(chip_class(shipped))
            assert isinstance(made, AcceleratorClass)  # noqa: S101 - it was made as one
            self.classes[shipped.name] = made
        return shipped.name

    def unknown(self, name: str) -> Refusal:
        """That no class is meant."""
        shipped = catalog.chip(name)
        assert isinstance(shipped, Refusal)  # noqa: S101 - asked only where there is none
        return Refusal(shipped.reason, f"{shipped.message}; or give its AcceleratorClass with -f")

    def architecture(self, model: str) -> Document | None:
        """The shape of a model as it stands in a ModelProfile: of the manifests, else of the catalogue; None if nobody stated it."""
        stated = self._architectures.get(model.lower())
        if stated is not None:
            return stated
        shipped = catalog.model_entry(model)
        return None if isinstance(shipped, Refusal) else dict(shipped.fields)

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
