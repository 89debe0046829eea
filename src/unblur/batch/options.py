"""What is asked for every photo of a batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from importlib.metadata import version
from typing import Any

from unblur.batch.jobs import PhotoJob
from unblur.batch.provenance import Provenance, fingerprint
from unblur.images.limits import Limits
from unblur.images.signatures import Format, Frames
from unblur.methods.base import Method, TrainedMethod
from unblur.methods.catalog import DEFAULT_METHOD
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

__all__ = ["BatchOptions"]


@dataclass(frozen=True)
class BatchOptions:
    """Method, options and file handling, the same for all photos; it travels to other processes.

    Attributes:
        method: Name of the method.
        settings: The method's own settings by name.
        weights: Weights of a trained method, in place of its own: a file or a name.
        restore: What is asked for each photo.
        limits: What reading one file may cost.
        frames: Which pages or frames of a file are restored, as `read_pages` has it.
        allow_damaged: Take what can be decoded of a damaged file.
        strip_metadata: Leave out EXIF, XMP and comments.
        format: Format of the outputs; None: as their names say, see `unblur.batch.plan`.
        quality: Quality of formats with loss, 1 to 100; None: the format's own.
        run: Stands for a run in which a photo may be restored twice, because its machine is lost; empty: it cannot.
    """

    method: str = DEFAULT_METHOD
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    weights: str | None = None
    restore: RestoreOptions = field(default_factory=RestoreOptions)
    limits: Limits = field(default_factory=Limits)
    frames: Frames = "auto"
    allow_damaged: bool = False
    strip_metadata: bool = False
    format: Format | None = None
    quality: int | None = None
    run: str = ""

    @cached_property
    def ready_method(self) -> Method:
        """The method, loaded once for all photos of a process."""
        return load_method(self.method, self.settings, self.weights)

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process, which loads the method for itself."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @cached_property
    def fingerprint(self) -> str:
        """A checksum of what decides the pixels of every output, besides the photo itself."""
        method = self.ready_method
        coding = {"format": self.format, "quality": self.quality}
        return fingerprint(
            {
                "version": version("unblur"),
                "method": self.method,
                "settings": asdict(method.settings),
                "weights": method.checkpoint.sha256 if isinstance(method, TrainedMethod) else None,
                "options": self.restore.as_plain(),
                "frames": self.frames,
                "strip_metadata": self.strip_metadata,
                # Only what is given: outputs of earlier versions, which knew neither, stay finished.
                **{name: value for name, value in coding.items() if value is not None},
            }
        )

    def provenance_of(self, job: PhotoJob) -> Provenance | None:
        """What the outputs of a photo are made from; None for those that cannot be passed over when they are there."""
        if job.input is None or job.output is None or job.in_place:
            return None
        return Provenance(self.fingerprint, job.input, job.extras, job.burst, self.run)
