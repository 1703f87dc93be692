"""Where the captures of a crawl go: a file, standard output, or the inbox."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from workers.cli.output import Exit, leave

if TYPE_CHECKING:
    from crawlers.capture import Capture
    from crawlers.capture_file import CaptureFile
    from crawlers.report import CrawlReport

    Sink = tuple[Callable[[Capture], None], Callable[[CrawlReport], float]]


@contextlib.contextmanager
def opened(output: str | None, *, as_json: bool) -> Iterator[Sink]:
    """Give what keeps a capture, and what makes everything kept so far safe.

    The latter returns the seconds that it waited for room in the inbox.
    """
    if output is None:
        yield from _inbox()
    elif output == "-":
        yield _print, _at_once(sys.stdout.flush)
    else:
        with _file(Path(output), as_json=as_json) as file:
            yield file.add, _at_once(file.flush)


def _at_once(flush: Callable[[], object]) -> Callable[[CrawlReport], float]:
    def done(report: CrawlReport) -> float:
        flush()
        return 0.0

    return done


def _file(path: Path, *, as_json: bool) -> CaptureFile:
    from crawlers.capture_file import CaptureFile, NotCaptures

    try:
        return CaptureFile(path)
    except NotCaptures as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)
    except OSError as error:
        leave(Exit.WRONG_INPUT, f"{path} cannot be written: {error.strerror}", as_json=as_json)


def _print(capture: Capture) -> None:
    sys.stdout.write(capture.model_dump_json() + "\n")


def _inbox() -> Iterator[Sink]:
    """Put captures into the inbox page by page, slower while it is over its limit; note on cases what is gone."""
    from workers.cli.start import prepare

    prepare()
    from casework import traces
    from workers import backpressure, receiving

    waiting: list[Capture] = []
    told: Counter[str] = Counter()
    brake = backpressure.Brake()

    # Django refuses to wait for its database inside an event loop, and the crawl runs in one: a thread of its own
    # writes, and the crawl waits for it, since it must not go on before the captures are safe.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox") as writer:

        def flush(report: CrawlReport) -> float:
            if gone := report.gone[told[report.site] :]:
                writer.submit(traces.note_gone, gone).result()
                told[report.site] += len(gone)
            if not waiting:
                return 0.0
            writer.submit(receiving.receive, list(waiting)).result()
            waiting.clear()
            return writer.submit(brake.wait).result()

        yield waiting.append, flush
