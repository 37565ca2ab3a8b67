"""What uploads refuse. Pure."""

from chat.shared.problems import Refusal


class EmptyFile(Refusal):
    """This file is empty: there is nothing in it to send."""

    status, code = 422, "empty_file"


class FileTooLarge(Refusal):
    """This file is larger than a file may be here."""

    status, code = 413, "file_too_large"


class QuotaFull(Refusal):
    """Your files take up all the room that one person has here: delete messages whose files nobody needs any more."""

    status, code = 413, "quota_full"


class StorageFull(Refusal):
    """The server has no room left for files; nothing of this was kept. Tell those who run it, and try again later."""

    status, code = 507, "storage_full"


class StorageAway(Refusal):
    """Files can neither be stored nor read right now; try again after Retry-After."""

    status, code = 503, "storage_away"


class WrongOffset(Refusal):
    """The upload stands elsewhere: ask where (HEAD), and go on from there."""

    status, code = 409, "wrong_offset"


class TooManyPieces(Refusal):
    """This upload came in too many small pieces. Begin it again, with pieces of at least 256 KiB."""

    status, code = 409, "too_many_pieces"


class LengthRequired(Refusal):
    """Say with Content-Length how long the file is, or begin an upload that can be resumed, with Upload-Length."""

    status, code = 411, "length_required"


class NoFileSent(Refusal):
    """This form has no file in it."""

    status, code = 422, "no_file"


class TooManyPixels(Refusal):
    """This picture has more pixels than can be shown here: make it smaller, or send it within an archive."""

    status, code = 422, "too_many_pixels"


class NoPicture(Refusal):
    """This cannot be shown as a picture: choose a JPEG, PNG, GIF, WebP or AVIF."""

    status, code = 422, "no_picture"
