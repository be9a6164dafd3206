"""Build hook: the phone app and its built dependencies travel inside the wheel."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOT_SERVED = {"node_modules", "tests"}
NOT_SERVED_ENDS = (".d.ts", ".py")
SERVED_AT_TOP = {".css", ".html", ".ico", ".js", ".png", ".svg", ".webmanifest"}


class WheelHook(BuildHookInterface[Any]):
    """Adds what is served of `authenticator/` as `vestibule/authenticator/`."""

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


def _served(inside: Path) -> bool:
    if len(inside.parts) == 1:
        return inside.suffix in SERVED_AT_TOP
    return inside.parts[0] not in NOT_SERVED and not inside.name.endswith(NOT_SERVED_ENDS)
