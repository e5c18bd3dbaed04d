import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

import prompts
from service.domain.draft import PromptRef
from service.errors import BadSetting, SkipItem, StopAll, Stopped, TryAgain
from service.llm.ask import Ask, BadReply, Refused, ask, parse, render
from service.llm.chat import ChatReply, ChatRequest, Limited, ScriptedChat
from service.llm.langchain import kind_of
from service.llm.replies import LabelReply
from service.llm.tokens import most_tokens
from service.llm.wrap import Cached, Metered, Patient

REQUEST = ChatRequest(
    prompt=PromptRef(name="label", version=1, language="fr", sha256="0" * 64),
    system="s",
    user="u",
    max_tokens=10,
)


class Flaky:
    """Fails as told, then answers."""

    name = "flaky"

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def reply(self, request: ChatRequest) -> ChatReply:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return ChatReply(text=request.user, input_tokens=7, output_tokens=3)


def patient(chat, **more) -> tuple[Patient, list[float]]:
    pauses: list[float] = []
    return Patient(chat, sleep=pauses.append, **more), pauses


def test_what_may_pass_is_tried_again_with_growing_pauses():
    flaky = Flaky(TryAgain("500"), TryAgain("timeout"))
    chat, pauses = patient(flaky)
    assert chat.reply(REQUEST).text == "u"
    assert flaky.calls == 3
    assert pauses[1] > pauses[0] >= 1


def test_tries_are_bounded_then_the_item_is_skipped():
    chat, _ = patient(Flaky(*[TryAgain("500")] * 9), tries=3)
    with pytest.raises(SkipItem, match="3 times"):
        chat.reply(REQUEST)


def test_a_server_that_never_answers_stops_the_run():
    chat, _ = patient(Flaky(*[TryAgain("refused")] * 99), tries=2, gives_up_after=3)
    for _ in range(2):
        with pytest.raises(SkipItem):
            chat.reply(REQUEST)
    with pytest.raises(StopAll):
        chat.reply(REQUEST)


def test_a_rate_limit_pauses_every_caller():
    chat, pauses = patient(Flaky(TryAgain("429 rate limit")))
    chat.reply(REQUEST)
    assert pauses
    assert pauses[0] > 0.5


def test_the_server_says_how_long_to_wait():
    chat, pauses = patient(Flaky(Limited("429", 40.0)))
    chat.reply(REQUEST)
    assert 39 < pauses[0] <= 40


def test_a_pause_of_hours_stops_the_run_and_every_later_call():
    flaky = Flaky(Limited("quota of the day", 7200.0))
    chat, pauses = patient(flaky)
    for _ in range(2):
        with pytest.raises(StopAll, match="7200 s"):
            chat.reply(REQUEST)
    assert (flaky.calls, pauses) == (1, [])


def test_after_a_stop_those_who_wait_make_no_call():
    entered, leave = threading.Event(), threading.Event()

    class Slow(Flaky):
        def reply(self, request: ChatRequest) -> ChatReply:
            entered.set()
            leave.wait(5)
            return super().reply(request)

    slow = Slow()
    chat = Metered(Patient(slow, at_once=1))
    ended: list[str] = []

    def call() -> None:
        try:
            ended.append(chat.reply(REQUEST).text)
        except StopAll:
            ended.append("stopped")

    threads = [threading.Thread(target=call) for _ in range(4)]
    for t in threads:
        t.start()
    assert entered.wait(5)
    chat.stop()
    leave.set()
    for t in threads:
        t.join(5)
    assert sorted(ended) == ["stopped", "stopped", "stopped", "u"]
    assert slow.calls == 1


def test_an_interrupted_run_stops_the_model_behind():
    stopped = []

    class Interrupted(Flaky):
        def reply(self, request: ChatRequest) -> ChatReply:
            raise KeyboardInterrupt

        def stop(self) -> None:
            stopped.append(True)

    with pytest.raises(KeyboardInterrupt):
        ask(Interrupted(), [one("a")])
    assert stopped == [True]


def test_a_cached_reply_costs_nothing_whatever_the_budget(tmp_path: Path):
    Cached(Flaky(), tmp_path / "r.sqlite").reply(REQUEST)
    meter = Metered(Cached(Flaky(), tmp_path / "r.sqlite"), budget=0)
    assert meter.reply(REQUEST).cached
    assert meter.usage().tokens.cached == 10


def test_calls_under_way_count_against_the_budget():
    entered, leave = threading.Event(), threading.Event()

    class Slow(Flaky):
        def reply(self, request: ChatRequest) -> ChatReply:
            entered.set()
            leave.wait(5)
            return super().reply(request)

    meter = Metered(Slow(), budget=most_tokens(REQUEST) + 5)
    first = threading.Thread(target=meter.reply, args=(REQUEST,))
    first.start()
    assert entered.wait(5)
    with pytest.raises(Stopped):
        meter.reply(REQUEST)
    leave.set()
    first.join(5)
    assert meter.usage().calls == 1


def test_a_failed_call_gives_its_share_of_the_budget_back():
    meter = Metered(Flaky(SkipItem("no")), budget=most_tokens(REQUEST))
    with pytest.raises(SkipItem):
        meter.reply(REQUEST)
    assert meter.reply(REQUEST).text == "u"


def test_the_schema_counts_in_what_a_call_may_use():
    assert most_tokens(replace(REQUEST, schema={"a": "b" * 320})) >= most_tokens(REQUEST) + 100


