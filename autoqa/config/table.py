"""What all tables of a study file with fixed keys have in common."""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

Search = Literal["search"]


class StudyTable(BaseModel):
    """A frozen table that refuses keys it does not know.

    Attributes:
        later: Keys that version 0.1.0 did not have. At their default they are not written, so that
            the fingerprints of studies without them stay.
    """

    # Stored studies and their fingerprints hold the file's keys, whatever the fields are called.
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = write(self)
        for key in self.later:
            if getattr(self, key) == type(self).model_fields[key].default:
                content.pop(key, None)
        return content
