"""A file, as its owner and as everybody else sees it. Pure."""

from dataclasses import dataclass

from chat.files.kind import may_show


@dataclass(frozen=True, slots=True)
class File:
    """The fields are the columns of the queries that read files. `width` and `height`: of a picture as it is seen."""

    id: int
    owner_id: int
    name: str
    size: int
    received: int
    type: str
    width: int | None
    height: int | None
    previewed: bool
    ready: bool

    @property
    def whole(self) -> bool:
        """All its bytes are there."""
        return self.received == self.size

    @property
    def shown(self) -> bool:
        """A browser may show it in place."""
        return may_show(self.type, self.width is not None)

    def to_json(self) -> dict[str, object]:
        """As messages carry it: nothing stands that is unknown; in the order in which `jsonb` gives it back."""
        fields: dict[str, object] = {"id": self.id, "name": self.name, "size": self.size, "type": self.type}
        if self.width is not None:
            fields |= {"width": self.width, "height": self.height}
        return fields | ({"preview": True} if self.previewed else {})


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file, and where it lies."""

    start: int
    size: int
    key: str


def folder_of(file_id: int) -> str:
    """Where all of a file lies in the storage; no folder has too many others in it."""
    return f"{file_id % 1000:03}/{file_id}"


def preview_key(file_id: int, size: str) -> str:
    """Where the preview of this size lies."""
    return f"{folder_of(file_id)}/{size}.webp"
