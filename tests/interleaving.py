"""Processes that take turns: between any two of their calls to the outside world others may run, or they may die."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.fakes import Crash


class Killed(BaseException):
    """The process died here."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One process may make so many calls; and maybe dies before its next one."""

    who: int
    """Counts the threads that could go on."""
    calls: int
    dies: bool = False


def _turns(threads: int, calls: int) -> st.SearchStrategy[list[Turn]]:
    dies = st.sampled_from([False, False, False, True])
    return st.lists(st.builds(Turn, st.integers(0, threads - 1), st.integers(1, calls), dies), max_size=6)


TURNS, LONG_TURNS = _turns(6, 12), _turns(4, 40)
ALL_DIE, ALL_FINISH, ALL_GO_ON = "all die", "all come to an end", "all go on"
ENDS = st.sampled_from([ALL_FINISH, ALL_DIE, ALL_GO_ON])
"""What becomes, when their turns are over, of those who are not at their end."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made."""

    process: int
    name: str
    arguments: tuple[Any, ...]
    answer: object


class _Thread:
    """One thread of a process: it stands before a call, or waits for the threads that it began."""

    def __init__(self, turns: Turns, process: int, work: Callable[[], object]) -> None:
        self.process = process
        self.answer: object = None
        self.error: BaseException | None = None
        self.over = False
        self.begun: Sequence[_Thread] = ()
        self.may_go_on = threading.Semaphore(0)
        threading.Thread(target=self._run, args=(turns, work), daemon=True).start()

    @property
    def ready(self) -> bool:
        return not self.over and all(thread.over for thread in self.begun)

    def _run(self, turns: Turns, work: Callable[[], object]) -> None:
        turns.of_thread.me = self
        self.may_go_on.acquire()
        try:
            if self.process not in turns.dead:
                self.answer = work()
        except BaseException as error:
            self.error = error
        self.over = True
        turns.handed_back.release()


class Turns(Crash):
    """Runs processes side by side, of which one moves at a time, from call to call of what it watches.

    A call with several items is as many calls, for no service takes them all or none. Only the processes that it
    started are held up; what a test itself calls goes through.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Call] = []
        self.dead: set[int] = set()
        self.errors: list[BaseException] = []
        """What processes ended with, but for those that were killed."""
        self.of_thread = threading.local()
        self.handed_back = threading.Semaphore(0)
        self._threads: list[_Thread] = []
        self._processes = 0

    def start(self, work: Callable[[], object]) -> None:
        """A process that stands before its first step."""
        self._threads.append(_Thread(self, self._processes, work))
        self._processes += 1

    def run(self, turns: Iterable[Turn], end: str = ALL_GO_ON) -> None:
        """Let who is started take turns; `end` is one of ENDS."""
        for turn in turns:
            if ready := self._ready():
                process = ready[turn.who % len(ready)].process
                for _ in range(turn.calls):
                    if threads := self._ready(process):
                        self._move(threads[turn.who % len(threads)])
                if turn.dies:
                    self._kill(process)
        if end == ALL_DIE:
            self.kill()
        if end == ALL_FINISH:
            self.finish()

    def finish(self) -> None:
        """Let all go on to their end."""
        while ready := self._ready():
            self._move(ready[0])

    def kill(self) -> None:
        """Let all die who are not at their end."""
        for thread in self._ready():
            self._kill(thread.process)

    @property
    def going_on(self) -> bool:
        """Whether somebody is not at their end."""
        return bool(self._threads)

    def pool(self, _: int) -> AbstractContextManager[Turns]:
        """In the place of ThreadPoolExecutor: its threads take turns as well."""
        return nullcontext(self)

    def passes(self, name: str, method: Any, arguments: tuple[Any, ...]) -> Any:
        """Make a call when it is the thread's turn."""
        me: _Thread | None = getattr(self.of_thread, "me", None)
        if me is None:
            return method(*arguments)
        answers = []
        for piece in _pieces(arguments):
            self._pause(me)
            answers.append(method(*piece))
            self.made.append(Call(me.process, name, piece, answers[-1]))
        return _together(answers)

    def map(self, work: Callable[[Any], object], items: Iterable[Any]) -> list[object]:
        """What threads of the process that calls this come to, side by side."""
        me: _Thread | None = getattr(self.of_thread, "me", None)
        if me is None:
            return [work(item) for item in items]
        me.begun = [_Thread(self, me.process, partial(work, item)) for item in items]
        self._threads += me.begun
        self._pause(me)
        for thread in me.begun:
            if thread.error:
                raise thread.error
        return [thread.answer for thread in me.begun]

    def _pause(self, me: _Thread) -> None:
        self.handed_back.release()
        me.may_go_on.acquire()
        if me.process in self.dead:
            raise Killed

    def _ready(self, process: int | None = None) -> list[_Thread]:
        return [one for one in self._threads if one.ready and process in (None, one.process)]

    def _kill(self, process: int) -> None:
        self.dead |= {process} if self._ready(process) else set()
        while threads := self._ready(process):
            self._move(threads[0])

    def _move(self, thread: _Thread) -> None:
        thread.may_go_on.release()
        self.handed_back.acquire()
        if thread.over:
            self._threads.remove(thread)
            if thread.error and not isinstance(thread.error, Killed):
                self.errors.append(thread.error)


def _pieces(arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    many = next((n for n, one in enumerate(arguments) if _are_items(one)), None)
    if many is None:
        return [arguments]
    return [(*arguments[:many], [item], *arguments[many + 1 :]) for item in arguments[many]]


def _are_items(argument: object) -> bool:
    """Several, and not the parts of a key."""
    return isinstance(argument, list | tuple) and len(argument) > 1 and len(set(map(type, argument))) == 1


def _together(answers: list[Any]) -> Any:
    if isinstance(answers[0], dict):
        return {key: value for answer in answers for key, value in answer.items()}
    return [one for answer in answers for one in answer] if isinstance(answers[0], list) else answers[0]
