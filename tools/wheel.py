"""Build hook: the phone app, its built dependencies and the articles travel inside the wheel."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOT_SERVED = {"node_modules", "tests"}
NOT_SERVED_ENDS = (".d.ts", ".py")
SERVED_AT_TOP = {".css", ".html", ".ico", ".js", ".png", ".svg", ".webmanifest"}


READ = {".md", ".png", ".webp"}


class WheelHook(BuildHookInterface[Any]):
    """Adds what is served of `authenticator/` and `knowledge/`, the latter as `articles/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to include; an editable install finds them in the checkout.

        Raises FileNotFoundError when the app's dependencies were not built.
        """
        if version == "editable":
            return
        source = Path(self.root, "authenticator")
        if not (source / "vendor" / "LICENSES.txt").is_file():
            message = "authenticator/vendor is not built: run `make dist`, which builds it first"
            raise FileNotFoundError(message)
        for path in source.rglob("*"):
            inside = path.relative_to(source)
            if path.is_file() and _served(inside):
                build_data["force_include"][str(path)] = f"vestibule/authenticator/{inside}"
        # Not `vestibule/knowledge`: that is the room which reads them.
        articles = Path(self.root, "knowledge")
        for path in articles.rglob("*"):
            if path.is_file() and path.suffix in READ:
                inside = path.relative_to(articles)
                build_data["force_include"][str(path)] = f"vestibule/articles/{inside}"


def _served(inside: Path) -> bool:
    if len(inside.parts) == 1:
        return inside.suffix in SERVED_AT_TOP
    return inside.parts[0] not in NOT_SERVED and not inside.name.endswith(NOT_SERVED_ENDS)
