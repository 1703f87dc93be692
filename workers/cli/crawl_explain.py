"""`woodpecker crawl --explain URL`: whether a page would be asked for, and which rule decides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workers.cli.contact import contact_for
from workers.cli.output import Exit, console, leave, summary, whole_address

if TYPE_CHECKING:
    from config.policy import SitePolicy
    from crawlers.gate import Check

MEANINGS = {
    "scope": "host, scheme and method are this site's",
    "permission": "the site is switched on, and there is a permission",
    "rest": "the site has not turned us away",
    "pause": "delay between two requests",
    "daily cap": "pages of one day",
    "address": "where its name leads to",
    "robots": "robots.txt (RFC 9309)",
    "login": "no login page",
}


def show(url: str, site: str | None, state: Path | None, *, as_json: bool) -> None:
    """Print what each rule says of a URL, up to the one that decides; with `as_json` the same as one JSON object."""
    from config.policy import PolicyError, load_site

    whole_address("--explain", url, as_json=as_json)
    try:
        policy = load_site(site) if site else _policy_for(url)
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json, problems=[one.as_dict() for one in error.problems])
    checks = _nobodys(url) if policy is None else _checked(policy, url, state, as_json=as_json)
    deciding = checks[-1]
    name = policy.name if policy else None
    if as_json:
        rules = [{"rule": one.name, "refuses": one.refuses, "says": one.says} for one in checks]
        values = {"url": url, "site": name, "fetched": not deciding.refuses, "rule": deciding.name}
        summary({**values, "reason": deciding.says, "rules": rules})
        return
    _print(url, name, checks)


def _print(url: str, name: str | None, checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("rule", "", "says", box=None)
    for check in checks:
        mark = Text("refuses", style="red") if check.refuses else Text("allows", style="green")
        table.add_row(Text(check.name), mark, Text(check.says))
    console.print(table)
    deciding = checks[-1]
    told = "would not be fetched" if deciding.refuses else "would be fetched"
    meaning = MEANINGS.get(deciding.name, deciding.name)
    console.print(
        f"{url} ({name or 'no site'}): {told}; {deciding.name} decides ({meaning})", markup=False, soft_wrap=True
    )
    if not deciding.refuses:
        console.print("What the page itself asks (noindex, noarchive) is known only when it was fetched.", markup=False)


def _checked(policy: SitePolicy, url: str, state: Path | None, *, as_json: bool) -> list[Check]:
    from config.settings import get_settings
    from crawlers.state import Unusable, default_folder
    from crawlers.visit import visit

    contact = contact_for(policy, as_json=as_json)
    folder = state or default_folder(get_settings().data_dir)
    try:
        return visit(policy, lambda visitor: visitor.checks(url), state_dir=folder, contact=contact)
    except Unusable as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)


def _policy_for(url: str) -> SitePolicy | None:
    """Return the configured site whose host a URL names; a site whose file is wrong is passed over."""
    from config.policy import PolicyError, list_sites, load_site
    from crawlers.gate import unlisted

    for name in list_sites():
        try:
            policy = load_site(name)
        except PolicyError:
            continue
        if unlisted(url, "GET", policy) is None:
            return policy
    return None


def _nobodys(url: str) -> list[Check]:
    from crawlers.gate import Check

    host = urlsplit(url).netloc.rpartition("@")[2]
    return [Check("scope", f"no site file names the host {host}; `woodpecker site new` makes one", refuses=True)]
