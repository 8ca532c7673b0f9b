"""Put everything that a wheel installs under one package, `tminus`; docs/decisions/0036 says why.

A checkout has `functions`, `audience_jobs`, `local` and `main.py` side by side, as Cloud Run functions want them. In
site-packages these names would collide with others, so the build moves them into `tminus` and renames the imports.
pyproject.toml holds all other settings.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

_TOP = r"(?:functions|audience_jobs|local|main)"
_IMPORT = re.compile(rf"^([ ]*from )(?={_TOP}[. ])", re.MULTILINE)
_COMMAND = re.compile(rf"(?<=python -m )(?={_TOP}\.)")
_QUOTED = re.compile(rf"""(?<=["'])({_TOP}(?:\.\w+)+)""")
"""The name of a module in a string, such as the argument of `import_module`."""


class BuildNamespace(build_py):
    """Builds as usual, then moves what it built into `tminus`; an editable install keeps the checkout's names."""

    def run(self) -> None:
        """Build."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)  # an earlier build's files
        super().run()
        built, package = Path(self.build_lib), Path(self.build_lib) / "tminus"
        for top in sorted(built.iterdir()):
            if top != package:
                top.rename(package / top.name)
        modules = {_name_of(file, package) for file in package.rglob("*.py")}
        for file in package.rglob("*.py"):
            file.write_text(rename_imports(file.read_text(encoding="utf-8"), modules), encoding="utf-8")

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the built files where they are after the move."""
        outputs = super().get_outputs(include_bytecode)
        if self.editable_mode:
            return outputs
        relative = [Path(output).relative_to(self.build_lib) for output in outputs]
        package = Path(self.build_lib, "tminus")
        return [str(Path(self.build_lib, each) if each.parts[0] == "tminus" else package / each) for each in relative]


class NameNamespace(egg_info):
    """Names `tminus` as the only package that the distribution installs."""

    def run(self) -> None:
        """Write the metadata."""
        super().run()
        Path(self.egg_info, "top_level.txt").write_text("tminus\n", encoding="utf-8")


def rename_imports(source: str, modules: set[str]) -> str:
    """Return a module's source with the names of Tminus's modules under `tminus`.

    Raises ValueError for an import that this cannot rename: `import functions.x` binds the name `functions`.
    """
    source = _IMPORT.sub(r"\1tminus.", source)
    source = _COMMAND.sub("tminus.", source)
    source = _QUOTED.sub(lambda found: f"tminus.{found[1]}" if found[1] in modules else found[1], source)
    left = [name for name in _imported(source) if re.match(rf"{_TOP}(\.|$)", name)]
    if left:
        raise ValueError(f"cannot rename the import of {', '.join(left)}: write `from ... import ...`")
    return source


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _name_of(file: Path, package: Path) -> str:
    parts = file.relative_to(package).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildNamespace, "egg_info": NameNamespace})
