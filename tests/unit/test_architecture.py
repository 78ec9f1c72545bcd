"""Holds the house in shape: layers, purity, homes of libraries, sizes, reasons.

Each rule is a function from source text to breaches. The first half runs the rules over this
repository, the second half shows on a few lines that each rule sees what it is there to see.
"""

import ast
import graphlib
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "runs_as_code"

# Imports go from a higher number to a lower one; packages of one number don't know each other.
LEVELS = {
    "__init__": 0,
    "errors": 1,
    "model": 2,
    "manifest": 3,
    "planning": 3,
    "provider": 3,
    "report": 3,
    "server": 3,
    "engine": 4,
    "cli": 5,
    "__main__": 6,
}

PURE = ("errors", "model", "planning", "report", "provider.wire")

# What knows the clock, the environment, files, the network, chance, or other threads.
IMPURE_MODULES = frozenset(
    {
        "asyncio", "concurrent", "ctypes", "fcntl", "fileinput", "getpass", "glob", "http",
        "importlib", "io", "locale", "logging", "mmap", "multiprocessing", "os", "pathlib",
        "pickle", "pkgutil", "platform", "queue", "random", "sched", "secrets", "select",
        "selectors", "shelve", "shutil", "signal", "smtplib", "socket", "socketserver",
        "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
        "uuid", "webbrowser", "zoneinfo",
    }
)  # fmt: skip
IMPURE_CALLS = frozenset(
    {"open", "print", "input", "exec", "eval", "breakpoint", "__import__", "now", "today", "utcnow"}
)

# What only the command line may use, whatever else a package is allowed to do.
CLI_ONLY = frozenset(
    {
        "print", "input", "exit", "quit",
        "os.environ", "os.getenv", "os._exit",
        "sys.argv", "sys.exit", "sys.stdin", "sys.stdout", "sys.stderr",
    }
)  # fmt: skip

# `server.documents` reads the embedded server's own YAML files. It may not import the manifest's
# loader (a sibling), so these two libraries have a second home, in this one module only. The
# board's pages and the page of a plan are siblings too.
HOMES = {
    "click": ("cli",),
    "deepdiff": ("report",),
    "dotenv": ("provider",),
    "httpx": ("provider",),
    "jinja2": ("report", "server.board"),
    "jsonschema": ("manifest", "server.documents"),
    "prometheus_client": ("engine.reconcile.metrics",),
    "pytest": ("server.pytest_plugin",),
    "python_multipart": ("server",),
    "rich": ("cli",),
    "sqlalchemy": ("server",),
    "starlette": ("server",),
    "tenacity": ("provider",),
    "uvicorn": ("server",),
    "yaml": ("manifest", "server.documents"),
}

# Not needed to say what the version is or which commands there are.
HEAVY = (
    "deepdiff",
    "httpx",
    "jinja2",
    "jsonschema",
    "prometheus_client",
    "rich",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)

MAX_FILE, MAX_TEST_FILE, MAX_FUNCTION, MAX_PUBLIC_METHODS = 400, 600, 60, 12


@dataclass(frozen=True)
class Source:
    """A Python file: its dotted name (`script.demo` outside of the package) and its text."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def layer(self) -> str:
        """The part of the package it belongs to, by the first name below the package."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"

    @property
    def path_in_package(self) -> str:
        return self.name.removeprefix(f"{PACKAGE}.")

    def at(self, node: ast.AST, text: str) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}: {text}"


