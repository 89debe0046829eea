"""The pages of a photo restored one after the other, and what is to be said of them together."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.steps import StepSaver
from unblur.batch.writing import PhotoWriter
from unblur.errors import ImageError
from unblur.images.encoding import keeps_values
from unblur.images.files import check_holds_pages, count_pages, encode_image, encode_pages, read_pages
from unblur.images.picture import Picture
from unblur.images.signatures import format_of_name
from unblur.methods.apply import restore_picture
from unblur.methods.base import Method, Restoration, Step, StepHook

__all__ = ["PageNotes", "PageRestorer"]

_MOST_NAMED = 3
_ENCODED_ANEW = (
    "the rest of the photo is as near to the input as encoding it again allows; in a PNG it is the same bit for bit"
)


class PageNotes:
    """Sentences on the pages of one photo, each once."""

    def __init__(self) -> None:
        self._pages: dict[str, list[int]] = {}

    def add(self, page: int, sentences: Iterable[str]) -> None:
        """Note sentences on a page; the first has number 1."""
        for sentence in dict.fromkeys(sentences):
            self._pages.setdefault(sentence, []).append(page)

    def sentences(self, count: int) -> tuple[str, ...]:
        """All of them; those that are not about all of `count` pages begin with the pages' numbers."""
        return tuple(
            sentence if len(pages) >= count else f"{_name_pages(pages)}: {sentence}"
            for sentence, pages in self._pages.items()
        )


class PageRestorer:
    """Restores page after page, of one file or of the files of one stream.

    Args:
        job: Says the format of the output.
        options: For every page.
        on_step: Called with the steps of all pages.
        writer: Writes the images of the steps, those of the first page alone.
        method: Ready to run.

    Attributes:
        count: Pages so far.
        saved_steps: How many images of steps were written.
    """

    def __init__(
        self, job: PhotoJob, options: BatchOptions, on_step: StepHook, writer: PhotoWriter, method: Method
    ) -> None:
        self.count = 0
        self.saved_steps = 0
        self._job, self._options = job, options
        self._on_step, self._writer = on_step, writer
        self._method = method
        self._first: list[tuple[Picture, Restoration[Picture]]] = []
        self._notes = PageNotes()

    @property
    def first(self) -> tuple[Picture, Restoration[Picture]]:
        """The first page and its answer: what is saved beside the image is about these."""
        return self._first[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What there is to say of the pages so far."""
        return self._notes.sentences(self.count)

    def restore_file(self, source: Path | BinaryIO) -> bytes | memoryview:
        """The bytes of the output for one image file, of one page or several.

        Raises:
            ImageError: A page cannot be read or restored; the message names it.
            FormatError: The format of the output does not hold what was read.
        """
        options = self._options
        with _naming(self.count + 1):
            pages = read_pages(
                source, frames=options.frames, limits=options.limits, allow_damaged=options.allow_damaged
            )
            first = next(pages)
        count = count_pages(first, options.frames)
        if count < count_pages(first, "all"):
            self._notes.add(self.count + 1, ["--frames all takes all pages or frames"])
        kind = options.format or _output_format(self._job, first)
        if count == 1:
            restored = self._restore(first)
            if isinstance(source, Path) and self._may_be_copied(first, kind):
                return source.read_bytes()
            data, losses = encode_image(restored, kind, strip_metadata=options.strip_metadata, quality=options.quality)
        else:
            check_holds_pages(kind, first)
            restored = self._restore_each(chain([first], pages), count)
            data, losses = encode_pages(restored, kind, strip_metadata=options.strip_metadata, quality=options.quality)
        self._notes.add(self.count, losses)
        if options.restore.names_part and not keeps_values(kind, first.facts, options.quality):
            self._notes.add(self.count, [_ENCODED_ANEW])
        return data

    def _may_be_copied(self, photo: Picture, kind: str) -> bool:
        """Whether the output is the file that was read, byte for byte: the method changed nothing, nor does writing."""
        options = self._options
        if photo.facts.notes or kind != photo.facts.format or options.strip_metadata or options.quality:
            return False
        return self.count == 1 and self.first[1].unchanged and count_pages(photo, "all") == 1

    def _restore_each(self, pages: Iterator[Picture], count: int) -> Iterator[Picture]:
        for number in range(count):
            with _naming(self.count + 1):
                page = next(pages)
            yield self._restore(page, number, count)

    def _restore(self, page: Picture, number: int = 0, count: int = 1) -> Picture:
        """Restore page `number` of the `count` that its file has."""
        self.count += 1
        saver = None if self._first else StepSaver(self._job, page, self._writer)

        def on_step(step: Step) -> None:
            stage = step.stage if saver else f"page {self.count}, {step.stage}"
            self._on_step(replace(step, fraction=(number + step.fraction) / count, stage=stage))
            if saver:
                saver(step)

        with _naming(self.count):
            answer = restore_picture(page, self._method, self._options.restore, on_step)
        self._notes.add(self.count, (*page.facts.notes, *answer.warnings))
        if saver:
            self._first.append((page, answer))
            self.saved_steps = saver.count
        return answer.image


@contextmanager
def _naming(page: int) -> Generator[None]:
    """Put the number of a page, the first excepted, before errors about it."""
    try:
        yield
    except ImageError as error:
        if page == 1:
            raise
        raise type(error)(f"page {page} {error}") from error


def _output_format(job: PhotoJob, page: Picture) -> str:
    """That of the output's name, unless it only carries on the input's, which may be wrong or say nothing."""
    if job.output is None or (job.input and job.output.suffix in (job.input.suffix, ".unblur")):
        return page.facts.written_as
    return format_of_name(job.output.name)


def _name_pages(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:_MOST_NAMED]))
    rest = len(pages) - _MOST_NAMED
    return f"page{'s' * (len(pages) > 1)} {shown}{f' and {rest} more' if rest > 0 else ''}"
