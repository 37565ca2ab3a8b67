"""Mutation testing of the core: change one thing at a time, and see whether a test notices.

    python -m tests.mutants                          every module of CORE
    python -m tests.mutants chat/log --sample 50     fifty mutants of a folder, drawn by --seed

A first pass records which tests execute which line, for each of SUITES, and again only where a file has changed. Each
mutant then runs the tests of its line, quickest first, in a copy of the project and on a PostgreSQL and a Valkey of the
command's own, in a process forked from one that has imported everything. A test that was slow to fail must fail again,
because the machine may be busy. Results are kept in `.mutants/`, so that a run that was stopped continues where it was;
only survivors are tried again. A mutant that no test can tell from the original stands in `equivalent_mutants.toml`
with the reason. The exit code is 1 while other mutants survive.

Python is changed by cosmic-ray's operators and by leaving out calls; Lua by the table `LUA`.
Needs the extra `mutation`: `.venv/bin/pip install -c deploy/constraints.txt -e '.[test,mutation]'`.
"""

import argparse
import ast
import asyncio
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import Queue

from chat.local.engine import ValkeyEngine
from chat.local.postgres import PostgresEngine
from chat.migrations import migrate
from tests.databases import as_node, folder_in_memory, fresh_database, set_fsync
from tests.mutant_workplace import Workplace

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".mutants"
EQUIVALENT = Path(__file__).parent / "equivalent_mutants.toml"
CORE = [
    "chat/log",
    "chat/stream",
    "chat/messages",
    "chat/conversations/permissions.py",
    "chat/shared/identity.py",
    "chat/shared/rate_limits.py",
    "chat/shared/membership.py",
    "chat/shared/registry",
    "chat/shared/transport",
    "presence",
]
SUITES = [
    "tests/log",
    "tests/stream",
    "tests/messages",
    "tests/registry",
    "tests/shared",
    "tests/presence",
    "tests/moderation",
    "tests/conversations",
    "tests/accounts",
    "tests/promises/test_identity.py",
    "tests/promises/test_revocation.py",
    "tests/promises/test_log_model.py",
]
OPERATORS = [
    "AddNot",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceUnaryOperator_Delete_Not",
    "ZeroIterationForLoop",
    *[f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq", "NotEq_Eq")],
    *[f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Add")],
]
LUA = [
    (r"\band\b", "or"),
    (r"\bor\b", "and"),
    (r"\bnot\b", ""),
    (r"==", "~="),
    (r"~=", "=="),
    (r"<=", "<"),
    (r">=", ">"),
    (r"(?<![<>=~])<(?![=])", "<="),
    (r"(?<![<>=~])>(?![=])", ">="),
    (r"^\s*redis\.call\(.*\)$", ""),
]
TUNING = re.compile(
    r"(?<=\b(?:batch|limit)=) ?[\d_]+|(?<=[<>])=?(?= [A-Z]+_SECONDS)|(?<=len\(self\._)(\w+\) [<>])=?"
    r"|(?<=\bstrict=)(?:True|False)|(?:(?<=\.Queue\()|(?<=\btoken_hex\()|(?<=\btoken_urlsafe\()) ?\d+"
)
TEMPLATE = "tandem_mutants"
NAMES = ("mutants.py", "mutant_workplace.py", "fork_server.py", "code_swap.py", "line_recorder.py")
COMMAND = {Path(__file__).parent / name for name in NAMES}  # whose changes change no test
TESTS_MOST = 60  # of those that execute a line: first those named like the module, then the quickest
SECONDS_LEAST, SECONDS_FACTOR = 10.0, 5  # a test hangs after this time and this multiple of what it took before


@dataclass(frozen=True)
class Mutant:
    """One change: `path` relative to the project, the number of the first changed `line` from 1, and the new source."""

    path: str
    line: int
    before: str
    after: str
    source: str

    @cached_property
    def key(self) -> str:
        """Return a name that stays the same when other parts of the file change."""
        return f"{self.path}: {self.before} => {self.after or '(left out)'}"


def mutate(path: str) -> Iterator[Mutant]:
    """Yield every mutant of a file, without repeats."""
    source, seen = (ROOT / path).read_text(), set()
    for changed in mutate_lua(source) if path.endswith(".lua") else mutate_python(source):
        mutant = compare(path, source, changed)
        if mutant is not None and mutant.key not in seen and not is_trivial(mutant.before, mutant.after):
            seen.add(mutant.key)
            yield mutant


def compare(path: str, source: str, changed: str) -> Mutant | None:
    """Return the mutant, described by the lines that differ."""
    old, new = source.splitlines(), changed.splitlines()
    if old == new:
        return None
    first = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    tail = 0
    while tail < min(len(old), len(new)) - first and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    before, after = (
        " ".join(part.split()) for part in map(" ".join, (old[first : len(old) - tail], new[first : len(new) - tail]))
    )
    return Mutant(path, first + 1, before, after, changed)


def is_trivial(before: str, after: str) -> bool:
    """Return True for tuning (`PAGE = 500`, `batch=500`, or `len(self._known) > MOST` could be one more), logging,
    asserts (`strict=True` is one), twins of other mutants, and what is not Python."""
    if re.match(r"[A-Z][A-Z_]+(, [A-Z][A-Z_]+)* = |log\.|assert |@dataclass", before):
        return True
    if TUNING.sub("", before) == TUNING.sub("", after) or re.search(r"\bnot \w+ := |, \+,", after):
        return True
    negated = re.match(r"(el)?if not .* (==|!=) ", after) is not None and " and " not in after and " or " not in after
    return "not not " in after or (negated and not re.match(r"(el)?if not ", before))


def mutate_python(source: str) -> Iterator[str]:
    """Yield mutants by cosmic-ray's operators, then with each call for its effect alone left out."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    tree = get_ast(source)
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        count = sum(1 for node in ast_nodes(tree) for _ in operator.mutation_positions(node))
        for occurrence in range(count):
            if name == "NumberReplacer" and occurrence % 2:
                continue  # each number comes twice: one more, one less
            if (changed := mutate_code(source, operator, occurrence)) is not None:
                yield changed
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
            indent = lines[node.lineno - 1][: node.col_offset]
            yield "\n".join([*lines[: node.lineno - 1], f"{indent}pass", *lines[node.end_lineno :], ""])


def mutate_lua(source: str) -> Iterator[str]:
    """Yield mutants by the table, line by line, without comments."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        for pattern, replacement in () if line.lstrip().startswith("--") else LUA:
            for found in re.finditer(pattern, line):
                changed = line[: found.start()] + replacement + line[found.end() :]
                yield "\n".join([*lines[:number], changed, *lines[number + 1 :], ""])


class Coverage:
    """The tests that execute each line, recorded for each suite; kept until a source or a test of the suite changes."""

    def __init__(self, suites: list[str], environment: dict[str, str], workers: int, budget: float) -> None:
        self._budget = budget
        self._lines: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._seconds: dict[str, float] = {}
        self._kills = Counter[tuple[str, str]]()
        numbers = Queue[int]()
        for number in range(workers):
            numbers.put(number)

        def record(suite: str) -> Path:
            number = numbers.get()
            file = self._record(suite, environment | {"PYTEST_XDIST_WORKER": f"gw{number}"})
            numbers.put(number)
            return file

        with ThreadPoolExecutor(workers) as threads:
            for told in (json.loads(file.read_text()) for file in threads.map(record, suites)):
                self._seconds |= told["seconds"]
                for path, lines in told["lines"].items():
                    for line, tests in lines.items():
                        self._lines[path][line] += tests

    def _record(self, suite: str, environment: dict[str, str]) -> Path:
        """Return the file with the lines of a suite."""
        helpers = {file for file in ROOT.glob("tests/*.py") if not file.name.startswith("test_")} - COMMAND
        shared = {*ROOT.glob("chat/**/*.py"), *ROOT.glob("presence/**/*.py"), *helpers}
        own = [ROOT / suite] if suite.endswith(".py") else ROOT.glob(f"{suite}/**/*.py")
        sources = b"".join(file.read_bytes() for file in sorted({*shared, *own}))
        kept = KEPT / f"lines-{suite.replace('/', '-')}-{hashlib.sha256(sources).hexdigest()[:16]}.json"
        if not kept.exists():
            print(f"» Recording which lines {suite} executes", flush=True)
            command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.line_recorder", suite]
            told = environment | {"RECORD_LINES": str(kept)}
            subprocess.run(command, cwd=ROOT, env=told, check=False, stdout=subprocess.DEVNULL)
        if not kept.exists():
            sys.exit(f"{suite} did not run to its end, so no lines were recorded.")
        return kept

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that execute the line, or else its module; first those that noticed earlier mutants."""
        if mutant.path.endswith(".lua"):
            found = {test for test in self._seconds if test.startswith(("tests/registry", "tests/presence"))}
        else:
            lines = self._lines.get(mutant.path, {})
            found = set(lines.get(str(mutant.line), [])) or {test for tests in lines.values() for test in tests}
        module = Path(mutant.path)

        def rank(test: str) -> tuple[int, bool, bool, float]:
            file = test.partition("::")[0]
            kills = self._kills[mutant.path, test]
            return (
                -kills,
                f"test_{module.stem}.py" not in file,
                f"/{module.parent.name}/" not in file,
                self._seconds[test],
            )

        chosen: list[str] = []
        left = self._budget
        for test in sorted(found & self._seconds.keys(), key=rank)[:TESTS_MOST]:
            if self._seconds[test] <= left or not chosen:
                chosen.append(test)
                left -= self._seconds[test]
        return chosen

    def note_kill(self, mutant: Mutant, test: str | None) -> None:
        """Have the test that killed a mutant tried early for the next one of the file."""
        if test:
            self._kills[mutant.path, test] += 1

    def most_seconds(self, tests: list[str]) -> float:
        """Return the time after which one of these tests hangs."""
        return SECONDS_LEAST + SECONDS_FACTOR * max((self._seconds[test] for test in tests), default=0.0)


def read_results() -> dict[str, str]:
    """Return the outcomes of earlier runs by key."""
    file = KEPT / "results.jsonl"
    return (
        {row["key"]: row["outcome"] for row in map(json.loads, file.read_text().splitlines())} if file.exists() else {}
    )


def keep_result(mutant: Mutant, outcome: str) -> None:
    """Add a line to the results."""
    with (KEPT / "results.jsonl").open("a") as file:
        file.write(json.dumps({"key": mutant.key, "outcome": outcome}) + "\n")


def find_mutants(wanted: list[str], sample: int | None, seed: int) -> list[Mutant]:
    """Return the mutants of the named files and folders."""
    paths = [
        str(path.relative_to(ROOT))
        for name in wanted
        for path in sorted([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if path.suffix in (".py", ".lua") and path.name != "__init__.py"
    ]
    mutants = [mutant for path in paths for mutant in mutate(path)]
    return mutants if sample is None else random.Random(seed).sample(mutants, min(sample, len(mutants)))


def try_all(mutants: list[Mutant], suites: list[str], workers: int, budget: float) -> dict[str, list[Mutant]]:
    """Try all mutants; return them by outcome: `killed`, `survived`, `equivalent`."""
    equivalent = tomllib.loads(EQUIVALENT.read_text())
    outcomes: dict[str, list[Mutant]] = defaultdict(list)
    known = read_results()
    with (
        tempfile.TemporaryDirectory(prefix="tandem-mutants-") as folder,
        folder_in_memory(Path(folder)) as memory,
        PostgresEngine(memory / "postgres") as postgres,
        ValkeyEngine(Path(folder) / "valkey") as valkey,
        fresh_database(postgres.url, TEMPLATE) as template,
    ):
        set_fsync(postgres.url, on=False)
        asyncio.run(migrate(template, as_node(template)))
        engines = {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url, "TEMPLATE_DATABASE": TEMPLATE}
        environment = os.environ | engines
        coverage = Coverage(suites, environment, workers, budget)
        places: Queue[Workplace] = Queue()
        for number in range(workers):
            places.put(Workplace(Path(folder), number, environment, suites))

        def judge(mutant: Mutant) -> None:
            outcome = "equivalent" if mutant.key in equivalent else known.get(mutant.key, "")
            if outcome in ("", "survived"):
                place = places.get()
                tests = coverage.tests_of(mutant)
                killer = place.kills(mutant.path, mutant.source, tests, coverage.most_seconds(tests))
                coverage.note_kill(mutant, killer)
                outcome = "survived" if killer is None else "killed"
                places.put(place)
                keep_result(mutant, outcome)
                print(f"{outcome:9} {mutant.path}:{mutant.line}  {mutant.before} => {mutant.after}", flush=True)
            outcomes[outcome].append(mutant)

        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(judge, mutants))
        while not places.empty():
            places.get().close()
    return outcomes


def main() -> None:
    """Run the command that the heading of this file describes."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Mutation testing of the core.")
    parser.add_argument("paths", nargs="*", default=CORE, help="files and folders (default: the core)")
    parser.add_argument("--sample", type=int, help="how many mutants to draw (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="what --sample draws by")
    parser.add_argument("--suites", nargs="+", default=SUITES, help="the tests to run (default: those of the core)")
    parser.add_argument("--workers", type=int, default=2, help="how many to try at once")
    parser.add_argument("--seconds", type=float, default=20, help="how long all tests of a mutant took at first")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    asked = parser.parse_args()
    KEPT.mkdir(exist_ok=True)
    mutants = find_mutants(asked.paths, asked.sample, asked.seed)
    if asked.list:
        print(*(f"{mutant.path}:{mutant.line}  {mutant.before} => {mutant.after}" for mutant in mutants), sep="\n")
        print(len(mutants), "mutants")
        return
    outcomes = try_all(mutants, asked.suites, asked.workers, asked.seconds)
    print(f"{len(mutants)} mutants:", ", ".join(f"{len(found)} {outcome}" for outcome, found in outcomes.items()))
    for mutant in outcomes["survived"]:
        print(f"survived  {mutant.path}:{mutant.line}\n  - {mutant.before}\n  + {mutant.after}")
    sys.exit(bool(outcomes["survived"]))


if __name__ == "__main__":
    main()