def read(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Source(name, path.read_text("utf-8"), is_package)


MODULES = [read(path) for path in sorted((ROOT / PACKAGE).rglob("*.py"))]
SCRIPTS = [
    read(path) for name in ("script", "bench") for path in sorted((ROOT / name).glob("*.py"))
]
TESTS = [read(path) for path in sorted((ROOT / "tests").rglob("*.py"))]
NAMES = frozenset(module.name for module in MODULES)


# --- rules: from source to breaches


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Every import wherever it stands, as the dotted name that was asked for."""
    package = source.name.split(".") if source.is_package else source.name.split(".")[:-1]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            kept = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*kept, *([node.module] if node.module else [])])
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def own_imports(source: Source, names: frozenset[str]) -> Iterator[tuple[ast.stmt, str]]:
    """The imports of modules of the package; a name inside a module counts as the module."""
    for node, name in imports(source):
        if name.split(".")[0] == PACKAGE:
            yield node, name if name in names else name.rpartition(".")[0]


def upward_imports(source: Source, names: frozenset[str] = NAMES) -> Iterator[str]:
    for node, name in own_imports(source, names):
        layer = Source(name, "").layer
        if layer != source.layer and LEVELS[layer] >= LEVELS[source.layer]:
            yield source.at(node, f"{source.layer} may not import {layer}")


def cycle(sources: list[Source]) -> list[str]:
    names = frozenset(source.name for source in sources)
    graph = {source.name: {name for _, name in own_imports(source, names)} for source in sources}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute of a name, or an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def is_pure(source: Source) -> bool:
    path = source.path_in_package
    return any(path == name or path.startswith(f"{name}.") for name in PURE)


def impurities(source: Source) -> Iterator[str]:
    for node, name in imports(source):
        if name.split(".")[0] in IMPURE_MODULES:
            yield source.at(node, f"a pure module may not import {name}")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
            if called in IMPURE_CALLS:
                yield source.at(node, f"a pure module may not call {called}")


def uses_of_the_terminal(source: Source) -> Iterator[str]:
    """What belongs to the command line: printing, the environment, ending the process."""
    called = {id(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = dotted(node)
            if name in CLI_ONLY and ("." in name or id(node) in called):
                yield source.at(node, f"only the command line may use {name}")
    for node, name in imports(source):
        if name in CLI_ONLY:
            yield source.at(node, f"only the command line may use {name}")


def homeless_libraries(source: Source) -> Iterator[str]:
    for node, name in imports(source):
        library = name.split(".")[0]
        if library in (PACKAGE, "__future__") or library in sys.stdlib_module_names:
            continue
        homes = HOMES.get(library, ())
        if not any(f"{source.path_in_package}.".startswith(f"{home}.") for home in homes):
            where = " and ".join(homes) or "nowhere: give it one in this test"
            yield source.at(node, f"{library} has its home in {where}")


def oversized(source: Source, max_file: int) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > max_file:
        yield f"{source.name}: {lines} lines, at most {max_file}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                yield source.at(node, f"{node.name}: {length} lines, at most {MAX_FUNCTION}")
        if isinstance(node, ast.ClassDef):
            methods = sum(
                isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
                and not part.name.startswith("_")
                for part in node.body
            )
            # A state machine of hypothesis has a method a rule, a fake those of its protocol.
            if methods > MAX_PUBLIC_METHODS and not source.name.startswith("tests."):
                yield source.at(node, f"{node.name}: {methods} public methods")


def dry_runs(source: Source) -> Iterator[str]:
    """A dry run is not calling the executor; a parameter for it would reach everywhere."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.arg | ast.keyword) and node.arg and "dry_run" in node.arg:
            yield f"{source.name}:{node.lineno}: {node.arg}"


RULE_CODES = r"[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*"
SUPPRESSION = re.compile(
    rf"""\#\s*(?:
        noqa(?P<noqa>:\s*{RULE_CODES})?
        | type:\s*ignore(?P<type>\[[\w, -]+\])?
        | pragma:\s*no\s*(?P<pragma>cover|branch)
    )(?P<reason>.*)""",
    re.VERBOSE | re.IGNORECASE,
)


def unreasoned_suppressions(source: Source) -> Iterator[str]:
    """Comments that silence a tool without its rule's name or without a reason after it."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type != tokenize.COMMENT:
            continue
        for found in SUPPRESSION.finditer(token.string):
            has_rule = found["noqa"] or found["type"] or found["pragma"]
            if not has_rule or not re.search(r"\w", found["reason"]):
                yield f"{source.name}:{token.start[0]}: {token.string}"


def unreasoned_ignores(text: str) -> Iterator[str]:
    """Rules of ruff that pyproject.toml switches off without saying why."""
    is_inside = False
    for line in text.splitlines():
        is_inside = (is_inside or line.endswith("= [")) and line != "]"
        if is_inside and re.match(r'\s+"[A-Z]+[0-9]*",?(?!.*#\s*\S)', line):
            yield line.strip()


# --- the repository keeps them


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(upward_imports, id="imports go downwards"),
        pytest.param(homeless_libraries, id="each library has one home"),
        pytest.param(dry_runs, id="no dry run parameter"),
    ],
)
def test_rules_of_every_module(rule: Callable[[Source], Iterator[str]]):
    assert [breach for module in MODULES for breach in rule(module)] == []


def test_every_module_belongs_to_a_layer():
    assert [module.name for module in MODULES if module.layer not in LEVELS] == []


def test_no_import_cycles():
    assert cycle(MODULES) == []


def test_pure_modules_know_no_outside_world():
    pure = [module for module in MODULES if is_pure(module)]
    assert {module.layer for module in pure} >= {"errors", "model", "planning", "report"}
    assert [breach for module in pure for breach in impurities(module)] == []


def test_only_the_command_line_prints_reads_the_environment_and_exits():
    others = [module for module in MODULES if module.layer not in ("cli", "__main__")]
    assert [breach for module in others for breach in uses_of_the_terminal(module)] == []


def test_sizes():
    breaches = [breach for source in MODULES + SCRIPTS for breach in oversized(source, MAX_FILE)]
    breaches += [breach for source in TESTS for breach in oversized(source, MAX_TEST_FILE)]
    assert breaches == []


def test_every_module_says_what_it_is_for():
    silent = [source.name for source in MODULES + SCRIPTS if not ast.get_docstring(source.tree)]
    assert silent == []


def test_every_suppression_has_a_reason():
    sources = MODULES + SCRIPTS + TESTS
    assert [line for source in sources for line in unreasoned_suppressions(source)] == []
    assert list(unreasoned_ignores((ROOT / "pyproject.toml").read_text("utf-8"))) == []


def test_every_library_with_a_home_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[<>=!~ ]", line)[0] for line in project["dependencies"]}
    distributions = {"dotenv": "python-dotenv", "python_multipart": "python-multipart"}
    distributions |= {"yaml": "pyyaml", "prometheus_client": "prometheus-client"}
    # pytest loads the plug-in itself; who has no pytest never imports it.
    needed = HOMES.keys() - {"pytest"}
    assert {distributions.get(library, library) for library in needed} == declared


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_start_up_imports_nothing_heavy(arguments: list[str]):
    program = (
        "import sys\n"
        f"sys.argv = ['qarun', *{arguments!r}]\n"
        "from runs_as_code.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr.strip()) == (0, "")
    assert result.stdout


# --- the rules see what they are there to see


def module(name: str, text: str) -> Source:
    return Source(f"{PACKAGE}.{name}", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model.live", "from runs_as_code.engine import executor"),
        ("report.text", "from runs_as_code.planning.marker import parse"),
        ("report.text", "def f():\n    import runs_as_code.server.app"),
        ("report.text", "from ..planning import marker"),
        ("errors", "from runs_as_code import model"),
    ],
)
def test_an_upward_or_sideways_import_is_seen(name: str, text: str):
    names = frozenset(
        f"{PACKAGE}.{part}"
        for part in ("model", "engine.executor", "planning", "planning.marker", "server.app")
    )
    assert len(list(upward_imports(module(name, text), names))) == 1


def test_a_downward_import_and_one_inside_a_package_are_fine():
    text = "from runs_as_code.model.live import LiveRun\nfrom . import html"
    assert list(upward_imports(module("report.text", text), frozenset())) == []


def test_a_cycle_is_seen():
    first = module("model.a", "from runs_as_code.model.b import x")
    second = module("model.b", "def f():\n    from runs_as_code.model import a")
    assert set(cycle([first, second])) == {first.name, second.name}


@pytest.mark.parametrize(
    "text",
    [
        "import os.path",
        "from pathlib import Path",
        "datetime.now(UTC)",
        "open('x')",
        "date.today()",
    ],
)
def test_an_impurity_is_seen(text: str):
    assert len(list(impurities(module("planning.planner", text)))) == 1


def test_types_of_dates_are_pure():
    text = "from datetime import datetime\ndef f(at: datetime): return at.isoformat()"
    assert list(impurities(module("planning.planner", text))) == []


@pytest.mark.parametrize(
    "text", ["print('x')", "os.environ['X']", "sys.stdout.write('')", "from os import environ"]
)
def test_a_use_of_the_terminal_is_seen(text: str):
    assert len(list(uses_of_the_terminal(module("engine.executor", text)))) == 1


def test_a_home_of_one_module_is_not_open_to_its_neighbours():
    assert not list(homeless_libraries(module("server.documents", "import yaml")))
    assert len(list(homeless_libraries(module("server.app", "import yaml")))) == 1


@pytest.mark.parametrize("text", ["import httpx", "import requests", "from yaml import load"])
def test_a_library_away_from_home_is_seen(text: str):
    assert len(list(homeless_libraries(module("engine.executor", text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" * 401,
        "def f():\n" + "    x = 1\n" * 60,
        "class A:\n" + "".join(f"    def f{n}(self): ...\n" for n in range(13)),
    ],
)
def test_an_oversized_part_is_seen(text: str):
    assert len(list(oversized(module("cli.app", text), 400))) == 1


def test_a_dry_run_parameter_is_seen():
    assert len(list(dry_runs(module("cli.app", "def f(*, dry_run=False): ...")))) == 1


@pytest.mark.parametrize(
    ("comment", "breaches"),
    [
        ("# noqa", 1),
        ("# noqa: because it is so", 1),
        ("# noqa: S603", 1),
        ("# noqa: S603, S607 our own program", 0),
        ("# noqa: S603  # our own program", 0),
        ("# type: ignore[arg-type]", 1),
        ("# type: ignore  # stubs are wrong", 1),
        ("# type: ignore[arg-type]  # stubs are wrong", 0),
        ("# pragma: no cover", 1),
        ("# pragma: no cover - only on Windows", 0),
    ],
)
def test_a_suppression_without_a_reason_is_seen(comment: str, breaches: int):
    source = module("cli.app", f"x = 1  {comment}\n")
    assert len(list(unreasoned_suppressions(source))) == breaches


def test_an_ignore_without_a_reason_is_seen():
    text = 'ignore = [\n  "D105",  # magic methods\n  "D203",\n]\nselect = ["ALL"]'
    assert list(unreasoned_ignores(text)) == ['"D203",']
