"""Forms: what people send to sign up, to log in, and to change what others see of them. Pure."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from chat.accounts.name import About, DisplayName, Name, TimeZone
from chat.accounts.strength import check_password

# Far more than any password has: what is longer is refused before it is hashed.
GivenPassword = Annotated[str, Field(min_length=1, max_length=1024)]
DeviceName = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Form(BaseModel):
    """Nothing unknown, nothing converted, and never a password in an error's text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SignUp(Form):
    """A new account. `invite`: the code of an invitation, where SIGNUP asks for one."""

    name: Name
    display_name: DisplayName | None = None
    password: GivenPassword
    device: DeviceName = ""
    invite: Annotated[str, Field(max_length=64)] = ""

    @field_validator("password")
    @classmethod
    def check_strength(cls, password: str, info: ValidationInfo) -> str:
        """Not one of the first that anybody would try, the person's own name among them."""
        return check_password(password, info.data.get("name") or "", info.data.get("display_name") or "")


class LogIn(Form):
    """`name` may be anything: that no such account can exist is not told apart from a wrong password."""

    name: Annotated[str, Field(max_length=256)]
    password: GivenPassword
    device: DeviceName = ""


class Profile(Form):
    """What others see; what is left out stays. `receipts`: whether they see how far one has read."""

    display_name: DisplayName | None = None
    about: About | None = None
    time_zone: TimeZone | None = None
    receipts: Literal["on", "off"] | None = None


class PasswordChange(Form):
    """The old password proves that it is its owner who changes it, and not whoever found the screen unlocked."""

    old: GivenPassword
    new: GivenPassword


class InviteForm(Form):
    """How many accounts an invitation is good for, and for how many days."""

    uses: Annotated[int, Field(ge=1, le=10_000)] = 1
    days: Annotated[int, Field(ge=1, le=365)] = 7
