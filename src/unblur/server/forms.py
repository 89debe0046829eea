"""What a request for a restoration may say: the fields of a form, derived from the options of the library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile

from unblur.batch.options import BatchOptions
from unblur.errors import SettingsError, UsageError
from unblur.images.signatures import Format, Frames
from unblur.methods.catalog import DEFAULT_METHOD
from unblur.methods.options import Region, RestoreOptions, describe_options, parse_region
from unblur.system.text import quote

__all__ = [
    "MOST_FIELDS",
    "MOST_FILES",
    "PART_BYTES",
    "FormField",
    "Wanted",
    "file_fields",
    "form_fields",
    "form_schema",
    "read_form",
]

MOST_FILES = 3
MOST_FIELDS = 64
PART_BYTES = 10_000
"""Limits on one form: files, other fields, and bytes of each of these."""


@dataclass(frozen=True)
class FormField:
    """One field of the form, besides the files.

    Attributes:
        type: What its text is converted to.
        default: Where it is not given.
        help: One sentence.
    """

    type: Any
    default: Any
    help: str

    def convert(self, name: str, text: str) -> Any:
        """The value of a text.

        Raises:
            UsageError: It is none.
        """
        if Region in get_args(self.type):
            return parse_region(text)
        try:
            return _adapter(self.type).validate_python(text)
        except ValidationError as error:
            wanted = error.errors()[0]["msg"]
            raise UsageError(f"the field {name} cannot be {quote(text)}: {wanted[:1].lower()}{wanted[1:]}") from None

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its text."""
        is_region = Region in get_args(self.type)
        schema = {"type": "string", "example": "100,50,256,256"} if is_region else _adapter(self.type).json_schema()
        default = {} if self.default is None else {"default": self.default}
        return {**schema, **default, "description": self.help}


@dataclass(frozen=True)
class Wanted:
    """A request for a restoration.

    Attributes:
        photo: The uploaded file.
        options: How to restore it.
        files: The other uploaded files, by the option that they are for: `kernel`, `mask`.
        preview: Longest side of the images of the work so far.
    """

    photo: UploadFile
    options: BatchOptions
    files: dict[str, UploadFile]
    preview: int


_OWN: Mapping[str, FormField] = {
    "method": FormField(str, DEFAULT_METHOD, "How to restore: a name of GET /v1/methods."),
    "set": FormField(str, None, "A setting of the method, NAME=VALUE; may be repeated."),
    "weights": FormField(str | None, None, "For a trained method, in place of its own: a name that the server lists."),
    "frames": FormField(Frames, BatchOptions.frames, "Which pages or frames: all, first, or auto."),
    "format": FormField(
        Format | None, BatchOptions.format, "Format of the answer. Default: that of the photo (raw: TIFF)."
    ),
    "quality": FormField(
        Annotated[int | None, Field(ge=1, le=100)],
        BatchOptions.quality,
        "Quality of JPEG, WebP, AVIF and HEIC, 1 to 100. Default: 95, of AVIF and HEIC 90.",
    ),
    "allow_damaged": FormField(bool, BatchOptions.allow_damaged, "Take what can be decoded of a damaged file."),
    "strip_metadata": FormField(bool, True, "Leave out EXIF, XMP and place; colours stay."),
    "preview": FormField(int, 0, "Longest side in pixels of images of the work so far, in events; 0: none."),
}
"""Fields that are no options of a photo. A server serves strangers, so metadata is left out unless they want it."""


@cache
def form_fields() -> dict[str, FormField]:
    """Every field besides the files, by name."""
    hints = get_type_hints(RestoreOptions)
    described = describe_options()
    options = {
        item.name: FormField(hints[item.name], item.default, described[item.name].help)
        for item in fields(RestoreOptions)
        if hints[item.name] is not Any
    }
    return {**_OWN, **options}


@cache
def file_fields() -> dict[str, str]:
    """The fields that are files, with a sentence on each: the photo, and options whose text would name a file here."""
    hints, described = get_type_hints(RestoreOptions), describe_options()
    return {"photo": "The blurry photo."} | {name: described[name].help for name in hints if hints[name] is Any}


def form_schema() -> dict[str, Any]:
    """The JSON Schema of the form, for OpenAPI."""
    files = {name: {"type": "string", "format": "binary", "description": text} for name, text in file_fields().items()}
    properties = {**files, **{name: item.schema() for name, item in form_fields().items()}}
    properties["set"] = {"type": "array", "items": {"type": "string"}, "description": _OWN["set"].help}
    return {"type": "object", "required": ["photo"], "additionalProperties": False, "properties": properties}


def read_form(form: FormData) -> Wanted:
    """What a form asks for.

    Raises:
        UsageError: A field that there is not, twice, of the wrong kind, or with a value that cannot be.
    """
    files = {name: value for name, value in form.multi_items() if isinstance(value, UploadFile)}
    texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    _check_names([name for name, _ in form.multi_items() if name != "set"], set(files))
    if "photo" not in files:
        raise UsageError("the form has no file named photo")
    values = {name: form_fields()[name].convert(name, text) for name, text in texts if name != "set" and text}
    settings = _settings([text for name, text in texts if name == "set"])
    own = {name: values.pop(name, item.default) for name, item in _OWN.items() if name != "set"}
    preview = own.pop("preview")
    options = BatchOptions(settings=settings, restore=RestoreOptions(**values), **own)
    return Wanted(files.pop("photo"), options, files, max(0, min(preview, 1024)))


def _check_names(names: list[str], files: set[str]) -> None:
    for name in names:
        if name not in form_fields() and name not in file_fields():
            raise UsageError(
                f"there is no field {quote(name)}; known fields: {', '.join([*file_fields(), *form_fields()])}"
            )
        if (name in file_fields()) != (name in files):
            raise UsageError(f"the field {name} is {'a file' if name in file_fields() else 'no file'}")
        if names.count(name) > 1:
            raise UsageError(f"the field {name} is there twice")


def _settings(pairs: list[str]) -> dict[str, Any]:
    for pair in pairs:
        if "=" not in pair:
            raise SettingsError(f"the field set takes NAME=VALUE, not {quote(pair)}")
    return dict(pair.split("=", 1) for pair in pairs)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
