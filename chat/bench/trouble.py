"""What can keep the bench from measuring; the message says what to do about it."""

from chat.local.errors import UpTrouble


class BenchTrouble(UpTrouble):
    """This cannot be measured here."""


class GeneratorDied(BenchTrouble):
    """A load generator has ended before its time; its last words stand above."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


class NoCompiler(BenchTrouble):
    """The floor is a C program."""

    def __init__(self) -> None:
        super().__init__("The floor is a C program, and there is no compiler: install one (cc), or leave `floor` out.")
