"""What the documents point at is there: links between pages, and the files and functions that the two walks name."""

import re
from pathlib import Path

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
NAMED = re.compile(r"`([\w/.]+\.(?:py|ts))`\s+\(`([\w.]+)`")


def test_links_between_documents_lead_somewhere(root: Path) -> None:
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), root / "server/ui/lib/README.md"]
    broken = [
        f"{page.relative_to(root)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_walks_name_real_functions(root: Path) -> None:
    named = NAMED.findall((root / "docs/ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert len(named) >= 9
    for file, name in named:
        last = name.rsplit(".", 1)[-1]
        places = [
            place
            for place in root.glob(f"**/{file}")
            if "node_modules" not in place.parts and ".venv" not in place.parts
        ]
        if "/" not in file:
            places = [*root.glob(f"server/**/{file}"), *root.glob(f"drivers/**/{file}")]
        assert any(
            re.search(rf"\b(def|class|function) {last}\b", place.read_text(encoding="utf-8")) for place in places
        ), f"{file} has no {name}"
