"""`World`: what stands on the platform at a moment, a pure function of the texts, the seed and the seconds run."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from demo.library import SECTIONS, Library, Text, Topic

TICK = 20.0
"""Mean seconds between two happenings."""
DAY = 86_400.0
OPENING_TOPICS = 58
OPENING_HARMFUL_TOPICS = 10
OPENING_HARMFUL_REPLIES = 82
LONG_THREADS = 9
LIVELY_THREADS = 70
"""Newest threads in which something still happens."""
LIVELY_POSTS = 800
PLACEHOLDER = "先占个楼，回头再编辑。"
ADDENDUM = "补充：谢谢大家，问题已经解决啦。"

NAMES = (
    "半块橡皮、晒太阳的土豆、七点半起床、纸飞机航线、蓝色雨靴、小满、不吃香菜、拾荒的云、二楼靠窗、慢慢走的蜗牛、"
    "口袋里的糖、阿柚、一只鹅、数学课代表、晚风、云朵收集员、刷题到天亮、胖橘、三明治、树洞先生、南瓜灯、爱吃糯米饭、"
    "星星点灯、今天也要早睡、橡果、跑步的闹钟、小雨点、圆珠笔、西瓜籽、毛线团"
)

T = TypeVar("T")


@dataclass
class Post:
    """One post at its place; `at` and `edited_at` in seconds run."""

    id: int
    author: str
    text: Text
    at: float
    edited_at: float | None = None
    removed: bool = False


@dataclass
class Thread:
    """A title and its posts, oldest first; a removed thread leaves only its address."""

    id: int
    section: str
    title: Text
    posts: list[Post] = field(default_factory=list)
    removed: bool = False

    @property
    def last_at(self) -> float:
        """Seconds run at the newest post; an edit does not move a thread, as on most forums."""
        return self.posts[-1].at


class World:
    """The platform, moved on by `advance`. The same seed gives the same platform at the same second."""

    def __init__(self, library: Library, seed: int, tick: float = TICK) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a story, not a secret
        self._tick = tick
        self._library = library
        self._topics = self._interleaved([t for t in library.topics if t.section == slug] for slug in SECTIONS)
        self._chatter = {slug: self._cycle([t for t in library.chatter if slug in t.sections]) for slug in SECTIONS}
        self._harmful = self._interleaved(library.harmful_replies.values())
        self._harmful_topics = self._interleaved(library.harmful_topics.values())
        self.threads: dict[int, Thread] = {}
        self.posts: dict[int, tuple[Thread, Post]] = {}
        self._said: dict[int, list[Text]] = {}
        self._open()
        self._next_at = self._pause()

    def advance(self, ran: float) -> None:
        """Let everything happen that is due when the platform has run `ran` seconds."""
        while self._next_at <= ran:
            self._happen(self._next_at)
            self._next_at += self._pause()

    def section(self, slug: str) -> list[Thread]:
        """Return the standing threads of a board, last moved first."""
        standing = (thread for thread in self.threads.values() if thread.section == slug and not thread.removed)
        return sorted(standing, key=lambda thread: (-thread.last_at, -thread.id))

    # how it stands at the first second

    def _open(self) -> None:
        drafts = [self._draft(next(self._topics), days=30) for _ in range(OPENING_TOPICS)]
        for _ in range(OPENING_HARMFUL_TOPICS):
            drafts.append(self._draft(next(self._harmful_topics), days=6))
        for draft in drafts:
            self._fill(draft, self._random.randint(1, 6))
        for draft in self._random.sample(drafts[:OPENING_TOPICS], LONG_THREADS):
            self._fill(draft, self._random.randint(12, 26))
        for _ in range(OPENING_HARMFUL_REPLIES):
            text = next(self._harmful)
            self._place(self._random.choice([d for d in drafts if d.section in text.sections]), text)
        drafts.sort(key=lambda draft: draft.posts[0].at)
        for number, draft in enumerate(drafts, start=1):
            draft.id = number
            self.threads[number] = draft
        written = [(post, draft) for draft in drafts for post in draft.posts]
        for number, (post, draft) in enumerate(sorted(written, key=lambda pair: pair[0].at), start=1):
            post.id = number
            self.posts[number] = (draft, post)
        for draft in drafts:
            draft.posts.sort(key=lambda post: post.at)

    def _draft(self, topic: Topic, days: float) -> Thread:
        at = -self._random.uniform(0.3, days) * DAY
        thread = Thread(0, topic.section, topic.title, [Post(0, self._name(), topic.opening, at)])
        for reply in topic.replies:
            self._place(thread, reply)
        return thread

    def _fill(self, thread: Thread, count: int) -> None:
        for _ in range(count):
            self._place(thread, next(self._chatter[thread.section]))

    def _place(self, thread: Thread, text: Text) -> None:
        # most answers come soon, and none later than now
        share = self._random.random() ** 2
        at = thread.posts[0].at * (1 - share) if share else -1.0
        thread.posts.append(Post(0, self._name(), text, min(at, -1.0)))

    # what happens afterwards

    def _happen(self, at: float) -> None:
        happening = self._random.choices(
            (self._reply, self._start_thread, self._edit, self._remove), weights=(60, 20, 11, 9)
        )[0]
        happening(at)

    def _reply(self, at: float) -> None:
        text: Text | None
        if self._random.random() < 0.16:
            text = next(self._harmful)
            section = self._random.choice(text.sections)
        else:
            section = self._random.choice(list(SECTIONS))
            text = Text("placeholder", PLACEHOLDER, "ordinary") if self._random.random() < 0.05 else None
        lately = itertools.islice(reversed(self.threads.values()), LIVELY_THREADS)
        threads = [thread for thread in lately if thread.section == section and not thread.removed]
        if not threads:  # unlikely, yet a board may be cleared
            return self._start_thread(at)
        thread = self._random.choice(threads)
        self._add(thread, text or self._fitting(thread), at)

    def _start_thread(self, at: float) -> None:
        topic = next(self._harmful_topics if self._random.random() < 0.15 else self._topics)
        thread = Thread(len(self.threads) + 1, topic.section, topic.title)
        self.threads[thread.id] = thread
        self._said[thread.id] = list(reversed(topic.replies))
        self._add(thread, topic.opening, at)

    def _edit(self, at: float) -> None:
        """An author adds a word of thanks, or turns the place that was kept into what was meant all along."""
        standing = [post for _, post in self._lately()]
        kept = [post for post in standing if post.text.text == PLACEHOLDER]
        fresh = [post for post in standing if post.edited_at is None and post.text.pool == "ordinary"]
        post = self._random.choice(kept or fresh)
        if kept:
            post.text = next(self._harmful)
        else:
            post.text = replace(post.text, id=f"{post.text.id}+", text=f"{post.text.text}\n{ADDENDUM}")
        post.edited_at = at

    def _remove(self, at: float) -> None:
        """The platform takes a post away, mostly one that should go; with its opening post goes the thread."""
        standing = [pair for pair in self._lately() if at - pair[1].at > 30 * TICK]
        bad = [pair for pair in standing if pair[1].text.slug]
        thread, post = self._random.choice(bad if bad and self._random.random() < 0.8 else standing)
        if post is thread.posts[0]:
            thread.removed = True
        else:
            post.removed = True

    def _lately(self) -> list[tuple[Thread, Post]]:
        """Return the newest posts that still stand; what is old is left alone."""
        lately = itertools.islice(reversed(self.posts.values()), LIVELY_POSTS)
        return [(thread, post) for thread, post in lately if not (post.removed or thread.removed)]

    def _add(self, thread: Thread, text: Text, at: float) -> None:
        post = Post(len(self.posts) + 1, self._name(), text, at)
        thread.posts.append(post)
        self.posts[post.id] = (thread, post)

    def _fitting(self, thread: Thread) -> Text:
        unsaid = self._said.get(thread.id)
        return unsaid.pop() if unsaid else next(self._chatter[thread.section])

    def _pause(self) -> float:
        return self._tick * self._random.uniform(0.7, 1.3)

    def _name(self) -> str:
        return self._random.choice(NAMES.split("、"))

    def _shuffled(self, things: Iterable[T]) -> list[T]:
        shuffled = list(things)
        self._random.shuffle(shuffled)
        return shuffled

    def _cycle(self, things: Sequence[T]) -> Iterator[T]:
        return itertools.cycle(self._shuffled(things))

    def _interleaved(self, kinds: Iterable[Sequence[T]]) -> Iterator[T]:
        """Every kind takes its turn, so that each is there from the start."""
        rows = itertools.zip_longest(*(self._shuffled(kind) for kind in kinds))
        return itertools.cycle([thing for row in rows for thing in row if thing is not None])
