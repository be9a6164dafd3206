"""Where the files lie that are served as written."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def authenticator_root() -> Path:
    """Folder of the phone app: inside the wheel, or beside `src` in a checkout.

    Raises FileNotFoundError when the dependencies of the app were not built.
    """
    for root in (_PACKAGE / "authenticator", _PACKAGE.parent.parent / "authenticator"):
        if (root / "vendor" / "LICENSES.txt").is_file():
            return root
    message = "the phone app is not built: run `make run`, or install the wheel"
    raise FileNotFoundError(message)


def knowledge_root() -> Path:
    """Folder of the help articles: inside the wheel, or beside `src` in a checkout.

    Raises FileNotFoundError when there are none.
    """
    for root in (_PACKAGE / "articles", _PACKAGE.parent.parent / "knowledge"):
        if (root / "en").is_dir():
            return root
    message = "the help articles are missing: install the wheel, or use a whole checkout"
    raise FileNotFoundError(message)
