"""The page itself: what stands where, and what each control does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from unblur.app.controls import Control, option_controls, setting_controls
from unblur.app.elements import answer_html, capitalised, kernel_editor, link, show_in, status_html, viewer
from unblur.app.kernels import BLANK, as_cells, encode_npy, from_cells, thin
from unblur.app.runs import Asked, Update, restore_photos, view_of
from unblur.app.sessions import Answer, Session, Sessions
from unblur.app.views import View
from unblur.batch.options import BatchOptions
from unblur.errors import UnblurError
from unblur.methods.catalog import DEFAULT_METHOD, list_entries
from unblur.methods.options import RestoreOptions
from unblur.server.queue import JobQueue

__all__ = ["build_page"]

_KERNEL_METHOD = "known-kernel"
_PHOTO = "The photo"
_IN_SIGHT = frozenset({"effort", "strength"})
"""Options that everybody sees; the others are one click away."""
_GREETING = "Choose a photo, then press Restore."


class Page:
    """The components of the page and what they do.

    Args:
        sessions: What belongs to each open page.
        queue: Does the work.
    """

    def __init__(self, sessions: Sessions, queue: JobQueue) -> None:
        self._sessions, self._queue = sessions, queue
        self._controls = option_controls()
        with gr.Blocks(title="unblur", analytics_enabled=False, delete_cache=(3600, 86400)) as self.blocks:
            gr.HTML(
                "<h1>unblur</h1><p>A blurry photo in, a sharp one out, with the blur that was found. "
                "Photos stay on the machine that runs this page.</p>",
                elem_id="title",
            )
            with gr.Row(elem_id="layout"):
                with gr.Column(elem_id="given"):
                    self._build_input()
                with gr.Column(elem_id="shown"):
                    self._build_view()
                with gr.Column(elem_id="options"):
                    self._build_options()
            self._connect()

    def _build_input(self) -> None:
        self.photos = gr.File(label="Photos", file_count="multiple", elem_id="photos", height=150)
        with gr.Row():
            self.go = gr.Button("Restore", variant="primary", elem_id="restore")
            self.stop = gr.Button("Cancel", variant="stop", visible=False, elem_id="cancel")
        self.status = gr.HTML(status_html(_GREETING), elem_id="status")

    def _build_view(self) -> None:
        marks = {item.element: f"Mark: {item.label.lower()}" for item in self._controls if item.is_region}
        gr.HTML(viewer(marks), elem_id="viewer")
        self.to_viewer = gr.HTML("", elem_classes="for-scripts")
        with gr.Row(visible=False) as self.choice:
            self.against = gr.Dropdown([_PHOTO], value=_PHOTO, label="Left", elem_id="against", min_width=240)
            self.answers = gr.Dropdown([], label="Right", elem_id="answers", min_width=240)
        self.answer = gr.HTML("", elem_id="answer")
        self.archive = gr.HTML("", elem_id="archive")
        with gr.Accordion("Kernel", open=False, elem_id="kernel"):
            self._build_kernel()

    def _build_options(self) -> None:
        entries = list_entries()
        self.method = gr.Dropdown(
            list(entries),
            value=DEFAULT_METHOD,
            label="Method",
            info=_sentence(entries[DEFAULT_METHOD].summary),
            elem_id="method",
        )
        made: dict[str, Any] = {}
        for control in self._controls:
            if control.name in _IN_SIGHT:
                made[control.name] = control.component()
        with gr.Accordion("More options", open=False, elem_id="more"):
            for control in self._controls:
                if control.name not in _IN_SIGHT:
                    made[control.name] = control.component()
        self.options = [made[control.name] for control in self._controls]
        self.settings = gr.State({})
        with gr.Accordion("Settings of the method", open=False, elem_id="settings"):
            gr.render(inputs=[self.method])(self._build_settings)

    def _build_settings(self, method: str) -> None:
        """The controls for the settings of a method, made anew for each."""
        controls = setting_controls(method)
        if not controls:
            gr.Markdown("This method has no settings.")
        for control in controls:
            component = control.component(with_id=False)

            def choose(value: Any, chosen: dict[str, Any], control: Control = control) -> dict[str, Any]:
                return {**chosen, control.name: control.read(value)}

            component.change(choose, [component, self.settings], self.settings, show_progress="hidden")

    def _build_kernel(self) -> None:
        gr.HTML("<p>The blur of the answer that is shown. Draw in it, and restore the photo with it again.</p>")
        with gr.Row(elem_id="kernel-parts"):
            with gr.Column(min_width=0):
                gr.HTML(kernel_editor(BLANK))
                self.to_kernel = gr.HTML("", elem_classes="for-scripts")
                self.cells = gr.Textbox(elem_id="kernel-cells", elem_classes="for-scripts", label="Kernel")
            with gr.Column(min_width=0):
                # Gradio takes what no function reads for something that is only shown.
                gr.Radio(["Paint", "Erase"], value="Paint", label="Pointer", elem_id="kernel-tool", interactive=True)
                with gr.Row():
                    self.thin = gr.Button("Thin", min_width=80)
                    self.clear = gr.Button("Clear kernel", min_width=80)
                    self.reset = gr.Button("Reset", min_width=80)
                self.use_kernel = gr.Button("Restore with this kernel", variant="primary", elem_id="use-kernel")

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        running = [self.status, self.to_viewer, self.go, self.stop, self.answers, self.choice, self.archive]
        asked = [self.photos, self.method, self.settings, *self.options]
        shown = [self.to_viewer, self.answer, self.against, self.to_kernel]
        free: dict[str, Any] = {**quiet, "concurrency_limit": None}
        self.photos.change(self._show_photo, self.photos, [self.status, self.to_viewer, self.answers], **free)
        self.method.change(self._choose_method, self.method, [self.method, self.settings], **quiet)
        self.go.click(self._restore, asked, running, **free)
        self.use_kernel.click(self._restore_with_kernel, [self.cells, self.answers, *asked], running, **free)
        self.stop.click(self._cancel, None, self.status, **quiet)
        self.answers.change(self._show_answer, self.answers, shown, **free)
        self.against.input(self._compare, [self.answers, self.against], self.to_viewer, **free)
        self.thin.click(self._thin, self.cells, [self.to_kernel, self.status], **quiet)
        self.clear.click(_show_blank, None, self.to_kernel, **quiet)
        self.reset.click(self._show_kernel, self.answers, self.to_kernel, **quiet)
        self.blocks.unload(self._close)

    def _session(self, request: gr.Request) -> Session:
        return self._sessions.of(request.session_hash or "")

    def _close(self, request: gr.Request) -> None:
        self._sessions.close(request.session_hash or "")

    def _show_photo(self, request: gr.Request, photos: Sequence[str] | None) -> dict[Any, Any]:
        if not photos:
            return {self.status: status_html(_GREETING)}
        session, photo = self._session(request), Path(photos[0])
        # What is below the photo is about an answer to another one, and so would be what is done with its kernel.
        no_answer = {self.answers: None}
        try:
            shown = view_of(session, photo)
        except UnblurError as error:
            return {**no_answer, self.status: status_html(f"{photo.name} {error}", is_error=True)}
        return {
            **no_answer,
            self.status: status_html(
                f"{len(photos)} photos." if len(photos) > 1 else f"{shown.width}x{shown.height} pixels."
            ),
            self.to_viewer: _shown_in_viewer(session, shown, _PHOTO),
        }

    def _choose_method(self, method: str) -> tuple[Any, dict[str, Any]]:
        return gr.update(info=_sentence(list_entries()[method].summary)), {}

    def _restore(
        self, request: gr.Request, photos: Sequence[str] | None, method: str, settings: dict[str, Any], *values: Any
    ) -> Iterator[dict[Any, Any]]:
        if not photos:
            yield {self.status: status_html("There is no photo yet; choose one first.", is_error=True)}
            return
        try:
            options = self._read_options(method, settings, values)
        except UnblurError as error:
            yield {self.status: status_html(_sentence(error), is_error=True)}
            return
        yield from self._run(self._session(request), [Path(photo) for photo in photos], Asked(options))

    def _restore_with_kernel(
        self, request: gr.Request, cells: str, shown: str | None, *asked: Any
    ) -> Iterator[dict[Any, Any]]:
        photos, method, settings, *values = asked
        session = self._session(request)
        answer = _find(session, shown)
        sources = [answer.source] if answer else [Path(photo) for photo in photos or ()]
        try:
            kernel = encode_npy(from_cells(cells))
            options = self._read_options(_KERNEL_METHOD, settings if method == _KERNEL_METHOD else {}, values)
        except UnblurError as error:
            yield {self.status: status_html(_sentence(error), is_error=True)}
            return
        # Options of the search have no effect with a given kernel.
        restore = options.restore.limited_to(list_entries()[_KERNEL_METHOD].uses)
        options = replace(options, restore=replace(restore, kernel=None))
        yield from self._run(session, sources[:1], Asked(options, kernel))

    def _read_options(self, method: str, settings: dict[str, Any], values: Sequence[Any]) -> BatchOptions:
        given = {item.name: item.read(value) for item, value in zip(self._controls, values, strict=True)}
        return BatchOptions(method=method, settings=settings, restore=RestoreOptions(**given))

    def _run(self, session: Session, photos: Sequence[Path], asked: Asked) -> Iterator[dict[Any, Any]]:
        yield {self.go: gr.update(visible=False), self.stop: gr.update(visible=True), self.archive: ""}
        problems: list[str] = []
        for update in restore_photos(session, self._queue, photos, asked):
            if update.is_error:
                problems.append(update.text)
            yield self._changes(session, update)
        ending: dict[Any, Any] = {self.go: gr.update(visible=True), self.stop: gr.update(visible=False)}
        if problems:
            ending[self.status] = status_html("; ".join(problems), is_error=True)
        yield ending

    def _changes(self, session: Session, update: Update) -> dict[Any, Any]:
        """What an update changes in the page."""
        changes: dict[Any, Any] = {self.status: status_html(update.text, update.fraction, is_error=update.is_error)}
        if update.photo is not None:
            changes[self.to_viewer] = _shown_in_viewer(session, update.photo, _PHOTO, update.preview, "so far")
        if update.answer is not None:
            captions = [answer.caption for answer in session.answers]
            changes[self.answers] = gr.update(choices=captions, value=update.answer.caption)
            changes[self.choice] = gr.update(visible=True)
        if update.archive is not None:
            address = session.address_of(update.archive)
            changes[self.archive] = answer_html(
                update.text, (), [link(address, "All photos and the report (ZIP)", is_first=True)]
            )
        return changes

    def _cancel(self, request: gr.Request) -> str:
        self._session(request).cancel()
        return status_html("Stopping.")

    def _show_answer(self, request: gr.Request, caption: str | None) -> dict[Any, Any]:
        session = self._session(request)
        answer = _find(session, caption)
        if answer is None:
            return {self.answer: ""}
        others = [item.caption for item in session.answers if item.source == answer.source and item is not answer]
        return {
            self.to_viewer: _compared(session, answer, None),
            self.answer: _describe(session, answer),
            self.against: gr.update(choices=[_PHOTO, *others], value=_PHOTO),
            self.to_kernel: _shown_kernel(answer),
        }

    def _compare(self, request: gr.Request, caption: str | None, against: str) -> str:
        session = self._session(request)
        answer = _find(session, caption)
        return _compared(session, answer, _find(session, against)) if answer else ""

    def _show_kernel(self, request: gr.Request, caption: str | None) -> str:
        answer = _find(self._session(request), caption)
        return _shown_kernel(answer) if answer else _show_blank()

    def _thin(self, cells: str) -> tuple[str, str]:
        try:
            return _cells_shown(as_cells(thin(from_cells(cells)))), status_html("The kernel is thinner.")
        except UnblurError as error:
            return "", status_html(_sentence(error), is_error=True)


def build_page(sessions: Sessions, queue: JobQueue) -> gr.Blocks:
    """The page, to be mounted on the server's application.

    Args:
        sessions: What belongs to each open page.
        queue: Does the work.
    """
    return Page(sessions, queue).blocks


def _find(session: Session, caption: str | None) -> Answer | None:
    return next((answer for answer in session.answers if answer.caption == caption), None)


def _compared(session: Session, answer: Answer, other: Answer | None) -> str:
    """What shows an answer beside the photo, or beside another answer."""
    left, name = (other.view, other.caption) if other else (answer.photo, _PHOTO)
    return _shown_in_viewer(session, left, name, answer.view.path, answer.caption)


def _shown_in_viewer(
    session: Session, left: View, left_name: str, right: Path | None = None, right_name: str = ""
) -> str:
    what = {
        "before": session.address_of(left.path),
        "after": right and session.address_of(right),
        "width": left.width,
        "height": left.height,
        "left": left_name,
        "right": right_name,
    }
    return show_in("unblur-viewer", what)


def _describe(session: Session, answer: Answer) -> str:
    links = [link(session.address_of(answer.sharp), "Download", is_first=True)]
    if answer.kernel is not None:
        links += [
            link(session.address_of(answer.kernel), "Kernel (PNG)"),
            link(session.address_of(answer.kernel.with_suffix(".npy")), "Kernel (NumPy)"),
        ]
    links += [link(session.address_of(path), f"Motion ({path.suffix[1:]})") for path in answer.motion[:2]]
    picture = session.address_of(answer.motion[-1]) if answer.motion else ""
    return answer_html(answer.found, answer.result.warnings, links, picture)


def _shown_kernel(answer: Answer) -> str:
    if answer.kernel is None:
        return _show_blank()
    return _cells_shown(as_cells(np.load(answer.kernel.with_suffix(".npy"), allow_pickle=False)))


def _show_blank() -> str:
    return _cells_shown(BLANK)


def _cells_shown(cells: Sequence[Sequence[float]]) -> str:
    return show_in("unblur-kernel", {"cells": cells})


def _sentence(words: UnblurError | str) -> str:
    return f"{capitalised(str(words))}."