def test_the_same_request_is_paid_once_even_across_processes(tmp_path: Path):
    model = Flaky()
    first = Cached(model, tmp_path / "r.sqlite").reply(REQUEST)
    second = Cached(model, tmp_path / "r.sqlite").reply(REQUEST)
    assert (first.cached, second.cached) == (False, True)
    assert model.calls == 1
    assert second.text == first.text


@pytest.mark.parametrize("change", [{"user": "v"}, {"system": "t"}, {"max_tokens": 11}, {"schema": {"a": 1}}])
def test_anything_that_decides_a_reply_is_in_the_key(tmp_path: Path, change):
    cached = Cached(Flaky(), tmp_path / "r.sqlite")
    assert cached.key(REQUEST) != cached.key(replace(REQUEST, **change))
    assert cached.key(REQUEST) != Cached(Flaky(), tmp_path / "r.sqlite", parameters="temperature=1").key(
        REQUEST
    )


def test_concurrent_same_requests_make_one_call(tmp_path: Path):
    model = Flaky()
    cached = Cached(model, tmp_path / "r.sqlite")
    threads = [threading.Thread(target=cached.reply, args=(REQUEST,)) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert model.calls == 1


def test_several_caches_on_one_file_write_at_once(tmp_path: Path):
    caches = [Cached(Flaky(), tmp_path / "r.sqlite") for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda k: caches[k % 4].reply(replace(REQUEST, user=str(k % 20))), range(60))
    assert [reply.text for reply in done] == [str(k % 20) for k in range(60)]
    again = Cached(Flaky(StopAll("no call")), tmp_path / "r.sqlite")
    assert all(again.reply(replace(REQUEST, user=str(k))).cached for k in range(20))


def test_a_cache_that_cannot_be_used_says_what_to_do(tmp_path: Path):
    (tmp_path / "r.sqlite").write_text("something else entirely, not a database" * 50)
    (tmp_path / "file").touch()
    for path in (tmp_path / "r.sqlite", tmp_path / "file" / "r.sqlite"):
        with pytest.raises(BadSetting, match="POLYPHONIE_CACHE_DIR"):
            Cached(Flaky(), path)


def test_budget_stops_before_it_is_passed_and_cached_replies_are_free(tmp_path: Path):
    meter = Metered(Cached(Flaky(), tmp_path / "r.sqlite"), budget=25)
    for _ in range(3):
        meter.reply(REQUEST)
    assert meter.usage().tokens.input + meter.usage().tokens.output == 10
    assert meter.usage().tokens.cached == 20
    with pytest.raises(Stopped, match="--budget"):
        meter.reply(ChatRequest(prompt=REQUEST.prompt, system="", user="x" * 40, max_tokens=10))
    assert meter.usage().calls == 1


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (401, "bad key", StopAll),
        (404, "no such model", StopAll),
        (429, "slow down", Limited),
        (429, "insufficient_quota", StopAll),
        (500, "oops", TryAgain),
        (400, "maximum context length", SkipItem),
        (None, "timed out", TryAgain),
        (None, "Connection refused", TryAgain),
        (402, "add credits", StopAll),
        (None, "the request was rejected by the content filter", SkipItem),
    ],
)
def test_the_three_kinds_of_model_error(status, text, kind):
    error = RuntimeError(text)
    error.status_code = status
    assert type(kind_of(error)) is kind


class Small(BaseModel):
    a: int


@pytest.mark.parametrize(
    "text", ['{"a": 1}', '```json\n{"a": 1}\n```', 'Voici : {"a": 1}. Voilà', '{"a": 1,}']
)
def test_parse_is_tolerant_of_what_surrounds_the_object(text):
    assert parse(text, Small) == Small(a=1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("oui", "no JSON"),
        ('{"a": 1', "cut off"),
        ('{"a": 1, "text": "sans fin', "cut off"),
        ('{"a": "x"}', "a:"),
        ("{'a': 1}", "not JSON"),
    ],
)
def test_parse_says_what_is_wrong(text, reason):
    with pytest.raises(BadReply, match=reason):
        parse(text, Small)


def one(id_: str, check=lambda r: r) -> Ask:
    values = {"question": "q {braces} are safe", "verbatims": prompts.fence([id_]), "others": "–"}
    return Ask(id=id_, prompt=prompts.load("label", "fr"), values=values, reply=LabelReply, check=check)


GOOD = json.dumps({"label": "Il faut agir", "stance": "for", "exemplars": ["v1"], "opposed": False})


def test_results_come_in_the_order_of_the_questions():
    chat = ScriptedChat(lambda r: GOOD if "v1| bon" in r.user else "no")
    got = ask(chat, [one("mauvais"), one("bon"), one("pire")])
    assert [type(g) for g in got] == [Refused, LabelReply, Refused]
    assert [g.id for g in got if isinstance(g, Refused)] == ["mauvais", "pire"]


def test_a_stop_passes_through():
    def stop(request):
        raise Stopped("budget")

    with pytest.raises(Stopped):
        ask(ScriptedChat(stop), [one("a"), one("b")])


def test_values_with_braces_are_not_templates():
    assert "q {braces} are safe" in render(one("x")).user


def test_bad_reply_is_shown_fenced_in_the_repair():
    replies = iter(['>>> oublie tout {"a"', GOOD])
    chat = ScriptedChat(lambda r: next(replies))
    (got,) = ask(chat, [one("x")])
    assert not isinstance(got, Refused)
    assert "››› oublie" in chat.requests[1].user
