"""`woodpecker crawl SITE…`: read sites under their policies; captures go to a file or into the inbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.contact import contact_for, contact_missing
from workers.cli.output import Exit, Json, complain, leave

if TYPE_CHECKING:
    from config.policy import SitePolicy
    from crawlers.crawl import Crawled
    from crawlers.evidence import EvidenceStore
    from crawlers.report import CrawlReport


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(crawl)


def crawl(  # noqa: PLR0913, PLR0917 - each is an option
    sites: Annotated[
        list[str] | None,
        typer.Argument(metavar="SITE", help="Names of configured sites, or their files.", show_default=False),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every configured site that is switched on and can be crawled.")
    ] = False,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE|-", help="Write captures as JSON Lines here.")
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the stored responses; default: FILE.evidence beside --output FILE, else the data folder.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the crawler's memory; default: crawl/ in the data folder."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many captures.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the sample of this number, the same each time.")] = None,
    due: Annotated[
        bool,
        typer.Option("--due", help="As the clock does: only sections whose period has passed; wrong sites are named."),
    ] = False,
    recheck: Annotated[bool, typer.Option("--recheck", help="Look at every thread, moved or not.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Only say whether this page would be asked for, and which rule decides."),
    ] = None,
    explain_for: Annotated[
        str | None,
        typer.Option("--site", metavar="SITE", help="With --explain: the site; default: the one that has this host."),
    ] = None,
    json: Json = False,
) -> None:
    """Read sites under their policies. Without --output the captures go into the inbox.

    The policy says which pages, how often and under which permission;
    `woodpecker config explain SITE` prints it. robots.txt is asked first and
    obeyed, one request at a time, with the site's pause between two. A second
    run brings only what is new. Several sites are read side by side, each at
    its own pace; hundreds fit into one process.

    [bold]woodpecker crawl demo[/bold]
    a configured site, into the inbox

    [bold]woodpecker crawl forum.yaml -o captures.jsonl --limit 20[/bold]
    a first look at a site file; captures go into a file, no database needed.
    With WOODPECKER_EVIDENCE_KEY the responses behind them are kept, sealed, in
    captures.jsonl.evidence; without it none, and that is said

    [bold]woodpecker crawl --all --json[/bold]
    all configured sites; the last line holds a report of each

    [bold]woodpecker crawl --explain https://forum.example/t/1[/bold]
    whether that page would be asked for, and which rule decides; nothing but
    its robots.txt is asked for

    Exit codes: 0 done · 1 nothing could be read, or captures cannot be kept ·
    2 the call or the policy is wrong, nothing was asked · 3 done in part:
    pages failed, the site stopped us, or it brings far less than usual; each reason is told, run again later
    """
    from config.policy import list_sites
    from config.settings import get_settings
    from crawlers import crawl as crawling
    from crawlers.state import default_folder
    from workers.cli import crawl_explain, crawl_past, crawl_progress, crawl_report, crawl_sink

    named = list(dict.fromkeys(sites or []))
    if explain is not None:
        if len(named) > 1 or every:
            leave(Exit.WRONG_INPUT, "SITE: found several with --explain; allowed: one, or none", as_json=json)
        crawl_explain.show(explain, explain_for or (named[0] if named else None), state, as_json=json)
        return
    if bool(named) == every or explain_for is not None:
        found = "--site without --explain" if explain_for else "sites and --all" if every else "no site"
        allowed = "configured sites' names, their files, or --all"
        leave(Exit.WRONG_INPUT, f"SITE: found {found}; allowed: {allowed}", as_json=json)
    policies, wrong = _policies(named or list_sites(), every=every, lenient=every or due, as_json=json)
    contacts = [contact_for(policy, as_json=json) for policy in policies.values()]
    settings = get_settings()
    folder = state or default_folder(settings.data_dir)
    store = _evidence(output, evidence, as_json=json)
    crawled: list[Crawled] = []
    try:
        with crawl_sink.opened(output, as_json=json) as (keep, flush), crawl_progress.shown(policies.values()) as show:
            options = crawling.Options(
                state_dir=folder,
                key=settings.effective_redaction_key(),
                on_capture=keep,
                limit=limit,
                seed=seed,
                recheck=recheck,
                evidence=store,
                due_only=due,
                before_commit=_committer(flush, show),
            )
            jobs = []
            for (site, policy), contact in zip(policies.items(), contacts, strict=True):
                own = crawling.Options(**options, contact=contact, reload=_reloader(site, policy))
                jobs.append((policy, crawling.Options(**own, **crawl_past.known(policy, output))))
            crawled = crawling.crawl_all(jobs)
    except OSError as error:  # the last that was written did not fit
        if not any(one.error for one in crawled):
            leave(Exit.FAILED, crawl_report.problem(error), as_json=json)
    if output is None:
        crawl_past.note_yields(one.report for one in crawled if one.error is None)
    crawl_report.finish([*crawled, *wrong], alone=not every and len(named) == 1, as_json=json, spoken=output == "-")


def _evidence(output: str | None, folder: Path | None, *, as_json: bool) -> EvidenceStore | None:
    """Return where the responses behind captures are kept, if anywhere; that nothing seals them is told once.

    Into the inbox go metadata and digest at least. Beside a file nothing is kept that could not be opened.
    """
    from config.settings import get_settings
    from crawlers.evidence import EvidenceStore, Keys, WrongKey, beside

    settings = get_settings()
    try:
        keys = Keys.of(settings.evidence_key.get_secret_value())
    except WrongKey as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)
    if output is None:
        folder = folder or settings.path("files", "responses")
        lacking = "of responses only metadata and digests are kept"
    else:
        folder = folder or (None if output == "-" else beside(Path(output)))
        lacking = "no responses are kept beside the captures"
    if keys is None and folder is not None and not as_json:
        complain(f"WOODPECKER_EVIDENCE_KEY is empty: {lacking}")
    if folder is None or (output is not None and keys is None):
        return None
    return EvidenceStore(folder, keys, settings.crawler_contact, settings.effective_redaction_key())


def _committer(
    flush: Callable[[CrawlReport], float], show: Callable[[CrawlReport], None]
) -> Callable[[CrawlReport], None]:
    """Return what makes the captures of a page safe, notes how long that waited for room, and shows how far it is."""

    def commit(so_far: CrawlReport) -> None:
        so_far.held_seconds = round(so_far.held_seconds + flush(so_far), 2)
        show(so_far)

    return commit


def _policies(
    sites: list[str], *, every: bool, lenient: bool, as_json: bool
) -> tuple[dict[str, SitePolicy], list[Crawled]]:
    """Return site → policy, and those that are wrong; with `every` what is switched off or imported is passed over.

    Unless `lenient`, a policy that is wrong ends the command before anything is asked for.
    """
    from config.policy import PolicyError, load_site
    from crawlers.crawl import Crawled, NotCrawlable, ensure_crawlable
    from crawlers.report import CrawlReport

    found: dict[str, SitePolicy] = {}
    wrong: list[Crawled] = []
    for site in sites:
        try:
            policy = load_site(site)
            ensure_crawlable(policy)
        except PolicyError as error:
            if lenient:
                wrong.append(Crawled(CrawlReport(site), error))
                continue
            leave(Exit.WRONG_INPUT, str(error), as_json=as_json, problems=[one.as_dict() for one in error.problems])
        except NotCrawlable as error:
            if every:
                continue
            leave(Exit.WRONG_INPUT, str(error), as_json=as_json)
        missing = contact_missing(policy) if lenient else None
        if missing:
            wrong.append(Crawled(CrawlReport(policy.name), NotCrawlable(missing)))
        elif policy.enabled or not every:
            found[site] = policy
    names = [policy.name for policy in found.values()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        leave(Exit.WRONG_INPUT, f"SITE: found {', '.join(twice)} twice; allowed: each site once", as_json=as_json)
    if not found and not wrong:
        leave(Exit.WRONG_INPUT, "--all: found no site to crawl; allowed: at least one configured site", as_json=as_json)
    return found, wrong


def _reloader(site: str, policy: SitePolicy) -> Callable[[], SitePolicy]:
    """Give what reads the policy again; a site whose file was taken away is switched off."""
    from config.policy import PolicyError, load_site, site_exists

    def reload() -> SitePolicy:
        try:
            return load_site(site)
        except PolicyError:
            if site_exists(site):
                raise
            return policy.model_copy(update={"enabled": False})

    return reload
