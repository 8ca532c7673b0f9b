"""The import rules, and the few things that only one place may do; docs/architecture.md explains them."""

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

OURS = ("main", "functions", "audience_jobs", "local", "tminus")
GOOGLE = ("google", "firebase_admin", "grpc")

HANDLERS_MAY_IMPORT = (
    "functions.bootstrap",
    "functions.domain",
    "functions.logs",
    "functions.ports",
    "functions.usecases",
    "functions.version",
    "audience_jobs.errors",
)

# Each layer, and what it may import of ours. The longest prefix that fits a module is its layer.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "functions.domain": ("functions.domain",),
    "functions.ports": ("functions.domain", "functions.ports", "audience_jobs.contract", "audience_jobs.workspace"),
    "functions.stores": ("functions.domain", "functions.ports", "functions.stores"),
    "functions.usecases": (
        "functions.domain",
        "functions.ports",
        "functions.usecases",
        "audience_jobs.conditions",
        "audience_jobs.contract",
        "audience_jobs.criteria",
        "audience_jobs.criteria_words",
        "audience_jobs.errors",
        "audience_jobs.one_user",
        "audience_jobs.people_search",
        "audience_jobs.query_based",
        "audience_jobs.registry",
        "audience_jobs.workspace",
    ),
    "functions.settings": ("functions.domain", "functions.settings"),
    "functions.logs": (),
    "functions.version": (),
    "functions.gcp": (
        "functions.domain",
        "functions.gcp",
        "functions.logs",
        "functions.ports",
        "functions.settings",
        "functions.stores",
        "audience_jobs.contract",
        "audience_jobs.workspace",
    ),
    # Jobs, API and console share http and do not know each other; http knows none of them.
    "functions.handlers.http": (*HANDLERS_MAY_IMPORT, "functions.handlers.http"),
    "functions.handlers.jobs": (*HANDLERS_MAY_IMPORT, "functions.handlers.http", "functions.handlers.jobs"),
    "functions.handlers.api": (*HANDLERS_MAY_IMPORT, "functions.handlers.http", "functions.handlers.api"),
    "functions.handlers.console": (*HANDLERS_MAY_IMPORT, "functions.handlers.http", "functions.handlers.console"),
    "functions.bootstrap": (
        "functions.domain",
        "functions.gcp",
        "functions.logs",
        "functions.ports",
        "functions.settings",
        "functions.usecases",
        "functions.version",
        "audience_jobs",
        "local.embedded",
    ),
    "main": ("functions.handlers",),
    "tminus": ("local.cli",),
    "audience_jobs": ("audience_jobs",),
    "local.sample": ("local.sample",),
    "local.embedded": (
        "functions.domain",
        "functions.ports",
        "functions.stores",
        "audience_jobs.contract",
        "audience_jobs.workspace",
        "local.embedded",
    ),
    # The command line composes: it may reach whatever a deployed process may.
    "local": ("functions", "audience_jobs", "local"),
}
READS_DOCUMENTS = (
    "content_fields",
    "translations",
    "defaults",
    "document",
    "errors",
    "field_types",
    "fields",
    "push_fields",
    "read",
    "schedule_fields",
)
DOMAIN_LIBRARIES = {
    "pydantic": [f"functions.domain.recipe.{name}" for name in READS_DOCUMENTS],
    "numpy": ["functions.domain.cadence.ledger"],
}
TELLS_THE_TIME = {"functions.gcp.clock", "functions.logs", "local.embedded.clock"}
MAY_PRINT = ("local.cli",)


@cache
def modules() -> Mapping[str, ast.Module]:
    """Every module of ours by its name; read by the first test, not by each worker that collects."""
    found = {}
    for top in OURS:
        paths = [ROOT / "main.py"] if top == "main" else sorted((ROOT / top).rglob("*.py"))
        for path in paths:
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def layer_of(module: str) -> str | None:
    fitting = [layer for layer in MAY_IMPORT if within(module, (layer,))]
    return max(fitting, key=len, default=None)


def test_a_module_imports_only_what_its_layer_may() -> None:
    breaches = []
    for module, tree in modules().items():
        layer = layer_of(module)
        # `from functions import bootstrap` names the module behind the dot.
        ours = [name for name in imports(tree) if within(name, OURS)]
        breaches += [(module, name) for name in ours if layer is None or not within(name, MAY_IMPORT[layer])]
    assert breaches == []


def test_the_domain_needs_the_standard_library_pydantic_for_documents_and_numpy_for_the_ledger() -> None:
    breaches = []
    for module, tree in modules().items():
        if within(module, ("functions.domain",)):
            foreign = {name.split(".")[0] for name in imports(tree)} - sys.stdlib_module_names - {"functions"}
            allowed = {library for library, users in DOMAIN_LIBRARIES.items() if module in users}
            breaches += [(module, library) for library in foreign - allowed]
    assert breaches == []


def test_only_the_cloud_adapters_import_google() -> None:
    users = [m for m, tree in modules().items() if any(within(name, GOOGLE) for name in imports(tree))]
    engines = ("audience_jobs.engines.bucket_folder", "audience_jobs.engines.google_access")
    stand_ins = ("local.standins.cloud_tasks", "local.standins.storage")
    adapters = ("functions.gcp", "local.doctor.google", *stand_ins, *engines)
    others = [module for module in users if not within(module, adapters)]
    assert [module for module in others if not module.startswith("audience_jobs.engines.bigquery")] == []


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_only_the_settings_read_the_environment() -> None:
    readers = []
    for module, tree in modules().items():
        reads = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if reads & {"os.environ", "os.getenv"}:
            readers.append(module)
    # The runtime only puts back what the functions framework changes; the emulators are named to Google's clients.
    assert sorted(readers) == ["functions.settings.read", "local.runtime.emulators", "local.runtime.functions"]


def test_only_clocks_tell_the_time() -> None:
    asking = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic")
    tellers = {module for module, tree in modules().items() if set(calls(tree)) & set(asking)}
    assert tellers <= TELLS_THE_TIME


def test_nothing_prints_but_the_command_line() -> None:
    printers = [module for module, tree in modules().items() if "print" in calls(tree) or "click.echo" in calls(tree)]
    assert [module for module in printers if not within(module, MAY_PRINT)] == []


def test_main_stays_small_and_free_of_state() -> None:
    source = (ROOT / "main.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 80
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.FunctionDef)
    assert [node for node in ast.parse(source).body if not isinstance(node, allowed)] == []
