#!/usr/bin/env python3
"""GIMP 3: Filters > Enhance > Unblur restores the active layer with the command line, as a new layer above it.

Copy this folder into GIMP's folder of plug-ins (Edit > Preferences > Folders > Plug-ins) and make this file executable.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")

from call import UnblurError, restore_file  # noqa: E402 - gi wants its versions first
from gi.repository import Gimp, GimpUi, Gio, GLib, GObject  # noqa: E402

NAME = "plug-in-unblur"


class Unblur(Gimp.PlugIn):
    """The plug-in and its one procedure."""

    def do_query_procedures(self) -> list[str]:
        """Names of the procedures."""
        return [NAME]

    def do_set_i18n(self, _name: str) -> bool:
        """There are no translations."""
        return False

    def do_create_procedure(self, name: str) -> Any:
        """The procedure with its place in the menu and its one argument."""
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
        procedure.set_menu_label("_Unblur...")
        procedure.add_menu_path("<Image>/Filters/Enhance")
        procedure.set_documentation("Restore a blurry photo", "The active layer, restored as a new layer", name)
        procedure.set_attribution("The unblur developers", "Apache-2.0", "2026")
        procedure.add_string_argument(
            "options",
            "_Options",
            "Options of unblur restore, such as --effort best",
            "",
            GObject.ParamFlags.READWRITE,
        )
        return procedure


def run(procedure: Any, run_mode: Any, image: Any, drawables: list[Any], config: Any, _data: Any) -> Any:
    """Ask for options where there is somebody to ask, and restore the first of the chosen layers."""
    if run_mode == Gimp.RunMode.INTERACTIVE:
        GimpUi.init("unblur")
        dialog = GimpUi.ProcedureDialog.new(procedure, config, "Unblur")
        dialog.fill(None)
        if not dialog.run():
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    Gimp.progress_init("Unblur: this takes seconds to minutes")
    image.undo_group_start()
    try:
        add_restored(image, drawables[0], config.get_property("options"))
    except UnblurError as error:
        reason = GLib.Error.new_literal(GLib.quark_from_string("unblur"), str(error), 0)
        return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, reason)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def add_restored(image: Any, layer: Any, options: str) -> None:
    """Put the restored layer above the layer that it was made from."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "layer.png"), Path(folder, "restored.png")
        save(image, layer, source)
        restore_file(source, output, options)
        restored = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(output)))
    restored.set_name(f"{layer.get_name()}, unblurred")
    image.insert_layer(restored, layer.get_parent(), image.get_item_position(layer))
    _, x, y = layer.get_offsets()
    restored.set_offsets(x, y)


def save(image: Any, layer: Any, path: Path) -> None:
    """Write the layer alone, in the image's precision and colour profile."""
    alone = Gimp.Image.new_with_precision(
        layer.get_width(), layer.get_height(), image.get_base_type(), image.get_precision()
    )
    try:
        alone.set_color_profile(image.get_effective_color_profile())
        alone.insert_layer(Gimp.Layer.new_from_drawable(layer, alone), None, 0)
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, alone, Gio.File.new_for_path(str(path)), None)
    finally:
        alone.delete()


Gimp.main(Unblur.__gtype__, sys.argv)
